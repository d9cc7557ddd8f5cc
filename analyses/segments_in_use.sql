{#- The primary segmentation comes first, then others of the shop's customers. -#}
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
        segments.clusters,
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
    order by
        segments.segmentation <> {{ sql_text(setting('primary_segmentation')) }},
        segments.population <> 'invoice_customers',
        segments.segmentation,
        segments.segment_order
)

select * from final
