{#- With the range that each feature has in its population, for the calculator's sliders. -#}
with cluster_centers as (
    select * from {{ ref('cluster_centers') }}
),

populations as (
    select distinct
        segmentation,
        population
    from {{ ref('segments') }}
),

data_profile as (
    select
        case table_name
            {%- for population, described in populations().items() %}
            {%- for mart in described.marts %}
            when '{{ mart }}' then '{{ population }}'
            {%- endfor %}
            {%- endfor %}
        end as population,
        column_name,
        minimum,
        median,
        maximum
    from {{ ref('data_profile') }}
),

final as (
    select
        cluster_centers.segmentation,
        cluster_centers.cluster_id,
        cluster_centers.segment_code,
        cluster_centers.outlier_features,
        cluster_centers.feature_number,
        cluster_centers.feature,
        cluster_centers.transform,
        cluster_centers.knots,
        cluster_centers.clip_low,
        cluster_centers.clip_high,
        cluster_centers.fence_low,
        cluster_centers.fence_high,
        cluster_centers.feature_offset,
        cluster_centers.feature_scale,
        cluster_centers.center_scaled,
        cast(data_profile.minimum as double) as minimum,
        data_profile.median,
        cast(data_profile.maximum as double) as maximum
    from cluster_centers
    inner join populations on cluster_centers.segmentation = populations.segmentation
    inner join data_profile
        on
            populations.population = data_profile.population
            and cluster_centers.feature = data_profile.column_name
    order by
        cluster_centers.segmentation,
        cluster_centers.cluster_id,
        cluster_centers.feature_number
)

select * from final
