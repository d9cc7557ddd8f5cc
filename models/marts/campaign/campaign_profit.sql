{{ config(enabled=has_campaign()) }}

with predicted as (
    select
        customer_id,
        probability,
        is_accepted
    from {{ ref('int_campaign_responses_predicted') }}
    where is_champion
),

customers as (
    select
        customer_id,
        contact_cost,
        response_revenue
    from {{ ref('int_campaign_customers') }}
),

{# Asked first are those of whom most profit is expected; with one cost and one revenue for all, those
   with the highest probability. #}
ranked as (
    select
        predicted.probability,
        customers.contact_cost,
        cast(predicted.is_accepted as integer) as responses,
        customers.response_revenue * cast(predicted.is_accepted as integer) as revenue,
        predicted.probability * customers.response_revenue as expected_revenue,
        row_number() over (
            order by
                predicted.probability * customers.response_revenue - customers.contact_cost desc,
                customers.customer_id asc
        ) as customer_rank
    from predicted
    inner join customers on predicted.customer_id = customers.customer_id
),

totals as (
    select
        count(*) as customers,
        sum(revenue) - sum(contact_cost) as profit
    from ranked
),

cut as (
    select
        numbers.percent,
        {{ customers_in_share('numbers.percent', 'totals.customers') }} as customers,
        totals.customers as all_customers,
        totals.profit as all_profit
    from (select range as percent from range(1, 101)) as numbers
    cross join totals
),

summed as (
    select
        cut.percent,
        cut.customers,
        cut.all_customers,
        cut.all_profit,
        min(ranked.probability) as lowest_probability,
        sum(ranked.probability) as expected_responses,
        sum(ranked.responses) as responses,
        sum(ranked.contact_cost) as contact_cost,
        sum(ranked.expected_revenue) as expected_revenue,
        sum(ranked.revenue) as revenue
    from cut
    inner join ranked on cut.customers >= ranked.customer_rank
    group by
        cut.percent,
        cut.customers,
        cut.all_customers,
        cut.all_profit
),

profits as (
    select
        *,
        expected_revenue - contact_cost as expected_profit,
        revenue - contact_cost as profit
    from summed
),

best as (
    select
        percent,
        row_number() over (order by expected_profit desc, percent asc) as profit_rank
    from profits
),

final as (
    select
        cast(profits.percent / 100.0 as decimal(9, 6)) as customer_share,
        profits.customers,
        cast(profits.lowest_probability as decimal(9, 6)) as lowest_probability,
        cast(profits.contact_cost as decimal(18, 2)) as contact_cost,
        cast(profits.expected_responses as decimal(18, 4)) as expected_responses,
        cast(profits.expected_revenue as decimal(18, 2)) as expected_revenue,
        cast(profits.expected_profit as decimal(18, 2)) as expected_profit,
        cast(profits.responses as integer) as responses,
        cast(profits.revenue as decimal(18, 2)) as revenue,
        cast(profits.profit as decimal(18, 2)) as profit,
        cast(cast(profits.all_profit as double) * profits.customers / profits.all_customers as decimal(18, 2)) as random_profit,
        best.profit_rank = 1 as is_best
    from profits
    inner join best on profits.percent = best.percent
)

select * from final
