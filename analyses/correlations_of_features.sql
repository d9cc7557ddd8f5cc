{#- Of logarithms where a few values are far larger than the rest, so that these don't decide alone. What can be
    negative says again what its positive part says. -#}
{%- set told = features().invoice_customers -%}
{%- set features = features_that('can_be_negative', told, false) -%}
with customers as (
    select * from {{ ref('customers') }}
),

measured as (
    select
        {%- for feature in features %}
        {%- for other in features[:loop.index0] %}
        corr(
            {{ transformed(feature, 'log1p' if told[feature].is_skewed else 'none') }},
            {{ transformed(other, 'log1p' if told[other].is_skewed else 'none') }}
        ) as {{ feature }}__{{ other }},
        {%- endfor %}
        {%- endfor %}
        count(*) as customers
    from customers
),

correlations as (
    {%- for feature in features %}
    {%- set place = loop.index %}
    {%- for other in features[:loop.index0] %}
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
    where correlation between -1.01 and 1.01
    order by
        feature_number,
        other_number
)

select * from final
