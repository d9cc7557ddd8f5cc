{{ config(enabled=has_campaign(), materialized='view') }}

with source as (
    select * from {{ ref('base_campaign__customers') }}
),

{# A list for each way to read: a reading is long, and written once for all of its columns. #}
readings as (
    select
        {%- for name, columns in campaign_readings().items() %}
        {{ list_of_each(columns, 'written', campaign_reading(name, 'written')) }} as {{ name }}_values,
        {%- endfor %}
        *
    from source
),

final as (
    select
        source_file,
        source_line,
        line_span,
        malformed_reason,
        customer_id,
        education,
        marital_status,
        {%- for name, columns in campaign_readings().items() %}
        {%- for column in columns %}
        {{ at_place(name ~ '_values', loop.index) }} as {{ column }},
        {%- endfor %}
        {%- endfor %}
        {#- Name and text of what is there and can't be read. #}
        coalesce(malformed_text, nullif(concat_ws(
            ', '
            {%- for name, columns in campaign_readings().items() %}
            {%- for column in columns %},
            case
                when {{ column }} is not null and {{ at_place(name ~ '_values', loop.index) }} is null
                    then concat('{{ column }} ', {{ column }})
            end
            {%- endfor %}
            {%- endfor %}
        ), '')) as source_text
    from readings
)

select * from final
