with fits as (
    select
        segmentation,
        {{ unnested('tried') }} as tried
    from {{ ref('int_fits') }}
),

final as (
    select
        segmentation,
        tried.algorithm,
        tried.k,
        tried.clusters,
        tried.customers,
        tried.inertia,
        tried.silhouette,
        tried.davies_bouldin,
        tried.calinski_harabasz,
        tried.stability_ari,
        tried.stability_spread,
        tried.stability_refits,
        tried.smallest_cluster_share,
        tried.noise_share,
        tried.noise_revenue_share,
        tried.center_agreement,
        tried.eps,
        tried.is_selected,
        tried.selection_reason,
        tried.model_version
    from fits
)

select * from final
