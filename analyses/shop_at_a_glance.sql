with customers as (
    select
        as_of_at,
        frequency,
        monetary
    from {{ ref('customers') }}
),

line_accounting as (
    select lines
    from {{ ref('line_accounting') }}
),

measured as (
    select
        max(as_of_at) as as_of_at,
        count(*) as customers,
        sum(frequency) as orders,
        sum(monetary) as revenue
    from customers
),

counted as (
    select sum(lines) as lines
    from line_accounting
),

final as (
    select
        measured.as_of_at,
        measured.customers,
        measured.orders,
        measured.revenue,
        measured.revenue / measured.customers as revenue_per_customer,
        measured.revenue / measured.orders as revenue_per_order,
        counted.lines
    from measured
    cross join counted
)

select * from final
