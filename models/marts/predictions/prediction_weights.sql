with weights as (
    select * from {{ ref('int_prediction_weights') }}
),

current_as_of as (
    select as_of_at
    from {{ ref('int_as_of_dates') }}
    where is_current
),

final as (
    select
        weights.target,
        weights.model_version,
        weights.part,
        weights.feature,
        weights.feature_number,
        weights.model,
        weights.prediction_days,
        current_as_of.as_of_at as fitted_as_of_at,
        weights.is_tested,
        weights.lowest,
        weights.highest,
        weights.mean,
        weights.scale,
        weights.coefficient,
        '{{ source_key("invoice_customers") }}' as source_key
    from weights
    cross join current_as_of
)

select * from final
