{# A refit keeps each cluster's name. Where its centre has gone so far that the prototypes would name it
   otherwise, the name would mean something else from now on: build with refit never, which keeps the fit that
   there is, or declare the segmentation under a new name. #}
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
