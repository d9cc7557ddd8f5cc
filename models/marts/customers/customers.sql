with customers as (
    select * from {{ ref('int_customers_as_of') }}
    where is_current
),

invoices as (
    select
        customer_id,
        invoice_id,
        invoiced_at,
        country
    from {{ ref('int_invoices') }}
    where sale_lines > 0
),

rfm_thresholds as (
    select * from {{ ref('rfm_thresholds') }}
),

rfm_segment_rules as (
    select * from {{ ref('rfm_segment_rules') }}
),

customer_segments as (
    select
        customer_id,
        segment_code,
        segment_name
    from {{ ref('customer_segments') }}
    where segmentation = {{ sql_text(setting("primary_segmentation")) }}
),

customer_predictions as (
    select
        customer_id,
        churn_probability,
        churn_reason_1,
        churn_reason_2,
        expected_orders,
        expected_spend,
        next_purchase_date
    from {{ ref('customer_predictions') }}
),

ranked_invoices as (
    select
        invoices.customer_id,
        invoices.country,
        row_number() over (
            partition by invoices.customer_id
            order by invoices.invoiced_at desc, invoices.invoice_id desc
        ) as invoice_rank
    from invoices
    inner join customers
        on
            invoices.customer_id = customers.customer_id
            and invoices.invoiced_at < customers.as_of_at
),

last_invoices as (
    select
        customer_id,
        country
    from ranked_invoices
    where invoice_rank = 1
),

{# In one row, so that every customer finds all of them beside it. #}
thresholds as (
    select
        {{ thresholds_in_columns('recency_days') }},
        {{ thresholds_in_columns('frequency') }},
        {{ thresholds_in_columns('monetary') }}
    from rfm_thresholds
),

{# A customer's score counts the thresholds passed, so equal values have equal scores. #}
scored as (
    select
        customers.*,
        5 - {{ thresholds_passed('recency_days') }} as r_score,
        1 + {{ thresholds_passed('frequency') }} as f_score,
        1 + {{ thresholds_passed('monetary') }} as m_score
    from customers
    cross join thresholds
),

final as (
    select
        scored.customer_id,
        last_invoices.country,
        scored.as_of_at,
        scored.first_purchase_at,
        scored.last_purchase_at,
        {%- for feature in lifetime_features() %}
        scored.{{ feature }},
        {%- endfor %}
        cast(scored.r_score as integer) as r_score,
        cast(scored.f_score as integer) as f_score,
        cast(scored.m_score as integer) as m_score,
        rfm_segment_rules.rfm_segment,
        customer_segments.segment_code,
        customer_segments.segment_name,
        customer_predictions.churn_probability,
        customer_predictions.churn_reason_1,
        customer_predictions.churn_reason_2,
        customer_predictions.expected_orders,
        customer_predictions.expected_spend,
        customer_predictions.next_purchase_date
    from scored
    inner join last_invoices on scored.customer_id = last_invoices.customer_id
    left join rfm_segment_rules
        on
            scored.r_score between rfm_segment_rules.r_from and rfm_segment_rules.r_to
            and {{ fm_score('scored') }} between rfm_segment_rules.fm_from and rfm_segment_rules.fm_to
    left join customer_segments on scored.customer_id = customer_segments.customer_id
    left join customer_predictions on scored.customer_id = customer_predictions.customer_id
)

select * from final
