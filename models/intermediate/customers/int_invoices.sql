with invoice_lines as (
    select
        customer_id,
        invoice_id,
        invoiced_at,
        country,
        is_sale,
        quantity,
        line_amount
    from {{ ref('int_invoice_lines_classified') }}
    where is_sale or is_return
),

{# A few invoices carry lines of two moments. They stay apart here, so that an as-of moment between
   the two sees the first half only. #}
moments as (
    select
        customer_id,
        invoice_id,
        invoiced_at,
        max(country) as country,
        cast(count(*) filter (where is_sale) as integer) as sale_lines,
        cast(coalesce(sum(quantity) filter (where is_sale), 0) as decimal(18, 6)) as quantity,
        cast(coalesce(sum(line_amount) filter (where is_sale), 0) as decimal(18, 2)) as sale_amount,
        cast(coalesce(-sum(line_amount) filter (where not is_sale), 0) as decimal(18, 2)) as return_amount
    from invoice_lines
    group by
        customer_id,
        invoice_id,
        invoiced_at
),

final as (
    select
        *,
        sale_lines > 0 and row_number() over (
            partition by customer_id, invoice_id, sale_lines > 0
            order by invoiced_at
        ) = 1 as is_first_sale_moment
    from moments
)

select * from final
