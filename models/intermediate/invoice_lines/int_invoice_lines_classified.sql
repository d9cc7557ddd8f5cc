{{ config(post_hook="{{ stop_without_sales() }}") }}

with invoice_lines as (
    select * from {{ ref('stg_shop__invoice_lines') }}
),

repeated as (
    select * from {{ ref('int_invoice_lines_repeated') }}
),

days as (
    select
        cast(invoiced_at as date) as invoiced_on,
        count(*) as lines
    from {{ ref('stg_shop__invoice_lines') }}
    where invoiced_at is not null
    group by cast(invoiced_at as date)
),

{# A wrong date would move the as-of moment, and with it every customer's recency. Days are parted where
   nothing happened for longer than the shop ever pauses; what lies outside the part with most lines is
   a typing error. #}
parted as (
    select
        *,
        case
            when invoiced_on - lag(invoiced_on) over (order by invoiced_on) > {{ var('longest_pause_days') | int }} then 1
            else 0
        end as begins_part
    from days
),

numbered as (
    select
        *,
        sum(begins_part) over (order by invoiced_on) as part_number
    from parted
),

parts as (
    select
        part_number,
        min(invoiced_on) as first_day,
        max(invoiced_on) as last_day,
        sum(lines) as lines
    from numbered
    group by part_number
),

ranked_parts as (
    select
        first_day,
        last_day,
        row_number() over (order by lines desc, first_day asc) as part_rank
    from parts
),

life_of_the_shop as (
    select
        max(first_day) as first_day,
        max(last_day) as last_day
    from ranked_parts
    where part_rank = 1
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
            case when {{ 'is_exact_duplicate' if var('drop_exact_duplicates') else 'false' }} then 'exact_duplicate' end
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
