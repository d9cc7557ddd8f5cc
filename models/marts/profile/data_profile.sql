{%- set source_columns = {
    'invoice_id': 'text', 'product_id': 'text', 'description': 'text', 'quantity': 'number', 'unit_price': 'number',
    'line_amount': 'number', 'invoiced_at': 'time', 'customer_id': 'text', 'country': 'text',
} -%}
{%- set line_key = ['invoice_id', 'product_id', 'line_number'] -%}
{%- set features = dict.fromkeys(spine_features(), 'number') -%}

with {{ profile_columns('source_lines', ref('int_invoice_lines_classified'), 'true', source_columns, line_key) }},

{{ profile_columns('customers', ref('int_customers_as_of'), 'is_current', features, ['customer_id']) }},

final as (
    select * from source_lines_profile
    union all
    select * from customers_profile
)

select * from final
