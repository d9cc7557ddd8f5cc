with customers as (
    select
        customer_id,
        as_of_at,
        date_trunc('month', first_purchase_at) as cohort_month
    from {{ ref('int_customers_as_of') }}
    where is_current
),

invoices as (
    select
        customer_id,
        invoiced_at,
        sale_amount
    from {{ ref('int_invoices') }}
    where sale_lines > 0
),

customer_months as (
    select
        customers.customer_id,
        customers.cohort_month,
        date_trunc('month', invoices.invoiced_at) as active_month,
        sum(invoices.sale_amount) as revenue
    from customers
    inner join invoices
        on
            customers.customer_id = invoices.customer_id
            and customers.as_of_at > invoices.invoiced_at
    group by
        customers.customer_id,
        customers.cohort_month,
        date_trunc('month', invoices.invoiced_at)
),

active as (
    select
        cohort_month,
        active_month,
        count(*) as customers,
        sum(revenue) as revenue
    from customer_months
    group by
        cohort_month,
        active_month
),

cohorts as (
    select
        cohort_month,
        count(*) as customers
    from customers
    group by cohort_month
),

bounds as (
    select
        min(invoices.invoiced_at) as first_sale_at,
        max(customers.as_of_at) as as_of_at
    from invoices
    inner join customers on invoices.customer_id = customers.customer_id
),

seen as (
    select
        min(active_month) as first_month,
        max(active_month) as last_month
    from active
),

months as (
    select {{ month_starts("first_month - interval '1' month", 'last_month') }} as active_month
    from seen
),

month_numbers as (
    select
        cast({{ months_between('seen.first_month', 'months.active_month') }} as integer) as month_number
    from months
    cross join seen
),

{# Every cohort has every month number; months that have not come yet are nulls, not zeros. #}
grid as (
    select
        cohorts.cohort_month,
        cohorts.customers as cohort_customers,
        month_numbers.month_number,
        cohorts.cohort_month + month_numbers.month_number * interval '1' month as active_month
    from cohorts
    cross join month_numbers
),

final as (
    select
        cast(grid.cohort_month as date) as cohort_month,
        grid.month_number,
        cast(grid.active_month as date) as month,
        cast(grid.cohort_customers as integer) as cohort_customers,
        grid.active_month <= seen.last_month as is_observed,
        case when grid.active_month <= seen.last_month then {{ is_partial_month('grid.active_month') }} end as is_partial,
        case when grid.active_month <= seen.last_month then cast(coalesce(active.customers, 0) as integer) end as active_customers,
        case
            when grid.active_month <= seen.last_month
                then cast(coalesce(active.customers, 0) / cast(grid.cohort_customers as double) as decimal(9, 6))
        end as retention,
        case when grid.active_month <= seen.last_month then cast(coalesce(active.revenue, 0) as decimal(18, 2)) end as revenue
    from grid
    cross join seen
    cross join bounds
    left join active
        on
            grid.cohort_month = active.cohort_month
            and grid.active_month = active.active_month
)

select * from final
