{#- Twenty bins a feature: of equal width, or of equal ratio where a few values are far larger than the rest. -#}
{%- set told = features().invoice_customers -%}
{%- set features = features_that('can_be_negative', told, false) -%}
with customers as (
    select * from {{ ref('customers') }}
),

customer_segments as (
    select
        customer_segments.segmentation,
        customer_segments.customer_id,
        customer_segments.segment_code,
        customer_segments.segment_name,
        segments.segment_order
    from {{ ref('customer_segments') }} as customer_segments
    inner join {{ ref('segments') }} as segments
        on
            customer_segments.segmentation = segments.segmentation
            and customer_segments.segment_code = segments.segment_code
    where customer_segments.population = 'invoice_customers'
),

feature_values as (
    {%- for feature in features %}
    {%- set is_log = told[feature].get('is_skewed', false) %}
    select
        customer_id,
        {{ loop.index }} as feature_number,
        '{{ feature }}' as feature,
        {{ is_log | lower }} as is_log,
        {{ 'ln(1 + cast(' ~ feature ~ ' as double))' if is_log else 'cast(' ~ feature ~ ' as double)' }} as feature_value
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ranges as (
    select
        feature,
        min(feature_value) as range_start,
        greatest(max(feature_value) - min(feature_value), 1e-9) as range_length
    from feature_values
    group by feature
),

binned as (
    select
        feature_values.customer_id,
        feature_values.feature_number,
        feature_values.feature,
        feature_values.is_log,
        ranges.range_start,
        ranges.range_length / 20 as bin_length,
        least(19, floor((feature_values.feature_value - ranges.range_start) / ranges.range_length * 20)) as bin_number
    from feature_values
    inner join ranges on feature_values.feature = ranges.feature
),

counted as (
    select
        customer_segments.segmentation,
        binned.feature_number,
        binned.feature,
        binned.is_log,
        customer_segments.segment_order,
        customer_segments.segment_code,
        customer_segments.segment_name,
        binned.range_start + binned.bin_number * binned.bin_length as bin_start,
        binned.range_start + (binned.bin_number + 1) * binned.bin_length as bin_end,
        count(*) as customers
    from binned
    inner join customer_segments on binned.customer_id = customer_segments.customer_id
    group by
        customer_segments.segmentation,
        binned.feature_number,
        binned.feature,
        binned.is_log,
        customer_segments.segment_order,
        customer_segments.segment_code,
        customer_segments.segment_name,
        binned.range_start + binned.bin_number * binned.bin_length,
        binned.range_start + (binned.bin_number + 1) * binned.bin_length
),

final as (
    select
        segmentation,
        feature_number,
        feature,
        is_log,
        segment_order,
        segment_code,
        segment_name,
        case when is_log then exp(bin_start) - 1 else bin_start end as bin_start,
        case when is_log then exp(bin_end) - 1 else bin_end end as bin_end,
        customers
    from counted
    order by
        segmentation,
        feature_number,
        bin_start,
        segment_order
)

select * from final
