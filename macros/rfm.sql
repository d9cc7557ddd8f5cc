{#- The four values that part a column into fifths, as columns. -#}
{% macro thresholds(column) -%}
    {%- for share in [0.2, 0.4, 0.6, 0.8] %}
    percentile_disc({{ share }}) within group (order by {{ column }}) as {{ column }}_{{ loop.index }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- How many of the four thresholds of a column its value lies above. -#}
{% macro thresholds_passed(column) -%}
    (
        {%- for number in [1, 2, 3, 4] %}
        case when customers.{{ column }} > thresholds.{{ column }}_{{ number }} then 1 else 0 end
        {{- ' +' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The mean of the frequency and monetary scores, halves rounded up: 1 to 5. -#}
{% macro fm_score(relation) -%}
    floor(({{ relation }}.f_score + {{ relation }}.m_score + 1) / 2.0)
{%- endmacro %}
