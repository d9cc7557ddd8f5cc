{#-
    The customers of a marketing campaign, as the var `campaign_customers` gives them, in one of two
    shapes: as first published (an identifier, year of birth, states in words, the day of
    registration) or encoded (age and days in numbers, a column for each state, no identifier).
-#}

{#- Whether there is a campaign to look at; where there is none, nothing of it is built. -#}
{% macro has_campaign() -%}
    {{ return(campaign_setting() != '') }}
{%- endmacro %}

{#- The setting campaign_customers, or where it is null the demo's with the demo invoices: simulated customers
    must not stand beside anybody's own. YAML that can't call macros says the same. -#}
{% macro campaign_setting() -%}
    {%- if var('campaign_customers') is none and setting('invoices').endswith('data/demo/invoices.csv') -%}
        {{ return('data/demo/campaign_customers.csv') }}
    {%- endif -%}
    {{ return(setting('campaign_customers')) }}
{%- endmacro %}

{#- What is counted, measured or answered in whole numbers, in both shapes. -#}
{% macro campaign_counts() -%}
    {{ return(['kids', 'teens', 'recency_days', 'deal_purchases', 'web_purchases', 'catalog_purchases', 'store_purchases', 'web_visits']) }}
{%- endmacro %}

{% macro campaign_money() -%}
    {{ return([
        'income', 'wine_spend', 'fruit_spend', 'meat_spend', 'fish_spend', 'sweets_spend', 'gold_spend',
        'contact_cost', 'response_revenue',
    ]) }}
{%- endmacro %}

{#- The answers to the six campaigns, of which the last is the one to predict, and complaints. -#}
{% macro campaign_answers() -%}
    {{ return(['accepted_1', 'accepted_2', 'accepted_3', 'accepted_4', 'accepted_5', 'accepted_6', 'complained']) }}
{%- endmacro %}

{% macro campaign_categories() -%}
    {{ return(['wine', 'fruit', 'meat', 'fish', 'sweets', 'gold']) }}
{%- endmacro %}

{% macro campaign_channels() -%}
    {{ return(['web', 'catalog', 'store']) }}
{%- endmacro %}

{#- The day of a registration, or null where it is none: 2012-09-04, perhaps with a time, or days first,
    or 20120904, or the days of a spreadsheet. -#}
{% macro registration_day(column) -%}
    {%- set days_first = "translate(" ~ column ~ ", '/.', '--')" -%}
    cast(case
        when regexp_full_match({{ column }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+(Z|[+-][0-9:]+)?)?')
            then try_cast(left({{ column }}, 10) as date)
        when regexp_full_match({{ days_first }}, '[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}') then try_strptime({{ days_first }}, '%d-%m-%Y')
        when regexp_full_match({{ column }}, '[0-9]{8}') then try_strptime({{ column }}, '%Y%m%d')
        when regexp_full_match({{ column }}, '[0-9]{5}([.][0-9]+)?') then {{ serial_moment(column) }}
    end as date)
{%- endmacro %}

{% macro yes_or_no(column) -%}
    case
        when lower({{ column }}) in ('1', '1.0', 'true') then true
        when lower({{ column }}) in ('0', '0.0', 'false') then false
    end
{%- endmacro %}

{#- What is not text, by how it is read: {a name of the reading: [our names]}. -#}
{% macro campaign_readings() -%}
    {{ return({
        'day': ['registered_on'],
        'count': ['birth_year', 'stated_age', 'stated_customer_days'] + campaign_counts(),
        'money': campaign_money(),
        'answer': campaign_answers(),
    }) }}
{%- endmacro %}

{#- What such a reading makes of text; null where it can't be read. -#}
{% macro campaign_reading(name, text) -%}
    {%- if name == 'day' -%}
        {{ registration_day(text) }}
    {%- elif name == 'count' -%}
        {#- Eight digits, so that no sum or difference of them is too large for its type. -#}
        cast(try_cast({{ whole_number(text) }} as decimal(8, 0)) as integer)
    {%- elif name == 'money' -%}
        cast(try_cast({{ plain_number(text, "'.'") }} as decimal(22, 8)) as decimal(18, 2))
    {%- else -%}
        {{ yes_or_no(text) }}
    {%- endif -%}
{%- endmacro %}
