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
