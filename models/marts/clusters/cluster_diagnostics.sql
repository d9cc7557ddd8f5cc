with fits as (
    select
        segmentation,
        {{ unnested('tried') }} as tried
    from {{ ref('int_fits') }}
),

final as (
    select
        segmentation,
        {%- for column in [
            'algorithm', 'k', 'clusters', 'customers', 'inertia', 'silhouette', 'davies_bouldin', 'calinski_harabasz',
            'stability_ari', 'stability_spread', 'stability_refits', 'smallest_cluster_share', 'noise_share',
            'noise_revenue_share', 'center_agreement', 'eps', 'is_selected', 'selection_reason', 'model_version'
        ] %}
        tried.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from fits
)

select * from final
