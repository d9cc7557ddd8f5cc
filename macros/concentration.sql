{#- How many customers the first so many percent of them are, on a curve that takes the largest first. Rounded
    up: a share is at least that large and never nobody, so that the first tenth of five customers is the
    largest one. Rounded down, a curve of few customers would begin with tenths of nobody that bring nothing,
    and there is nothing to ask or to divide by. -#}
{% macro customers_in_share(percent, customers) -%}
    cast(ceil({{ customers }} * {{ percent }} / 100.0) as integer)
{%- endmacro %}
