{#- The last test of churn and spend alone: those of other month ends share most of their days with it. -#}
with calibration as (
    select
        target,
        prediction_days,
        cutoff,
        group_number,
        cast(customers as bigint) as customers,
        lowest_prediction,
        highest_prediction,
        predicted,
        observed,
        max(cutoff) over (partition by target) as last_cutoff
    from {{ ref('prediction_calibration') }}
    where
        subject = 'customers'
        and target in ('churn', 'spend')
),

counted as (
    select
        *,
        cast(round(observed * customers) as bigint) as stayed_away
    from calibration
    where cutoff = last_cutoff
),

final as (
    select
        target,
        prediction_days,
        cutoff,
        group_number,
        customers,
        lowest_prediction,
        highest_prediction,
        predicted,
        observed,
        case when target = 'churn' then stayed_away end as stayed_away,
        case when target = 'churn' then {{ wilson('stayed_away', 'customers', '-') }} end as observed_low,
        case when target = 'churn' then {{ wilson('stayed_away', 'customers', '+') }} end as observed_high
    from counted
    order by
        target,
        group_number
)

select * from final
