{# A pair reads the same both ways round, its figures follow from its counts, and no count is larger than what
   was sold. #}
with pairs as (
    select * from {{ ref('product_pairs') }}
),

products as (
    select
        product_id,
        sale_lines
    from {{ ref('products') }}
    where is_product
),

sold as (
    select count(*) as baskets
    from {{ ref('int_invoices') }}
    where is_first_sale_moment
),

compared as (
    select
        pairs.product_id,
        pairs.other_product_id,
        pairs.product_id <> pairs.other_product_id
        and pairs.baskets = mirrored.baskets
        and pairs.product_baskets = mirrored.other_product_baskets
        and pairs.support = mirrored.support
        and pairs.lift = mirrored.lift
        and pairs.lift_low = mirrored.lift_low as reads_the_same,
        abs(pairs.support * pairs.counted_baskets - pairs.baskets) <= 0.000001 * pairs.counted_baskets
        and abs(pairs.confidence * pairs.product_baskets - pairs.baskets) <= 0.000001 * pairs.product_baskets
        and abs(pairs.lift * pairs.other_product_baskets - pairs.confidence * pairs.counted_baskets)
        <= 0.0001 * pairs.other_product_baskets + 0.000001 * pairs.counted_baskets
        and pairs.lift_low between 0 and pairs.lift as follows_from_counts,
        pairs.baskets between 1 and pairs.product_baskets
        and pairs.product_baskets between 1 and least(pairs.counted_baskets, products.sale_lines)
        and (pairs.counted_baskets + pairs.left_out_baskets) <= sold.baskets as is_within_what_was_sold
    from pairs
    left join pairs as mirrored
        on
            pairs.product_id = mirrored.other_product_id
            and pairs.other_product_id = mirrored.product_id
    left join products on pairs.product_id = products.product_id
    cross join sold
)

select *
from compared
where
    reads_the_same is not true
    or follows_from_counts is not true
    or is_within_what_was_sold is not true
