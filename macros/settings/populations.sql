{#- Whose customers can be segmented. Each has a model with a row for each customer_id (under a condition, where it has
    rows of other moments), and marts where people find their features; the features that a declaration may name,
    which are never null; all that are profiled; which column is their revenue; and whether they are there at all. -#}
{% macro populations() -%}
    {%- set of_campaign = features().campaign_customers -%}
    {%- set spine = spine_features() -%}
    {{ return({
        'invoice_customers': {
            'model': 'int_customers_as_of',
            'condition': 'is_current',
            'marts': {'customers': lifetime_features(), 'customer_windows': windowed_features() | list},
            'features': spine,
            'profiled': spine,
            'revenue': 'monetary',
            'as_of': 'as_of_at',
            'begins': 'min(first_purchase_at) over ()',
            'is_given': true,
        },
        'campaign_customers': {
            'model': 'int_campaign_customers',
            'condition': 'true',
            'marts': {'campaign_customers': of_campaign | list},
            'features': features_that('can_be_null', of_campaign, false),
            'profiled': of_campaign | list,
            'revenue': 'total_spend',
            'as_of': "coalesce(cast(as_of_date + interval '1' day as timestamp), " ~ current_as_of() ~ ")",
            'begins': 'cast(null as timestamp)',
            'is_given': has_campaign(),
        },
    }) }}
{%- endmacro %}

{#- Of these, those that a declaration is about. -#}
{% macro declared_populations() -%}
    {%- set declared = segmentations() | map(attribute='population') | list -%}
    {%- set found = {} -%}
    {%- for name, population in populations().items() if name in declared -%}
        {%- do found.update({name: population}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- A CTE for each of those, of its name: its customers with their features, one row each. -#}
{% macro customers_of_populations() -%}
{%- for name, population in declared_populations().items() -%}
{{ name }} as (
    select * from {{ ref(population.model) }}
    where {{ population.condition }}
)
{%- if not loop.last %},

{% endif %}
{%- endfor -%}
{%- endmacro %}

{#- The segmentation whose segments stand beside campaign customers: the first that is declared of them, if any. -#}
{% macro campaign_segmentation() -%}
    {{ return(segmentations() | selectattr('population', 'equalto', 'campaign_customers') | map(attribute='segmentation') | first | default('')) }}
{%- endmacro %}
