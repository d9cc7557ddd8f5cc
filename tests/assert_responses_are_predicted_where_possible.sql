{{ config(enabled=has_campaign()) }}

{# One champion with a probability for every customer; nothing where an answer is too rare to learn. #}
with customers as (
    select
        count(*) as customers,
        count(*) filter (where accepted_6) as accepted,
        count(*) filter (where not accepted_6) as refused
    from {{ ref('int_campaign_customers') }}
),

predicted as (
    select
        count(*) as predictions,
        count(distinct model) as models,
        count(*) filter (where probability between 0 and 1) as probabilities
    from {{ ref('int_campaign_responses_predicted') }}
    where is_champion
),

scored as (
    select count(distinct model) as champions
    from {{ ref('prediction_backtest') }}
    where
        subject = 'campaign_customers'
        and is_champion
),

compared as (
    select
        customers.customers,
        customers.accepted,
        customers.refused,
        predicted.predictions,
        predicted.models,
        predicted.probabilities,
        scored.champions
    from customers
    cross join predicted
    cross join scored
)

select *
from compared
where
    probabilities <> predictions
    or models <> champions
    or predictions not in (0, customers)
    {# Ten customers who differ in nothing can't be told apart; more than that many can. #}
    or (predictions = 0 and least(accepted, refused) >= 10)
