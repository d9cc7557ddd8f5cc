with monthly_revenue as (
    select * from {{ ref('monthly_revenue') }}
),

final as (
    select
        segmentation,
        month,
        is_partial,
        segment_order,
        segment_code,
        segment_name,
        customers,
        orders,
        revenue,
        returned_amount
    from monthly_revenue
    order by
        segmentation,
        month,
        segment_order
)

select * from final
