with invoice_lines as (
    select
        source_file,
        source_line,
        invoice_id,
        line_number,
        line_type,
        customer_id,
        product_id,
        unit_price,
        quantity,
        invoiced_at
    from {{ ref('int_invoice_lines_classified') }}
    where line_type in ('sale', 'return')
),

returned_things as (
    select distinct
        customer_id,
        product_id,
        unit_price
    from {{ ref('int_invoice_lines_classified') }}
    where line_type = 'return'
),

{# A return at the same moment as its purchase finds it: exports carry minutes, not seconds. #}
movements as (
    select
        invoice_lines.*,
        sum(case when invoice_lines.line_type = 'sale' then invoice_lines.quantity else 0 end) over thing_so_far as sold_so_far,
        sum(case when invoice_lines.line_type = 'return' then -invoice_lines.quantity else 0 end) over thing_so_far as returned_so_far
    from invoice_lines
    inner join returned_things
        on
            invoice_lines.customer_id = returned_things.customer_id
            and invoice_lines.product_id is not distinct from returned_things.product_id
            and invoice_lines.unit_price = returned_things.unit_price
    window thing_so_far as (
        partition by invoice_lines.customer_id, invoice_lines.product_id, invoice_lines.unit_price
        order by
            invoice_lines.invoiced_at,
            case when invoice_lines.line_type = 'sale' then 0 else 1 end,
            invoice_lines.invoice_id,
            invoice_lines.line_number,
            invoice_lines.source_file,
            invoice_lines.source_line
        rows between unbounded preceding and current row
    )
),

{# First in, first out without a loop: what returns have found so far is what they asked for so far,
   less the worst shortfall there has been of earlier sales. #}
returns as (
    select
        *,
        returned_so_far + least(0, min(sold_so_far - returned_so_far) over thing_so_far) as matched_so_far
    from movements
    where line_type = 'return'
    window thing_so_far as (
        partition by customer_id, product_id, unit_price
        order by invoiced_at, invoice_id, line_number, source_file, source_line
        rows between unbounded preceding and current row
    )
),

matched as (
    select
        *,
        matched_so_far - coalesce(
            lag(matched_so_far) over (
                partition by customer_id, product_id, unit_price
                order by invoiced_at, invoice_id, line_number, source_file, source_line
            ), 0
        ) as matched_quantity
    from returns
),

final as (
    select
        source_file,
        source_line,
        customer_id,
        invoiced_at,
        cast(-quantity as integer) as returned_quantity,
        cast(matched_quantity as integer) as matched_quantity,
        cast(-quantity * unit_price as decimal(18, 2)) as returned_amount,
        cast(matched_quantity * unit_price as decimal(18, 2)) as matched_amount
    from matched
)

select * from final
