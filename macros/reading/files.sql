{#- The folder of the warehouse, with the slash behind it. -#}
{% macro warehouse_folder() -%}
    {%- set warehouse = run_query("select path from duckdb_databases() where database_name = current_database()").rows[0][0] -%}
    {{ return(modules.re.sub('[^/\\\\]+$', '', warehouse)) }}
{%- endmacro %}

{#- Where text is landed that DuckDB can't read as it is: beside the warehouse. -#}
{% macro landing_folder() -%}
    {{ return(warehouse_folder() ~ 'landing') }}
{%- endmacro %}
{#- Gives the plugin the settings that say how the shop's lines are read; it opens the files when the source is
    asked for. -#}
{% macro hand_over_settings() -%}
    {%- if execute -%}
        {%- set settings = {'project': env_var('DBT_PROJECT_DIR', '.'), 'landing_folder': landing_folder()} -%}
        {%- for name in reading_settings() -%}
            {%- do settings.update({name: setting(name)}) -%}
        {%- endfor -%}
        {%- do settings.update({'campaign_customers': campaign_setting()}) -%}
        {%- do run_query("select hand_over(" ~ sql_text(tojson(settings)) ~ ")") -%}
    {%- endif -%}
{%- endmacro %}

{#- What decides how lines are read. A fit holds for one way to read them. -#}
{% macro reading_settings() -%}
    {{ return([
        'invoices', 'invoice_columns', 'invoice_format', 'preset', 'time_zone', 'null_words', 'guests', 'order_status', 'currency',
        'currency_rates', 'customer_ids', 'cancellation_prefix', 'pass_through', 'upper_case_products', 'drop_exact_duplicates',
        'longest_pause_days',
    ]) }}
{%- endmacro %}
