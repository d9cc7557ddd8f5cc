with customers as (
    select * from {{ ref('int_customers_transformed') }}
),

cluster_centers as (
    select * from {{ ref('cluster_centers') }}
),

segments as (
    select * from {{ ref('int_segments_declared') }}
),

clusters as (
    select
        segmentation,
        cluster_id,
        segment_code,
        {{ ordered_list('center_scaled', 'feature_number') }} as center,
        {{ ordered_list('feature_offset', 'feature_number') }} as offsets,
        {{ ordered_list('feature_scale', 'feature_number') }} as scales
    from cluster_centers
    group by
        segmentation,
        cluster_id,
        segment_code
),

fits as (
    select
        segmentation,
        min(offsets) as offsets,
        min(scales) as scales,
        {{ ordered_list("{'cluster_id': cluster_id, 'segment_code': segment_code, 'center': center}", 'cluster_id') }} as clusters
    from clusters
    group by segmentation
),

{# One row a customer from here on: the few clusters stay in a list, so that millions of customers
   are not multiplied by them. #}
measured as (
    select
        customers.segmentation,
        customers.customer_id,
        {{ clusters_by_distance('customers.features', 'fits.offsets', 'fits.scales', 'fits.clusters') }} as nearest
    from customers
    inner join fits on customers.segmentation = fits.segmentation
),

ranked as (
    select
        segmentation,
        customer_id,
        nearest[1] as own,
        {{ runner_up('nearest') }} as runner_up
    from measured
),

assigned as (
    select
        segmentation,
        customer_id,
        own.cluster_id,
        own.segment_code,
        own.distance,
        runner_up.segment_code as runner_up_segment_code,
        (runner_up.distance - own.distance) / nullif(runner_up.distance, 0) as margin
    from ranked
),

final as (
    select
        assigned.segmentation,
        assigned.customer_id,
        assigned.cluster_id,
        assigned.segment_code,
        segments.segment_name,
        assigned.distance,
        assigned.runner_up_segment_code,
        assigned.margin
    from assigned
    inner join segments
        on
            assigned.segmentation = segments.segmentation
            and assigned.segment_code = segments.segment_code
)

select * from final
