{{ config(enabled=has_campaign(), materialized='view') }}

{#- {dimension: [value, what values are sorted by]}; bands sort by what they are bands of. -#}
{%- set dimensions = {
    'all': ["'all'", '0'],
    'income_band': ['income_band', 'income'],
    'age_band': ['age_band', 'age'],
    'household': ['household', '0'],
    'education': ["coalesce(education, 'unknown')", '0'],
    'marital_status': ['marital_status', '0'],
} -%}

with customers as (
    select * from {{ ref('int_campaign_customers') }}
),

{# Without a segmentation of these customers, the dimension segment has no rows. #}
customer_segments as (
    select
        customer_id,
        segment_code,
        segment_name
    from {{ ref('customer_segments') }}
    where segmentation = '{{ campaign_segmentation() }}'
),

segments as (
    select
        segment_code,
        segment_order
    from {{ ref('int_segments_declared') }}
    where segmentation = '{{ campaign_segmentation() }}'
),

unpivoted as (
    {%- for dimension, (value, sorted_by) in dimensions.items() %}
    select
        '{{ dimension }}' as dimension,
        {{ value }} as value,
        cast({{ sorted_by }} as double) as sorted_by,
        customer_id
    from customers
    union all
    {%- endfor %}
    select
        'segment' as dimension,
        customer_segments.segment_name as value,
        cast(segments.segment_order as double) as sorted_by,
        customers.customer_id
    from customers
    inner join customer_segments on customers.customer_id = customer_segments.customer_id
    inner join segments on customer_segments.segment_code = segments.segment_code
),

dimension_values as (
    select
        dimension,
        value,
        row_number() over (
            partition by dimension
            order by min(sorted_by), value
        ) as value_order
    from unpivoted
    group by
        dimension,
        value
),

final as (
    select
        unpivoted.dimension,
        unpivoted.value,
        cast(dimension_values.value_order as integer) as value_order,
        unpivoted.customer_id
    from unpivoted
    inner join dimension_values
        on
            unpivoted.dimension = dimension_values.dimension
            and unpivoted.value = dimension_values.value
)

select * from final
