{# Customers, their money and their segments are the same in every mart that tells of them. #}
with customers as (
    select
        count(*) as customers,
        coalesce(sum(monetary), 0) as revenue
    from {{ ref('customers') }}
),

sold as (
    select
        count(distinct invoices.customer_id) as customers,
        coalesce(sum(invoices.sale_amount), 0) as revenue
    from {{ ref('int_invoices') }} as invoices
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on
            as_of_dates.is_current
            and invoices.invoiced_at < as_of_dates.as_of_at
    where invoices.sale_lines > 0
),

segments as (
    select
        segmentation,
        sum(customers) as customers,
        sum(revenue) as revenue
    from {{ ref('segments') }}
    where population = 'invoice_customers'
    group by segmentation
),

months as (
    select
        segmentation,
        sum(new_customers) as customers,
        sum(revenue) as revenue
    from {{ ref('monthly_revenue') }}
    group by segmentation
),

cohorts as (
    select
        coalesce(sum(cohort_customers) filter (where month_number = 0), 0) as customers,
        coalesce(sum(revenue), 0) as revenue
    from {{ ref('cohort_retention') }}
),

compared as (
    select
        'customers' as mart,
        customers.customers,
        customers.revenue
    from customers
    union all
    select
        'segments of ' || segmentation as mart,
        customers,
        revenue
    from segments
    union all
    select
        'monthly_revenue of ' || segmentation as mart,
        customers,
        revenue
    from months
    union all
    select
        'cohort_retention' as mart,
        customers,
        revenue
    from cohorts
    union all
    select
        'revenue_concentration' as mart,
        customers,
        revenue
    from {{ ref('revenue_concentration') }}
    where customer_share = 1
)

select
    compared.*,
    sold.customers as sold_customers,
    sold.revenue as sold_revenue
from compared
cross join sold
where
    compared.customers <> sold.customers
    or compared.revenue <> sold.revenue
