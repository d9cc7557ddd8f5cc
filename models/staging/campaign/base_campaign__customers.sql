{{ config(enabled=has_campaign(), materialized='table') }}

{#- The plugin opens the file when the source below is asked for, and needs the settings before. -#}
{%- do hand_over_settings() -%}

with source as (
    select * from {{ source('campaign', 'campaign_customers') }}
),

final as (
    select
        source_file,
        source_line,
        line_span,
        malformed_reason,
        malformed_text,
        customer_id,
        education,
        marital_status,
        {%- for column in campaign_readings().values() | sum(start=[]) %}
        {{ column }},
        {%- endfor %}
        source_lines
    from source
)

select * from final
