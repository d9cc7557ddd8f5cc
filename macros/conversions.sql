{#- An identifier of a known type as text. Spreadsheets write 17850 as 17850.0; whole numbers need no
    look at their digits. -#}
{% macro id_text(column, type) -%}
    {%- if 'INT' in type -%}
        cast({{ column }} as varchar)
    {%- else -%}
        {%- set text = "trim(cast(" ~ column ~ " as varchar))" -%}
        nullif(case when {{ text }} like '%.0' then left({{ text }}, length({{ text }}) - 2) else {{ text }} end, '')
    {%- endif -%}
{%- endmacro %}

{#- A whole number, or null where there is none: a plain cast would round 2.5 without a word. -#}
{% macro whole_number(column) -%}
    case
        when try_cast({{ column }} as integer) = try_cast({{ column }} as double) then try_cast({{ column }} as integer)
    end
{%- endmacro %}
