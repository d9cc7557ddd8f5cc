{{ config(post_hook="{{ stop_where_lines_are_lost() }}") }}

{%- set customer_ids = setting('customer_ids') -%}
{%- set currency_rates = setting('currency_rates') -%}
{%- set stated_codes = setting('non_product_codes') -%}

with invoice_lines as (
    select * from {{ ref('stg_shop__invoice_lines') }}
),

repeated as (
    select * from {{ ref('int_invoice_lines_repeated') }}
),

cancellations as (
    select max(cancellation_prefix) as cancellation_prefix
    from {{ ref('base_shop__files') }}
),

decided_values as (
    select
        column_name,
        written,
        meaning
    from {{ source('shop', 'decided_values') }}
),

life_of_the_shop as (
    {{ days_of_life(ref('stg_shop__invoice_lines'), 'invoiced_at', 'case when quantity > 0 then invoice_id end') }}
),

non_products as (
    select product_code from {{ ref('non_product_codes') }}
    {%- if stated_codes is not none %}
    where false
    {%- for code in stated_codes %}
    union all
    select {{ sql_text(code | upper) }} as product_code
    {%- endfor %}
    {%- endif %}
),

nobodies as (
    select written from decided_values
    where column_name = 'customer_id'
),

statuses as (
    select written from decided_values
    where column_name = 'order_status'
),

documents as (
    select written from decided_values
    where column_name = 'document_type'
),

currencies as (
    select written from decided_values
    where column_name = 'currency'
),

discounts as (
    select written from decided_values
    where column_name = 'product_id'
),

{# Imported again, since an engine that keeps what is read twice would keep every line. Most shops have no codes of
   discounts, and then no line is looked at. #}
discounted_invoices as (
    select distinct invoice_lines_again.invoice_id
    from {{ ref('stg_shop__invoice_lines') }} as invoice_lines_again
    inner join discounts on invoice_lines_again.source_product_id = discounts.written
),

discounted_orders as (
    select
        order_lines.invoice_id,
        order_lines.customer_id,
        sum(
            case
                when discounts.written is not null then -abs(order_lines.line_amount)
                when order_lines.quantity > 0 and order_lines.unit_price > 0 then order_lines.line_amount
            end
        ) as amount
    from {{ ref('stg_shop__invoice_lines') }} as order_lines
    inner join discounted_invoices on order_lines.invoice_id = discounted_invoices.invoice_id
    left join discounts on order_lines.source_product_id = discounts.written
    group by
        order_lines.invoice_id,
        order_lines.customer_id
),

joined as (
    select
        {{ "invoice_lines.* exclude (customer_id)" if customer_ids else "invoice_lines.*" }},
        {%- if customer_ids %}
        coalesce(people.person_id, invoice_lines.customer_id) as customer_id,
        {%- endif %}
        coalesce(repeated.line_number, 1) as line_number,
        coalesce(repeated.is_exact_duplicate, false) as is_exact_duplicate,
        coalesce(repeated.is_replaced_later, false) as is_replaced_later,
        non_products.product_code is null and discounts.written is null as is_product,
        nobodies.written is not null as is_nobody,
        statuses.written is not null as is_not_counted,
        currencies.written is not null as is_other_currency,
        documents.written is not null as is_return_document,
        coalesce(discounted_orders.amount <= 0, false) as is_discounted_away,
        discounts.written is not null as is_discount_code,
        {%- set own = "upper(trim(invoice_lines.currency)) = " ~ sql_text(setting('currency') | upper) %}
        {%- set own_rate = "case when " ~ own ~ " or coalesce(" ~ is_nothing('invoice_lines.currency') ~ ", true) then 1 end" %}
        {{ "coalesce(rates.rate, " ~ own_rate ~ ")" if currency_rates else 1 }} as rate,
        upper(left(invoice_lines.invoice_id, length(cancellations.cancellation_prefix)))
        = upper(cancellations.cancellation_prefix) as is_cancellation,
        life_of_the_shop.first_day,
        life_of_the_shop.last_day
    from invoice_lines
    cross join life_of_the_shop
    cross join cancellations
    left join repeated
        on
            invoice_lines.source_line = repeated.source_line
            and invoice_lines.file_number = repeated.file_number
    left join non_products on upper(invoice_lines.product_id) = non_products.product_code
    left join nobodies on invoice_lines.source_customer_id = nobodies.written
    left join statuses on invoice_lines.order_status = statuses.written
    left join documents on invoice_lines.document_type = documents.written
    left join currencies on invoice_lines.currency = currencies.written
    left join discounts on invoice_lines.source_product_id = discounts.written
    left join discounted_orders
        on
            discounts.written is not null
            and invoice_lines.invoice_id = discounted_orders.invoice_id
            and invoice_lines.customer_id = discounted_orders.customer_id
    {%- if customer_ids %}
    left join {{ source('shop', 'customer_ids') }} as people on invoice_lines.customer_id = people.customer_id
    {%- endif %}
    {%- if currency_rates %}
    left join {{ source('shop', 'currency_rates') }} as rates
        on
            upper(trim(invoice_lines.currency)) = rates.currency
            and cast(invoice_lines.invoiced_at as date) >= rates.valid_from
            and cast(invoice_lines.invoiced_at as date) < rates.valid_until
    {%- endif %}
),

{# Money that comes back is written with a negative quantity, price or amount, or on a document that says so. Money
   off an order is no return: nothing comes back. #}
signed as (
    select
        *,
        is_discount_code and (quantity < 0 or unit_price < 0 or line_amount < 0) as is_discount,
        (is_return_document or quantity < 0 or unit_price < 0 or line_amount < 0)
        and not (is_discount_code and (quantity < 0 or unit_price < 0 or line_amount < 0)) as is_taken_back
    from joined
),

judged as (
    select
        *,
        coalesce(
            {{ reject_reason() }},
            case when {{ 'is_exact_duplicate' if setting('drop_exact_duplicates') else 'false' }} then 'exact_duplicate' end,
            case when is_replaced_later then 'replaced_later' end,
            case when is_discount and is_discounted_away then 'discount_above_order' end
        ) as reject_reason
    from signed
),

{# Flags and nulls, not words, where millions of lines would say the same: each word would cost as
   much as deduplicating. #}
classified as (
    select
        file_number,
        case when reject_reason is not null then source_file end as source_file,
        case when reject_reason is not null then source_line end as source_line,
        invoice_id,
        line_number,
        customer_id,
        product_id,
        description,
        country,
        category,
        brand,
        channel,
        currency,
        order_status,
        reject_reason is null and not is_taken_back as is_sale,
        reject_reason is null and is_taken_back as is_return,
        reject_reason,
        is_product,
        is_price_derived,
        case
            when reject_reason is not null then quantity
            when is_discount then 0
            when is_taken_back then -abs(quantity)
            else abs(quantity)
        end as quantity,
        {%- set converted = "cast(unit_price * rate as decimal(22, 8))" if currency_rates else "unit_price" %}
        case
            when reject_reason is not null then unit_price
            when is_discount then -abs({{ converted }})
            else abs({{ converted }})
        end as unit_price,
        {%- set converted = "cast(line_amount * rate as decimal(18, 2))" if currency_rates else "line_amount" %}
        case
            when is_discount or is_taken_back then -abs({{ converted }})
            else {{ converted }}
        end as line_amount,
        {{ "cast(unit_cost * rate as decimal(22, 8))" if currency_rates else "unit_cost" }} as unit_cost,
        invoiced_at,
        passed_through,
        source_text,
        case when reject_reason is null then 'line ' || source_line || ': ' || unread_text end as unread_text
    from judged
)

select * from classified
