with customers as (
    select
        recency_days,
        frequency,
        monetary
    from {{ ref('int_customers_as_of') }}
    where is_current
),

{# One row, so that no window has to sort every customer. #}
quantiles as (
    select
        {{ quintiles('recency_days') }},
        {{ quintiles('frequency') }},
        {{ quintiles('monetary') }}
    from customers
),

thresholds as (
    {%- for measure in rfm_measures() %}
    {%- set outer_loop = loop %}
    {%- for number in [1, 2, 3, 4] %}
    select
        '{{ measure }}' as measure,
        {{ number }} as threshold_number,
        cast({{ measure }}_{{ number }} as decimal(18, 2)) as threshold
    from quantiles
    {{ 'union all' if not (loop.last and outer_loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

final as (
    select *
    from thresholds
    where threshold is not null
)

select * from final
