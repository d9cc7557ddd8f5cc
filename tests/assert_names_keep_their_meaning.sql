{# A refit keeps each cluster's name. Where its centre has gone so far that the prototypes would name it
   otherwise, the name would mean something else from now on; then no such refit is made, or it takes the names of
   the prototypes. #}
with cluster_centers as (
    select distinct
        segmentation,
        model_version,
        cluster_id,
        segment_code,
        prototype_segment_code
    from {{ ref('cluster_centers') }}
)

select * from cluster_centers
where segment_code is distinct from prototype_segment_code
