with fits as (
    select
        *,
        cast(as_of_at - interval '1' microsecond as date) as as_of_date
    from {{ ref('int_fits') }}
),

kept_fits as (
    select
        *,
        cast(as_of_at - interval '1' microsecond as date) as as_of_date
    from {{ ref('int_fits_kept') }}
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
        coalesce(sizes.customers, 0) as customers,
        moves.moved_by_themselves,
        fits.decision,
        fits.reason,
        fits.previous_model_version,
        fits.moved_by_refit,
        fits.feature_psi,
        fits.far_share,
        fits.known_share,
        fits.explained,
        fits.explained_by_refit,
        fits.name_conflict,
        fits.names_withheld
    from fits
    left join sizes on fits.segmentation = sizes.segmentation
    left join moves on fits.segmentation = moves.segmentation
    where fits.decision is not null
),

{# Of the source and settings at hand. What is decided now replaces what was decided on the same day. #}
decided_before as (
    select
        kept_fits.*,
        row_number() over (
            partition by kept_fits.segmentation, kept_fits.as_of_date
            order by kept_fits.kept_number desc
        ) as newest
    from kept_fits
    inner join fits
        on
            kept_fits.segmentation = fits.segmentation
            and kept_fits.source_key = fits.source_key
            and kept_fits.settings_key = fits.settings_key
            and kept_fits.playbook_key = fits.playbook_key
    where
        kept_fits.as_of_date < fits.as_of_date
        or (kept_fits.as_of_date = fits.as_of_date and fits.decision is null)
),

together as (
    select * from decided_now
    union all
    select
        segmentation,
        as_of_date,
        model_version,
        customers,
        moved_by_themselves,
        decision,
        reason,
        previous_model_version,
        moved_by_refit,
        feature_psi,
        far_share,
        known_share,
        explained,
        explained_by_refit,
        name_conflict,
        names_withheld
    from decided_before
    where newest = 1
),

final as (
    select
        segmentation,
        as_of_date,
        decision,
        reason,
        model_version,
        previous_model_version,
        customers,
        moved_by_themselves,
        moved_by_refit,
        {{ as_map('feature_psi') }} as feature_psi,
        far_share,
        known_share,
        explained,
        explained_by_refit,
        name_conflict,
        names_withheld
    from together
)

select * from final
