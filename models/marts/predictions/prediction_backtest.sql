with tested as (
    {{ tested_predictions() }}
),

final as (
    select
        subject,
        target,
        cast(prediction_days as integer) as prediction_days,
        model,
        cast(cutoff as timestamp) as cutoff,
        metric,
        value,
        is_champion
    from tested
    where group_number = 0
)

select * from final
