with current_as_of as (
    select as_of_at
    from {{ ref('int_as_of_dates') }}
    where is_current
),

products as (
    select
        product_id,
        description
    from {{ ref('products') }}
),

sampling as (
    select cast(greatest(1, ceil(count(*) / {{ setting('pairs_sampled_baskets') }})) as bigint) as sampled_one_in
    from {{ ref('int_invoices') }}
    where
        is_first_sale_moment
        and invoiced_at < {{ current_as_of() }}
),

sold as (
    select distinct
        customer_id,
        invoice_id,
        product_id
    from {{ ref('int_invoice_lines_classified') }}
    where
        is_sale
        and is_product
        and product_id is not null
        and invoiced_at < {{ current_as_of() }}
        and {{ one_row_in(['customer_id', 'invoice_id'], '(select sampling.sampled_one_in from sampling)') }}
),

{# Pairs are counted by number: ids as text would make that several times as slow. #}
baskets as (
    select
        customer_id,
        invoice_id,
        cast(row_number() over (order by customer_id, invoice_id) as integer) as basket_number,
        count(*) as products
    from sold
    group by
        customer_id,
        invoice_id
),

{# An order for half of the shop says nothing of what goes together, and holds more pairs than all others. #}
counted as (
    select
        count(*) filter (where products <= {{ setting('pairs_largest_basket') }}) as counted_baskets,
        count(*) filter (where products > {{ setting('pairs_largest_basket') }}) as left_out_baskets
    from baskets
),

least as (
    select
        greatest(
            {{ setting('pairs_least_baskets') }},
            cast(ceil({{ setting('pairs_least_support') }} * counted_baskets) as bigint)
        ) as least_baskets
    from counted
),

contents as (
    select
        baskets.basket_number,
        sold.product_id
    from sold
    inner join baskets
        on
            sold.customer_id = baskets.customer_id
            and sold.invoice_id = baskets.invoice_id
    where baskets.products <= {{ setting('pairs_largest_basket') }}
),

{# No pair is in more baskets than either of its products, so rare products need not be paired. #}
frequent as (
    select
        product_id,
        cast(row_number() over (order by product_id) as integer) as product_number,
        count(*) as product_baskets
    from contents
    group by product_id
    having count(*) >= (select least.least_baskets from least)
),

numbered as (
    select
        contents.basket_number,
        frequent.product_number
    from contents
    inner join frequent on contents.product_id = frequent.product_id
),

paired as (
    select
        numbered.product_number,
        others.product_number as other_product_number,
        count(*) as baskets
    from numbered
    inner join numbered as others
        on
            numbered.basket_number = others.basket_number
            and numbered.product_number < others.product_number
    group by
        numbered.product_number,
        others.product_number
    having count(*) >= (select least.least_baskets from least)
),

both_ways as (
    select
        product_number,
        other_product_number,
        baskets
    from paired
    union all
    select
        other_product_number as product_number,
        product_number as other_product_number,
        baskets
    from paired
),

measured as (
    select
        one.product_id,
        other.product_id as other_product_id,
        both_ways.baskets,
        one.product_baskets,
        other.product_baskets as other_product_baskets,
        counted.counted_baskets,
        counted.left_out_baskets,
        sampling.sampled_one_in,
        {{ share('both_ways.baskets', 'counted.counted_baskets') }} as support,
        {{ share('both_ways.baskets', 'one.product_baskets') }} as confidence,
        cast(
            {{ lift('both_ways.baskets', 'one.product_baskets', 'other.product_baskets', 'counted.counted_baskets') }}
            as decimal(18, 4)
        ) as lift,
        cast(
            {{ lift_low('both_ways.baskets', 'one.product_baskets', 'other.product_baskets', 'counted.counted_baskets') }}
            as decimal(18, 4)
        ) as lift_low
    from both_ways
    inner join frequent as one on both_ways.product_number = one.product_number
    inner join frequent as other on both_ways.other_product_number = other.product_number
    cross join counted
    cross join sampling
),

final as (
    select
        measured.product_id,
        products.description,
        measured.other_product_id,
        other_products.description as other_description,
        row_number() over (
            partition by measured.product_id
            order by measured.lift_low desc, measured.baskets desc, measured.other_product_id asc
        ) as companion_rank,
        measured.baskets,
        measured.product_baskets,
        measured.other_product_baskets,
        measured.counted_baskets,
        measured.left_out_baskets,
        measured.sampled_one_in,
        measured.support,
        measured.confidence,
        measured.lift,
        measured.lift_low
    from measured
    inner join products on measured.product_id = products.product_id
    inner join products as other_products on measured.other_product_id = other_products.product_id
)

select * from final
