{#- Where bands of income and age begin; the first is below the first of these. -#}
{% macro campaign_income_limits() -%}
    {{ return([20000, 40000, 60000, 80000]) }}
{%- endmacro %}

{% macro campaign_age_limits() -%}
    {{ return([35, 45, 55, 65]) }}
{%- endmacro %}

{#- The name of the band that a number lies in. -#}
{% macro band(column, limits, upwards) -%}
    case
        when {{ column }} < {{ limits[0] }} then 'under {{ "{:,}".format(limits[0]) }}'
        {%- for limit in limits[:-1] %}
        when {{ column }} < {{ limits[loop.index] }} then '{{ "{:,}".format(limit) }} to {{ "{:,}".format(limits[loop.index] - 1) }}'
        {%- endfor %}
        when {{ column }} >= {{ limits[-1] }} then '{{ "{:,}".format(limits[-1]) }} {{ upwards }}'
    end
{%- endmacro %}

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

{#- The segmentation of campaign customers, where the var segmentations declares it. -#}
{% macro campaign_segmentation() -%}
    campaign
{%- endmacro %}
