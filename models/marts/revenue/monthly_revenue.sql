with customers as (
    select
        customer_id,
        as_of_at,
        date_trunc('month', first_purchase_at) as cohort_month
    from {{ ref('int_customers_as_of') }}
    where is_current
),

invoices as (
    select * from {{ ref('int_invoices') }}
),

customer_segments as (
    select
        segmentation,
        customer_id,
        segment_code
    from {{ ref('customer_segments') }}
),

{# Customers of a campaign have no months. #}
segments as (
    select
        segmentation,
        segment_code,
        segment_name,
        segment_order
    from {{ ref('segments') }}
    where
        customers > 0
        and population = 'invoice_customers'
),

{# Summed by customer first: each customer is in every segmentation. #}
customer_months as (
    select
        invoices.customer_id,
        date_trunc('month', invoices.invoiced_at) as revenue_month,
        max(customers.cohort_month) as cohort_month,
        count(*) filter (where invoices.is_first_sale_moment) as orders,
        sum(invoices.quantity) as quantity,
        sum(invoices.sale_amount) as revenue,
        sum(invoices.return_amount) as returned_amount
    from invoices
    inner join customers
        on
            invoices.customer_id = customers.customer_id
            and invoices.invoiced_at < customers.as_of_at
    group by
        invoices.customer_id,
        date_trunc('month', invoices.invoiced_at)
),

segment_months as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        customer_months.revenue_month,
        count(*) filter (where customer_months.orders > 0) as customers,
        count(*) filter (where customer_months.cohort_month = customer_months.revenue_month) as new_customers,
        sum(customer_months.orders) as orders,
        sum(customer_months.quantity) as quantity,
        sum(customer_months.revenue) as revenue,
        sum(customer_months.returned_amount) as returned_amount
    from customer_months
    inner join customer_segments on customer_months.customer_id = customer_segments.customer_id
    group by
        customer_segments.segmentation,
        customer_segments.segment_code,
        customer_months.revenue_month
),

seen as (
    select
        min(revenue_month) as first_month,
        max(revenue_month) as last_month
    from customer_months
),

months as (
    select {{ month_starts("first_month - interval '1' month", 'last_month') }} as revenue_month
    from seen
),

bounds as (
    select
        min(invoices.invoiced_at) as first_sale_at,
        max(customers.as_of_at) as as_of_at
    from invoices
    inner join customers on invoices.customer_id = customers.customer_id
    where invoices.sale_lines > 0
),

{# A month without a sale is a row of zeros, so that no line is drawn past it. #}
final as (
    select
        segments.segmentation,
        cast(months.revenue_month as date) as month,
        segments.segment_code,
        segments.segment_name,
        cast(segments.segment_order as integer) as segment_order,
        cast(coalesce(segment_months.customers, 0) as integer) as customers,
        cast(coalesce(segment_months.new_customers, 0) as integer) as new_customers,
        cast(coalesce(segment_months.orders, 0) as integer) as orders,
        cast(coalesce(segment_months.quantity, 0) as decimal(18, 6)) as quantity,
        cast(coalesce(segment_months.revenue, 0) as decimal(18, 2)) as revenue,
        cast(coalesce(segment_months.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        {{ is_partial_month('months.revenue_month') }} as is_partial
    from months
    cross join segments
    cross join bounds
    left join segment_months
        on
            months.revenue_month = segment_months.revenue_month
            and segments.segmentation = segment_months.segmentation
            and segments.segment_code = segment_months.segment_code
)

select * from final
