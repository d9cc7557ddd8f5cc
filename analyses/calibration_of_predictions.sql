{{ config(enabled=has_campaign()) }}

with calibration as (
    select
        target,
        group_number,
        lowest_prediction,
        highest_prediction,
        predicted,
        observed,
        cast(customers as bigint) as customers,
        cast(round(observed * customers) as bigint) as positive
    from {{ ref('prediction_calibration') }}
    where subject = 'campaign_customers'
),

final as (
    select
        target,
        group_number,
        customers,
        positive,
        predicted as predicted_rate,
        lowest_prediction as lowest_probability,
        highest_prediction as highest_probability,
        observed as observed_rate,
        {{ wilson('positive', 'customers', '-') }} as observed_low,
        {{ wilson('positive', 'customers', '+') }} as observed_high
    from calibration
    order by group_number
)

select * from final
