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
