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

product_lines as (
    select
        customer_id,
        product_id,
        invoiced_at
    from {{ ref('int_invoice_lines_classified') }}
    where
        is_sale
        and is_product
),

current_as_of as (
    select as_of_at
    from as_of_dates
    where is_current
),

products_first_bought as (
    select
        customer_id,
        product_id,
        min(invoiced_at) as invoiced_at
    from product_lines
    group by
        customer_id,
        product_id
),

{# Each event counts from the first as-of moment after it: the next month's beginning, or the as-of
   moment where that comes first. Nothing at or after the as-of moment gets past these filters. #}
invoices_by_period as (
    select
        customer_id,
        {{ counts_from('invoiced_at') }} as as_of_at,
        min(case when sale_lines > 0 then invoiced_at end) as first_purchase_at,
        max(case when sale_lines > 0 then invoiced_at end) as last_purchase_at,
        count(*) filter (where is_first_sale_moment) as frequency,
        sum(sale_amount) as sale_amount,
        sum(return_amount) as return_amount,
        sum(quantity) as quantity
    from invoices
    where invoiced_at < {{ current_as_of() }}
    group by
        customer_id,
        {{ counts_from('invoiced_at') }}
),

returns_by_period as (
    select
        customer_id,
        {{ counts_from('invoiced_at') }} as as_of_at,
        sum(matched_amount) as matched_return_amount
    from returns
    where invoiced_at < {{ current_as_of() }}
    group by
        customer_id,
        {{ counts_from('invoiced_at') }}
),

products_by_period as (
    select
        customer_id,
        {{ counts_from('invoiced_at') }} as as_of_at,
        count(*) as distinct_products
    from products_first_bought
    where invoiced_at < {{ current_as_of() }}
    group by
        customer_id,
        {{ counts_from('invoiced_at') }}
),

{# Matched returns and first products only ever happen where there is an invoice. #}
periods as (
    select
        invoices_by_period.*,
        returns_by_period.matched_return_amount,
        products_by_period.distinct_products
    from invoices_by_period
    left join returns_by_period
        on
            invoices_by_period.customer_id = returns_by_period.customer_id
            and invoices_by_period.as_of_at = returns_by_period.as_of_at
    left join products_by_period
        on
            invoices_by_period.customer_id = products_by_period.customer_id
            and invoices_by_period.as_of_at = products_by_period.as_of_at
),

customers as (
    select
        customer_id,
        min(first_purchase_at) as first_purchase_at
    from periods
    group by customer_id
    having min(first_purchase_at) is not null
),

{# The second half brings in the periods before the first purchase, in which one can only return. #}
spine as (
    select
        customers.customer_id,
        customers.first_purchase_at,
        as_of_dates.as_of_at
    from customers
    inner join as_of_dates on customers.first_purchase_at < as_of_dates.as_of_at
    union all
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
        coalesce(sum(periods.matched_return_amount) over so_far, 0) as matched_return_amount,
        sum(periods.quantity) over so_far as quantity,
        coalesce(sum(periods.distinct_products) over so_far, 0) as distinct_products
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
        cast(cumulated.monetary / cumulated.frequency as decimal(20, 4)) as average_basket_value,
        cast(cumulated.quantity as bigint) as quantity,
        cast(cumulated.distinct_products as integer) as distinct_products,
        cast(coalesce(cumulated.matched_return_amount / nullif(cumulated.monetary, 0), 0) as decimal(9, 6)) as return_share
    from cumulated
    inner join as_of_dates on cumulated.as_of_at = as_of_dates.as_of_at
    where cumulated.first_purchase_at < cumulated.as_of_at
)

select * from final
