{#- At most about 2,500 customers, the same ones every time, in the units in which distances are measured. -#}
with customers as (
    select * from {{ ref('customers') }}
),

customer_segments as (
    select
        segmentation,
        customer_id,
        segment_code,
        segment_name
    from {{ ref('customer_segments') }}
    where population = 'invoice_customers'
),

scalings as (
    select distinct
        segmentation,
        feature_number,
        feature,
        transform,
        knots,
        clip_low,
        clip_high,
        feature_offset,
        feature_scale
    from {{ ref('cluster_centers') }}
    where cluster_id = 1
),

sizes as (
    select cast(ceil(count(*) / 2500.0) as integer) as sampled_part
    from {{ ref('customers') }}
),

sampled as (
    select customers.*
    from customers
    cross join sizes
    where {{ one_row_in(['customer_id'], 'sizes.sampled_part') }}
),

feature_values as (
    {%- for feature in lifetime_features() %}
    select
        customer_id,
        '{{ feature }}' as feature,
        cast({{ feature }} as double) as feature_value
    from sampled
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {%- for feature, window in windowed_features().items() %}
    union all
    select
        sampled.customer_id,
        '{{ feature }}' as feature,
        cast(customer_windows.{{ window.column }} as double) as feature_value
    from sampled
    inner join {{ ref('customer_windows') }} as customer_windows on sampled.customer_id = customer_windows.customer_id
    where customer_windows.window_days = {{ window.days }}
    {%- endfor %}
),

final as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        customer_segments.segment_name,
        feature_values.customer_id,
        scalings.feature_number,
        (
            least(
                greatest(
                    case scalings.transform
                        when 'log1p' then ln(1 + feature_values.feature_value)
                        when 'sqrt' then sqrt(feature_values.feature_value)
                        when 'rank' then {{ rank_among('scalings.knots', 'feature_values.feature_value') }}
                        else feature_values.feature_value
                    end,
                    scalings.clip_low
                ),
                scalings.clip_high
            ) - scalings.feature_offset
        ) / scalings.feature_scale as scaled_value
    from feature_values
    inner join scalings on feature_values.feature = scalings.feature
    inner join customer_segments
        on
            feature_values.customer_id = customer_segments.customer_id
            and scalings.segmentation = customer_segments.segmentation
    order by
        customer_segments.segmentation,
        feature_values.customer_id,
        scalings.feature_number
)

select * from final
