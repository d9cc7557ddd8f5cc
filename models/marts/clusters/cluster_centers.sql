with fits as (
    select
        segmentation,
        model_version,
        centers
    from {{ ref('int_segmentations_fitted') }}
    where is_selected
),

declared as (
    select
        segmentation,
        feature,
        transform
    from {{ ref('int_segmentations_declared') }}
),

unnested as (
    select
        segmentation,
        model_version,
        {{ unnest_centers('centers') }} as center
    from fits
),

centers as (
    select
        segmentation,
        model_version,
        center.cluster_id,
        center.segment_code,
        center.feature_number,
        center.feature,
        center.feature_offset,
        center.feature_scale,
        center.center_scaled,
        center.center_scaled * center.feature_scale + center.feature_offset as center_transformed
    from unnested
),

final as (
    select
        centers.segmentation,
        centers.model_version,
        centers.cluster_id,
        centers.segment_code,
        centers.feature_number,
        centers.feature,
        declared.transform,
        centers.feature_offset,
        centers.feature_scale,
        centers.center_scaled,
        case declared.transform
            when 'log1p' then exp(centers.center_transformed) - 1
            else centers.center_transformed
        end as center
    from centers
    inner join declared
        on
            centers.segmentation = declared.segmentation
            and centers.feature = declared.feature
)

select * from final
