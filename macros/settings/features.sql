{#- The columns of int_customers_as_of that measure a customer. -#}
{% macro spine_features() -%}
    {{ return(lifetime_features() + windowed_features() | list) }}
{%- endmacro %}

{#- Those since the first line; columns of the mart customers too. -#}
{% macro lifetime_features() -%}
    {{ return([
        'recency_days', 'frequency', 'monetary', 'net_monetary', 'quantity', 'average_basket_value',
        'tenure_days', 'distinct_products', 'return_share',
    ]) }}
{%- endmacro %}

{#- Those over trailing windows, as {monetary_365d: {column: monetary, days: 365}}. Which there are depends on
    the declarations, and the columns of a mart don't, so the mart customer_windows has a row for each window. -#}
{% macro windowed_features() -%}
    {%- set features = {} -%}
    {%- for days in trailing_windows() -%}
        {%- for column in window_features() -%}
            {%- do features.update({column ~ '_' ~ days ~ 'd': {'column': column, 'days': days}}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(features) }}
{%- endmacro %}

{#- Those that can be asked for over the last so many days: monetary_365d. -#}
{% macro window_features() -%}
    {{ return(['frequency', 'monetary', 'net_monetary', 'quantity', 'average_basket_value']) }}
{%- endmacro %}

{#- The lengths in days of the windows that declarations ask for, rising. -#}
{% macro trailing_windows() -%}
    {%- set found, columns = [], window_features() | join('|') -%}
    {%- for declaration in (var('segmentations') or {}).values() if declaration is mapping -%}
        {%- for feature in declaration['features'] or {} -%}
            {%- set asked = modules.re.fullmatch('(' ~ columns ~ ')_([1-9][0-9]{0,3})d', feature | string) -%}
            {%- if asked -%}
                {%- do found.append(asked.group(2) | int) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found | unique | sort) }}
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

{#- A feature after its transform; ranks are taken where the fit says against what. -#}
{% macro transformed(feature, transform) -%}
    {%- if transform == 'log1p' -%}
        ln(1 + cast({{ feature }} as double))
    {%- elif transform == 'sqrt' -%}
        sqrt(cast({{ feature }} as double))
    {%- else -%}
        cast({{ feature }} as double)
    {%- endif -%}
{%- endmacro %}
