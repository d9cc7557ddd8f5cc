{#- The var as_of as a timestamp, or a null one where it is not set. -#}
{% macro as_of_setting() -%}
    {%- set value = var('as_of') -%}
    {%- if value is none or value | string | trim == '' -%}
        cast(null as timestamp)
    {%- elif modules.re.fullmatch('\\d{4}-\\d{2}-\\d{2}([ T]\\d{2}:\\d{2}(:\\d{2})?)?', value | string | trim) -%}
        cast('{{ value | string | trim }}' as timestamp)
    {%- else -%}
        {{ stop("var as_of must look like 2011-12-10 or 2011-12-10 12:50:00, got '" ~ value ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{#- The as-of moment in a model that has it as the one row of a CTE named current_as_of. -#}
{% macro current_as_of() -%}
    (select current_as_of.as_of_at from current_as_of)
{%- endmacro %}

{#- The first moment of measurement after something happened. -#}
{% macro counts_from(moment) -%}
    least(date_trunc('month', {{ moment }}) + interval '1' month, {{ current_as_of() }})
{%- endmacro %}
