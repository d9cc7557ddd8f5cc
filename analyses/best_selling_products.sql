with products as (
    select * from {{ ref('products') }}
    where is_product
),

totals as (
    select sum(revenue) as revenue
    from {{ ref('products') }}
    where is_product
),

final as (
    select
        products.product_id,
        coalesce(products.description, products.product_id) as description,
        products.sale_lines,
        products.quantity,
        products.revenue,
        products.revenue / totals.revenue as revenue_share
    from products
    cross join totals
    order by
        products.revenue desc,
        products.product_id asc
    limit 15
)

select * from final
