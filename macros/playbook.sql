{#- Runs before everything else: two segments of one name would pass every test and be drawn on top of each other. -#}
{% macro check_playbook() -%}
    {%- if execute -%}
        {%- set file = 'seeds/segment_playbook.csv' -%}
        {%- set path = env_var('DBT_PROJECT_DIR', '.') ~ '/' ~ file -%}
        {%- set fault = run_query("select playbook_fault(" ~ sql_text(path) ~ ")").rows[0][0] -%}
        {{ stop(file ~ ": " ~ fault) if fault }}
    {%- endif -%}
{%- endmacro %}
