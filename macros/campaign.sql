{#- Where bands of income and age begin; the first is below the first of these. -#}
{% macro campaign_income_limits() -%}
    {{ return([20000, 40000, 60000, 80000]) }}
{%- endmacro %}

{% macro campaign_age_limits() -%}
    {{ return([35, 45, 55, 65]) }}
{%- endmacro %}

{#- The name of the band that a number lies in. -#}
{% macro band(column, limits, upwards) -%}
    case
        when {{ column }} < {{ limits[0] }} then 'under {{ "{:,}".format(limits[0]) }}'
        {%- for limit in limits[:-1] %}
        when {{ column }} < {{ limits[loop.index] }} then '{{ "{:,}".format(limit) }} to {{ "{:,}".format(limits[loop.index] - 1) }}'
        {%- endfor %}
        when {{ column }} >= {{ limits[-1] }} then '{{ "{:,}".format(limits[-1]) }} {{ upwards }}'
    end
{%- endmacro %}

{#- A part of a whole, 0 to 1; null where the whole is nothing. -#}
{% macro share(part, whole) -%}
    cast(cast({{ part }} as double) / nullif({{ whole }}, 0) as decimal(9, 6))
{%- endmacro %}

{#- One end of the 95 % interval of a share of `hits` in `trials` by E. B. Wilson (1927), which stays within 0
    and 1 and holds for few hits too. sign is - or +. -#}
{% macro wilson(hits, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    cast((
        ({{ hits }} + {{ z * z / 2 }}) {{ sign }} {{ z }} * sqrt(
            cast({{ hits }} as double) * ({{ trials }} - {{ hits }}) / {{ trials }} + {{ z * z / 4 }}
        )
    ) / ({{ trials }} + {{ z * z }}) as decimal(9, 6))
{%- endmacro %}

{#- Columns of int_campaign_customers that measure a customer, whatever the shape of the file. -#}
{% macro campaign_features() -%}
    {%- set features = ['income', 'age', 'kids', 'teens', 'children', 'customer_days', 'recency_days'] -%}
    {%- for category in campaign_categories() -%}
        {%- do features.append(category ~ '_spend') -%}
    {%- endfor -%}
    {%- do features.append('total_spend') -%}
    {%- for channel in campaign_channels() -%}
        {%- do features.append(channel ~ '_purchases') -%}
    {%- endfor -%}
    {{ return(features + ['purchases', 'deal_purchases', 'web_visits', 'earlier_accepted']) }}
{%- endmacro %}

{#- Those that also do, but are null for who bought nothing, so that no cluster could hold everybody. -#}
{% macro campaign_shares() -%}
    {%- set shares = [] -%}
    {%- for part in campaign_categories() + campaign_channels() + ['deal'] -%}
        {%- do shares.append(part ~ '_share') -%}
    {%- endfor -%}
    {{ return(shares) }}
{%- endmacro %}

{#- The segmentation whose segments stand beside campaign customers: the first that is declared of them, if any. -#}
{% macro campaign_segmentation() -%}
    {{ return(segmentations() | selectattr('population', 'equalto', 'campaign_customers') | map(attribute='segmentation') | first | default('')) }}
{%- endmacro %}
