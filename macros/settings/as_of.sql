{#- The var as_of as a timestamp, or a null one where it is not set. -#}
{% macro as_of_setting() -%}
    {%- set value = setting('as_of') -%}
    cast({{ sql_text(value or none) }} as timestamp)
{%- endmacro %}

{#- The as-of moment in a model that has it as the one row of a CTE named current_as_of. -#}
{% macro current_as_of() -%}
    (select current_as_of.as_of_at from current_as_of)
{%- endmacro %}

{#- The first moment of measurement after something happened. -#}
{% macro counts_from(moment) -%}
    least(date_trunc('month', {{ moment }}) + interval '1' month, {{ current_as_of() }})
{%- endmacro %}

{#- How far ahead predictions look: the var prediction_days, or that of its choices which is nearest to three times
    the median days between purchases. Of a shop where nobody came again nothing is known, and it is 90. A score looks as
    far as the models that it predicts by. -#}
{% macro prediction_days(median_gap_days) -%}
    {%- set value = setting('prediction_days') or learnt_prediction_days() -%}
    {%- if value is none -%}
        {%- set choices = setting_kinds()['prediction_days'].numbers -%}
        case
            {%- for longer in choices[1:] %}
            when 3 * {{ median_gap_days }} < {{ (choices[loop.index0] + longer) / 2 }} then {{ choices[loop.index0] }}
            {%- endfor %}
            when {{ median_gap_days }} is null then 90
            else {{ choices[-1] }}
        end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}
