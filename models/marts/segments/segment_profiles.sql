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
        sum(feature_value) as feature_total,
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
),

{# What lift compares with: all customers of the segmentation. #}
compared as (
    select
        *,
        sum(feature_total) over (partition by segmentation, feature)
        / sum(customers) over (partition by segmentation, feature) as overall_mean
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
        {{ profile_number('feature_total / customers / nullif(overall_mean, 0)') }} as lift
    from compared
)

select * from final
