with cluster_diagnostics as (
    select * from {{ ref('cluster_diagnostics') }}
),

{# Other algorithms may have been tried; the curve is that of the one in use. #}
selected as (
    select
        segmentation,
        algorithm
    from cluster_diagnostics
    where is_selected
),

final as (
    select
        cluster_diagnostics.segmentation,
        cluster_diagnostics.algorithm,
        cluster_diagnostics.k,
        cluster_diagnostics.inertia,
        cluster_diagnostics.silhouette,
        cluster_diagnostics.smallest_cluster_share,
        cluster_diagnostics.is_selected,
        cluster_diagnostics.selection_reason
    from cluster_diagnostics
    inner join selected
        on
            cluster_diagnostics.segmentation = selected.segmentation
            and cluster_diagnostics.algorithm = selected.algorithm
    order by
        cluster_diagnostics.segmentation,
        cluster_diagnostics.k
)

select * from final
