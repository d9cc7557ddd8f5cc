{#-
    Expressions that engines write differently. Each macro dispatches to the version of the target's adapter; another
    engine needs its own version of every macro in this folder, under its own prefix.
-#}

{#- A number that is equal for equal rows. Only ever a filter before an exact comparison, so that
    neither collisions nor another engine's hash can change a result. -#}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'customer_segments')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- Whether a row is in a sample of one in so many rows, the same ones every time. -#}
{% macro one_row_in(columns, part) -%}
    {{ return(adapter.dispatch('one_row_in', 'customer_segments')(columns, part)) }}
{%- endmacro %}

{#- Without the cast the remainder is of huge integers, which takes ten times as long. -#}
{% macro duckdb__one_row_in(columns, part) -%}
    hash({{ columns | join(', ') }}) % cast({{ part }} as ubigint) = 0
{%- endmacro %}
