{#- Whether a month is not seen whole: sales begin after its third day (a weekend and a holiday at most), or
    the as-of moment comes before its end. A CTE named bounds has first_sale_at and as_of_at. -#}
{% macro is_partial_month(month) -%}
    ({{ month }} + interval '3' day <= bounds.first_sale_at or {{ month }} + interval '1' month > bounds.as_of_at)
{%- endmacro %}

{#- Whole months from one beginning of a month to another. -#}
{% macro months_between(start, finish) -%}
    ((extract(year from {{ finish }}) - extract(year from {{ start }})) * 12 + extract(month from {{ finish }}) - extract(month from {{ start }}))
{%- endmacro %}
