{#- The var segmentations, checked, with every setting present: a list of
    {segmentation, playbook, features, scaler, algorithm, k, k_min, k_max, n_init, seed}. -#}
{% macro segmentations() -%}
    {%- set allowed = {
        'transform': ['none', 'log1p'],
        'scaler': ['standard'],
        'algorithm': ['kmeans'],
        'feature': spine_features(),
    } -%}
    {%- set keys = ['playbook', 'features', 'scaler', 'algorithm', 'k', 'k_min', 'k_max', 'n_init', 'seed'] -%}
    {%- set declared = var('segmentations') -%}
    {%- if declared is not mapping or not declared -%}
        {{ stop("var segmentations must map names to declarations, see dbt_project.yml") }}
    {%- endif -%}
    {%- if var('primary_segmentation') not in declared -%}
        {{ stop("var primary_segmentation is " ~ var('primary_segmentation') ~ ", which var segmentations does not declare: " ~ declared | join(', ')) }}
    {%- endif -%}
    {%- set checked = [] -%}
    {%- for name, declaration in declared.items() -%}
        {%- set where = "var segmentations, " ~ name ~ ": " -%}
        {%- if not modules.re.fullmatch('[a-z][a-z0-9_]*', name) -%}
            {{ stop(where ~ "a name has small letters, digits and _") }}
        {%- endif -%}
        {%- for key in declaration if key not in keys -%}
            {{ stop(where ~ key ~ " is no setting; there are " ~ keys | join(', ')) }}
        {%- endfor -%}
        {%- for key in keys if key not in declaration -%}
            {{ stop(where ~ key ~ " is missing") }}
        {%- endfor -%}
        {%- for setting in ['scaler', 'algorithm'] if declaration[setting] not in allowed[setting] -%}
            {{ stop(where ~ setting ~ " is " ~ declaration[setting] ~ "; it can be " ~ allowed[setting] | join(', ')) }}
        {%- endfor -%}
        {%- if declaration['features'] is not mapping or not declaration['features'] -%}
            {{ stop(where ~ "features must map columns to transforms, such as {recency_days: log1p}") }}
        {%- endif -%}
        {%- for feature, transform in declaration['features'].items() -%}
            {%- if feature not in allowed['feature'] -%}
                {{ stop(where ~ feature ~ " is no feature; there are " ~ allowed['feature'] | join(', ')) }}
            {%- elif feature == 'net_monetary' and transform == 'log1p' -%}
                {{ stop(where ~ "net_monetary can be negative, so it has no log1p") }}
            {%- elif transform not in allowed['transform'] -%}
                {{ stop(where ~ "the transform of " ~ feature ~ " is " ~ transform ~ "; it can be " ~ allowed['transform'] | join(', ')) }}
            {%- endif -%}
        {%- endfor -%}
        {%- for setting in ['k_min', 'k_max', 'n_init', 'seed'] if declaration[setting] is not integer -%}
            {{ stop(where ~ setting ~ " must be a whole number, got " ~ declaration[setting]) }}
        {%- endfor -%}
        {%- if declaration['k'] != 'auto' and declaration['k'] is not integer -%}
            {{ stop(where ~ "k must be a whole number or auto, got " ~ declaration['k']) }}
        {%- endif -%}
        {%- if declaration['k_min'] < 2 or declaration['k_max'] > 30 or declaration['k_min'] > declaration['k_max'] -%}
            {{ stop(where ~ "k_min and k_max must hold 2 <= k_min <= k_max <= 30") }}
        {%- endif -%}
        {%- if declaration['k'] != 'auto' and not declaration['k_min'] <= declaration['k'] <= declaration['k_max'] -%}
            {{ stop(where ~ "k is " ~ declaration['k'] ~ ", outside k_min to k_max") }}
        {%- endif -%}
        {%- if declaration['n_init'] < 1 -%}
            {{ stop(where ~ "n_init must be 1 or more") }}
        {%- endif -%}
        {%- do checked.append(dict(declaration, segmentation=name)) -%}
    {%- endfor -%}
    {{ return(checked) }}
{%- endmacro %}

{#- The columns of int_customers_as_of that measure a customer, with the unit of each. -#}
{% macro spine_features() -%}
    {{ return([
        'recency_days', 'frequency', 'monetary', 'net_monetary', 'quantity', 'average_basket_value',
        'tenure_days', 'distinct_products', 'return_share',
    ]) }}
{%- endmacro %}

{% macro transformed(feature, transform) -%}
    {%- if transform == 'log1p' -%}
        ln(1 + cast({{ feature }} as double))
    {%- else -%}
        cast({{ feature }} as double)
    {%- endif -%}
{%- endmacro %}
