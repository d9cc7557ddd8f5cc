{#- Interpolated in doubles: between decimals the last digit would be cut off. -#}
{% macro quantile(column, share) -%}
    percentile_cont({{ share }}) within group (order by cast({{ column }} as double))
{%- endmacro %}

{#- Profiles mix days, counts, money and shares in one column; four decimals serve them all. -#}
{% macro profile_number(expression) -%}
    cast({{ expression }} as decimal(22, 4))
{%- endmacro %}

{#- A value that was cast to text. Quantities and prices lose the zeros of their type; money keeps its two decimals. -#}
{% macro profile_text(text, is_number) -%}
    case when {{ is_number }} and regexp_matches({{ text }}, '[.][0-9]{3}') then rtrim(rtrim({{ text }}, '0'), '.') else {{ text }} end
{%- endmacro %}
