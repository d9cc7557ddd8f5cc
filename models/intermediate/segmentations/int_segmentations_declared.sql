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
        '{{ declaration.scaler }}' as scaler,
        '{{ declaration.algorithm }}' as algorithm,
        {{ declaration.k if declaration.k is integer else 'cast(null as integer)' }} as k,
        {{ declaration.k_min }} as k_min,
        {{ declaration.k_max }} as k_max,
        {{ declaration.n_init }} as n_init,
        {{ declaration.seed }} as seed,
        '{{ declaration.playbook }}' as playbook
    {{ 'union all' if not (loop.last and outer_loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select * from declared
