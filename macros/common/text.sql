{% macro sql_text(value) -%}
    {{ return('null' if value is none else "'" ~ (value | string | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{#- A name out of a file, as an SQL identifier. -#}
{% macro quoted(name) -%}
    {{ return('"' ~ (name | replace('"', '""')) ~ '"') }}
{%- endmacro %}

{#-
    Files as sources of rows, whatever is in them. `subject` is the setting that names the file: messages
    begin with it.
-#}
{% macro fold_name(name) -%}
    {{ return(modules.re.sub('[^a-z0-9]', '', name | lower)) }}
{%- endmacro %}

{#- A number and what it counts: 1 day, 2 days. -#}
{% macro counted(number, noun) -%}
    {{ number }} || case when {{ number }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end
{%- endmacro %}

{#- A text with values in its places, {name of a place, which stands in braces: SQL of the value}. -#}
{% macro filled_in(text, values) -%}
    {%- set filled = namespace(sql=text) -%}
    {%- for place, value in values.items() -%}
        {%- set filled.sql = 'replace(' ~ filled.sql ~ ", '{" ~ place ~ "}', coalesce(" ~ value ~ ", ''))" -%}
    {%- endfor -%}
    {{ return(filled.sql) }}
{%- endmacro %}
