{#- CTEs that end in {{ name }}_profile: one row per column of a relation where a condition holds. DuckDB's
    SUMMARIZE would cost more, and its quartiles are estimates that differ from run to run; these are exact,
    beyond a million rows those of a sample that is the same for the same rows. kinds is {column: number,
    text or time}; key is what rows are told apart by. -#}
{% macro profile_columns(name, relation, condition, kinds, key) -%}
    {%- set numbers = [] -%}
    {%- for column, kind in kinds.items() if kind == 'number' -%}
        {%- do numbers.append(column) -%}
    {%- endfor -%}
    {{ name }}_measured as (
        select
            count(*) as row_count,
            greatest(1, cast(ceil(count(*) / 1000000.0) as integer)) as sampled_part
            {%- for column in kinds %},
            typeof(max({{ column }})) as {{ column }}_type,
            count({{ column }}) as {{ column }}_present,
            count(distinct {{ column }}) as {{ column }}_distinct,
            {{ profile_text('min(' ~ column ~ ')', column in numbers) }} as {{ column }}_minimum,
            {{ profile_text('max(' ~ column ~ ')', column in numbers) }} as {{ column }}_maximum
            {%- if column in numbers %},
            avg({{ column }}) as {{ column }}_mean,
            stddev_samp({{ column }}) as {{ column }}_sd,
            case when stddev_pop({{ column }}) > 0 then skewness({{ column }}) end as {{ column }}_skewness
            {%- endif %}
            {%- endfor %}
        from {{ relation }}
        where {{ condition }}
    ),

    {{ name }}_quartiles as (
        select
            {%- for column in numbers %}
            {%- for quartile, share in {'p25': 0.25, 'median': 0.5, 'p75': 0.75}.items() %}
            {{ quantile(column, share) }} as {{ column }}_{{ quartile }},
            {%- endfor %}
            {%- endfor %}
            count(*) as sampled_rows
        from {{ relation }}
        cross join {{ name }}_measured
        where
            {{ condition }}
            and {{ one_row_in(key, 'sampled_part') }}
    ),

    {#- John Tukey's fences. #}
    {{ name }}_outliers as (
        select
            {%- for column in numbers %}
            count(*) filter (
                where {{ column }} not between
                {{ column }}_p25 - 1.5 * ({{ column }}_p75 - {{ column }}_p25)
                and {{ column }}_p75 + 1.5 * ({{ column }}_p75 - {{ column }}_p25)
            ) as {{ column }}_outliers
            {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }}
        cross join {{ name }}_quartiles
        where {{ condition }}
    ),

    {{ name }}_columns as (
        {%- for column in kinds %}
        select
            {{ loop.index }} as column_number,
            '{{ column }}' as column_name,
            {{ column }}_type as column_type,
            row_count,
            {{ column }}_present as present,
            {{ column }}_distinct as distinct_values,
            {{ column }}_minimum as minimum,
            {{ column }}_maximum as maximum,
            {%- for figure in ['mean', 'sd', 'p25', 'median', 'p75', 'skewness', 'outliers'] %}
            {{ column ~ '_' ~ figure if column in numbers else 'null' }} as {{ figure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ name }}_measured
        cross join {{ name }}_quartiles
        cross join {{ name }}_outliers
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ),

    {{ name }}_profile as (
        select
            '{{ name }}' as table_name,
            column_number,
            column_name,
            column_type,
            cast(row_count as bigint) as row_count,
            cast(1 - present / cast(nullif(row_count, 0) as double) as decimal(9, 6)) as null_share,
            cast(distinct_values as bigint) as distinct_values,
            minimum,
            maximum,
            {{ profile_number('mean') }} as mean,
            {{ profile_number('sd') }} as standard_deviation,
            {{ profile_number('p25') }} as p25,
            {{ profile_number('median') }} as median,
            {{ profile_number('p75') }} as p75,
            case when isfinite(skewness) then cast(skewness as decimal(12, 2)) end as skewness,
            cast(outliers / cast(nullif(present, 0) as double) as decimal(9, 6)) as outlier_share
        from {{ name }}_columns
    )
{%- endmacro %}
