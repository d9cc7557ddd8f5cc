{#-
    What engines truly say differently stands here and nowhere else; the rest is SQL that others read
    too. Another engine needs its own version of each macro below, under its own prefix.
-#}

{#- A number that is equal for equal rows. Only ever a filter before an exact comparison, so that
    neither collisions nor another engine's hash can change a result. -#}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- Whole days elapsed between two moments; dbt.datediff counts midnights passed instead. -#}
{% macro elapsed_days(start, finish) -%}
    {{ return(adapter.dispatch('elapsed_days')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__elapsed_days(start, finish) -%}
    datesub('day', {{ start }}, {{ finish }})
{%- endmacro %}

{#- A row for each beginning of a month after start, up to finish. -#}
{% macro month_starts(start, finish) -%}
    {{ return(adapter.dispatch('month_starts')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__month_starts(start, finish) -%}
    unnest(generate_series(date_trunc('month', {{ start }}) + interval '1' month, {{ finish }}, interval '1' month))
{%- endmacro %}

{#- A row for each object in the JSON list of centres that a fit stores. -#}
{% macro unnest_centers(column) -%}
    {{ return(adapter.dispatch('unnest_centers')(column)) }}
{%- endmacro %}

{% macro duckdb__unnest_centers(column) -%}
    unnest(from_json({{ column }}, '[{
        "cluster_id": "INTEGER", "segment_code": "VARCHAR", "feature_number": "INTEGER", "feature": "VARCHAR",
        "feature_offset": "DOUBLE", "feature_scale": "DOUBLE", "center_scaled": "DOUBLE"}]'))
{%- endmacro %}

{#- The values of a group as a list in a stated order. -#}
{% macro ordered_list(value, order_by) -%}
    {{ return(adapter.dispatch('ordered_list')(value, order_by)) }}
{%- endmacro %}

{% macro duckdb__ordered_list(value, order_by) -%}
    list({{ value }} order by {{ order_by }})
{%- endmacro %}

{#- Clusters of a fit as a list of structs, nearest to the point first. Each has distance, cluster_id
    and segment_code; points are lists in scaled units, clusters structs that have a center too. -#}
{% macro clusters_by_distance(features, offsets, scales, clusters) -%}
    {{ return(adapter.dispatch('clusters_by_distance')(features, offsets, scales, clusters)) }}
{%- endmacro %}

{% macro duckdb__clusters_by_distance(features, offsets, scales, clusters) -%}
    list_sort(list_transform({{ clusters }}, lambda cluster: {
        'distance': list_distance(
            cluster.center,
            list_transform(
                list_zip({{ features }}, {{ offsets }}, {{ scales }}),
                lambda zipped: (zipped[1] - zipped[2]) / zipped[3]
            )
        ),
        'cluster_id': cluster.cluster_id,
        'segment_code': cluster.segment_code
    }))
{%- endmacro %}

{#- The first cluster in such a list that has another segment than the list's first. -#}
{% macro runner_up(clusters) -%}
    {{ return(adapter.dispatch('runner_up')(clusters)) }}
{%- endmacro %}

{% macro duckdb__runner_up(clusters) -%}
    list_filter({{ clusters }}, lambda cluster: cluster.segment_code <> {{ clusters }}[1].segment_code)[1]
{%- endmacro %}
