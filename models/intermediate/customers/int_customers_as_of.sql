{%- set windows = trailing_windows() -%}
{%- set summed = ['frequency', 'sale_amount', 'return_amount', 'quantity'] -%}

with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

invoices as (
    select * from {{ ref('int_invoices') }}
),

returns as (
    select
        customer_id,
        invoiced_at,
        matched_amount
    from {{ ref('int_returns_matched') }}
    where matched_quantity > 0
),

product_lines as (
    select
        customer_id,
        product_id,
        invoiced_at
    from {{ ref('int_invoice_lines_classified') }}
    where
        is_sale
        and is_product
),

current_as_of as (
    select as_of_at
    from as_of_dates
    where is_current
),

products_first_bought as (
    select
        customer_id,
        product_id,
        min(invoiced_at) as invoiced_at
    from product_lines
    group by
        customer_id,
        product_id
),

products_by_moment as (
    select
        customer_id,
        invoiced_at,
        count(*) as distinct_products
    from products_first_bought
    group by
        customer_id,
        invoiced_at
),

events as (
    select
        customer_id,
        invoiced_at,
        case when sale_lines > 0 then invoiced_at end as sold_at,
        case when is_first_sale_moment then 1 else 0 end as frequency,
        sale_amount,
        return_amount,
        quantity,
        0 as matched_return_amount,
        0 as distinct_products
    from invoices
    union all
    select
        customer_id,
        invoiced_at,
        null as sold_at,
        0 as frequency,
        0 as sale_amount,
        0 as return_amount,
        0 as quantity,
        matched_amount as matched_return_amount,
        0 as distinct_products
    from returns
    union all
    select
        customer_id,
        invoiced_at,
        null as sold_at,
        0 as frequency,
        0 as sale_amount,
        0 as return_amount,
        0 as quantity,
        0 as matched_return_amount,
        distinct_products
    from products_by_moment
),

{# What a trailing window holds, it lets go again as many days later. #}
entries as (
    select
        *,
        0 as days_after
    from events
    {%- for days in windows %}
    union all
    select
        customer_id,
        invoiced_at + interval '{{ days }}' day as invoiced_at,
        null as sold_at,
        {%- for column in summed %}
        -{{ column }} as {{ column }},
        {%- endfor %}
        0 as matched_return_amount,
        0 as distinct_products,
        {{ days }} as days_after
    from events
    where
        frequency > 0
        or sale_amount > 0
        or return_amount > 0
    {%- endfor %}
),

{# Each event counts from the first as-of moment after it: the next month's beginning, or the as-of
   moment where that comes first. Nothing at or after the as-of moment gets past this filter. #}
periods as (
    select
        customer_id,
        {{ counts_from('invoiced_at') }} as counts_from,
        min(sold_at) as first_purchase_at,
        max(sold_at) as last_purchase_at,
        {%- for column in summed %}
        sum({{ column }}) filter (where days_after = 0) as {{ column }},
        {%- for days in windows %}
        sum({{ column }}) filter (where days_after in (0, {{ days }})) as {{ column }}_{{ days }}d,
        {%- endfor %}
        {%- endfor %}
        sum(matched_return_amount) as matched_return_amount,
        sum(distinct_products) as distinct_products
    from entries
    where invoiced_at < {{ current_as_of() }}
    group by
        customer_id,
        {{ counts_from('invoiced_at') }}
),

cumulated as (
    select
        customer_id,
        counts_from,
        coalesce(lead(counts_from) over so_far, {{ current_as_of() }} + interval '1' day) as counts_until,
        min(first_purchase_at) over so_far as first_purchase_at,
        max(last_purchase_at) over so_far as last_purchase_at,
        {%- for column in summed %}
        sum({{ column }}) over so_far as {{ column }},
        {%- for days in windows %}
        sum({{ column }}_{{ days }}d) over so_far as {{ column }}_{{ days }}d,
        {%- endfor %}
        {%- endfor %}
        sum(matched_return_amount) over so_far as matched_return_amount,
        sum(distinct_products) over so_far as distinct_products
    from periods
    window so_far as (
        partition by customer_id
        order by counts_from
        rows between unbounded preceding and current row
    )
),

{# What is known of a customer holds at every as-of moment until there is more. #}
final as (
    select
        cumulated.customer_id,
        as_of_dates.as_of_date,
        as_of_dates.as_of_at,
        as_of_dates.is_current,
        cumulated.first_purchase_at,
        cumulated.last_purchase_at,
        cast({{ elapsed_days('cumulated.last_purchase_at', 'as_of_dates.as_of_at') }} as integer) as recency_days,
        cast({{ elapsed_days('cumulated.first_purchase_at', 'as_of_dates.as_of_at') }} as integer) as tenure_days,
        cast(cumulated.frequency as integer) as frequency,
        cast(cumulated.sale_amount as decimal(18, 2)) as monetary,
        cast(cumulated.sale_amount - cumulated.return_amount as decimal(18, 2)) as net_monetary,
        cast(cumulated.sale_amount / cumulated.frequency as decimal(20, 4)) as average_basket_value,
        cast(cumulated.quantity as decimal(18, 6)) as quantity,
        cast(cumulated.distinct_products as integer) as distinct_products,
        {%- for days in windows %}
        cast(cumulated.frequency_{{ days }}d as integer) as frequency_{{ days }}d,
        cast(cumulated.sale_amount_{{ days }}d as decimal(18, 2)) as monetary_{{ days }}d,
        cast(cumulated.sale_amount_{{ days }}d - cumulated.return_amount_{{ days }}d as decimal(18, 2)) as net_monetary_{{ days }}d,
        cast(
            coalesce(cumulated.sale_amount_{{ days }}d / nullif(cumulated.frequency_{{ days }}d, 0), 0) as decimal(20, 4)
        ) as average_basket_value_{{ days }}d,
        cast(cumulated.quantity_{{ days }}d as decimal(18, 6)) as quantity_{{ days }}d,
        {%- endfor %}
        {# One for 10.00 out of three for 29.99, three times, is a cent more than was paid. #}
        cast(least(1, coalesce(cumulated.matched_return_amount / nullif(cumulated.sale_amount, 0), 0)) as decimal(9, 6)) as return_share
    from cumulated
    inner join as_of_dates
        on
            cumulated.counts_from <= as_of_dates.as_of_at
            and cumulated.counts_until > as_of_dates.as_of_at
    where cumulated.first_purchase_at is not null
)

select * from final
