{#- A query for the days on which a source lives: first_day and last_day, one row. A wrong date would move the moment of
    measurement, and with it every customer.

    Days are split where nothing happened for longer than longest_pause_days. A part is a life if it has three days and
    one line in a hundred, or thirty days: typing errors and default dates are of few days or few lines. All lives count,
    so a shop that comes back after years keeps its newer one. Where no part is a life, the one with most lines is.

    Then the end: one or two orders that stand alone behind the other days are left out, if the shop has a habit (twenty
    days in the year before) and the gap is longer than four weeks and more than three times any other gap of that year.
    A shop that opens each December has such a gap every year, so its first order of a season stays. left_out_from is
    the first such day, left_out_lines counts the lines after last_day, and is null and 0 where there are none.

    order is SQL for what names an order that moves the moment of measurement. -#}
{% macro days_of_life(relation, column, order) -%}
    with days as (
        select
            cast({{ column }} as date) as happened_on,
            count(*) as happenings,
            count(distinct {{ order }}) as orders
        from {{ relation }}
        where {{ column }} is not null
        group by cast({{ column }} as date)
    ),

    gaps as (
        select
            *,
            happened_on - lag(happened_on) over (order by happened_on) as gap_days
        from days
    ),

    {#- Of the year that ends with a day: its days, and its longest gap. A pause between parts is not a habit. -#}
    split as (
        select
            *,
            count(*) over year_so_far as days_in_year,
            max(case when gap_days <= {{ setting('longest_pause_days') }} then gap_days end) over year_so_far as longest_gap_days,
            sum(orders) over (
                order by happened_on
                rows between current row and unbounded following
            ) as orders_to_come,
            sum(case when gap_days > {{ setting('longest_pause_days') }} then 1 else 0 end) over (
                order by happened_on
                rows between unbounded preceding and current row
            ) as part_number
        from gaps
        window year_so_far as (
            order by happened_on
            range between interval 365 day preceding and current row
        )
    ),

    {#- Beside each day, what the day before it knew. -#}
    compared as (
        select
            *,
            lag(days_in_year) over (order by happened_on) as earlier_days,
            lag(longest_gap_days) over (order by happened_on) as earlier_gap_days
        from split
    ),

    parts as (
        select
            part_number,
            min(happened_on) as part_begins,
            max(happened_on) as part_ends,
            count(*) as part_days,
            sum(happenings) as part_happenings,
            (count(*) >= 3 and sum(happenings) >= 0.01 * sum(sum(happenings)) over ()) or count(*) >= 30 as is_life
        from split
        group by part_number
    ),

    ranked_parts as (
        select
            *,
            is_life or row_number() over (order by is_life desc, part_happenings desc, part_begins asc) = 1 as is_kept
        from parts
    ),

    lives as (
        select
            min(part_begins) as life_begins,
            max(part_ends) as life_ends
        from ranked_parts
        where is_kept
    ),

    {#- Orders to come are counted from the end of the life on: typing errors of other years are no company. -#}
    ends as (
        select
            lives.life_begins,
            lives.life_ends,
            min(compared.happened_on) filter (
                where
                    compared.orders_to_come - coalesce(strays.orders, 0) between 1 and 2
                    and compared.earlier_days >= 20
                    and compared.gap_days > 28
                    and compared.gap_days > 3 * compared.earlier_gap_days
            ) as lone_from
        from compared
        inner join lives on compared.happened_on between lives.life_begins and lives.life_ends
        cross join (select sum(orders) as orders from days cross join lives where happened_on > life_ends) as strays
        group by
            lives.life_begins,
            lives.life_ends
    ),

    bounds as (
        select
            ends.life_begins as first_day,
            coalesce(max(days.happened_on) filter (where days.happened_on < ends.lone_from), ends.life_ends) as last_day
        from ends
        cross join days
        group by
            ends.life_begins,
            ends.life_ends
    )

    {#- One row even where no day is known. #}
    select
        max(bounds.first_day) as first_day,
        max(bounds.last_day) as last_day,
        min(days.happened_on) filter (where days.happened_on > bounds.last_day) as left_out_from,
        coalesce(sum(days.happenings) filter (where days.happened_on > bounds.last_day), 0) as left_out_lines
    from bounds
    cross join days
{%- endmacro %}
