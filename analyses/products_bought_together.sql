{# Of a set of six only the closest two stand here: each other's closest companion, so no product stands twice.
   First the one of which fewer are bought, whose buyers are surer to take the other. #}
with pairs as (
    select * from {{ ref('product_pairs') }}
    where
        companion_rank = 1
        and lift_low > 1
),

final as (
    select
        pairs.product_id,
        coalesce(pairs.description, pairs.product_id) as description,
        pairs.other_product_id,
        coalesce(pairs.other_description, pairs.other_product_id) as other_description,
        pairs.baskets,
        pairs.product_baskets,
        pairs.other_product_baskets,
        pairs.counted_baskets,
        pairs.left_out_baskets,
        pairs.sampled_one_in,
        pairs.support,
        pairs.confidence,
        mirrored.confidence as other_confidence,
        pairs.lift,
        pairs.lift_low
    from pairs
    inner join pairs as mirrored
        on
            pairs.product_id = mirrored.other_product_id
            and pairs.other_product_id = mirrored.product_id
    where
        pairs.product_baskets < pairs.other_product_baskets
        or (
            pairs.product_baskets = pairs.other_product_baskets
            and pairs.product_id < pairs.other_product_id
        )
    order by
        pairs.confidence desc,
        pairs.lift_low desc,
        pairs.product_id asc
    limit 15
)

select * from final
