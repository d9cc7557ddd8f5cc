{#- The logarithm of 1 and a number, exact near 0. -#}
{% macro log_of_one_and(number) -%}
    {{ return(adapter.dispatch('log_of_one_and', 'customer_segments')(number)) }}
{%- endmacro %}

{% macro duckdb__log_of_one_and(number) -%}
    case when {{ number }} < 1 then 2 * atanh(({{ number }}) / (2 + {{ number }})) else ln(1 + {{ number }}) end
{%- endmacro %}

{#- 1 less the exponential of a number that is at most 0, exact near 0. -#}
{% macro one_less_exp(number) -%}
    {{ return(adapter.dispatch('one_less_exp', 'customer_segments')(number)) }}
{%- endmacro %}

{#- Far below 0 its parts would overflow, long after the digits are those of 1. -#}
{% macro duckdb__one_less_exp(number) -%}
    -2 * sinh(greatest({{ number }}, -700) / 2) * exp(greatest({{ number }}, -700) / 2)
{%- endmacro %}

{#- The logarithm of the beta function of two numbers above 0. -#}
{% macro log_beta(one, other) -%}
    {{ return(adapter.dispatch('log_beta', 'customer_segments')(one, other)) }}
{%- endmacro %}

{% macro duckdb__log_beta(one, other) -%}
    lgamma({{ one }}) + lgamma({{ other }}) - lgamma({{ one }} + {{ other }})
{%- endmacro %}
