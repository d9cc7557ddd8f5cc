{#- What customers of each segment are expected to do, beside what they did in the days before. -#}
with predictions as (
    select * from {{ ref('customer_predictions') }}
    where
        churn_probability is not null
        and expected_spend is not null
),

customer_segments as (
    select
        segmentation,
        customer_id,
        segment_code
    from {{ ref('customer_segments') }}
    where population = 'invoice_customers'
),

segments as (
    select * from {{ ref('segments') }}
),

{# Of the whole shop, the same in every row. #}
totals as (
    select
        predicted_low as total_low,
        predicted_high as total_high,
        a_year_before,
        growth,
        expected_from_last_year,
        is_unlike_last_year
    from {{ ref('prediction_totals') }}
    where
        is_current
        and target = 'spend'
),

expected as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        predictions.prediction_days,
        count(*) as customers,
        count(*) filter (where predictions.churn_probability > 0.5) as likely_to_leave,
        avg(predictions.churn_probability) as churn_risk,
        sum(predictions.expected_orders) as expected_orders,
        sum(predictions.expected_spend) as expected_spend,
        sum(predictions.expected_spend) filter (where predictions.churn_probability > 0.5) as spend_at_risk
    from predictions
    inner join customer_segments on predictions.customer_id = customer_segments.customer_id
    group by
        customer_segments.segmentation,
        customer_segments.segment_code,
        predictions.prediction_days
),

final as (
    select
        expected.segmentation,
        segments.segment_code,
        segments.segment_name,
        segments.colour,
        expected.prediction_days,
        expected.customers,
        expected.likely_to_leave,
        expected.churn_risk,
        cast(expected.expected_orders as decimal(14, 1)) as expected_orders,
        expected.expected_spend,
        coalesce(expected.spend_at_risk, 0) as spend_at_risk,
        totals.total_low,
        totals.total_high,
        totals.a_year_before,
        totals.growth,
        totals.expected_from_last_year,
        totals.is_unlike_last_year
    from expected
    left join totals on true
    inner join segments
        on
            expected.segmentation = segments.segmentation
            and expected.segment_code = segments.segment_code
    order by
        expected.segmentation,
        segments.segment_order
)

select * from final
