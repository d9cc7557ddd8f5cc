{{ config(enabled=has_campaign()) }}

with customers as (
    select * from {{ ref('int_campaign_customers') }}
),

customer_segments as (
    select
        customer_id,
        segment_code,
        segment_name
    from {{ ref('customer_segments') }}
    where segmentation = '{{ campaign_segmentation() }}'
),

predicted as (
    select
        customer_id,
        probability
    from {{ ref('int_campaign_responses_predicted') }}
    where is_champion
),

final as (
    select
        customers.customer_id,
        customers.education,
        customers.marital_status,
        customers.household,
        customers.income_band,
        customers.age_band,
        customers.income,
        customers.age,
        customers.kids,
        customers.teens,
        customers.children,
        customers.customer_days,
        customers.recency_days,
        customers.wine_spend,
        customers.fruit_spend,
        customers.meat_spend,
        customers.fish_spend,
        customers.sweets_spend,
        customers.gold_spend,
        customers.total_spend,
        customers.wine_share,
        customers.fruit_share,
        customers.meat_share,
        customers.fish_share,
        customers.sweets_share,
        customers.gold_share,
        customers.web_purchases,
        customers.catalog_purchases,
        customers.store_purchases,
        customers.purchases,
        customers.deal_purchases,
        customers.web_visits,
        customers.web_share,
        customers.catalog_share,
        customers.store_share,
        customers.deal_share,
        customers.accepted_1,
        customers.accepted_2,
        customers.accepted_3,
        customers.accepted_4,
        customers.accepted_5,
        customers.accepted_6,
        customers.earlier_accepted,
        customers.complained,
        customers.contact_cost,
        customers.response_revenue,
        customers.registered_on,
        customers.as_of_date,
        cast(predicted.probability as decimal(9, 6)) as response_probability,
        customer_segments.segment_code,
        customer_segments.segment_name
    from customers
    left join predicted on customers.customer_id = predicted.customer_id
    left join customer_segments on customers.customer_id = customer_segments.customer_id
)

select * from final
