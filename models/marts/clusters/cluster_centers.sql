with fits as (
    select
        segmentation,
        model_version,
        centers
    from {{ ref('int_fits') }}
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
        {{ unnested('centers') }} as center
    from fits
),

centers as (
    select
        segmentation,
        model_version,
        center.*,
        center.center_scaled * center.feature_scale + center.feature_offset as center_transformed
    from unnested
),

final as (
    select
        centers.segmentation,
        centers.model_version,
        centers.cluster_id,
        centers.segment_code,
        centers.prototype_segment_code,
        centers.outlier_features,
        centers.feature_number,
        centers.feature,
        declared.transform,
        centers.knots,
        centers.clip_low,
        centers.clip_high,
        centers.feature_offset,
        centers.feature_scale,
        centers.fence_low,
        centers.fence_high,
        centers.center_scaled,
        case declared.transform
            when 'log1p' then exp(centers.center_transformed) - 1
            when 'sqrt' then centers.center_transformed * centers.center_transformed
            when 'rank' then centers.knots[cast(greatest(1, ceil(100 * centers.center_transformed)) as integer)]
            else centers.center_transformed
        end as center
    from centers
    inner join declared
        on
            centers.segmentation = declared.segmentation
            and centers.feature = declared.feature
)

select * from final
