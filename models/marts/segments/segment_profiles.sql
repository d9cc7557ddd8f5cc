{%- set populations = declared_populations() -%}

with {{ customers_of_populations() }},

customer_segments as (
    select
        segmentation,
        population,
        segment_code,
        customer_id
    from {{ ref('customer_segments') }}
),

{# Customers of another population may bear the same number. #}
{%- for population in populations %}
measured_{{ population }} as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        customers.*
    from customer_segments
    inner join {{ population }} as customers on customer_segments.customer_id = customers.customer_id
    where customer_segments.population = '{{ population }}'
),
{% endfor %}
feature_values as (
    {%- for population, described in populations.items() %}
    {%- set outer_loop = loop %}
    {%- for feature in described.profiled %}
    select
        segmentation,
        segment_code,
        '{{ feature }}' as feature,
        cast({{ feature }} as decimal(22, 4)) as feature_value
    from measured_{{ population }}
    {{ 'union all' if not (loop.last and outer_loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

profiles as (
    select
        segmentation,
        segment_code,
        feature,
        cast(count(*) as integer) as customers,
        count(feature_value) as measured_customers,
        sum(feature_value) as feature_total,
        {{ profile_number('sum(feature_value) / count(feature_value)') }} as mean,
        {{ profile_number(quantile('feature_value', 0.5)) }} as median,
        {{ profile_number(quantile('feature_value', 0.05)) }} as p05,
        {{ profile_number(quantile('feature_value', 0.25)) }} as p25,
        {{ profile_number(quantile('feature_value', 0.75)) }} as p75,
        {{ profile_number(quantile('feature_value', 0.95)) }} as p95
    from feature_values
    group by
        segmentation,
        segment_code,
        feature
),

{# What lift compares with: all customers of the segmentation. #}
compared as (
    select
        *,
        sum(feature_total) over (partition by segmentation, feature)
        / sum(measured_customers) over (partition by segmentation, feature) as overall_mean
    from profiles
),

final as (
    select
        segmentation,
        segment_code,
        feature,
        customers,
        mean,
        median,
        p05,
        p25,
        p75,
        p95,
        {{ profile_number('overall_mean') }} as overall_mean,
        {{ profile_number('feature_total / measured_customers / nullif(overall_mean, 0)') }} as lift
    from compared
)

select * from final
