{#- Interpolated in doubles: between decimals the last digit would be cut off. -#}
{% macro quantile(column, share) -%}
    percentile_cont({{ share }}) within group (order by cast({{ column }} as double))
{%- endmacro %}

{#- Profiles mix days, counts, money and shares in one column; four decimals serve them all. -#}
{% macro profile_number(expression) -%}
    cast({{ expression }} as decimal(22, 4))
{%- endmacro %}
