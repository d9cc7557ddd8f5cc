with invoice_lines as (
    select
        invoice_id,
        line_number,
        customer_id,
        product_id,
        unit_price,
        quantity,
        invoiced_at,
        is_sale
    from {{ ref('int_invoice_lines_classified') }}
    where is_sale or is_return
),

returned_things as (
    select distinct {{ row_hash(['customer_id', 'product_id', 'unit_price']) }} as thing_hash
    from {{ ref('int_invoice_lines_classified') }}
    where is_return
),

{# Few things are ever returned; the rest is spared the sorting. #}
lines_of_returned_things as (
    select *
    from invoice_lines
    where {{ row_hash(['customer_id', 'product_id', 'unit_price']) }} in (select returned_things.thing_hash from returned_things)
),

{# A return at the same moment as its purchase finds it: exports carry minutes, not seconds. #}
movements as (
    select
        *,
        sum(case when is_sale then quantity else 0 end) over thing_so_far as sold_so_far,
        sum(case when is_sale then 0 else -quantity end) over thing_so_far as returned_so_far
    from lines_of_returned_things
    window thing_so_far as (
        partition by customer_id, product_id, unit_price
        order by
            invoiced_at,
            case when is_sale then 0 else 1 end,
            invoice_id,
            line_number
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
    where not is_sale
    window thing_so_far as (
        partition by customer_id, product_id, unit_price
        order by invoiced_at, invoice_id, line_number
        rows between unbounded preceding and current row
    )
),

matched as (
    select
        *,
        matched_so_far - coalesce(
            lag(matched_so_far) over (
                partition by customer_id, product_id, unit_price
                order by invoiced_at, invoice_id, line_number
            ), 0
        ) as matched_quantity
    from returns
),

final as (
    select
        invoice_id,
        product_id,
        line_number,
        customer_id,
        invoiced_at,
        cast(-quantity as integer) as returned_quantity,
        cast(matched_quantity as integer) as matched_quantity,
        cast(-quantity * unit_price as decimal(18, 2)) as returned_amount,
        cast(matched_quantity * unit_price as decimal(18, 2)) as matched_amount
    from matched
)

select * from final
