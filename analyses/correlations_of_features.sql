{#- Of logarithms where a few values are far larger than the rest, so that these don't decide alone. -#}
{%- set features = {
    'recency_days': 'none', 'frequency': 'log1p', 'monetary': 'log1p', 'average_basket_value': 'log1p',
    'quantity': 'log1p', 'distinct_products': 'log1p', 'tenure_days': 'none', 'return_share': 'none',
} -%}
with customers as (
    select * from {{ ref('customers') }}
),

measured as (
    select
        {%- for feature, transform in features.items() %}
        {%- for other, other_transform in features.items() %}
        corr({{ transformed(feature, transform) }}, {{ transformed(other, other_transform) }}) as {{ feature }}__{{ other }},
        {%- endfor %}
        {%- endfor %}
        count(*) as customers
    from customers
),

correlations as (
    {%- for feature in features %}
    {%- set place = loop.index %}
    {%- for other in features %}
    select
        {{ place }} as feature_number,
        '{{ feature }}' as feature,
        {{ loop.index }} as other_number,
        '{{ other }}' as other_feature,
        {{ feature }}__{{ other }} as correlation
    from measured
    {{ 'union all' if not (loop.last and place == features | length) }}
    {%- endfor %}
    {%- endfor %}
),

{# A feature that never varies has no correlation. #}
final as (
    select *
    from correlations
    where
        feature_number > other_number
        and correlation between -1.01 and 1.01
    order by
        feature_number,
        other_number
)

select * from final
