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

{# One sort of all customers: ties and exact shares need it, and a hundred thresholds would cost more. #}
ranked as (
    select
        monetary,
        row_number() over (order by monetary desc, customer_id asc) as customer_rank
    from customers
),

hundredths as (
    select
        cast(ceil(ranked.customer_rank * 100.0 / totals.customers) as integer) as customer_percent,
        count(*) as customers,
        sum(ranked.monetary) as revenue,
        min(ranked.monetary) as smallest_monetary
    from ranked
    cross join totals
    group by cast(ceil(ranked.customer_rank * 100.0 / totals.customers) as integer)
),

{# Fewer than a hundred customers leave gaps, which take up nobody. #}
percents as (
    select cast(range as integer) as customer_percent
    from range(1, 101)
),

final as (
    select
        cast(percents.customer_percent / 100.0 as decimal(9, 6)) as customer_share,
        cast(coalesce(sum(hundredths.customers) over so_far, 0) as integer) as customers,
        cast(coalesce(sum(hundredths.revenue) over so_far, 0) as decimal(18, 2)) as revenue,
        cast(coalesce(sum(hundredths.revenue) over so_far / totals.revenue, 0) as decimal(9, 6)) as revenue_share,
        cast(min(hundredths.smallest_monetary) over so_far as decimal(18, 2)) as smallest_monetary
    from percents
    cross join totals
    left join hundredths on percents.customer_percent = hundredths.customer_percent
    window so_far as (
        order by percents.customer_percent
        rows between unbounded preceding and current row
    )
)

select * from final
