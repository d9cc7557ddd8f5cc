{#- A column for each figure of a group. -#}
{%- set figures = ['lowest_prediction', 'highest_prediction', 'predicted', 'observed'] -%}
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
        cast(group_number as integer) as group_number,
        {%- for figure in figures %}
        max(value) filter (where metric = '{{ figure }}') as {{ figure }},
        {%- endfor %}
        cast(max(value) filter (where metric = 'customers') as integer) as customers
    from tested
    where group_number > 0
    group by
        subject,
        target,
        prediction_days,
        model,
        cutoff,
        group_number
)

select * from final
