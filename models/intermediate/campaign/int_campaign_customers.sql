{{ config(enabled=has_campaign()) }}

with customers as (
    select * from {{ ref('int_campaign_customers_classified') }}
    where reject_reason is null
),

totalled as (
    select
        *,
        wine_spend + fruit_spend + meat_spend + fish_spend + sweets_spend + gold_spend as all_spend,
        web_purchases + catalog_purchases + store_purchases as all_purchases
    from customers
),

final as (
    select
        customer_id,
        ---------- strings
        education,
        marital_status,
        concat(
            case when marital_status in ('Married', 'Together') then 'couple' else 'alone' end,
            case when kids + teens > 0 then ' with children' else ' without children' end
        ) as household,
        {{ band('income', campaign_income_limits(), 'and more') }} as income_band,
        {{ band('age', campaign_age_limits(), 'and older') }} as age_band,
        ---------- who they are
        income,
        age,
        kids,
        teens,
        kids + teens as children,
        customer_days,
        recency_days,
        ---------- what they spend
        {%- for category in campaign_categories() %}
        {{ category }}_spend,
        {%- endfor %}
        cast(all_spend as decimal(18, 2)) as total_spend,
        {%- for category in campaign_categories() %}
        {{ share(category ~ '_spend', 'all_spend') }} as {{ category }}_share,
        {%- endfor %}
        ---------- how they buy
        {%- for channel in campaign_channels() %}
        {{ channel }}_purchases,
        {%- endfor %}
        all_purchases as purchases,
        deal_purchases,
        web_visits,
        {%- for channel in campaign_channels() %}
        {{ share(channel ~ '_purchases', 'all_purchases') }} as {{ channel }}_share,
        {%- endfor %}
        {{ share('deal_purchases', 'all_purchases') }} as deal_share,
        ---------- what they answered
        {%- for number in range(1, 7) %}
        accepted_{{ number }},
        {%- endfor %}
        cast(accepted_1 as integer)
        + cast(accepted_2 as integer)
        + cast(accepted_3 as integer)
        + cast(accepted_4 as integer)
        + cast(accepted_5 as integer) as earlier_accepted,
        complained,
        contact_cost,
        response_revenue,
        ---------- dates
        registered_on,
        as_of_date
    from totalled
)

select * from final
