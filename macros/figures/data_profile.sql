{#- CTEs that end in {{ name }}_columns: one row per column of a relation where a condition holds. DuckDB's
    SUMMARIZE would cost more, and its quartiles are estimates that differ from run to run; these are exact,
    beyond a million rows those of a sample that is the same for the same rows. kinds is {column: number,
    text or time}; key is what rows are told apart by. Rows become one wide row of figures before columns become
    rows: the other way round, every value would be a row. -#}
{% macro profile_columns(name, relation, condition, kinds, key) -%}
    {%- set p25, p75 = quantile('each', 0.25), quantile('each', 0.75) -%}
    {%- set numbers, names, measured, spread, quartiles, outliers = [], [], [], [], [], [] -%}
    {%- for column, kind in kinds.items() -%}
        {%- if kind == 'number' -%}
            {%- do numbers.append(column) -%}
        {%- endif -%}
        {%- do names.append(sql_text(column)) -%}
        {%- do measured.append('measured.' ~ column) -%}
        {%- do spread.append('spread.' ~ column if kind == 'number' else 'null') -%}
        {%- do quartiles.append('quartiles.' ~ column if kind == 'number' else 'null') -%}
        {%- do outliers.append('outliers.' ~ column if kind == 'number' else 'null') -%}
    {%- endfor -%}
    {{ name }}_counted as (
        select greatest(1, cast(ceil(count(*) / 1000000.0) as integer)) as sampled_part
        from {{ relation }}
        where {{ condition }}
    ),

    {{ name }}_values as (
        select {{ kinds | join(', ') }}
        from {{ relation }}
        where {{ condition }}
    ),

    {{ name }}_measured as (
        select
            {{ figures_of_each(kinds, {
                'column_type': 'typeof(max(each))',
                'row_count': 'count(*)',
                'present': 'count(each)',
                'distinct_values': 'count(distinct each)',
                'minimum': 'cast(min(each) as varchar)',
                'maximum': 'cast(max(each) as varchar)',
            }) }}
        from {{ name }}_values
    ),

    {{ name }}_numbers as (
        select {{ numbers | join(', ') }}
        from {{ relation }}
        where {{ condition }}
    ),

    {{ name }}_spread as (
        select
            {{ figures_of_each(numbers, {
                'mean': 'avg(each)',
                'standard_deviation': 'stddev_samp(each)',
                'skewness': 'case when stddev_pop(each) > 0 then skewness(each) end',
            }) }}
        from {{ name }}_numbers
    ),

    {{ name }}_sampled as (
        select {{ numbers | join(', ') }}
        from {{ relation }}
        cross join {{ name }}_counted
        where
            {{ condition }}
            and {{ one_row_in(key, 'sampled_part') }}
    ),

    {#- The fences are John Tukey's. #}
    {{ name }}_quartiles as (
        select
            {{ figures_of_each(numbers, {
                'p25': p25,
                'median': quantile('each', 0.5),
                'p75': p75,
                'low': p25 ~ ' - 1.5 * (' ~ p75 ~ ' - ' ~ p25 ~ ')',
                'high': p75 ~ ' + 1.5 * (' ~ p75 ~ ' - ' ~ p25 ~ ')',
            }) }}
        from {{ name }}_sampled
    ),

    {{ name }}_outliers as (
        select
            {%- for column in numbers %}
            count(*) filter (
                where profiled.{{ column }} not between quartiles.{{ column }}.low and quartiles.{{ column }}.high
            ) as {{ column }}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }} as profiled
        cross join {{ name }}_quartiles as quartiles
        where {{ condition }}
    ),

    {{ name }}_columns as (
        select
            {{ unnested_together({
                'column_number': range(1, kinds | length + 1) | list,
                'column_name': names,
                'measured': measured,
                'spread': spread,
                'quartiles': quartiles,
                'outliers': outliers,
            }) }}
        from {{ name }}_measured as measured
        cross join {{ name }}_spread as spread
        cross join {{ name }}_quartiles as quartiles
        cross join {{ name }}_outliers as outliers
    )
{%- endmacro %}
