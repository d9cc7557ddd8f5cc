{#- Ends the run with one line for the user. Files speak in it too, so it is no longer than can be read. -#}
{% macro stop(message) -%}
    {%- set line = printable(message | replace('\n', ' ')) -%}
    {{ exceptions.raise_compiler_error(line if line | length <= 2000 else line[:1500] ~ ' … ' ~ line[-450:]) }}
{%- endmacro %}

{% macro stop_at(place, message) -%}
    {{ stop("var " ~ place ~ " (in dbt_project.yml or VARS): " ~ message) }}
{%- endmacro %}

{#- Text with its control characters written out, such as \x1b: a terminal would obey them. -#}
{% macro printable(text) -%}
    {%- set safe = namespace(text=text) -%}
    {%- for character in modules.re.findall('[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]', text) -%}
        {%- set safe.text = safe.text | replace(character, character.encode('unicode_escape').decode()) -%}
    {%- endfor -%}
    {{ return(safe.text) }}
{%- endmacro %}
