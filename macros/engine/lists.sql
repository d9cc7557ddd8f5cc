{#- A row for each element of a list. -#}
{% macro unnested(values) -%}
    {{ return(adapter.dispatch('unnested', 'customer_segments')(values)) }}
{%- endmacro %}

{% macro duckdb__unnested(values) -%}
    unnest({{ values }})
{%- endmacro %}

{#- The same for several lists of one length, {name of a column: its values}. -#}
{% macro unnested_together(lists) -%}
    {{ return(adapter.dispatch('unnested_together', 'customer_segments')(lists)) }}
{%- endmacro %}

{% macro duckdb__unnested_together(lists) -%}
    {%- for name, values in lists.items() %}
            unnest([{{ values | join(', ') }}]) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Figures of each of the columns of a relation, which has no others: columns of the same names, each a struct of
    {name of a figure: SQL in which each stands for the column}. -#}
{% macro figures_of_each(columns, figures) -%}
    {{ return(adapter.dispatch('figures_of_each', 'customer_segments')(columns, figures)) }}
{%- endmacro %}

{% macro duckdb__figures_of_each(columns, figures) -%}
    struct_pack(
        {%- for name, figure in figures.items() %}
                {{ name }} := {{ modules.re.sub('\\beach\\b', 'columns(*)', figure) }}{{ ',' if not loop.last }}
        {%- endfor %}
            )
{%- endmacro %}

{#- A list of pairs, structs of two fields, as a map. -#}
{% macro as_map(pairs) -%}
    {{ return(adapter.dispatch('as_map', 'customer_segments')(pairs)) }}
{%- endmacro %}

{% macro duckdb__as_map(pairs) -%}
    map_from_entries({{ pairs }})
{%- endmacro %}

{#- The values of a group as a list in a stated order. -#}
{% macro ordered_list(value, order_by) -%}
    {{ return(adapter.dispatch('ordered_list', 'customer_segments')(value, order_by)) }}
{%- endmacro %}

{% macro duckdb__ordered_list(value, order_by) -%}
    list({{ value }} order by {{ order_by }})
{%- endmacro %}

{#- The rows of a group as a list of structs, {name of a field: its value}, in any order. -#}
{% macro list_of_structs(fields) -%}
    {{ return(adapter.dispatch('list_of_structs', 'customer_segments')(fields)) }}
{%- endmacro %}

{% macro duckdb__list_of_structs(fields) -%}
    list(struct_pack(
        {%- for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor -%}
    ))
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

{#- The element at a place, from 1. -#}
{% macro at_place(values, place) -%}
    {{ return(adapter.dispatch('at_place', 'customer_segments')(values, place)) }}
{%- endmacro %}

{% macro duckdb__at_place(values, place) -%}
    list_extract({{ values }}, {{ place }})
{%- endmacro %}

{#- What becomes of each of several columns, as a list: SQL in which name stands for the column. -#}
{% macro list_of_each(columns, name, expression) -%}
    {{ return(adapter.dispatch('list_of_each', 'customer_segments')(columns, name, expression)) }}
{%- endmacro %}

{% macro duckdb__list_of_each(columns, name, expression) -%}
    list_transform([{{ columns | join(', ') }}], lambda {{ name }}: {{ expression }})
{%- endmacro %}

{#- Distances from a point, a list of numbers, to each of a list of points. -#}
{% macro distances_to(centers, point) -%}
    {{ return(adapter.dispatch('distances_to', 'customer_segments')(centers, point)) }}
{%- endmacro %}

{% macro duckdb__distances_to(centers, point) -%}
    list_transform({{ centers }}, lambda center: list_distance(center, {{ point }}))
{%- endmacro %}

{#- The cluster nearest to a point among a list of {segment_code, center}, as {distance, segment_code}. -#}
{% macro nearest_of(clusters, point) -%}
    {{ return(adapter.dispatch('nearest_of', 'customer_segments')(clusters, point)) }}
{%- endmacro %}

{% macro duckdb__nearest_of(clusters, point) -%}
    list_min(list_transform(
        {{ clusters }},
        lambda cluster: {'distance': list_distance(cluster.center, {{ point }}), 'segment_code': cluster.segment_code}
    ))
{%- endmacro %}

{#- Which share of the percentiles in a list lies below the value: 0 to 0.99. -#}
{% macro rank_among(percentiles, value) -%}
    {{ return(adapter.dispatch('rank_among', 'customer_segments')(percentiles, value)) }}
{%- endmacro %}

{% macro duckdb__rank_among(percentiles, value) -%}
    len(list_filter({{ percentiles }}, lambda percentile: percentile < {{ value }})) / cast(100 as double)
{%- endmacro %}

{#- How many elements of a list are at most a value. -#}
{% macro count_up_to(values, value) -%}
    {{ return(adapter.dispatch('count_up_to', 'customer_segments')(values, value)) }}
{%- endmacro %}

{% macro duckdb__count_up_to(values, value) -%}
    len(list_filter({{ values }}, lambda one: one <= {{ value }}))
{%- endmacro %}

{#- The sum of coefficients times standardised features, each kept between lowest and highest: of a list of
    {place in the list of features, lowest, highest, mean, scale, coefficient}. -#}
{% macro weighted_sum(terms, features) -%}
    {{ return(adapter.dispatch('weighted_sum', 'customer_segments')(terms, features)) }}
{%- endmacro %}

{% macro duckdb__weighted_sum(terms, features) -%}
    list_sum(list_transform(
        {{ terms }},
        lambda term: term.coefficient
        * (least(greatest(list_extract({{ features }}, term.place), term.lowest), term.highest) - term.mean) / term.scale
    ))
{%- endmacro %}

{#- What becomes of each element: SQL in which name stands for it. -#}
{% macro each_of(values, name, expression) -%}
    {{ return(adapter.dispatch('each_of', 'customer_segments')(values, name, expression)) }}
{%- endmacro %}

{% macro duckdb__each_of(values, name, expression) -%}
    list_transform({{ values }}, lambda {{ name }}: {{ expression }})
{%- endmacro %}

{#- The elements for which a condition holds: SQL in which name stands for one. -#}
{% macro those_of(values, name, condition) -%}
    {{ return(adapter.dispatch('those_of', 'customer_segments')(values, name, condition)) }}
{%- endmacro %}

{% macro duckdb__those_of(values, name, condition) -%}
    list_filter({{ values }}, lambda {{ name }}: {{ condition }})
{%- endmacro %}

{#- The whole numbers from 0 up to below a count. -#}
{% macro numbers_below(count) -%}
    {{ return(adapter.dispatch('numbers_below', 'customer_segments')(count)) }}
{%- endmacro %}

{% macro duckdb__numbers_below(count) -%}
    range(cast({{ count }} as bigint))
{%- endmacro %}

{% macro sum_of_list(values) -%}
    {{ return(adapter.dispatch('sum_of_list', 'customer_segments')(values)) }}
{%- endmacro %}

{% macro duckdb__sum_of_list(values) -%}
    list_sum({{ values }})
{%- endmacro %}

{% macro greatest_in_list(values) -%}
    {{ return(adapter.dispatch('greatest_in_list', 'customer_segments')(values)) }}
{%- endmacro %}

{% macro duckdb__greatest_in_list(values) -%}
    list_max({{ values }})
{%- endmacro %}

{#- A struct, {name of a field: its value}. -#}
{% macro struct_of(fields) -%}
    {{ return(adapter.dispatch('struct_of', 'customer_segments')(fields)) }}
{%- endmacro %}

{% macro duckdb__struct_of(fields) -%}
    struct_pack({% for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
