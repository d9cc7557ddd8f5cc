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

final as (
    select * from source_lines_profile
    {%- for population in populations().values() if population.is_given %}
    {%- for mart, features in population.marts.items() if features %}
    union all
    select * from {{ mart }}_profile
    {%- endfor %}
    {%- endfor %}
)

select * from final
