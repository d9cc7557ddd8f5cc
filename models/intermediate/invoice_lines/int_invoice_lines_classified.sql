{{ config(post_hook="{{ stop_without_sales() }}") }}

with invoice_lines as (
    select * from {{ ref('stg_shop__invoice_lines') }}
),

repeated as (
    select * from {{ ref('int_invoice_lines_repeated') }}
),

life_of_the_shop as (
    {{ days_of_life(ref('stg_shop__invoice_lines'), 'invoiced_at') }}
),

non_products as (
    select product_code from {{ ref('non_product_codes') }}
),

joined as (
    select
        invoice_lines.*,
        coalesce(repeated.line_number, 1) as line_number,
        coalesce(repeated.is_exact_duplicate, false) as is_exact_duplicate,
        non_products.product_code is null as is_product,
        life_of_the_shop.first_day,
        life_of_the_shop.last_day
    from invoice_lines
    cross join life_of_the_shop
    left join repeated
        on
            invoice_lines.source_line = repeated.source_line
            and invoice_lines.source_file = repeated.source_file
    left join non_products on upper(invoice_lines.product_id) = non_products.product_code
),

judged as (
    select
        *,
        coalesce(
            {{ reject_reason() }},
            case when {{ 'is_exact_duplicate' if setting('drop_exact_duplicates') else 'false' }} then 'exact_duplicate' end
        ) as reject_reason
    from joined
),

{# Flags and nulls, not words, where millions of lines would say the same: each word would cost as
   much as deduplicating. #}
classified as (
    select
        case when reject_reason is not null then source_file end as source_file,
        case when reject_reason is not null then source_line end as source_line,
        invoice_id,
        line_number,
        customer_id,
        product_id,
        description,
        country,
        reject_reason is null and quantity > 0 as is_sale,
        reject_reason is null and quantity < 0 as is_return,
        reject_reason,
        is_product,
        quantity,
        unit_price,
        line_amount,
        invoiced_at,
        source_text
    from judged
)

select * from classified
