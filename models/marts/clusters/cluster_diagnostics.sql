with fits as (
    select * from {{ ref('int_segmentations_fitted') }}
),

final as (
    select
        segmentation,
        algorithm,
        k,
        clusters,
        customers,
        inertia,
        silhouette,
        davies_bouldin,
        calinski_harabasz,
        stability_ari,
        stability_spread,
        stability_refits,
        smallest_cluster_share,
        noise_share,
        noise_revenue_share,
        center_agreement,
        eps,
        is_selected,
        selection_reason,
        model_version
    from fits
)

select * from final
