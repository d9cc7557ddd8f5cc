with invoice_lines as (
    select
        invoice_id,
        line_number,
        customer_id,
        product_id,
        unit_price,
        is_price_derived,
        quantity,
        line_amount,
        invoiced_at,
        is_sale
    from {{ ref('int_invoice_lines_classified') }}
    where is_sale or is_return
),

returned_products as (
    select distinct {{ row_hash(['customer_id', 'product_id']) }} as product_hash
    from {{ ref('int_invoice_lines_classified') }}
    where is_return
),

{# Few products are ever returned; the rest is spared the sorting. #}
lines_of_returned_products as (
    select
        *,
        bool_or(is_price_derived and not is_sale) over (partition by customer_id, product_id) as has_derived_return
    from invoice_lines
    where {{ row_hash(['customer_id', 'product_id']) }} in (select returned_products.product_hash from returned_products)
),

{# Three for 29.99 and one for 10.00 have the same price to the cent. Below ten cents, a cent is no rounding. #}
priced as (
    select
        *,
        case
            when has_derived_return and unit_price >= 0.1 then cast(round(unit_price, 2) as decimal(22, 8))
            else unit_price
        end as matching_price
    from lines_of_returned_products
),

lines_of_derived_returns as (
    select
        customer_id,
        product_id,
        invoice_id,
        line_number,
        invoiced_at,
        matching_price,
        is_sale,
        is_price_derived,
        is_sale and row_number() over (
            partition by customer_id, product_id, matching_price, is_sale
            order by invoiced_at, invoice_id, line_number
        ) = 1 as is_first_at_price
    from priced
    where has_derived_return
),

{# The number of a price where a sale is the first at it; the number of lower prices where a line is a return. #}
numbered as (
    select
        *,
        sum(case when is_first_at_price then 1 else 0 end) over (
            partition by customer_id, product_id
            order by matching_price, is_sale
            rows between unbounded preceding and current row
        ) as price_number
    from lines_of_derived_returns
),

{# A return looks at the price below and the twenty next ones, so that many returns at many prices never make
   a row for each pair. #}
looked_up as (
    select
        customer_id,
        product_id,
        invoice_id,
        line_number,
        invoiced_at,
        matching_price,
        unnest(range(cast(price_number as bigint), cast(price_number as bigint) + 21)) as price_number
    from numbered
    where
        is_price_derived
        and not is_sale
),

{# A refund can be a part of the price, but not more than the price, give or take a cent. #}
returns_and_prices as (
    select
        looked_up.customer_id,
        looked_up.product_id,
        looked_up.invoice_id,
        looked_up.line_number,
        looked_up.matching_price,
        min(numbered.matching_price) filter (where numbered.matching_price >= looked_up.matching_price) as price_above,
        max(numbered.matching_price) filter (where numbered.matching_price < looked_up.matching_price) as price_below
    from looked_up
    inner join numbered
        on
            looked_up.customer_id = numbered.customer_id
            and looked_up.product_id is not distinct from numbered.product_id
            and looked_up.price_number = numbered.price_number
            and looked_up.invoiced_at >= numbered.invoiced_at
            and looked_up.matching_price <= numbered.matching_price + least(0.01, looked_up.matching_price / 10)
    where numbered.is_first_at_price
    group by
        looked_up.customer_id,
        looked_up.product_id,
        looked_up.invoice_id,
        looked_up.line_number,
        looked_up.matching_price
),

nearest_prices as (
    select
        customer_id,
        product_id,
        invoice_id,
        line_number,
        case
            when price_above is null or matching_price - price_below < price_above - matching_price then price_below
            else price_above
        end as nearest_price
    from returns_and_prices
),

things as (
    select
        priced.* exclude (matching_price),
        case
            when priced.is_sale or nearest_prices.nearest_price is null then priced.matching_price
            else nearest_prices.nearest_price
        end as matching_price
    from priced
    left join nearest_prices
        on
            priced.customer_id = nearest_prices.customer_id
            and priced.product_id is not distinct from nearest_prices.product_id
            and priced.invoice_id = nearest_prices.invoice_id
            and priced.line_number = nearest_prices.line_number
),

{# A return at the same moment as its purchase finds it: exports carry minutes, not seconds. #}
movements as (
    select
        *,
        sum(case when is_sale then quantity else 0 end) over thing_so_far as sold_so_far,
        sum(case when is_sale then 0 else -quantity end) over thing_so_far as returned_so_far
    from things
    window thing_so_far as (
        partition by customer_id, product_id, matching_price
        order by
            invoiced_at,
            case when is_sale then 0 else 1 end,
            invoice_id,
            line_number
        rows between unbounded preceding and current row
    )
),

{# First in, first out without a loop: what returns have found so far is what they asked for so far,
   less the worst shortfall there has been of earlier sales. #}
returns as (
    select
        *,
        returned_so_far + least(0, min(sold_so_far - returned_so_far) over thing_so_far) as matched_so_far
    from movements
    where not is_sale
    window thing_so_far as (
        partition by customer_id, product_id, matching_price
        order by invoiced_at, invoice_id, line_number
        rows between unbounded preceding and current row
    )
),

matched as (
    select
        *,
        -quantity as returned_quantity,
        matched_so_far - coalesce(
            lag(matched_so_far) over (
                partition by customer_id, product_id, matching_price
                order by invoiced_at, invoice_id, line_number
            ), 0
        ) as matched_quantity
    from returns
),

{# A price that was made by dividing is not exact, so what is matched in whole is the amount itself. #}
final as (
    select
        invoice_id,
        product_id,
        line_number,
        customer_id,
        invoiced_at,
        cast(returned_quantity as decimal(18, 6)) as returned_quantity,
        cast(matched_quantity as decimal(18, 6)) as matched_quantity,
        -line_amount as returned_amount,
        cast(
            case
                when matched_quantity = returned_quantity then -line_amount
                else least(-line_amount, cast(matched_quantity * unit_price as decimal(18, 2)))
            end as decimal(18, 2)
        ) as matched_amount
    from matched
)

select * from final
