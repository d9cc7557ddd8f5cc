{{ config(materialized='view') }}

{%- set types = column_types(source('shop', 'invoice_lines')) -%}
{#- What the decided values say of states, documents and currencies, they say of them as written. -#}
{%- set words = ['currency', 'order_status', 'document_type'] -%}

with source as (
    select * from {{ source('shop', 'invoice_lines') }}
),

files as (
    select * from {{ ref('base_shop__files') }}
),

written as (
    select
        source.*,
        files.source_file,
        files.dates,
        files.decimal_mark,
        files.has_invoice_id,
        files.is_line_amount_paid,
        files.discount_kind,
        {{ trimmed_text('source.invoice_id', types.get('invoice_id', 'VARCHAR')) }} as written_invoice_id,
        {{ trimmed_text('source.product_id', types.get('product_id', 'VARCHAR')) }} as written_product_id,
        {{ trimmed_customer('source.customer_id', types.get('customer_id', 'VARCHAR')) }} as written_customer_id,
        {{ trimmed_text('source.invoiced_at', types.get('invoiced_at', 'VARCHAR')) }} as written_moment,
        {{ "rtrim(source.discount, ' %')" if types.get('discount', 'VARCHAR') == 'VARCHAR' else 'source.discount' }} as written_discount
    from source
    inner join files on source.file_number = files.file_number
),

recognised as (
    select
        *,
        {{ is_iso_moment('written_moment') }} as is_iso_moment,
        {{ plain_text('quantity', types.get('quantity', 'VARCHAR'), 'decimal_mark') }} as plain_quantity,
        {{ plain_text('unit_price', types.get('unit_price', 'VARCHAR'), 'decimal_mark') }} as plain_price,
        {{ plain_text('line_amount', types.get('line_amount', 'VARCHAR'), 'decimal_mark') }} as plain_amount,
        {{ plain_text('written_discount', types.get('discount', 'VARCHAR'), 'decimal_mark') }} as plain_discount,
        {{ plain_text('unit_cost', types.get('unit_cost', 'VARCHAR'), 'decimal_mark') }} as plain_cost
    from written
),

spelled as (
    select
        *,
        case when not is_iso_moment then {{ slashed_day('written_moment') }} end as slashed_moment
    from recognised
),

converted as (
    select
        file_number,
        source_file,
        source_line,
        malformed_reason,
        malformed_text,
        has_invoice_id,
        is_line_amount_paid,
        discount_kind,
        passed_through,
        other_columns,
        case
            when not {{ is_nothing('written_invoice_id') }} then {{ id_text('written_invoice_id', types.get('invoice_id', 'VARCHAR')) }}
        end as invoice_id,
        case
            when not {{ is_nothing('written_product_id') }}
                then {{ product_id_text('written_product_id', types.get('product_id', 'VARCHAR')) }}
        end as product_id,
        {{ id_text('written_customer_id', types.get('customer_id', 'VARCHAR')) }} as customer_id,
        cast(customer_id as varchar) as source_customer_id,
        cast(product_id as varchar) as source_product_id,
        {%- for column in ['description', 'category', 'brand', 'channel'] %}
        case when not {{ is_nothing(column) }} then cast({{ column }} as varchar) end as {{ column }},
        {%- endfor %}
        {# NA is Namibia. #}
        case when trim(cast(country as varchar)) = 'NA' or not {{ is_nothing('country') }} then cast(country as varchar) end as country,
        {%- for column in words %}
        nullif(cast({{ column }} as varchar), '') as {{ column }},
        {%- endfor %}
        {{ quantity_number('plain_quantity', types.get('quantity', 'VARCHAR')) }} as quantity,
        {{ number('plain_price', types.get('unit_price', 'VARCHAR')) }} as unit_price,
        {{ number('plain_amount', types.get('line_amount', 'VARCHAR')) }} as line_amount,
        {{ number('plain_discount', types.get('discount', 'VARCHAR')) }} as discount,
        {{ number('plain_cost', types.get('unit_cost', 'VARCHAR')) }} as unit_cost,
        {{ moment(
            'invoiced_at', types.get('invoiced_at', 'VARCHAR'), 'written_moment', 'is_iso_moment', 'slashed_moment', 'dates'
        ) }} as invoiced_at,
        quantity as source_quantity,
        unit_price as source_unit_price,
        line_amount as source_line_amount,
        discount as source_discount,
        unit_cost as source_unit_cost,
        invoiced_at as source_invoiced_at
    from spelled
),

{# An amount counts where all of the file's do, or where there is no price. It does not stand in for a price that
   can't be read: the file's amounts are not what was paid. #}
weighed as (
    select
        *,
        case
            when line_amount is null then false
            when is_line_amount_paid or source_unit_price is null then true
            when unit_price is not null then false
            else {{ is_nothing('source_unit_price') }}
        end as has_paid_amount,
        {{ is_unread('unit_price', 'source_unit_price') }} as has_unread_price
    from converted
),

{# A price that its amount agrees with, but for the rounding of each piece, is the price that was paid. #}
compared as (
    select
        *,
        case
            when not has_paid_amount then coalesce(discount_kind is not null and discount <> 0, false)
            when unit_price is null or quantity is null then true
            else
                abs(abs(cast(line_amount as double)) - abs(cast(quantity as double) * cast(unit_price as double)))
                > 0.011 + 0.005 * abs(cast(quantity as double))
        end as is_price_derived
    from weighed
),

{# What was paid for the line: its amount where that counts, else price times quantity less a discount. #}
priced as (
    select
        * exclude (quantity, unit_price),
        {# Sums of more would be too large for their type. #}
        case when abs(quantity) < 2147483648 then quantity end as quantity,
        coalesce(
            case
                when not is_price_derived then unit_price
                when has_paid_amount
                    then try_cast(abs(line_amount) / nullif(abs(quantity), 0) as decimal(22, 8))
                when discount_kind = 'share' then try_cast(unit_price * (1 - abs(discount)) as decimal(22, 8))
                when discount_kind = 'percent' then try_cast(unit_price * (1 - abs(discount) / 100) as decimal(22, 8))
                when discount_kind = 'money' then try_cast(unit_price - abs(discount) / nullif(abs(quantity), 0) as decimal(22, 8))
            end,
            unit_price
        ) as unit_price
    from compared
),

final as (
    select
        file_number,
        source_file,
        source_line,
        malformed_reason,
        ---------- ids
        invoice_id,
        product_id,
        customer_id,
        source_customer_id,
        source_product_id,
        ---------- strings
        description,
        country,
        category,
        brand,
        channel,
        currency,
        order_status,
        document_type,
        ---------- numerics
        quantity,
        unit_price,
        case when has_paid_amount then {{ amount('1', 'line_amount') }} else {{ amount('quantity', 'unit_price') }} end as line_amount,
        unit_cost,
        ---------- timestamps
        invoiced_at,
        ---------- what tells lines apart
        has_invoice_id,
        is_price_derived,
        passed_through,
        other_columns,
        ---------- as written
        case
            when malformed_reason is not null then malformed_text
            when
                {{ is_unread('quantity', 'source_quantity') }}
                or (has_unread_price and unit_price is null)
                or ((is_line_amount_paid or source_unit_price is null) and {{ is_unread('line_amount', 'source_line_amount') }})
                or (not has_paid_amount and {{ is_unread('discount', 'source_discount') }})
                or {{ is_unread('invoiced_at', 'source_invoiced_at') }}
                then concat_ws(
                    ', ',
                    'quantity ' || cast(source_quantity as varchar),
                    'price ' || cast(source_unit_price as varchar),
                    'amount ' || cast(source_line_amount as varchar),
                    'discount ' || cast(source_discount as varchar),
                    'moment ' || cast(source_invoiced_at as varchar)
                )
        end as source_text,
        {# What can't be read and is not needed for the money. #}
        nullif(concat_ws(
            ', ',
            case when has_unread_price and unit_price is not null then 'price ' || cast(source_unit_price as varchar) end,
            case
                when not is_line_amount_paid and source_unit_price is not null and {{ is_unread('line_amount', 'source_line_amount') }}
                    then 'amount ' || cast(source_line_amount as varchar)
            end,
            case
                when has_paid_amount and {{ is_unread('discount', 'source_discount') }}
                    then 'discount ' || cast(source_discount as varchar)
            end,
            case when {{ is_unread('unit_cost', 'source_unit_cost') }} then 'cost ' || cast(source_unit_cost as varchar) end
        ), '') as unread_text
    from priced
)

select * from final
