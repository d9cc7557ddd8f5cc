{{ config(materialized=landing_materialization()) }}

{#- Named for the lineage; the macro below reads the files behind it. -#}
{%- set shop_invoice_lines = source('shop', 'invoice_lines') -%}

with source as (
    {{ read_invoices() }}
),

renamed as (
    select
        ---------- ids
        source_file,
        cast(source_line as bigint) as source_line,
        invoice_id,
        product_id,
        customer_id,
        ---------- strings
        cast(description as varchar) as description,
        cast(country as varchar) as country,
        ---------- numerics
        {{ whole_number('quantity') }} as quantity,
        try_cast(unit_price as decimal(18, 4)) as unit_price,
        ---------- timestamps
        try_cast(invoiced_at as timestamp) as invoiced_at,
        ---------- as written
        quantity as source_quantity,
        unit_price as source_unit_price,
        invoiced_at as source_invoiced_at
    from source
),

final as (
    select
        source_file,
        source_line,
        invoice_id,
        product_id,
        customer_id,
        description,
        country,
        quantity,
        unit_price,
        invoiced_at,
        case
            when
                (quantity is null and source_quantity is not null)
                or (unit_price is null and source_unit_price is not null)
                or (invoiced_at is null and source_invoiced_at is not null)
                then concat(
                    'quantity ', source_quantity, ', unit_price ', source_unit_price, ', invoiced_at ', source_invoiced_at
                )
        end as unreadable_text
    from renamed
)

select * from final
