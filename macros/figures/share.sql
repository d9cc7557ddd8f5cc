{#- A part of a whole, 0 to 1; null where the whole is nothing. -#}
{% macro share(part, whole) -%}
    cast(cast({{ part }} as double) / nullif({{ whole }}, 0) as decimal(9, 6))
{%- endmacro %}

{#- One end of the 95 % interval of a share of `hits` in `trials` by E. B. Wilson (1927), which stays within 0
    and 1 and holds for few hits too. sign is - or +. -#}
{% macro wilson(hits, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    cast((
        ({{ hits }} + {{ z * z / 2 }}) {{ sign }} {{ z }} * sqrt(
            cast({{ hits }} as double) * ({{ trials }} - {{ hits }}) / {{ trials }} + {{ z * z / 4 }}
        )
    ) / ({{ trials }} + {{ z * z }}) as decimal(9, 6))
{%- endmacro %}

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

{#- How many customers the first so many percent of them are, on a curve that takes the largest first. Rounded
    up: a share is at least that large and never nobody, so that the first tenth of five customers is the
    largest one. Rounded down, a curve of few customers would begin with tenths of nobody that bring nothing,
    and there is nothing to ask or to divide by. -#}
{% macro customers_in_share(percent, customers) -%}
    cast(ceil({{ customers }} * {{ percent }} / 100.0) as integer)
{%- endmacro %}
