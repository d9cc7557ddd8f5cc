{#- The values of a group as a list in a stated order. -#}
{% macro ordered_list(value, order_by) -%}
    {{ return(adapter.dispatch('ordered_list', 'customer_segments')(value, order_by)) }}
{%- endmacro %}

{% macro duckdb__ordered_list(value, order_by) -%}
    list({{ value }} order by {{ order_by }})
{%- endmacro %}

{% macro list_length(values) -%}
    {{ return(adapter.dispatch('list_length', 'customer_segments')(values)) }}
{%- endmacro %}

{% macro duckdb__list_length(values) -%}
    len({{ values }})
{%- endmacro %}

{% macro least_in_list(values) -%}
    {{ return(adapter.dispatch('least_in_list', 'customer_segments')(values)) }}
{%- endmacro %}

{% macro duckdb__least_in_list(values) -%}
    list_min({{ values }})
{%- endmacro %}

{#- Place of the first element that equals the value, from 1; null where there is none. -#}
{% macro place_in_list(values, value) -%}
    {{ return(adapter.dispatch('place_in_list', 'customer_segments')(values, value)) }}
{%- endmacro %}

{% macro duckdb__place_in_list(values, value) -%}
    nullif(list_position({{ values }}, {{ value }}), 0)
{%- endmacro %}

{#- Distances from a point, a list of numbers, to each of a list of points. -#}
{% macro distances_to(centers, point) -%}
    {{ return(adapter.dispatch('distances_to', 'customer_segments')(centers, point)) }}
{%- endmacro %}

{% macro duckdb__distances_to(centers, point) -%}
    list_transform({{ centers }}, lambda center: list_distance(center, {{ point }}))
{%- endmacro %}

{#- The nearest cluster that has another segment than this, as {distance, segment_code}. -#}
{% macro runner_up(distances, codes, segment_code) -%}
    {{ return(adapter.dispatch('runner_up', 'customer_segments')(distances, codes, segment_code)) }}
{%- endmacro %}

{% macro duckdb__runner_up(distances, codes, segment_code) -%}
    list_sort(list_filter(
        list_transform(
            list_zip({{ distances }}, {{ codes }}),
            lambda pair: {'distance': pair[1], 'segment_code': pair[2]}
        ),
        lambda cluster: cluster.segment_code <> {{ segment_code }}
    ))[1]
{%- endmacro %}

{#- Which share of the percentiles in a list lies below the value: 0 to 0.99. -#}
{% macro rank_among(percentiles, value) -%}
    {{ return(adapter.dispatch('rank_among', 'customer_segments')(percentiles, value)) }}
{%- endmacro %}

{% macro duckdb__rank_among(percentiles, value) -%}
    len(list_filter({{ percentiles }}, lambda percentile: percentile < {{ value }})) / cast(100 as double)
{%- endmacro %}
