{{ config(enabled=has_campaign()) }}

with campaign_concentration as (
    select * from {{ ref('campaign_concentration') }}
),

final as (
    select
        channel,
        customer_share,
        customers,
        purchases,
        purchase_share
    from campaign_concentration
    order by
        channel,
        customer_share
)

select * from final
