{{ config(materialized='view') }}

{%- set types = column_types(ref('base_shop__invoice_lines')) -%}
{%- set dates = recognise_dates(ref('base_shop__invoice_lines'), 'invoiced_at', types.get('invoiced_at')) -%}
{%- set decimal_mark = recognise_decimal_mark(
    ref('base_shop__invoice_lines'), ['unit_price', 'line_amount', 'quantity'], types
) -%}

with source as (
    select * from {{ ref('base_shop__invoice_lines') }}
),

converted as (
    select
        source_file,
        source_line,
        malformed_reason,
        malformed_text,
        invoice_id,
        product_id,
        customer_id,
        description,
        country,
        {{ whole_number('quantity', types.get('quantity', 'VARCHAR'), decimal_mark) }} as quantity,
        {{ number('unit_price', types.get('unit_price', 'VARCHAR'), decimal_mark) }} as unit_price,
        {{ number('line_amount', types.get('line_amount', 'VARCHAR'), decimal_mark) }} as line_amount,
        {{ moment('invoiced_at', types.get('invoiced_at', 'VARCHAR'), dates) }} as invoiced_at,
        quantity as source_quantity,
        unit_price as source_unit_price,
        line_amount as source_line_amount,
        invoiced_at as source_invoiced_at
    from source
),

{# A log that has amounts instead of prices writes what comes back as a negative amount. #}
signed as (
    select
        * exclude (quantity),
        case when line_amount < 0 and unit_price is null then -abs(quantity) else quantity end as quantity
    from converted
),

final as (
    select
        source_file,
        source_line,
        malformed_reason,
        ---------- ids
        invoice_id,
        product_id,
        customer_id,
        ---------- strings
        description,
        country,
        ---------- numerics
        quantity,
        coalesce(unit_price, try_cast(line_amount / nullif(quantity, 0) as decimal(22, 8))) as unit_price,
        case
            when unit_price is not null then {{ amount('quantity', 'unit_price') }}
            else {{ amount('1', 'line_amount') }}
        end as line_amount,
        ---------- timestamps
        invoiced_at,
        ---------- as written
        case
            when malformed_reason is not null then malformed_text
            when
                (quantity is null and source_quantity is not null)
                or (unit_price is null and source_unit_price is not null)
                or (line_amount is null and source_line_amount is not null)
                or (invoiced_at is null and source_invoiced_at is not null)
                then concat(
                    'quantity ', source_quantity,
                    ', price ', coalesce(cast(source_unit_price as varchar), cast(source_line_amount as varchar)),
                    ', moment ', source_invoiced_at
                )
        end as source_text
    from signed
)

select * from final
