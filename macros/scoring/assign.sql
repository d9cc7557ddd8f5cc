{#-
    Who is in which cluster: CTEs from `clusters` to `assigned`.
    Each customer is assigned alone, from its own features and the stored fit. Before them must stand
      cluster_centers     the mart of that name, one fit for each segmentation
      invoice_customers   and every other population of the declarations, with its features and `keys`;
                          customers_of_populations() writes them
    `assigned` has segmentation, keys, cluster_id, segment_code, distance (null in a group of outliers),
    and the lists distances and codes: how far each cluster is, and which segment it has.
-#}
{% macro assigned_customers(declarations, keys) -%}
clusters as (
    select
        segmentation,
        cluster_id,
        segment_code,
        outlier_features,
        {{ ordered_list('center_scaled', 'feature_number') }} as center
    from cluster_centers
    group by
        segmentation,
        cluster_id,
        segment_code,
        outlier_features
),

centers as (
    select
        segmentation,
        {{ ordered_list('center', 'cluster_id') }} as centers,
        {{ ordered_list('segment_code', 'cluster_id') }} as codes
    from clusters
    where outlier_features is null
    group by segmentation
),

outlier_groups as (
    select
        segmentation,
        {{ ordered_list('outlier_features', 'cluster_id') }} as groups,
        {{ ordered_list('segment_code', 'cluster_id') }} as group_codes
    from clusters
    where outlier_features is not null
    group by segmentation
),

preparations as (
    select
        segmentation,
        {%- for parameter in ['feature_offset', 'feature_scale', 'clip_low', 'clip_high', 'fence_low', 'fence_high', 'knots'] %}
        {{ ordered_list(parameter, 'feature_number') }} as {{ parameter }}{{ ',' if not loop.last }}
        {%- endfor %}
    from cluster_centers
    where cluster_id = 1
    group by segmentation
),

fits as (
    select
        preparations.*,
        centers.centers,
        centers.codes,
        outlier_groups.groups,
        outlier_groups.group_codes
    from preparations
    inner join centers on preparations.segmentation = centers.segmentation
    left join outlier_groups on preparations.segmentation = outlier_groups.segmentation
),

points as (
    {%- for declaration in declarations %}
    select
        fits.segmentation,
        {%- for key in keys %}
        customers.{{ key }},
        {%- endfor %}
        fits.centers,
        fits.codes,
        fits.groups,
        fits.group_codes,
        [
            {%- for feature in declaration.features %}
            {{ scaled(declaration, feature, loop.index) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ] as point,
        {{ features_beyond_fences(declaration) }} as outlier_features
    from {{ declaration.population }} as customers
    inner join fits on fits.segmentation = '{{ declaration.segmentation }}'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

measured as (
    select
        *,
        {{ distances_to('centers', 'point') }} as distances,
        {{ place_in_list('groups', 'outlier_features') }} as group_place
    from points
),

assigned as (
    select
        segmentation,
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        distances,
        codes,
        cast(
            case
                when group_place is null then {{ place_in_list('distances', least_in_list('distances')) }}
                else {{ list_length('centers') }} + group_place
            end as integer
        ) as cluster_id,
        case
            when group_place is null then codes[{{ place_in_list('distances', least_in_list('distances')) }}]
            else group_codes[group_place]
        end as segment_code,
        case when group_place is null then {{ least_in_list('distances') }} end as distance
    from measured
)
{%- endmacro %}

{#- A feature in scaled units: the arithmetic of scale() in python_models/segmentation/scaling.py. -#}
{% macro scaled(declaration, feature, number) -%}
    {%- set transform = declaration.features[feature] -%}
    {%- set value = transformed('customers.' ~ feature, transform) -%}
    {%- if transform == 'rank' -%}
        {%- set value = rank_among('fits.knots[' ~ number ~ ']', value) -%}
    {%- endif -%}
    {%- if declaration.winsorised -%}
        {%- set value = 'least(greatest(' ~ value ~ ', fits.clip_low[' ~ number ~ ']), fits.clip_high[' ~ number ~ '])' -%}
    {%- endif -%}
    ({{ value }} - fits.feature_offset[{{ number }}]) / fits.feature_scale[{{ number }}]
{%- endmacro %}

{#- The features that set a customer apart, by name and parted by spaces; null where none does. -#}
{% macro features_beyond_fences(declaration) -%}
    {%- if not declaration.separated -%}
        {{ return('cast(null as varchar)') }}
    {%- endif -%}
    {%- set names = declaration.features | list -%}
    {%- set named = [] -%}
    {%- for feature in declaration.separated | sort -%}
        {%- set value = transformed('customers.' ~ feature, 'none') -%}
        {%- set number = names.index(feature) + 1 -%}
        {%- do named.append(
            "case when " ~ value ~ " < fits.fence_low[" ~ number ~ "] or " ~ value ~ " > fits.fence_high[" ~ number ~ "]"
            ~ " then '" ~ feature ~ "' end"
        ) -%}
    {%- endfor -%}
    nullif(concat_ws(' ', {{ named | join(', ') }}), '')
{%- endmacro %}
