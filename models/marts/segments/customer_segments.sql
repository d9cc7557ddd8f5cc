{{ config(pre_hook="{{ stop_without_fit() }}") }}

with {{ customers_of_populations() }},

cluster_centers as (
    select * from {{ ref('cluster_centers') }}
),

segments as (
    select * from {{ ref('int_segments_declared') }}
),

{{ assigned_customers(segmentations(), ['customer_id']) }},

named as (
    select distinct
        segmentation,
        segment_code
    from clusters
),

{# For each segment, the clusters of the others. #}
rivals as (
    select
        own.segmentation,
        own.segment_code,
        {{ list_of_structs({'segment_code': 'others.segment_code', 'center': 'others.center'}) }} as clusters
    from named as own
    inner join clusters as others
        on
            own.segmentation = others.segmentation
            and own.segment_code <> others.segment_code
    where others.outlier_features is null
    group by
        own.segmentation,
        own.segment_code
),

{# A customer that is set apart has no centre; its runner-up is where it would be otherwise. #}
compared as (
    select
        assigned.*,
        {{ nearest_of('rivals.clusters', 'assigned.point') }} as runner_up
    from assigned
    left join rivals
        on
            assigned.segmentation = rivals.segmentation
            and assigned.segment_code = rivals.segment_code
),

final as (
    select
        compared.segmentation,
        segments.population,
        compared.customer_id,
        compared.cluster_id,
        compared.segment_code,
        segments.segment_name,
        compared.distance,
        compared.runner_up.segment_code as runner_up_segment_code,
        (compared.runner_up.distance - compared.distance) / nullif(compared.runner_up.distance, 0) as margin
    from compared
    inner join segments
        on
            compared.segmentation = segments.segmentation
            and compared.segment_code = segments.segment_code
)

select * from final
