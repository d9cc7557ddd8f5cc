{#- Ten thousand customers at a cutoff are enough to learn from; today everybody is predicted. -#}
{%- set sampled_customers = 10000 -%}
with customers as (
    select
        customer_id,
        as_of_at as cutoff,
        is_current,
        recency_days,
        tenure_days,
        frequency,
        monetary
    from {{ ref('int_customers_as_of') }}
),

sales as (
    select
        customer_id,
        invoiced_at,
        is_first_sale_moment,
        sale_amount
    from {{ ref('int_invoices') }}
    where sale_lines > 0
),

current_as_of as (
    select
        as_of_at,
        prediction_days
    from {{ ref('int_as_of_dates') }}
    where is_current
),

sample as (
    select ceil(count(*) / cast({{ sampled_customers }} as double)) as part
    from customers
    where is_current
),

{# The same customers at every cutoff. Thirty months hold the cutoffs of tests a year long and, a year before
   them, those to learn from. #}
cutoffs as (
    select
        customers.*,
        current_as_of.as_of_at,
        current_as_of.prediction_days,
        {{ days_after('customers.cutoff', '-current_as_of.prediction_days') }} as window_before_from,
        {{ days_after('customers.cutoff', 'current_as_of.prediction_days') }} as window_until
    from customers
    cross join current_as_of
    cross join sample
    where
        customers.is_current
        or (
            customers.cutoff >= current_as_of.as_of_at - interval '30' month
            and {{ one_row_in(['customers.customer_id'], 'sample.part') }}
        )
),

{# An invoice counts once, at its first moment with a sale; its money counts when it was spent. #}
counted as (
    select
        cutoffs.customer_id,
        cutoffs.cutoff,
        count(*) filter (
            where
            sales.is_first_sale_moment
            and sales.invoiced_at >= cutoffs.window_before_from
            and sales.invoiced_at < cutoffs.cutoff
        ) as orders_last_window,
        sum(sales.sale_amount) filter (
            where
            sales.invoiced_at >= cutoffs.window_before_from
            and sales.invoiced_at < cutoffs.cutoff
        ) as spend_last_window,
        sum(sales.sale_amount) filter (where sales.invoiced_at < cutoffs.cutoff) as spend_last_365d,
        count(*) filter (
            where
            sales.is_first_sale_moment
            and sales.invoiced_at >= cutoffs.cutoff
            and sales.invoiced_at < cutoffs.window_until
        ) as orders_next,
        sum(sales.sale_amount) filter (
            where
            sales.invoiced_at >= cutoffs.cutoff
            and sales.invoiced_at < cutoffs.window_until
        ) as spend_next,
        sum(sales.sale_amount) filter (where sales.invoiced_at >= cutoffs.cutoff) as spend_next_365d,
        min(sales.invoiced_at) filter (
            where
            sales.is_first_sale_moment
            and sales.invoiced_at >= cutoffs.cutoff
            and sales.invoiced_at < cutoffs.window_until
        ) as next_purchase_at
    from cutoffs
    left join sales
        on
            cutoffs.customer_id = sales.customer_id
            and sales.invoiced_at >= cutoffs.cutoff - interval '365' day
            and sales.invoiced_at < cutoffs.cutoff + interval '365' day
    group by
        cutoffs.customer_id,
        cutoffs.cutoff
),

{# What came after is known once its whole time lies before the as-of moment. #}
final as (
    select
        cutoffs.customer_id,
        cutoffs.cutoff,
        cutoffs.is_current,
        cutoffs.prediction_days,
        cutoffs.recency_days,
        cutoffs.tenure_days,
        cutoffs.frequency,
        cutoffs.monetary,
        cast(counted.orders_last_window as integer) as orders_last_window,
        cast(coalesce(counted.spend_last_window, 0) as decimal(18, 2)) as spend_last_window,
        cast(coalesce(counted.spend_last_365d, 0) as decimal(18, 2)) as spend_last_365d,
        case
            when cutoffs.window_until <= cutoffs.as_of_at then cast(counted.orders_next as integer)
        end as orders_next,
        case
            when cutoffs.window_until <= cutoffs.as_of_at
                then cast(coalesce(counted.spend_next, 0) as decimal(18, 2))
        end as spend_next,
        case
            when cutoffs.window_until <= cutoffs.as_of_at then counted.next_purchase_at
        end as next_purchase_at,
        case
            when cutoffs.cutoff + interval '365' day <= cutoffs.as_of_at
                then cast(coalesce(counted.spend_next_365d, 0) as decimal(18, 2))
        end as spend_next_365d
    from cutoffs
    inner join counted
        on
            cutoffs.customer_id = counted.customer_id
            and cutoffs.cutoff = counted.cutoff
)

select * from final
