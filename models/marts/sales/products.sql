with current_as_of as (
    select as_of_at
    from {{ ref('int_as_of_dates') }}
    where is_current
),

invoice_lines as (
    select
        product_id,
        description,
        is_product,
        customer_id,
        quantity,
        line_amount,
        invoiced_at
    from {{ ref('int_invoice_lines_classified') }}
    where
        is_sale
        and product_id is not null
        and invoiced_at < {{ current_as_of() }}
),

described as (
    select
        product_id,
        description,
        bool_or(is_product) as is_product,
        count(*) as sale_lines,
        sum(quantity) as quantity,
        sum(line_amount) as revenue,
        min(invoiced_at) as first_sold_at,
        max(invoiced_at) as last_sold_at
    from invoice_lines
    group by
        product_id,
        description
),

{# Descriptions change; the latest is the product's name. #}
ranked as (
    select
        *,
        row_number() over (
            partition by product_id
            order by case when description is null then 1 else 0 end asc, last_sold_at desc, description asc
        ) as description_rank
    from described
),

products as (
    select
        product_id,
        max(case when description_rank = 1 then description end) as description,
        bool_or(is_product) as is_product,
        cast(sum(sale_lines) as bigint) as sale_lines,
        cast(sum(quantity) as decimal(18, 6)) as quantity,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        min(first_sold_at) as first_sold_at,
        max(last_sold_at) as last_sold_at
    from ranked
    group by product_id
)

select * from products
