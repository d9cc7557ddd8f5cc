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
        row_number() over busiest_first as customer_rank,
        sum(purchases) over busiest_first as purchases
    from channels
    window busiest_first as (
        partition by channel
        order by purchases desc, customer_id asc
        rows between unbounded preceding and current row
    )
),

totals as (
    select
        channel,
        count(*) as customers,
        sum(purchases) as purchases
    from channels
    group by channel
),

percents as (
    {%- for percent in [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] %}
    select {{ percent }} as percent
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

cut as (
    select
        totals.channel,
        percents.percent,
        totals.purchases as all_purchases,
        {{ customers_in_share('percents.percent', 'totals.customers') }} as customers
    from totals
    cross join percents
),

final as (
    select
        cut.channel,
        cast(cut.percent / 100.0 as decimal(9, 6)) as customer_share,
        cut.customers,
        cast(ranked.purchases as bigint) as purchases,
        {{ share('ranked.purchases', 'cut.all_purchases') }} as purchase_share
    from cut
    inner join ranked
        on
            cut.channel = ranked.channel
            and cut.customers = ranked.customer_rank
)

select * from final
