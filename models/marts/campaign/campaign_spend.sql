{{ config(enabled=has_campaign()) }}

with dimensions as (
    select * from {{ ref('int_campaign_dimensions') }}
),

customers as (
    select * from {{ ref('int_campaign_customers') }}
),

categories as (
    {%- for category in campaign_categories() %}
    select
        '{{ category }}' as category,
        customer_id,
        {{ category }}_spend as category_spend,
        {{ category }}_share as category_share,
        total_spend
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

summed as (
    select
        dimensions.dimension,
        dimensions.value,
        dimensions.value_order,
        categories.category,
        count(*) as customers,
        sum(categories.category_spend) as category_spend,
        sum(categories.total_spend) as total_spend,
        sum(categories.category_share) as category_shares,
        count(categories.category_share) as spending_customers
    from dimensions
    inner join categories on dimensions.customer_id = categories.customer_id
    group by
        dimensions.dimension,
        dimensions.value,
        dimensions.value_order,
        categories.category
),

final as (
    select
        dimension,
        value,
        value_order,
        category,
        cast(customers as integer) as customers,
        cast(category_spend as decimal(18, 2)) as spend,
        cast(cast(category_spend as double) / customers as decimal(18, 2)) as mean_spend,
        {{ share('category_spend', 'total_spend') }} as spend_share,
        {{ share('category_shares', 'spending_customers') }} as mean_share
    from summed
)

select * from final
