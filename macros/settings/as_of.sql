{#- The var as_of as a timestamp, or a null one where it is not set. -#}
{% macro as_of_setting() -%}
    {%- set value = setting('as_of') -%}
    cast({{ sql_text(value or none) }} as timestamp)
{%- endmacro %}

{#- The as-of moment in a model that has it as the one row of a CTE named current_as_of. -#}
{% macro current_as_of() -%}
    (select current_as_of.as_of_at from current_as_of)
{%- endmacro %}

{#- The first moment of measurement after something happened. -#}
{% macro counts_from(moment) -%}
    least(date_trunc('month', {{ moment }}) + interval '1' month, {{ current_as_of() }})
{%- endmacro %}
