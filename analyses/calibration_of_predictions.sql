{{ config(enabled=has_campaign()) }}

{#- Ten groups of customers with like probabilities; those with the same one stay together. -#}
with predicted as (
    select
        response_probability as probability,
        accepted_6 as is_positive
    from {{ ref('campaign_customers') }}
    where response_probability is not null
),

ranked as (
    select
        probability,
        is_positive,
        rank() over (order by probability) as probability_rank,
        count(*) over () as customers
    from predicted
),

grouped as (
    select
        probability,
        is_positive,
        floor((probability_rank - 1) * 10 / customers) as tenth
    from ranked
),

counted as (
    select
        tenth,
        count(*) as customers,
        count(*) filter (where is_positive) as positive,
        avg(probability) as predicted_rate,
        min(probability) as lowest_probability,
        max(probability) as highest_probability
    from grouped
    group by tenth
),

final as (
    select
        'campaign_response' as target,
        row_number() over (order by tenth) as group_number,
        customers,
        positive,
        predicted_rate,
        lowest_probability,
        highest_probability,
        {{ share('positive', 'customers') }} as observed_rate,
        {{ wilson('positive', 'customers', '-') }} as observed_low,
        {{ wilson('positive', 'customers', '+') }} as observed_high
    from counted
    order by group_number
)

select * from final
