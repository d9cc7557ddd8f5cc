{{ config(enabled=has_campaign(), materialized='view') }}

{%- set readings = campaign_readings() -%}

with source as (
    select * from {{ ref('base_campaign__customers') }}
),

converted as (
    select
        source_file,
        source_line,
        line_span,
        malformed_reason,
        malformed_text,
        customer_id,
        education,
        marital_status,
        {%- for column, reading in readings.items() %}
        {{ reading }} as {{ column }},
        {%- endfor %}
        {#- Name and text of what is there and can't be read. #}
        nullif(concat_ws(
            ', '
            {%- for column, reading in readings.items() %},
            case when {{ column }} is not null and {{ reading }} is null then concat('{{ column }} ', {{ column }}) end
            {%- endfor %}
        ), '') as unreadable_text
    from source
),

final as (
    select
        * exclude (malformed_text, unreadable_text),
        coalesce(malformed_text, unreadable_text) as source_text
    from converted
)

select * from final
