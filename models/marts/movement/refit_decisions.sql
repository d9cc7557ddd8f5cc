with fits as (
    select
        segmentation,
        source_key,
        settings_key,
        playbook_key,
        model_version,
        cast(as_of_at - interval '1' microsecond as date) as as_of_date,
        decision
    from {{ ref('int_segmentations_fitted') }}
    where is_selected
),

kept_decisions as (
    select * from {{ source('kept', 'refit_decisions') }}
),

customer_segments as (
    select segmentation
    from {{ ref('customer_segments') }}
),

moved as (
    select
        segmentation,
        previous_segment_code <> segment_code as is_moved
    from {{ ref('segment_history') }}
    where
        is_current
        and not is_new
),

sizes as (
    select
        segmentation,
        cast(count(*) as integer) as customers
    from customer_segments
    group by segmentation
),

{# Both ends under one fit, so that no refit is among these moves. #}
moves as (
    select
        segmentation,
        cast(count(*) filter (where is_moved) as integer) as moved_by_themselves
    from moved
    group by segmentation
),

decided_now as (
    select
        fits.segmentation,
        fits.as_of_date,
        fits.model_version,
        sizes.customers,
        moves.moved_by_themselves,
        {{ decision_struct('fits.decision') }} as decided
    from fits
    inner join sizes on fits.segmentation = sizes.segmentation
    left join moves on fits.segmentation = moves.segmentation
    where fits.decision is not null
),

{# Of the source and settings at hand; what is decided now takes the place of what was on the same day. #}
decided_before as (
    select
        fits.segmentation,
        kept_decisions.as_of_date,
        {{ decision_struct('kept_decisions.decision') }} as decided
    from fits
    inner join kept_decisions
        on
            fits.segmentation = kept_decisions.segmentation
            and fits.source_key = kept_decisions.source_key
            and fits.settings_key = kept_decisions.settings_key
            and fits.playbook_key = kept_decisions.playbook_key
    where
        kept_decisions.as_of_date < fits.as_of_date
        or (kept_decisions.as_of_date = fits.as_of_date and fits.decision is null)
),

together as (
    select
        segmentation,
        as_of_date,
        model_version,
        customers,
        moved_by_themselves,
        decided
    from decided_now
    union all
    select
        segmentation,
        as_of_date,
        decided.model_version,
        decided.customers,
        decided.moved_by_themselves,
        decided
    from decided_before
),

final as (
    select
        segmentation,
        as_of_date,
        decided.decision,
        decided.reason,
        model_version,
        decided.previous_model_version,
        customers,
        moved_by_themselves,
        decided.moved_by_refit,
        decided.feature_psi,
        decided.far_share,
        decided.known_share,
        decided.explained,
        decided.explained_by_refit,
        decided.name_conflict
    from together
)

select * from final
