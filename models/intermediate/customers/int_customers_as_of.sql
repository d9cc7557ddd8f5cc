with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

invoices as (
    select * from {{ ref('int_invoices') }}
),

returns as (
    select
        customer_id,
        invoiced_at,
        matched_amount
    from {{ ref('int_returns_matched') }}
    where matched_quantity > 0
),

products_first_bought as (
    select
        customer_id,
        product_id,
        min(invoiced_at) as first_bought_at
    from {{ ref('int_invoice_lines_classified') }}
    where
        line_type = 'sale'
        and is_product
    group by
        customer_id,
        product_id
),

current_as_of as (
    select as_of_at
    from as_of_dates
    where is_current
),

events as (
    select
        customer_id,
        invoiced_at,
        case when sale_lines > 0 then invoiced_at end as purchased_at,
        case when is_first_sale_moment then 1 else 0 end as frequency,
        sale_amount,
        return_amount,
        cast(0 as decimal(18, 2)) as matched_return_amount,
        quantity,
        0 as distinct_products
    from invoices
    union all
    select
        customer_id,
        invoiced_at,
        cast(null as timestamp) as purchased_at,
        0 as frequency,
        cast(0 as decimal(18, 2)) as sale_amount,
        cast(0 as decimal(18, 2)) as return_amount,
        matched_amount as matched_return_amount,
        0 as quantity,
        0 as distinct_products
    from returns
    union all
    select
        customer_id,
        first_bought_at as invoiced_at,
        cast(null as timestamp) as purchased_at,
        0 as frequency,
        cast(0 as decimal(18, 2)) as sale_amount,
        cast(0 as decimal(18, 2)) as return_amount,
        cast(0 as decimal(18, 2)) as matched_return_amount,
        0 as quantity,
        1 as distinct_products
    from products_first_bought
),

{# Each event counts from the first as-of moment after it: the next month's beginning, or the as-of
   moment where that comes first. Nothing at or after the as-of moment gets past this join. #}
periods as (
    select
        events.customer_id,
        least(
            date_trunc('month', events.invoiced_at) + interval '1' month,
            current_as_of.as_of_at
        ) as as_of_at,
        min(events.purchased_at) as first_purchase_at,
        max(events.purchased_at) as last_purchase_at,
        sum(events.frequency) as frequency,
        sum(events.sale_amount) as sale_amount,
        sum(events.return_amount) as return_amount,
        sum(events.matched_return_amount) as matched_return_amount,
        sum(events.quantity) as quantity,
        sum(events.distinct_products) as distinct_products
    from events
    inner join current_as_of on events.invoiced_at < current_as_of.as_of_at
    group by
        events.customer_id,
        least(
            date_trunc('month', events.invoiced_at) + interval '1' month,
            current_as_of.as_of_at
        )
),

customers as (
    select
        customer_id,
        min(first_purchase_at) as first_purchase_at
    from periods
    group by customer_id
    having min(first_purchase_at) is not null
),

{# The union brings in the periods before the first purchase too, in which a customer can only return. #}
spine as (
    select
        customers.customer_id,
        customers.first_purchase_at,
        as_of_dates.as_of_at
    from customers
    inner join as_of_dates on customers.first_purchase_at < as_of_dates.as_of_at
    union
    select
        customers.customer_id,
        customers.first_purchase_at,
        periods.as_of_at
    from customers
    inner join periods
        on
            customers.customer_id = periods.customer_id
            and customers.first_purchase_at >= periods.as_of_at
),

cumulated as (
    select
        spine.customer_id,
        spine.as_of_at,
        spine.first_purchase_at,
        max(periods.last_purchase_at) over so_far as last_purchase_at,
        sum(periods.frequency) over so_far as frequency,
        sum(periods.sale_amount) over so_far as monetary,
        sum(periods.return_amount) over so_far as return_amount,
        sum(periods.matched_return_amount) over so_far as matched_return_amount,
        sum(periods.quantity) over so_far as quantity,
        sum(periods.distinct_products) over so_far as distinct_products
    from spine
    left join periods
        on
            spine.customer_id = periods.customer_id
            and spine.as_of_at = periods.as_of_at
    window so_far as (
        partition by spine.customer_id
        order by spine.as_of_at
        rows between unbounded preceding and current row
    )
),

final as (
    select
        cumulated.customer_id,
        as_of_dates.as_of_date,
        cumulated.as_of_at,
        as_of_dates.is_current,
        cumulated.first_purchase_at,
        cumulated.last_purchase_at,
        cast({{ elapsed_days('cumulated.last_purchase_at', 'cumulated.as_of_at') }} as integer) as recency_days,
        cast({{ elapsed_days('cumulated.first_purchase_at', 'cumulated.as_of_at') }} as integer) as tenure_days,
        cast(cumulated.frequency as integer) as frequency,
        cast(cumulated.monetary as decimal(18, 2)) as monetary,
        cast(cumulated.monetary - cumulated.return_amount as decimal(18, 2)) as net_monetary,
        cast(cumulated.monetary / cumulated.frequency as decimal(18, 4)) as average_basket_value,
        cast(cumulated.quantity as bigint) as quantity,
        cast(cumulated.distinct_products as integer) as distinct_products,
        cast(cumulated.matched_return_amount / nullif(cumulated.monetary, 0) as decimal(9, 6)) as return_share
    from cumulated
    inner join as_of_dates on cumulated.as_of_at = as_of_dates.as_of_at
    where cumulated.first_purchase_at < cumulated.as_of_at
)

select * from final
