{#- The primary segmentation comes first, then others of the shop's customers. Names that no cluster has are left out:
    there is nobody to act for. -#}
with segments as (
    select * from {{ ref('segments') }}
),

selected as (
    select
        segmentation,
        model_version
    from {{ ref('cluster_diagnostics') }}
    where is_selected
),

clusters as (
    select
        segmentation,
        segment_code,
        count(distinct cluster_id) as clusters
    from {{ ref('cluster_centers') }}
    group by
        segmentation,
        segment_code
),

final as (
    select
        segments.segmentation,
        segments.population,
        segments.segmentation = {{ sql_text(setting('primary_segmentation')) }} as is_primary,
        selected.model_version,
        segments.segment_order,
        segments.segment_code,
        segments.segment_name,
        segments.colour,
        clusters.clusters,
        segments.customers,
        segments.customer_share,
        segments.revenue,
        segments.revenue_share,
        segments.key_characteristics,
        segments.action,
        segments.channel,
        segments.offer,
        segments.bought_next_share,
        segments.bought_next_days,
        segments.bought_next_customers,
        segments.measured_month_ends
    from segments
    inner join selected on segments.segmentation = selected.segmentation
    inner join clusters
        on
            segments.segmentation = clusters.segmentation
            and segments.segment_code = clusters.segment_code
    order by
        segments.segmentation <> {{ sql_text(setting('primary_segmentation')) }},
        segments.population <> 'invoice_customers',
        segments.segmentation,
        segments.segment_order
)

select * from final
