{{ config(enabled=has_campaign()) }}

{#-
    Which of the customary claims about a campaign's customers hold in the data at hand, with the figure:
    dbt show --select campaign_claims --limit 30.

    A rank correlation (Spearman's) holds a claim where it points the claimed way by more than chance would
    in 1 of 40 cases: 1.96 / sqrt(customers - 1). Of two rates, one is higher where its Wilson interval lies above the other's.
-#}

{#- {claim: [one column, another, 1 where they are claimed to rise together and -1 where against each other]} -#}
{%- set correlations = {
    'Higher incomes spend more': ['income', 'total_spend', 1],
    'Higher incomes spend more on wine': ['income', 'wine_spend', 1],
    'Higher incomes spend a larger share on wine': ['income', 'wine_share', 1],
    'Higher incomes spend more on gold': ['income', 'gold_spend', 1],
    'Higher incomes spend a larger share on gold': ['income', 'gold_share', 1],
    'Higher incomes buy less at a discount': ['income', 'deal_share', -1],
    'Younger customers buy more by web': ['age', 'web_purchases', -1],
    'Younger customers buy a larger share by web': ['age', 'web_share', -1],
    'Older customers buy more in stores': ['age', 'store_purchases', 1],
    'Older customers have higher incomes': ['age', 'income', 1],
    'Customers with more children spend less': ['children', 'total_spend', -1],
    'Customers with more children buy more at a discount': ['children', 'deal_purchases', 1],
    'Who visits the web site more often buys more there': ['web_visits', 'web_purchases', 1],
    'Who visits the web site more often spends more': ['web_visits', 'total_spend', 1],
    'Who buys more by catalogue spends more': ['catalog_purchases', 'total_spend', 1],
    'Who has been a customer for longer spends more': ['customer_days', 'total_spend', 1],
    'Who bought more recently spends more': ['recency_days', 'total_spend', -1],
} -%}
{#- {claim: [the customers claimed to accept the last offer more often, the others]} -#}
{%- set rates = {
    'Who accepted an offer before accepts the last one more often': ['earlier_accepted > 0', 'earlier_accepted = 0'],
    'Younger customers (under 45) accept more often': ['age < 45', 'age >= 45'],
    'Customers without a partner accept more often': [
        "marital_status in ('Divorced', 'Single', 'Widow')", "marital_status in ('Married', 'Together')"
    ],
    'Customers without children accept more often': ['children = 0', 'children > 0'],
    'Doctors of philosophy accept more often than bachelors': ["education = 'PhD'", "education = 'Graduation'"],
    'High incomes (80,000 and more) accept more often': ['income >= 80000', 'income < 80000'],
    'Who bought within 30 days accepts more often': ['recency_days <= 30', 'recency_days > 30'],
    'Who complained accepts less often': ['not complained', 'complained'],
} -%}

with customers as (
    select * from {{ ref('campaign_customers') }}
),

pairs as (
    {%- for claim, (one, other, direction) in correlations.items() %}
    select
        {{ loop.index }} as claim_number,
        '{{ claim }}' as claim,
        'rank correlation of {{ one }} with {{ other }}' as measure,
        {{ direction }} as direction,
        cast({{ one }} as double) as one,
        cast({{ other }} as double) as other
    from customers
    where
        {{ one }} is not null
        and {{ other }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{# Equal values share the mean of their ranks. #}
ranked as (
    select
        claim_number,
        claim,
        measure,
        direction,
        rank() over (partition by claim_number order by one)
        + (count(*) over (partition by claim_number, one) - 1) / 2.0 as one_rank,
        rank() over (partition by claim_number order by other)
        + (count(*) over (partition by claim_number, other) - 1) / 2.0 as other_rank
    from pairs
),

correlated as (
    select
        claim_number,
        claim,
        measure,
        direction,
        count(*) as customers,
        corr(one_rank, other_rank) as figure
    from ranked
    group by
        claim_number,
        claim,
        measure,
        direction
),

answers as (
    {%- for claim, (one, other) in rates.items() %}
    select
        {{ correlations | length + loop.index }} as claim_number,
        '{{ claim }}' as claim,
        count(*) filter (where {{ one }}) as ones,
        count(*) filter (where {{ one }} and accepted_6) as ones_accepted,
        count(*) filter (where {{ other }}) as others,
        count(*) filter (where {{ other }} and accepted_6) as others_accepted
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{# No interval where there is nobody to take a rate of: then nothing holds. #}
compared as (
    select
        claim_number,
        claim,
        ones,
        others,
        cast(ones_accepted as double) / nullif(ones, 0) as ones_rate,
        cast(others_accepted as double) / nullif(others, 0) as others_rate,
        {{ wilson('ones_accepted', 'nullif(ones, 0)', '-') }} as ones_low,
        {{ wilson('others_accepted', 'nullif(others, 0)', '+') }} as others_high
    from answers
),

concentration as (
    select purchase_share
    from {{ ref('campaign_concentration') }}
    where
        channel = 'web'
        and customer_share = 0.20
),

final as (
    select
        claim_number,
        claim,
        coalesce(figure * direction > 1.96 / sqrt(customers - 1), false) as holds,
        measure,
        round(figure, 3) as figure,
        customers
    from correlated
    union all
    select
        claim_number,
        claim,
        coalesce(ones_low > others_high, false) as holds,
        'rate of the ones less rate of the others' as measure,
        round(ones_rate - others_rate, 3) as figure,
        ones + others as customers
    from compared
    union all
    select
        {{ correlations | length + rates | length + 1 }} as claim_number,
        'A fifth of the customers makes most purchases by web' as claim,
        purchase_share > 0.5 as holds,
        'share of purchases by web of the fifth that buys most there' as measure,
        round(purchase_share, 3) as figure,
        (select count(*) from customers) as customers
    from concentration
)

select * from final
order by claim_number
