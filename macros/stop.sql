{#- Ends the run with one line for the user. -#}
{% macro stop(message) -%}
    {{ exceptions.raise_compiler_error(message | replace('\n', ' ')) }}
{%- endmacro %}
