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

{#- Columns of both shapes: {our name: the source's, folded by fold_name()}. -#}
{% macro campaign_columns() -%}
    {{ return({
        'income': 'income',
        'kids': 'kidhome',
        'teens': 'teenhome',
        'recency_days': 'recency',
        'wine_spend': 'mntwines',
        'fruit_spend': 'mntfruits',
        'meat_spend': 'mntmeatproducts',
        'fish_spend': 'mntfishproducts',
        'sweets_spend': 'mntsweetproducts',
        'gold_spend': 'mntgoldprods',
        'deal_purchases': 'numdealspurchases',
        'web_purchases': 'numwebpurchases',
        'catalog_purchases': 'numcatalogpurchases',
        'store_purchases': 'numstorepurchases',
        'web_visits': 'numwebvisitsmonth',
        'accepted_1': 'acceptedcmp1',
        'accepted_2': 'acceptedcmp2',
        'accepted_3': 'acceptedcmp3',
        'accepted_4': 'acceptedcmp4',
        'accepted_5': 'acceptedcmp5',
        'accepted_6': 'response',
        'complained': 'complain',
        'contact_cost': 'zcostcontact',
        'response_revenue': 'zrevenue',
    }) }}
{%- endmacro %}

{#- Columns of the shape as first published. -#}
{% macro campaign_columns_in_words() -%}
    {{ return({
        'customer_id': 'id',
        'birth_year': 'yearbirth',
        'education': 'education',
        'marital_status': 'maritalstatus',
        'registered_on': 'dtcustomer',
    }) }}
{%- endmacro %}

{#- Columns of the encoded shape, beside those for each state of marriage and education. -#}
{% macro campaign_columns_encoded() -%}
    {{ return({'stated_age': 'age', 'stated_customer_days': 'customerdays'}) }}
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

{#- All that is a number. -#}
{% macro campaign_numbers() -%}
    {{ return(['birth_year', 'stated_age', 'stated_customer_days'] + campaign_counts() + campaign_money()) }}
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

{#- The one file or relation; its customers need keys that are theirs alone. -#}
{% macro campaign_path() -%}
    {%- set subject = 'var campaign_customers' -%}
    {%- set paths = paths_of(subject, campaign_setting(), "VARS='{campaign_customers: marketing_campaign.csv}'") -%}
    {%- if paths | length > 1 -%}
        {{ stop(subject ~ ": one file is read, these are " ~ paths | length ~ ": " ~ paths | join(', ')) }}
    {%- endif -%}
    {{ return(paths[0]) }}
{%- endmacro %}

{#- {our name: the source's name} of the columns that are there. -#}
{% macro find_columns(wanted, source_columns) -%}
    {%- set found = {} -%}
    {%- for theirs in source_columns -%}
        {%- for ours, folded in wanted.items() if fold_name(theirs) == folded -%}
            {%- do found.update({ours: theirs}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The state whose column of several says 1; all of them, joined, where a row is in more than one. -#}
{% macro encoded_state(columns, prefix) -%}
    nullif(concat_ws(
        '+'
        {%- for name, column in columns.items() if (name | lower).startswith(prefix) %},
        case when lower(trim(cast({{ column.sql }} as varchar))) in ('1', '1.0', 'true') then {{ sql_text(name[prefix | length:]) }} end
        {%- endfor %}
    ), '')
{%- endmacro %}

{#- The source under our column names, as text; columns of the other shape are null. -#}
{% macro read_campaign() -%}
    {%- if not execute -%}
        {{ return("select null") }}
    {%- endif -%}
    {%- set subject = 'var campaign_customers' -%}
    {%- set path = campaign_path() -%}
    {%- set name = modules.re.sub('.*[/\\\\]', '', path) -%}
    {%- set sources = open_source(subject, path, name, {}) -%}
    {%- if sources | length > 1 -%}
        {{ stop(subject ~ ": " ~ name ~ " has several sheets; one is read") }}
    {%- endif -%}
    {%- set source = sources[0] -%}
    {%- set both = find_columns(campaign_columns(), source.columns) -%}
    {%- set in_words = find_columns(campaign_columns_in_words(), source.columns) -%}
    {%- set encoded = find_columns(campaign_columns_encoded(), source.columns) -%}
    {%- set is_encoded = encoded | length > in_words | length -%}
    {%- set wanted = dict(campaign_columns(), **(campaign_columns_encoded() if is_encoded else campaign_columns_in_words())) -%}
    {%- set found = dict(both, **(encoded if is_encoded else in_words)) -%}
    {%- set missing = [] -%}
    {%- for ours, theirs in wanted.items() if ours not in found -%}
        {%- do missing.append(ours ~ " (" ~ theirs ~ ")") -%}
    {%- endfor -%}
    {%- for prefix in ['marital_', 'education_'] if is_encoded -%}
        {%- if prefix not in ' ' ~ source.columns | join(' ') | lower -%}
            {%- do missing.append(prefix ~ '…') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ stop(subject ~ ": " ~ name ~ " has no column for " ~ missing | join(', ') ~ ". It has: " ~ source.columns | join(', ')
            ~ ". docs/inputs.md says what it can look like; '' leaves the campaign out") }}
    {%- endif -%}
    select
        {{ sql_text(name) }} as source_file,
        {{ source.line }} as source_line,
        {{ source.span }} as line_span,
        {{ source.reason }} as malformed_reason,
        {{ source.text }} as malformed_text,
        {%- for ours in campaign_columns_in_words() if ours not in ['education', 'marital_status'] or not is_encoded %}
        {%- if ours == 'customer_id' and is_encoded %}
        {#- Padded, so that keys sort as rows stand. -#}
        {%- set header_lines = 1 if kind_of(path) in ['text', 'xlsx'] else 0 %}
        case when {{ source.reason }} is null then lpad(cast({{ source.line }} - {{ header_lines }} as varchar), 9, '0') end as customer_id,
        {%- else %}
        {{ campaign_text(ours, found, source) }} as {{ ours }},
        {%- endif %}
        {%- endfor %}
        {%- if is_encoded %}
        {{ encoded_state(source.columns, 'education_') }} as education,
        {{ encoded_state(source.columns, 'marital_') }} as marital_status,
        {%- endif %}
        {%- for ours in campaign_columns_encoded() %}
        {{ campaign_text(ours, found, source) }} as {{ ours }},
        {%- endfor %}
        {%- for ours in campaign_columns() %}
        {{ campaign_text(ours, found, source) }} as {{ ours }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source.from }}
{%- endmacro %}

{#- One of our columns as text; null where the source does not have it. -#}
{% macro campaign_text(ours, found, source) -%}
    {%- set column = source.columns[found.get(ours)] -%}
    {%- if ours not in found -%}
        cast(null as varchar)
    {%- elif ours == 'registered_on' and source.is_sheet -%}
        nullif(trim({{ sheet_moment(column.sql, none) }}), '')
    {%- elif ours in campaign_numbers() -%}
        nullif(trim({{ number_text(column.sql, column.type, source.is_sheet) }}), '')
    {%- else -%}
        nullif(trim(cast({{ column.sql }} as varchar)), '')
    {%- endif -%}
{%- endmacro %}

{#- The number of lines in the source, without reading a value. -#}
{% macro count_campaign_lines() -%}
    {%- if not execute -%}
        {{ return('0') }}
    {%- endif -%}
    {{ return(count_lines('var campaign_customers', [campaign_path()], {})) }}
{%- endmacro %}

{#- The day of a registration, or null where it is none: 2012-09-04, perhaps with a time, or days first. -#}
{% macro registration_day(column) -%}
    {%- set days_first = "translate(" ~ column ~ ", '/.', '--')" -%}
    cast(case
        when regexp_full_match({{ column }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+(Z|[+-][0-9:]+)?)?')
            then try_cast(left({{ column }}, 10) as date)
        when regexp_full_match({{ days_first }}, '[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}') then try_strptime({{ days_first }}, '%d-%m-%Y')
    end as date)
{%- endmacro %}

{% macro yes_or_no(column) -%}
    case
        when lower({{ column }}) in ('1', '1.0', 'true') then true
        when lower({{ column }}) in ('0', '0.0', 'false') then false
    end
{%- endmacro %}

{#- What is not text, and how it is read: {our name: SQL}. -#}
{% macro campaign_readings() -%}
    {%- set readings = {'registered_on': registration_day('registered_on')} -%}
    {%- for column in campaign_numbers() if column not in campaign_money() -%}
        {#- Eight digits, so that no sum or difference of them is too large for its type. -#}
        {%- do readings.update({column: 'cast(try_cast(' ~ whole_number(column, 'VARCHAR', '.') ~ ' as decimal(8, 0)) as integer)'}) -%}
    {%- endfor -%}
    {%- for column in campaign_money() -%}
        {%- do readings.update({column: 'cast(' ~ number(column, 'VARCHAR', '.') ~ ' as decimal(18, 2))'}) -%}
    {%- endfor -%}
    {%- for column in campaign_answers() -%}
        {%- do readings.update({column: yes_or_no(column)}) -%}
    {%- endfor -%}
    {{ return(readings) }}
{%- endmacro %}
