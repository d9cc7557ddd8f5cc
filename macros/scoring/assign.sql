{#-
    Who is in which cluster: CTEs from `clusters` to `assigned`.
    Each customer is assigned alone, from its own features and the stored fit. Before them must stand
      cluster_centers     the mart of that name, one fit for each segmentation
      invoice_customers   and every other population of the declarations, with its features and `keys`;
                          customers_of_populations() writes them
    `clusters` has a row for each cluster and group of outliers of a segmentation, with its center as a list of scaled
    features. `assigned` has segmentation, keys, point (the customer's own scaled features), distance (null in a group
    of outliers), cluster_id and segment_code.
-#}
{% macro assigned_customers(declarations, keys) -%}
{%- set features = declarations | map(attribute='features') | map('list') | sum(start=[]) | unique | list -%}
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

{# Clusters are numbered from 1, groups of outliers behind them: a center's place in the list is its cluster_id. #}
fits as (
    select
        segmentation,
        {{ ordered_list('center', 'cluster_id') }} as centers
    from clusters
    where outlier_features is null
    group by segmentation
),

outlier_groups as (
    select
        segmentation,
        cluster_id,
        outlier_features
    from clusters
    where outlier_features is not null
),

{# What brings features to scaled units, one row for each segmentation. #}
scales as (
    select
        segmentation
        {%- for feature in features %}
        {%- for parameter in scale_parameters(declarations, feature) %},
        max({{ parameter }}) filter (where feature = '{{ feature }}') as {{ parameter }}_of_{{ feature }}
        {%- endfor %}
        {%- endfor %}
    from cluster_centers
    where cluster_id = 1
    group by segmentation
),

points as (
    {%- for declaration in declarations %}
    select
        scales.segmentation,
        {%- for key in keys %}
        customers.{{ key }},
        {%- endfor %}
        [
            {%- for feature in declaration.features %}
            {{ scaled(declaration, feature) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ] as point,
        {{ features_beyond_fences(declaration) }} as outlier_features
    from {{ declaration.population }} as customers
    inner join scales on scales.segmentation = '{{ declaration.segmentation }}'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

measured as (
    select
        points.*,
        {{ distances_to('fits.centers', 'points.point') }} as distances
    from points
    inner join fits on points.segmentation = fits.segmentation
),

located as (
    select
        measured.*,
        coalesce(
            outlier_groups.cluster_id,
            {{ place_in_list('measured.distances', least_in_list('measured.distances')) }}
        ) as cluster_id,
        case
            when outlier_groups.cluster_id is null then {{ least_in_list('measured.distances') }}
        end as distance
    from measured
    left join outlier_groups
        on
            measured.segmentation = outlier_groups.segmentation
            and measured.outlier_features = outlier_groups.outlier_features
),

assigned as (
    select
        located.segmentation,
        {%- for key in keys %}
        located.{{ key }},
        {%- endfor %}
        located.point,
        located.distance,
        clusters.cluster_id,
        clusters.segment_code
    from located
    inner join clusters
        on
            located.segmentation = clusters.segmentation
            and located.cluster_id = clusters.cluster_id
)
{%- endmacro %}

{#- What the declarations need of a fit to scale a feature, as columns of cluster_centers. -#}
{% macro scale_parameters(declarations, feature) -%}
    {%- set wanted = ['feature_offset', 'feature_scale'] -%}
    {%- for declaration in declarations if feature in declaration.features -%}
        {%- do wanted.append('knots') if declaration.features[feature] == 'rank' -%}
        {%- do wanted.extend(['clip_low', 'clip_high']) if declaration.winsorised -%}
        {%- do wanted.extend(['fence_low', 'fence_high']) if feature in declaration.separated -%}
    {%- endfor -%}
    {{ return(wanted | unique | list) }}
{%- endmacro %}

{#- A feature in scaled units: the arithmetic of scale() in python_models/segmentation/scaling.py. -#}
{% macro scaled(declaration, feature) -%}
    {%- set transform = declaration.features[feature] -%}
    {%- set value = transformed('customers.' ~ feature, transform) -%}
    {%- if transform == 'rank' -%}
        {%- set value = rank_among('scales.knots_of_' ~ feature, value) -%}
    {%- endif -%}
    {%- if declaration.winsorised -%}
        {%- set value = 'least(greatest(' ~ value ~ ', scales.clip_low_of_' ~ feature ~ '), scales.clip_high_of_' ~ feature ~ ')' -%}
    {%- endif -%}
    ({{ value }} - scales.feature_offset_of_{{ feature }}) / scales.feature_scale_of_{{ feature }}
{%- endmacro %}

{#- The features that set a customer apart, by name with spaces between; null where none does. -#}
{% macro features_beyond_fences(declaration) -%}
    {%- if not declaration.separated -%}
        {{ return('cast(null as varchar)') }}
    {%- endif -%}
    {%- set named = [] -%}
    {%- for feature in declaration.separated | sort -%}
        {%- set value = transformed('customers.' ~ feature, 'none') -%}
        {%- do named.append(
            "case when " ~ value ~ " < scales.fence_low_of_" ~ feature ~ " or " ~ value ~ " > scales.fence_high_of_" ~ feature
            ~ " then '" ~ feature ~ "' end"
        ) -%}
    {%- endfor -%}
    nullif(concat_ws(' ', {{ named | join(', ') }}), '')
{%- endmacro %}
