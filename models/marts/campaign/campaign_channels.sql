{{ config(enabled=has_campaign()) }}

with dimensions as (
    select * from {{ ref('int_campaign_dimensions') }}
),

customers as (
    select * from {{ ref('int_campaign_customers') }}
),

channels as (
    {%- for channel in campaign_channels() %}
    select
        '{{ channel }}' as channel,
        customer_id,
        {{ channel }}_purchases as channel_purchases,
        purchases,
        {% for other in campaign_channels() if other != channel -%}
        {{ channel }}_purchases > {{ other }}_purchases{{ ' and ' if not loop.last }}
        {%- endfor %} as is_favourite
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

summed as (
    select
        dimensions.dimension,
        dimensions.value,
        dimensions.value_order,
        channels.channel,
        count(*) as customers,
        sum(channels.channel_purchases) as channel_purchases,
        sum(channels.purchases) as purchases,
        count(*) filter (where channels.is_favourite) as favouring_customers
    from dimensions
    inner join channels on dimensions.customer_id = channels.customer_id
    group by
        dimensions.dimension,
        dimensions.value,
        dimensions.value_order,
        channels.channel
),

final as (
    select
        dimension,
        value,
        value_order,
        channel,
        cast(customers as integer) as customers,
        cast(channel_purchases as bigint) as purchases,
        cast(cast(channel_purchases as double) / customers as decimal(18, 4)) as mean_purchases,
        {{ share('channel_purchases', 'purchases') }} as purchase_share,
        {{ share('favouring_customers', 'customers') }} as favourite_share
    from summed
)

select * from final
