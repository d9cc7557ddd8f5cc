with revenue_concentration as (
    select * from {{ ref('revenue_concentration') }}
),

final as (
    select
        customer_share,
        customers,
        revenue,
        revenue_share,
        smallest_monetary
    from revenue_concentration
    order by customer_share
)

select * from final
