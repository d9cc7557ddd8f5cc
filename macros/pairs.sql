{#- How many times as often two products are in one basket as if neither had to do with the other. -#}
{% macro lift(both, one, other, baskets) -%}
    cast({{ both }} as double) * {{ baskets }} / ({{ one }} * {{ other }})
{%- endmacro %}

{#- Lower end of its 95 % interval, by the delta method on its logarithm: what is left of it if the baskets
    were favourable by chance. Equal both ways round, as lift is. -#}
{% macro lift_low(both, one, other, baskets) -%}
    {{ lift(both, one, other, baskets) }} * exp(-1.959963984540054 * sqrt(greatest(
        0,
        cast(1 as double) / {{ both }} - (cast(1 as double) / {{ one }} + cast(1 as double) / {{ other }})
        + (2 * {{ lift(both, one, other, baskets) }} - 1) / {{ baskets }}
    )))
{%- endmacro %}
