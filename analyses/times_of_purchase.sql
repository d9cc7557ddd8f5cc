with invoice_lines as (
    select
        customer_id,
        invoice_id,
        invoiced_at
    from {{ ref('invoice_lines') }}
    where line_type = 'sale'
),

invoices as (
    select
        customer_id,
        invoice_id,
        min(invoiced_at) as invoiced_at
    from invoice_lines
    group by
        customer_id,
        invoice_id
),

final as (
    select
        extract(isodow from invoiced_at) as weekday_number,
        extract(hour from invoiced_at) as hour_of_day,
        count(*) as orders
    from invoices
    group by
        extract(isodow from invoiced_at),
        extract(hour from invoiced_at)
    order by
        extract(isodow from invoiced_at),
        extract(hour from invoiced_at)
)

select * from final
