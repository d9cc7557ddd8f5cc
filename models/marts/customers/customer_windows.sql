{%- set windows = trailing_windows() -%}
{{ config(enabled=windows | length > 0) }}

with customers as (
    select * from {{ ref('int_customers_as_of') }}
    where is_current
),

{# A row for each window: columns of a mart don't depend on what is declared. #}
final as (
    {%- for days in windows %}
    select
        customer_id,
        {{ days }} as window_days,
        {%- for column in window_features() %}
        {{ column }}_{{ days }}d as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
