with customers as (
    select * from {{ ref('int_customers_as_of') }}
    where is_current
),

customer_segments as (
    select
        segmentation,
        segment_code,
        customer_id
    from {{ ref('customer_segments') }}
),

measured as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        customers.*
    from customer_segments
    inner join customers on customer_segments.customer_id = customers.customer_id
),

feature_values as (
    {%- for feature in spine_features() %}
    select
        segmentation,
        segment_code,
        '{{ feature }}' as feature,
        cast({{ feature }} as decimal(22, 4)) as feature_value
    from measured
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

profiles as (
    select
        segmentation,
        segment_code,
        feature,
        cast(count(*) as integer) as customers,
        {{ profile_number('sum(feature_value) / count(*)') }} as mean,
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
)

select * from profiles
