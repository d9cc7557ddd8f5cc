{# Tenths of a customer: what is expected is an average. #}
with forecasts as (
    select * from {{ ref('int_segments_forecasted') }}
),

final as (
    select
        segmentation,
        cast(forecast_date as date) as forecast_date,
        months_ahead,
        segment_code,
        cast(from_date as date) as from_date,
        customers,
        cast(expected_customers as decimal(12, 1)) as expected_customers,
        cast(expected_new_customers as decimal(12, 1)) as expected_new_customers,
        cast(low as decimal(12, 1)) as low,
        cast(high as decimal(12, 1)) as high,
        model,
        backtest_months,
        size_error,
        size_error_everyone_stays,
        size_error_last_month,
        log_loss,
        log_loss_everyone_stays,
        log_loss_last_month,
        interval_coverage,
        interval_checks,
        is_last_within
    from forecasts
)

select * from final
