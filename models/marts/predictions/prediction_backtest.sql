with tested as (
    {{ tested_predictions() }}
),

final as (
    select
        subject,
        target,
        model,
        cast(cutoff as timestamp) as cutoff,
        metric,
        value,
        is_champion
    from tested
    where group_number = 0
)

select * from final
