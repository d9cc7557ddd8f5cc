with fits as (
    select * from {{ ref('int_segmentations_fitted') }}
),

final as (
    select
        segmentation,
        algorithm,
        k,
        clusters,
        inertia,
        silhouette,
        davies_bouldin,
        calinski_harabasz,
        cast(null as double) as stability_ari,
        smallest_cluster_share,
        cast(0 as double) as noise_share,
        is_selected,
        selection_reason,
        model_version
    from fits
)

select * from final
