{{ config(materialized='view') }}

{# A view for the reason that invoice_lines is one. #}
with classified as (
    select * from {{ ref('int_invoice_lines_classified').include(database=false) }}
),

final as (
    select
        source_file,
        source_line,
        reject_reason,
        invoice_id,
        customer_id,
        product_id,
        description,
        country,
        quantity,
        unit_price,
        line_amount,
        invoiced_at,
        source_text
    from classified
    where reject_reason is not null
)

select * from final
