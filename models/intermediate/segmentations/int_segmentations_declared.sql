{{ config(materialized='view') }}

{# The vars as a table, so that SQL and Python read one and the same declaration. #}
with declared as (
    {%- for declaration in segmentations() %}
    {%- set outer_loop = loop %}
    {%- for feature, transform in declaration.features.items() %}
    select
        '{{ declaration.segmentation }}' as segmentation,
        {{ loop.index }} as feature_number,
        '{{ feature }}' as feature,
        '{{ transform }}' as transform,
        {{ feature in declaration.separated }} as is_separated,
        {{ feature_told(declaration.population, feature).get('counts_days', false) }} as counts_days,
        {{ feature_told(declaration.population, feature).get('grows', false) and feature not in windowed_features() }} as grows,
        '{{ declaration.population }}' as population,
        '{{ declaration.scaler }}' as scaler,
        '{{ declaration.outlier_policy }}' as outlier_policy,
        {{ declaration.winsorised[0] if declaration.winsorised else 'cast(null as double)' }} as winsorised_from,
        {{ declaration.winsorised[1] if declaration.winsorised else 'cast(null as double)' }} as winsorised_to,
        '{{ declaration.algorithm }}' as algorithm,
        {{ declaration.k if declaration.k is integer else 'cast(null as integer)' }} as k,
        {{ declaration.k_min }} as k_min,
        {{ declaration.k_max }} as k_max,
        {{ declaration.n_init }} as n_init,
        {{ declaration.seed }} as seed,
        {{ sql_text(declaration.playbook) }} as playbook,
        '{{ source_key(declaration.population) }}' as source_key,
        '{{ settings_key(declaration) }}' as settings_key
    {{ 'union all' if not (loop.last and outer_loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select * from declared
