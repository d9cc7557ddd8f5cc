{#- A query for the first and the last day of a source's life: first_day, last_day, one row. A wrong date
    would move the moment of measurement, and with it every customer. Days are split where nothing
    happened for longer than longest_pause_days; what lies outside the part with most rows is a typing
    error. -#}
{% macro days_of_life(relation, column) -%}
    with days as (
        select
            cast({{ column }} as date) as happened_on,
            count(*) as happenings
        from {{ relation }}
        where {{ column }} is not null
        group by cast({{ column }} as date)
    ),

    split as (
        select
            *,
            case
                when happened_on - lag(happened_on) over (order by happened_on) > {{ setting('longest_pause_days') }} then 1
                else 0
            end as begins_part
        from days
    ),

    numbered as (
        select
            *,
            sum(begins_part) over (order by happened_on) as part_number
        from split
    ),

    parts as (
        select
            part_number,
            min(happened_on) as first_day,
            max(happened_on) as last_day,
            sum(happenings) as happenings
        from numbered
        group by part_number
    ),

    ranked_parts as (
        select
            first_day,
            last_day,
            row_number() over (order by happenings desc, first_day asc) as part_rank
        from parts
    )

    select
        max(first_day) as first_day,
        max(last_day) as last_day
    from ranked_parts
    where part_rank = 1
{%- endmacro %}
