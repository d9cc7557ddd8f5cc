with customers as (
    select
        r_score,
        {{ fm_score('customers') }} as fm_score,
        rfm_segment,
        monetary
    from {{ ref('customers') }} as customers
),

final as (
    select
        r_score,
        cast(fm_score as integer) as fm_score,
        max(rfm_segment) as rfm_segment,
        count(*) as customers,
        sum(monetary) as revenue
    from customers
    group by
        r_score,
        fm_score
    order by
        r_score,
        fm_score
)

select * from final
