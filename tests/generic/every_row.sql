{#- Conditions that hold for every row, in one scan. Null counts as broken. -#}
{% test every_row(model, conditions) %}
with broken as (
    {%- for condition in conditions %}
    select
        {{ sql_text(condition) }} as condition,
        count(*) filter (where ({{ condition }}) is not true) as broken_rows
    from {{ model }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select *
from broken
where broken_rows > 0
{% endtest %}
