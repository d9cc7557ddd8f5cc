{#-
    The arithmetic of python_models/prediction, over the columns of prediction_weights. A test compares both on every
    customer of two shops. Where a model is not in use its weights are null, and so is what it would predict.
-#}

{#- What the regressions look at: logarithms() in regressions.py, in the order of feature_number. -#}
{% macro prediction_features(customers) -%}
    {%- set recency = 'cast(' ~ customers ~ '.recency_days as double)' -%}
    {%- set tenure = 'cast(' ~ customers ~ '.tenure_days as double)' -%}
    {%- set frequency = 'cast(' ~ customers ~ '.frequency as double)' -%}
    {%- set monetary = 'cast(' ~ customers ~ '.monetary as double)' -%}
    [
            ln(1 + {{ recency }}),
            ln(1 + {{ tenure }}),
            ln({{ frequency }}),
            ln(1 + {{ monetary }}),
            ln(1 + cast({{ customers }}.orders_last_window as double)),
            ln(1 + cast({{ customers }}.spend_last_window as double)),
            ln({{ frequency }} / ({{ tenure }} + 30)),
            ln(1 + {{ monetary }} / {{ frequency }}),
            case
                when {{ customers }}.frequency > 1
                    then ln(1 + {{ recency }}) - ln(1 + ({{ tenure }} - {{ recency }}) / ({{ frequency }} - 1))
                else 0
            end,
            case when {{ customers }}.frequency = 1 then 1 else 0 end,
            {{ recency }}
        ]
{%- endmacro %}

{#- A regression before its link: an intercept, and coefficients times standardised features, each kept within the range
    that was learnt from. -#}
{% macro predictor(regression, features) -%}
    ({{ weighted_sum(regression ~ '.terms', features) }} + {{ regression }}.intercept)
{%- endmacro %}

{% macro from_logit(logit) -%}
    1 / (1 + exp(-({{ logit }})))
{%- endmacro %}

{#- Far from 0 and 1, as mean_of_logits() in models.py has them. -#}
{% macro to_logit(probability) -%}
    {%- set kept = 'least(greatest(' ~ probability ~ ', 0.000001), 0.999999)' -%}
    ln({{ kept }} / (1 - {{ kept }}))
{%- endmacro %}

{#- The number of the range that a value is in, of a struct of borders and one value more. -#}
{% macro step_of(steps, value) -%}
    {{ at_place(steps ~ '.figures', '1 + ' ~ count_up_to(steps ~ '.borders', value)) }}
{%- endmacro %}

{#- At a constant rate, the days after which half have bought; null for ever. -#}
{% macro even_waits(nobody, days) -%}
    {{ days }} * ln(2) / nullif(abs(ln(least(greatest({{ nobody }}, 0.000000001), 1))), 0)
{%- endmacro %}

{#- Numbers of prediction_weights as columns of one row: {target or targets: {part: features}}. -#}
{% macro numbers_in_columns(prefix, targets, parts) -%}
    {%- for part, features in parts.items() %}
    {%- for feature in features %}
        max(coefficient) filter (
            where target in ('{{ targets | join("', '") }}') and part = '{{ part }}' and feature = '{{ feature }}'
        ) as {{ prefix }}{{ part }}_{{ feature }},
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#- The mean of expectations as factors, {expectation: its weight}. Those without a weight are not in it. -#}
{% macro geometric_mean(expectations) -%}
    {%- set logarithms, weights = [], [] -%}
    {%- for expectation, weight in expectations.items() -%}
        {%- do logarithms.append('coalesce(' ~ weight ~ ' * ln(' ~ expectation ~ '), 0)') -%}
        {%- do weights.append('coalesce(' ~ weight ~ ', 0)') -%}
    {%- endfor -%}
    exp(({{ logarithms | join(' + ') }}) / ({{ weights | join(' + ') }}))
{%- endmacro %}

{#- In which third of all probabilities one is. -#}
{% macro churn_band(probability) -%}
    case
            when 3 * {{ probability }} < 1 then 'low'
            when 3 * {{ probability }} < 2 then 'medium'
            when {{ probability }} is not null then 'high'
        end
{%- endmacro %}
