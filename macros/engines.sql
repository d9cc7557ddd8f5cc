{#-
    Expressions of models that engines write differently. Another engine needs its own version of each
    macro below, under its own prefix. Not all of DuckDB is here: files are read and conversions tried in its
    own way (read_files, read_invoices, read_campaign, conversions), publishing and kept fits use its catalogue
    (publish_marts, versions), and the places in the lists of scoring.sql count from 1.
-#}

{#- A number that is equal for equal rows. Only ever a filter before an exact comparison, so that
    neither collisions nor another engine's hash can change a result. -#}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- Whether a row is in a sample of one in so many rows, the same ones every time. -#}
{% macro one_row_in(columns, part) -%}
    {{ return(adapter.dispatch('one_row_in')(columns, part)) }}
{%- endmacro %}

{#- Without the cast the remainder is of huge integers, which takes ten times as long. -#}
{% macro duckdb__one_row_in(columns, part) -%}
    hash({{ columns | join(', ') }}) % cast({{ part }} as ubigint) = 0
{%- endmacro %}

{#- Whole days elapsed between two moments; dbt.datediff counts midnights passed instead. -#}
{% macro elapsed_days(start, finish) -%}
    {{ return(adapter.dispatch('elapsed_days')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__elapsed_days(start, finish) -%}
    datesub('day', {{ start }}, {{ finish }})
{%- endmacro %}

{#- A moment so many days, whole or not, after another. -#}
{% macro days_after(moment, days) -%}
    {{ return(adapter.dispatch('days_after')(moment, days)) }}
{%- endmacro %}

{% macro duckdb__days_after(moment, days) -%}
    {{ moment }} + to_microseconds(cast({{ days }} * 86400000000 as bigint))
{%- endmacro %}

{#- A row for each beginning of a month after start, up to finish. -#}
{% macro month_starts(start, finish) -%}
    {{ return(adapter.dispatch('month_starts')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__month_starts(start, finish) -%}
    unnest(generate_series(date_trunc('month', {{ start }}) + interval '1' month, {{ finish }}, interval '1' month))
{%- endmacro %}

{#- A row for each day from start to finish. -#}
{% macro days(start, finish) -%}
    {{ return(adapter.dispatch('days')(start, finish)) }}
{%- endmacro %}

{% macro duckdb__days(start, finish) -%}
    unnest(generate_series({{ start }}, {{ finish }}, interval '1' day))
{%- endmacro %}

{#- A row for each object in the JSON list of centres that a fit stores. -#}
{% macro unnest_centers(column) -%}
    {{ return(adapter.dispatch('unnest_centers')(column)) }}
{%- endmacro %}

{% macro duckdb__unnest_centers(column) -%}
    unnest(from_json({{ column }}, '[{
        "cluster_id": "INTEGER", "segment_code": "VARCHAR", "prototype_segment_code": "VARCHAR",
        "outlier_features": "VARCHAR", "feature_number": "INTEGER",
        "feature": "VARCHAR", "knots": ["DOUBLE"], "clip_low": "DOUBLE", "clip_high": "DOUBLE",
        "feature_offset": "DOUBLE", "feature_scale": "DOUBLE", "fence_low": "DOUBLE", "fence_high": "DOUBLE",
        "center_scaled": "DOUBLE"}]'))
{%- endmacro %}

{#- What the JSON of a refit's decision says, as a struct. -#}
{% macro decision_struct(column) -%}
    {{ return(adapter.dispatch('decision_struct')(column)) }}
{%- endmacro %}

{% macro duckdb__decision_struct(column) -%}
    from_json({{ column }}, '{
        "decision": "VARCHAR", "reason": "VARCHAR", "model_version": "VARCHAR", "previous_model_version": "VARCHAR",
        "customers": "INTEGER", "moved_by_themselves": "INTEGER", "moved_by_refit": "INTEGER",
        "feature_psi": "MAP(VARCHAR, DOUBLE)", "far_share": "DOUBLE", "known_share": "DOUBLE", "explained": "DOUBLE",
        "explained_by_refit": "DOUBLE", "name_conflict": "VARCHAR"}')
{%- endmacro %}

{#- A row for each object in the JSON list of shared customers that a fit stores. -#}
{% macro unnest_agreements(column) -%}
    {{ return(adapter.dispatch('unnest_agreements')(column)) }}
{%- endmacro %}

{% macro duckdb__unnest_agreements(column) -%}
    unnest(from_json({{ column }}, '[{
        "algorithm": "VARCHAR", "k": "INTEGER", "cluster_id": "INTEGER", "segment_code": "VARCHAR",
        "other_algorithm": "VARCHAR", "other_k": "INTEGER", "other_cluster_id": "INTEGER",
        "other_segment_code": "VARCHAR", "customers": "INTEGER"}]'))
{%- endmacro %}

{#- The values of a group as a list in a stated order. -#}
{% macro ordered_list(value, order_by) -%}
    {{ return(adapter.dispatch('ordered_list')(value, order_by)) }}
{%- endmacro %}

{% macro duckdb__ordered_list(value, order_by) -%}
    list({{ value }} order by {{ order_by }})
{%- endmacro %}

{% macro list_length(values) -%}
    {{ return(adapter.dispatch('list_length')(values)) }}
{%- endmacro %}

{% macro duckdb__list_length(values) -%}
    len({{ values }})
{%- endmacro %}

{% macro least_in_list(values) -%}
    {{ return(adapter.dispatch('least_in_list')(values)) }}
{%- endmacro %}

{% macro duckdb__least_in_list(values) -%}
    list_min({{ values }})
{%- endmacro %}

{#- Place of the first element that equals the value, from 1; null where there is none. -#}
{% macro place_in_list(values, value) -%}
    {{ return(adapter.dispatch('place_in_list')(values, value)) }}
{%- endmacro %}

{% macro duckdb__place_in_list(values, value) -%}
    nullif(list_position({{ values }}, {{ value }}), 0)
{%- endmacro %}

{#- Distances from a point, a list of numbers, to each of a list of points. -#}
{% macro distances_to(centers, point) -%}
    {{ return(adapter.dispatch('distances_to')(centers, point)) }}
{%- endmacro %}

{% macro duckdb__distances_to(centers, point) -%}
    list_transform({{ centers }}, lambda center: list_distance(center, {{ point }}))
{%- endmacro %}

{#- The nearest cluster that has another segment than this, as {distance, segment_code}. -#}
{% macro runner_up(distances, codes, segment_code) -%}
    {{ return(adapter.dispatch('runner_up')(distances, codes, segment_code)) }}
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
    {{ return(adapter.dispatch('rank_among')(percentiles, value)) }}
{%- endmacro %}

{% macro duckdb__rank_among(percentiles, value) -%}
    len(list_filter({{ percentiles }}, lambda percentile: percentile < {{ value }})) / cast(100 as double)
{%- endmacro %}
