{#- What is scored from 1 to 5. -#}
{% macro rfm_measures() -%}
    {{ return(['recency_days', 'frequency', 'monetary']) }}
{%- endmacro %}

{#- The four values that part a measure into fifths, as columns of one row. -#}
{% macro quintiles(measure) -%}
    {%- for share in [0.2, 0.4, 0.6, 0.8] %}
    percentile_disc({{ share }}) within group (order by {{ measure }}) as {{ measure }}_{{ loop.index }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The four thresholds of a measure, from rows to columns of the same names. -#}
{% macro thresholds_in_columns(measure) -%}
    {%- for number in [1, 2, 3, 4] %}
    max(case when measure = '{{ measure }}' and threshold_number = {{ number }} then threshold end) as {{ measure }}_{{ number }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- How many of the four thresholds of a measure its value lies above: 0 to 4. Equal values pass the same. -#}
{% macro thresholds_passed(measure) -%}
    (
        {%- for number in [1, 2, 3, 4] %}
        case when customers.{{ measure }} > thresholds.{{ measure }}_{{ number }} then 1 else 0 end
        {{- ' +' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The mean of the frequency and monetary scores, halves rounded up: 1 to 5. -#}
{% macro fm_score(relation) -%}
    floor(({{ relation }}.f_score + {{ relation }}.m_score + 1) / 2.0)
{%- endmacro %}
