{# Everybody or nobody is predicted, by the champion of the backtest, within bounds; and nothing was tested on
   days that are not over. #}
with customers as (
    select * from {{ ref('customers') }}
),

predictions as (
    select * from {{ ref('customer_predictions') }}
),

backtest as (
    select * from {{ ref('prediction_backtest') }}
    where subject = 'customers'
),

current_as_of as (
    select
        as_of_at,
        prediction_days
    from {{ ref('int_as_of_dates') }}
    where is_current
),

champions as (
    select
        target,
        count(distinct model) as champions,
        max(model) as model
    from backtest
    where is_champion
    group by target
),

in_use as (
    {%- for target, model, prediction in [
        ('churn', 'churn_model', 'churn_probability'),
        ('orders', 'orders_model', 'expected_orders'),
        ('spend', 'spend_model', 'expected_spend'),
        ('spend_365d', 'spend_365d_model', 'expected_spend_365d'),
        ('next_purchase_date', 'next_purchase_model', 'next_purchase_date'),
    ] %}
    select
        '{{ target }}' as target,
        max({{ model }}) as model,
        {{ 'bool_and(is_spend_365d_tested)' if target == 'spend_365d' else 'true' }} as is_tested,
        count(distinct coalesce({{ model }}, '')) as models,
        count(*) as customers,
        count({{ prediction }}) as predicted
    from predictions
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

problems as (
    select 'customers without a row: ' || customers.customer_id as problem
    from customers
    left join predictions on customers.customer_id = predictions.customer_id
    where predictions.customer_id is null
    union all
    select 'rows without a customer: ' || predictions.customer_id as problem
    from predictions
    left join customers on predictions.customer_id = customers.customer_id
    where customers.customer_id is null
    union all
    select 'not as in the mart customers: ' || customers.customer_id as problem
    from customers
    inner join predictions on customers.customer_id = predictions.customer_id
    where
        customers.churn_probability is distinct from predictions.churn_probability
        or customers.churn_reason_1 is distinct from predictions.churn_reason_1
        or customers.churn_reason_2 is distinct from predictions.churn_reason_2
        or customers.expected_orders is distinct from predictions.expected_orders
        or customers.expected_spend is distinct from predictions.expected_spend
        or customers.next_purchase_date is distinct from predictions.next_purchase_date
    union all
    select 'out of bounds: ' || predictions.customer_id as problem
    from predictions
    cross join current_as_of
    where
        predictions.churn_probability not between 0 and 1
        or predictions.expected_orders < 0
        or predictions.expected_spend_low < 0
        or predictions.expected_spend not between predictions.expected_spend_low and predictions.expected_spend_high
        or predictions.expected_spend_high is null <> (predictions.expected_spend is null)
        or predictions.expected_spend_365d < 0
        or predictions.next_purchase_date < cast(current_as_of.as_of_at as date)
        or predictions.next_purchase_date > cast({{ days_after('current_as_of.as_of_at', 'current_as_of.prediction_days') }} as date)
    union all
    {# A date is missing where a purchase is not likely in time. #}
    select 'some are predicted, others not: ' || target as problem
    from in_use
    where
        models <> 1
        or (model is null and predicted > 0)
        or (model is not null and target <> 'next_purchase_date' and predicted < customers)
    union all
    select 'not the champion: ' || in_use.target as problem
    from in_use
    left join champions on in_use.target = champions.target
    where
        (in_use.model is distinct from champions.model and (in_use.is_tested or champions.model is not null))
        or champions.champions > 1
    union all
    select 'no champion: ' || backtest.target as problem
    from backtest
    left join champions on backtest.target = champions.target
    where champions.target is null
    union all
    select 'tested on other days, or before they were over: ' || backtest.target as problem
    from backtest
    cross join current_as_of
    where
        {{ days_after('backtest.cutoff', 'backtest.prediction_days') }} > current_as_of.as_of_at
        or backtest.prediction_days
        is distinct from case when backtest.target = 'spend_365d' then 365 else current_as_of.prediction_days end
)

select problem
from problems
