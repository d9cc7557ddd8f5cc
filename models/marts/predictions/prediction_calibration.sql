{#- A column for each figure of a group. -#}
{%- set figures = ['lowest_prediction', 'highest_prediction', 'predicted', 'observed'] -%}
with groups_of_customers as (
    select * from {{ ref('int_predictions_tested') }}
    where group_number > 0
),

final as (
    select
        target,
        model,
        cast(cutoff as timestamp) as cutoff,
        cast(group_number as integer) as group_number,
        {%- for figure in figures %}
        max(value) filter (where metric = '{{ figure }}') as {{ figure }},
        {%- endfor %}
        cast(max(value) filter (where metric = 'customers') as integer) as customers
    from groups_of_customers
    group by
        target,
        model,
        cutoff,
        group_number
)

select * from final
