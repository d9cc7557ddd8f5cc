{{ config(enabled=has_campaign()) }}

with dimensions as (
    select * from {{ ref('int_campaign_dimensions') }}
),

customers as (
    select * from {{ ref('int_campaign_customers') }}
),

answers as (
    {%- for number in range(1, 7) %}
    select
        'campaign_{{ number }}' as campaign,
        customer_id,
        accepted_{{ number }} as is_accepted
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        dimensions.dimension,
        dimensions.value,
        dimensions.value_order,
        answers.campaign,
        count(*) as customers,
        count(*) filter (where answers.is_accepted) as accepted
    from dimensions
    inner join answers on dimensions.customer_id = answers.customer_id
    group by
        dimensions.dimension,
        dimensions.value,
        dimensions.value_order,
        answers.campaign
),

final as (
    select
        dimension,
        value,
        value_order,
        campaign,
        cast(customers as integer) as customers,
        cast(accepted as integer) as accepted,
        {{ share('accepted', 'customers') }} as rate,
        {{ wilson('accepted', 'customers', '-') }} as rate_low,
        {{ wilson('accepted', 'customers', '+') }} as rate_high
    from counted
)

select * from final
