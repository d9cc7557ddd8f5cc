{%- set source_columns = {
    'invoice_id': 'text', 'product_id': 'text', 'description': 'text', 'quantity': 'number', 'unit_price': 'number',
    'line_amount': 'number', 'invoiced_at': 'time', 'customer_id': 'text', 'country': 'text',
} -%}
{%- set line_key = ['invoice_id', 'product_id', 'line_number'] -%}

with {{ profile_columns('source_lines', ref('int_invoice_lines_classified'), 'true', source_columns, line_key) }},

{% for population in populations().values() if population.is_given %}
{%- for mart, features in population.marts.items() if features %}
{%- set kinds = dict.fromkeys(features, 'number') -%}
{{ profile_columns(mart, ref(population.model), population.condition, kinds, ['customer_id']) }},

{% endfor -%}
{% endfor -%}

profiled_columns as (
    select
        'source_lines' as table_name,
        *
    from source_lines_columns
    {%- for population in populations().values() if population.is_given %}
    {%- for mart, features in population.marts.items() if features %}
    union all
    select
        '{{ mart }}' as table_name,
        *
    from {{ mart }}_columns
    {%- endfor %}
    {%- endfor %}
),

final as (
    select
        table_name,
        column_number,
        column_name,
        measured.column_type,
        measured.row_count,
        cast(1 - measured.present / cast(nullif(measured.row_count, 0) as double) as decimal(9, 6)) as null_share,
        measured.distinct_values,
        {{ profile_text('measured.minimum', 'spread is not null') }} as minimum,
        {{ profile_text('measured.maximum', 'spread is not null') }} as maximum,
        {{ profile_number('spread.mean') }} as mean,
        {{ profile_number('spread.standard_deviation') }} as standard_deviation,
        {{ profile_number('quartiles.p25') }} as p25,
        {{ profile_number('quartiles.median') }} as median,
        {{ profile_number('quartiles.p75') }} as p75,
        case when isfinite(spread.skewness) then cast(spread.skewness as decimal(12, 2)) end as skewness,
        cast(outliers / cast(nullif(measured.present, 0) as double) as decimal(9, 6)) as outlier_share
    from profiled_columns
)

select * from final
