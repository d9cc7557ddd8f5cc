{#- A row for each object in the JSON list of centres that a fit stores. -#}
{% macro unnest_centers(column) -%}
    {{ return(adapter.dispatch('unnest_centers', 'customer_segments')(column)) }}
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
    {{ return(adapter.dispatch('decision_struct', 'customer_segments')(column)) }}
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
    {{ return(adapter.dispatch('unnest_agreements', 'customer_segments')(column)) }}
{%- endmacro %}

{% macro duckdb__unnest_agreements(column) -%}
    unnest(from_json({{ column }}, '[{
        "algorithm": "VARCHAR", "k": "INTEGER", "cluster_id": "INTEGER", "segment_code": "VARCHAR",
        "other_algorithm": "VARCHAR", "other_k": "INTEGER", "other_cluster_id": "INTEGER",
        "other_segment_code": "VARCHAR", "customers": "INTEGER"}]'))
{%- endmacro %}
