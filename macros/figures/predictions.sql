{#- What was predicted and has been tested, of the shop's customers and of the campaign's. -#}
{% macro tested_predictions() -%}
    select
        'customers' as subject,
        *
    from {{ ref('int_predictions_tested') }}
    {%- if has_campaign() %}
    union all
    select
        'campaign_customers' as subject,
        *
    from {{ ref('int_campaign_responses_tested') }}
    {%- endif %}
{%- endmacro %}
