{#- At most about 2,500 customers, the same ones every time, in the units in which distances are measured. -#}
{%- set declarations = segmentations() | selectattr('population', 'equalto', 'invoice_customers') | list -%}
with customers as (
    select * from {{ ref('customers') }}
),
{%- if trailing_windows() %}

customer_windows as (
    select * from {{ ref('customer_windows') }}
),
{%- endif %}

customer_segments as (
    select
        segmentation,
        customer_id,
        segment_code,
        segment_name
    from {{ ref('customer_segments') }}
    where population = 'invoice_customers'
),

cluster_centers as (
    select * from {{ ref('cluster_centers') }}
),

sizes as (
    select cast(ceil(count(*) / 2500.0) as integer) as sampled_part
    from customers
),

invoice_customers as (
    select
        {%- for feature in lifetime_features() %}
        customers.{{ feature }},
        {%- endfor %}
        {%- for feature, window in windowed_features().items() %}
        window_{{ window.days }}.{{ window.column }} as {{ feature }},
        {%- endfor %}
        customers.customer_id
    from customers
    cross join sizes
    {%- for days in trailing_windows() %}
    inner join customer_windows as window_{{ days }}
        on
            customers.customer_id = window_{{ days }}.customer_id
            and window_{{ days }}.window_days = {{ days }}
    {%- endfor %}
    where {{ one_row_in(['customers.customer_id'], 'sizes.sampled_part') }}
),

{{ assigned_customers(declarations, ['customer_id']) }},

features as (
    select
        segmentation,
        feature_number
    from cluster_centers
    where cluster_id = 1
),

final as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        customer_segments.segment_name,
        customer_segments.customer_id,
        features.feature_number,
        assigned.point[features.feature_number] as scaled_value
    from assigned
    inner join features on assigned.segmentation = features.segmentation
    inner join customer_segments
        on
            assigned.segmentation = customer_segments.segmentation
            and assigned.customer_id = customer_segments.customer_id
    order by
        customer_segments.segmentation,
        customer_segments.customer_id,
        features.feature_number
)

select * from final
