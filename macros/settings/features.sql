{#-
    Every feature of a customer, by population and in the order of the marts: the one place that lists them. What counts
    them (int_customers_as_of, int_campaign_customers) has columns of these names. Of each it says
      label, unit, number_format    for people; the format is one of d3's
      is_skewed                     whether a few values are far larger than the rest, so that charts use logarithms
      has_windows                   whether it can be asked for over the last so many days, as monetary_365d
      can_be_negative               then it has no logarithm and no root
      can_be_null                   then it assigns nobody, and is only profiled
      counts_days                   then it moves with the calendar, which is not drift
      grows                         then it adds up from the first line on, which is not drift either; not over a window
-#}
{% macro features() -%}
    {%- set whole, decimals, money, share = ',.0f', ',.3~f', ',.2f', '.0%' -%}
    {%- set shop = {
        'recency_days': {'label': 'Recency', 'unit': 'days since the last purchase', 'number_format': whole, 'counts_days': true},
        'frequency': {'label': 'Frequency', 'unit': 'orders', 'number_format': whole, 'is_skewed': true, 'has_windows': true, 'grows': true},
        'monetary': {'label': 'Spend', 'unit': 'money for all orders', 'number_format': money, 'is_skewed': true, 'has_windows': true, 'grows': true},
        'net_monetary': {'label': 'Net spend', 'unit': 'money after returns', 'number_format': money, 'has_windows': true, 'can_be_negative': true, 'grows': true},
        'quantity': {'label': 'Pieces', 'unit': 'pieces bought', 'number_format': decimals, 'is_skewed': true, 'has_windows': true, 'grows': true},
        'average_basket_value': {'label': 'Basket', 'unit': 'money per order', 'number_format': money, 'is_skewed': true, 'has_windows': true},
        'tenure_days': {'label': 'Tenure', 'unit': 'days since the first purchase', 'number_format': whole, 'counts_days': true},
        'distinct_products': {'label': 'Range', 'unit': 'different products bought', 'number_format': whole, 'is_skewed': true, 'grows': true},
        'return_share': {'label': 'Returns', 'unit': 'share of spend that was returned', 'number_format': share},
    } -%}
    {%- set campaign = {
        'income': {'label': 'Income', 'unit': 'money per year', 'number_format': whole},
        'age': {'label': 'Age', 'unit': 'years', 'number_format': whole},
        'kids': {'label': 'Kids', 'unit': 'small children at home', 'number_format': whole},
        'teens': {'label': 'Teens', 'unit': 'teenagers at home', 'number_format': whole},
        'children': {'label': 'Children', 'unit': 'children at home', 'number_format': whole},
        'customer_days': {'label': 'Tenure', 'unit': 'days as a customer', 'number_format': whole, 'counts_days': true},
        'recency_days': {'label': 'Recency', 'unit': 'days since the last purchase', 'number_format': whole, 'counts_days': true},
    } -%}
    {%- for category in campaign_categories() -%}
        {%- do campaign.update({category ~ '_spend':
            {'label': category | capitalize, 'unit': 'money in two years', 'number_format': money, 'is_skewed': true}}) -%}
    {%- endfor -%}
    {%- do campaign.update({'total_spend': {'label': 'Spend', 'unit': 'money in two years', 'number_format': money, 'is_skewed': true}}) -%}
    {%- for channel, way in {'web': 'by web', 'catalog': 'by catalogue', 'store': 'in stores'}.items() -%}
        {%- do campaign.update({channel ~ '_purchases':
            {'label': 'Catalogue' if channel == 'catalog' else channel | capitalize, 'unit': 'purchases ' ~ way, 'number_format': whole}}) -%}
    {%- endfor -%}
    {%- do campaign.update({
        'purchases': {'label': 'Purchases', 'unit': 'purchases by all channels', 'number_format': whole},
        'deal_purchases': {'label': 'Deals', 'unit': 'purchases at a discount', 'number_format': whole},
        'web_visits': {'label': 'Visits', 'unit': 'visits to the web site last month', 'number_format': whole},
        'earlier_accepted': {'label': 'Accepted', 'unit': 'earlier offers accepted', 'number_format': whole},
    }) -%}
    {%- for part in campaign_categories() + campaign_channels() + ['deal'] -%}
        {%- do campaign.update({part ~ '_share':
            {'label': part | capitalize ~ ' share', 'unit': 'share of the whole', 'number_format': share, 'can_be_null': true}}) -%}
    {%- endfor -%}
    {{ return({'invoice_customers': shop, 'campaign_customers': campaign}) }}
{%- endmacro %}

{#- The columns of int_customers_as_of that measure a customer. -#}
{% macro spine_features() -%}
    {{ return(lifetime_features() + windowed_features() | list) }}
{%- endmacro %}

{#- Those since the first line; columns of the mart customers too. -#}
{% macro lifetime_features() -%}
    {{ return(features().invoice_customers | list) }}
{%- endmacro %}

{#- Those over trailing windows, as {monetary_365d: {column: monetary, days: 365}}. Which there are depends on
    the declarations, and the columns of a mart don't, so the mart customer_windows has a row for each window. -#}
{% macro windowed_features() -%}
    {%- set found = {} -%}
    {%- for days in trailing_windows() -%}
        {%- for column in window_features() -%}
            {%- do found.update({column ~ '_' ~ days ~ 'd': {'column': column, 'days': days}}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Those that can be asked for over the last so many days. -#}
{% macro window_features() -%}
    {{ return(features_that('has_windows', features().invoice_customers)) }}
{%- endmacro %}

{#- Names of the features of which something is said, or is not said. -#}
{% macro features_that(property, told, holds=true) -%}
    {%- set names = [] -%}
    {%- for name, about in told.items() if about.get(property, false) == holds -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- What is said of a feature of a population; one over a window is told of like the whole. -#}
{% macro feature_told(population, feature) -%}
    {{ return(features()[population][windowed_features().get(feature, {'column': feature}).column]) }}
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
