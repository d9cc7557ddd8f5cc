{{ config(enabled=has_campaign()) }}

with customers as (
    select * from {{ ref('int_campaign_customers') }}
),

channels as (
    {%- for channel in campaign_channels() %}
    select
        '{{ channel }}' as channel,
        customer_id,
        {{ channel }}_purchases as purchases
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ranked as (
    select
        channel,
        purchases,
        row_number() over (
            partition by channel
            order by purchases desc, customer_id asc
        ) as customer_rank
    from channels
),

totals as (
    select
        channel,
        count(*) as customers,
        sum(purchases) as purchases
    from channels
    group by channel
),

shares as (
    {%- for percent in [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] %}
    select {{ percent }} as percent
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{# Whole customers, rounded up: of 5 customers, the first tenth is one. #}
cut as (
    select
        totals.channel,
        totals.purchases,
        shares.percent,
        ceil(totals.customers * shares.percent / 100.0) as customers
    from totals
    cross join shares
),

summed as (
    select
        cut.channel,
        cut.percent,
        cut.customers,
        cut.purchases as all_purchases,
        sum(ranked.purchases) as purchases
    from cut
    inner join ranked
        on
            cut.channel = ranked.channel
            and cut.customers >= ranked.customer_rank
    group by
        cut.channel,
        cut.percent,
        cut.customers,
        cut.purchases
),

final as (
    select
        channel,
        cast(percent / 100.0 as decimal(3, 2)) as customer_share,
        cast(customers as integer) as customers,
        cast(purchases as bigint) as purchases,
        {{ share('purchases', 'all_purchases') }} as purchase_share
    from summed
)

select * from final
