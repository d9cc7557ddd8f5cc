with predicted as (
    select * from {{ ref('int_customers_predicted') }}
),

explained as (
    select * from {{ ref('int_churn_explained') }}
),

current_as_of as (
    select
        as_of_at,
        prediction_days
    from {{ ref('int_as_of_dates') }}
    where is_current
),

{# The day that holds the moment after which half of such customers have bought. #}
final as (
    select
        predicted.customer_id,
        current_as_of.as_of_at,
        cast(current_as_of.prediction_days as integer) as prediction_days,
        cast(predicted.churn_probability as decimal(9, 6)) as churn_probability,
        {{ churn_band('predicted.churn_probability') }} as churn_band,
        explained.churn_reason_1,
        explained.churn_reason_2,
        cast(predicted.expected_orders as decimal(12, 4)) as expected_orders,
        cast(predicted.expected_spend as decimal(18, 2)) as expected_spend,
        cast(predicted.expected_spend_low as decimal(18, 2)) as expected_spend_low,
        cast(predicted.expected_spend_high as decimal(18, 2)) as expected_spend_high,
        cast(predicted.expected_spend_365d as decimal(18, 2)) as expected_spend_365d,
        cast({{ days_after('current_as_of.as_of_at', 'predicted.next_purchase_days') }} as date) as next_purchase_date,
        predicted.churn_model,
        predicted.orders_model,
        predicted.spend_model,
        predicted.spend_365d_model,
        predicted.next_purchase_model,
        predicted.is_spend_365d_tested,
        cast(predicted.months_until_tested as integer) as months_until_tested
    from predicted
    cross join current_as_of
    left join explained on predicted.customer_id = explained.customer_id
)

select * from final
