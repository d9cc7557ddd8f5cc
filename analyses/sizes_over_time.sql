{#- Three years of month ends and what is forecast: more would not be legible. -#}
with segment_transitions as (
    select * from {{ ref('segment_transitions') }}
    where period = 'month'
),

segment_forecast as (
    select * from {{ ref('segment_forecast') }}
),

segments as (
    select * from {{ ref('segments') }}
),

ends as (
    select
        segmentation,
        min(from_date) as first_date,
        max(to_date) as last_date
    from segment_transitions
    group by segmentation
),

{# The first month end ends no period, so its sizes are those from which customers came. #}
counted as (
    select
        segmentation,
        to_date as as_of_date,
        is_partial,
        to_segment_code as segment_code,
        customers
    from segment_transitions
    union all
    select
        segment_transitions.segmentation,
        segment_transitions.from_date as as_of_date,
        false as is_partial,
        segment_transitions.from_segment_code as segment_code,
        segment_transitions.customers
    from segment_transitions
    inner join ends
        on
            segment_transitions.segmentation = ends.segmentation
            and segment_transitions.from_date = ends.first_date
    where segment_transitions.from_segment_code <> 'new'
),

summed as (
    select
        segmentation,
        as_of_date,
        is_partial,
        segment_code,
        sum(customers) as customers
    from counted
    group by
        segmentation,
        as_of_date,
        is_partial,
        segment_code
),

dates as (
    select distinct
        segmentation,
        as_of_date,
        is_partial
    from summed
),

held as (
    select distinct
        segmentation,
        segment_code
    from summed
),

{# Where nobody was in a segment, its size is nought. #}
sizes as (
    select
        held.segmentation,
        held.segment_code,
        dates.as_of_date,
        dates.is_partial,
        false as is_forecast,
        cast(coalesce(summed.customers, 0) as double) as customers
    from held
    inner join dates on held.segmentation = dates.segmentation
    inner join ends
        on
            dates.segmentation = ends.segmentation
            and dates.as_of_date > ends.last_date - interval '36' month
    left join summed
        on
            held.segmentation = summed.segmentation
            and held.segment_code = summed.segment_code
            and dates.as_of_date = summed.as_of_date
    union all
    select
        segmentation,
        segment_code,
        forecast_date as as_of_date,
        false as is_partial,
        true as is_forecast,
        cast(expected_customers as double) as customers
    from segment_forecast
),

final as (
    select
        sizes.segmentation,
        segments.segment_order,
        segments.segment_code,
        segments.segment_name,
        sizes.as_of_date,
        sizes.is_partial,
        sizes.is_forecast,
        sizes.customers,
        segment_forecast.low,
        segment_forecast.high,
        segment_forecast.months_ahead,
        segment_forecast.model,
        segment_forecast.backtest_months,
        segment_forecast.size_error,
        segment_forecast.size_error_last_month,
        segment_forecast.size_error_everyone_stays,
        segment_forecast.interval_coverage,
        segment_forecast.interval_checks,
        segment_forecast.is_last_within
    from sizes
    inner join segments
        on
            sizes.segmentation = segments.segmentation
            and sizes.segment_code = segments.segment_code
    left join segment_forecast
        on
            sizes.is_forecast
            and sizes.segmentation = segment_forecast.segmentation
            and sizes.segment_code = segment_forecast.segment_code
            and sizes.as_of_date = segment_forecast.forecast_date
    order by
        sizes.segmentation,
        segments.segment_order,
        sizes.is_forecast,
        sizes.as_of_date
)

select * from final
