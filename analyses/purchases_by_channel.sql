{{ config(enabled=has_campaign()) }}

with campaign_channels as (
    select * from {{ ref('campaign_channels') }}
),

final as (
    select
        dimension,
        value_order,
        value,
        channel,
        customers,
        purchases,
        mean_purchases,
        purchase_share,
        favourite_share
    from campaign_channels
    where dimension in ('all', 'income_band', 'segment')
    order by
        dimension,
        value_order,
        channel
)

select * from final
