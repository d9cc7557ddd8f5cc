{#- The last test of churn and spend alone: those of other month ends share most of their days with it. -#}
with calibration as (
    select
        target,
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
        and target in ('churn_90d', 'spend_90d')
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
        cutoff,
        group_number,
        customers,
        lowest_prediction,
        highest_prediction,
        predicted,
        observed,
        case when target = 'churn_90d' then stayed_away end as stayed_away,
        case when target = 'churn_90d' then {{ wilson('stayed_away', 'customers', '-') }} end as observed_low,
        case when target = 'churn_90d' then {{ wilson('stayed_away', 'customers', '+') }} end as observed_high
    from counted
    order by
        target,
        group_number
)

select * from final
