with segment_profiles as (
    select * from {{ ref('segment_profiles') }}
    where feature in ('recency_days', 'frequency', 'monetary', 'average_basket_value')
),

segments as (
    select * from {{ ref('segments') }}
    where population = 'invoice_customers'
),

final as (
    select
        segment_profiles.segmentation,
        segment_profiles.feature,
        segments.segment_order,
        segments.segment_code,
        segments.segment_name,
        segment_profiles.p05,
        segment_profiles.p25,
        segment_profiles.median,
        segment_profiles.mean,
        segment_profiles.p75,
        segment_profiles.p95
    from segment_profiles
    inner join segments
        on
            segment_profiles.segmentation = segments.segmentation
            and segment_profiles.segment_code = segments.segment_code
    order by
        segment_profiles.segmentation,
        segment_profiles.feature,
        segments.segment_order
)

select * from final
