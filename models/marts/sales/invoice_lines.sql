{{ config(materialized='view') }}

{# A view, since a second copy of every line would cost more than all else here. It names no database,
   so that it works in the published file too. #}
with classified as (
    select * from {{ ref('int_invoice_lines_classified').include(database=false) }}
),

final as (
    select
        {{ invoice_line_id() }} as invoice_line_id,
        invoice_id,
        customer_id,
        product_id,
        is_product,
        case when is_sale then 'sale' else 'return' end as line_type,
        quantity,
        unit_price,
        line_amount,
        invoiced_at,
        country,
        description,
        category,
        brand,
        channel,
        currency,
        order_status,
        unit_cost,
        passed_through
    from classified
    where is_sale or is_return
)

select * from final
