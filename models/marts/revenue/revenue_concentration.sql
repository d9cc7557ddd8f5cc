with customers as (
    select
        customer_id,
        monetary
    from {{ ref('int_customers_as_of') }}
    where is_current
),

totals as (
    select
        count(*) as customers,
        sum(monetary) as revenue
    from customers
),

{# One sort of all customers; a hundred sums would cost more. #}
ranked as (
    select
        monetary,
        row_number() over largest_first as customer_rank,
        sum(monetary) over largest_first as revenue
    from customers
    window largest_first as (
        order by monetary desc, customer_id asc
        rows between unbounded preceding and current row
    )
),

percents as (
    select range as percent
    from range(1, 101)
),

cut as (
    select
        percents.percent,
        totals.revenue as all_revenue,
        {{ customers_in_share('percents.percent', 'totals.customers') }} as customers
    from percents
    cross join totals
),

final as (
    select
        cast(cut.percent / 100.0 as decimal(9, 6)) as customer_share,
        cut.customers,
        cast(ranked.revenue as decimal(18, 2)) as revenue,
        cast(coalesce(ranked.revenue / cut.all_revenue, 0) as decimal(9, 6)) as revenue_share,
        ranked.monetary as smallest_monetary
    from cut
    inner join ranked on cut.customers = ranked.customer_rank
)

select * from final
