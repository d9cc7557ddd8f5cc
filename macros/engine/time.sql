{#- Whole days elapsed between two moments; dbt.datediff counts midnights passed instead. -#}
{% macro elapsed_days(start, finish) -%}
    {{ return(adapter.dispatch('elapsed_days', 'customer_segments')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__elapsed_days(start, finish) -%}
    datesub('day', {{ start }}, {{ finish }})
{%- endmacro %}

{#- A moment so many days, whole or not, after another. -#}
{% macro days_after(moment, days) -%}
    {{ return(adapter.dispatch('days_after', 'customer_segments')(moment, days)) }}
{%- endmacro %}

{% macro duckdb__days_after(moment, days) -%}
    {{ moment }} + to_microseconds(cast({{ days }} * 86400000000 as bigint))
{%- endmacro %}

{#- A row for each beginning of a month after start, up to finish. -#}
{% macro month_starts(start, finish) -%}
    {{ return(adapter.dispatch('month_starts', 'customer_segments')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__month_starts(start, finish) -%}
    unnest(generate_series(date_trunc('month', {{ start }}) + interval '1' month, {{ finish }}, interval '1' month))
{%- endmacro %}

{#- A row for each day from start to finish. -#}
{% macro days(start, finish) -%}
    {{ return(adapter.dispatch('days', 'customer_segments')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__days(start, finish) -%}
    unnest(generate_series({{ start }}, {{ finish }}, interval '1' day))
{%- endmacro %}
