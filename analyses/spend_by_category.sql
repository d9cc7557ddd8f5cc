{{ config(enabled=has_campaign()) }}

with campaign_spend as (
    select * from {{ ref('campaign_spend') }}
),

final as (
    select
        dimension,
        value_order,
        value,
        category,
        customers,
        mean_spend,
        spend_share
    from campaign_spend
    where dimension in ('all', 'income_band', 'segment')
    order by
        dimension,
        value_order,
        category
)

select * from final
