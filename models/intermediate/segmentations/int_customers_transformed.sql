with {{ customers_of_populations() }},

current_as_of as (
    select as_of_at
    from {{ ref('int_as_of_dates') }}
    where is_current
),

{# Each list is in the declaration's order of features. Lists keep this one model, whatever the
   declarations; what comes after the transform comes with the fit, so that it can be kept and used again. #}
transformed as (
    {%- for declaration in segmentations() %}
    select
        '{{ declaration.segmentation }}' as segmentation,
        customer_id,
        [
            {%- for feature, transform in declaration.features.items() %}
            {{ transformed(feature, transform) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ] as features,
        [
            {%- for feature in declaration.features %}
            {{ transformed(feature, 'none') }}{{ ',' if not loop.last }}
            {%- endfor %}
        ] as measures,
        {{ populations()[declaration.population].revenue }} as revenue,
        {{ populations()[declaration.population].as_of }} as as_of_at,
        {{ populations()[declaration.population].begins }} as begins_at
    from {{ declaration.population }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from transformed
