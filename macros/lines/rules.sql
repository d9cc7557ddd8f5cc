{#- The readable part of invoice_line_id; lines that share it are numbered. -#}
{% macro line_name() -%}
    concat({{ line_name_parts() }})
{%- endmacro %}

{#- Joined once with what follows: a name that is joined first costs its length again. -#}
{% macro invoice_line_id() -%}
    concat({{ line_name_parts() }}, '#', line_number)
{%- endmacro %}

{% macro line_name_parts() -%}
    invoice_id, '-', coalesce(product_id, '')
{%- endmacro %}

{#- A number that is equal for lines of equal names. Joining texts is dear, and only with a hyphen in
    them can two other texts make the same name. -#}
{% macro line_name_hash() -%}
    case
        when contains(invoice_id, '-') or contains(product_id, '-') then {{ row_hash([line_name()]) }}
        else {{ row_hash(['invoice_id', 'product_id']) }}
    end
{%- endmacro %}

{#- Why a line can't be kept, seen from the line alone; null where nothing speaks against it. The
    first reason that holds is given; the seed reject_reasons says what each means. -#}
{% macro reject_reason() -%}
    case
        when malformed_reason is not null then malformed_reason
        when source_text is not null then 'unreadable_value'
        when invoiced_at is null and (customer_id is null or is_nobody) then 'no_order_data'
        when invoice_id is null then 'missing_invoice'
        when invoiced_at is null then 'missing_date'
        when cast(invoiced_at as date) not between first_day and last_day then 'implausible_date'
        when is_not_counted then 'order_not_counted'
        when is_other_currency then 'other_currency'
        when rate is null then 'missing_rate'
        when customer_id is null or is_nobody then 'missing_customer'
        when quantity is null then 'missing_quantity'
        when quantity = 0 then 'zero_quantity'
        when unit_price is null then 'missing_price'
        when unit_price = 0 then 'zero_price'
        when is_cancellation and not is_taken_back then 'positive_cancellation'
        when line_amount is null then 'amount_too_large'
    end
{%- endmacro %}
