{{ config(enabled=has_campaign()) }}

with campaign_profit as (
    select * from {{ ref('campaign_profit') }}
),

final as (
    select
        customer_share,
        customers,
        lowest_probability,
        responses,
        contact_cost,
        revenue,
        expected_profit,
        profit,
        random_profit,
        is_best
    from campaign_profit
    order by customer_share
)

select * from final
