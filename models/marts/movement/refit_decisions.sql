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

actions as (
    select
        segmentation,
        string_agg(reason, '; ' order by segment_order asc) as actions_replaced
    from {{ ref('int_segment_actions') }}
    group by segmentation
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
        known_share,
        explained,
        explained_by_refit,
        name_conflict,
        names_withheld
    from decided_before
    where newest = 1
),

newest as (
    select
        segmentation,
        max(as_of_date) as as_of_date
    from together
    group by segmentation
),

{# Names belong to a fit, and actions to the customers of today. #}
final as (
    select
        together.segmentation,
        together.as_of_date,
        together.decision,
        together.reason,
        together.model_version,
        together.previous_model_version,
        together.customers,
        together.moved_by_themselves,
        together.moved_by_refit,
        {{ as_map('together.feature_psi') }} as feature_psi,
        together.known_share,
        together.explained,
        together.explained_by_refit,
        together.name_conflict,
        together.names_withheld,
        actions.actions_replaced
    from together
    left join newest
        on
            together.segmentation = newest.segmentation
            and together.as_of_date = newest.as_of_date
    left join actions on newest.segmentation = actions.segmentation
)

select * from final
