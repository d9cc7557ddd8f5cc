{#- What to call each feature, for charts; in the order of the marts. -#}
{%- set windows = windowed_features() -%}
{%- set places = namespace(last=0) -%}
with final as (
    {%- for name, population in populations().items() if population.is_given %}
    {%- set is_last_population = loop.last %}
    {%- for feature in population.profiled %}
    {%- set told = feature_told(name, feature) %}
    {%- set period = ' in ' ~ windows[feature].days ~ ' days' if feature in windows else '' %}
    {%- set places.last = places.last + 1 %}
    select
        {{ places.last }} as feature_number,
        '{{ feature }}' as feature,
        '{{ told.label }}{{ period }}' as label,
        '{{ told.unit }}' as unit,
        '{{ told.number_format }}' as number_format,
        {{ told.get('is_skewed', false) | lower }} as is_skewed
    {{ 'union all' if not (loop.last and is_last_population) }}
    {%- endfor %}
    {%- endfor %}
)

select * from final
order by feature_number
