{#- An identifier of a known type as text. Spreadsheets write 17850 as 17850.0; whole numbers need no
    look at their digits. -#}
{% macro id_text(column, type) -%}
    {%- if 'INT' in type -%}
        cast({{ column }} as varchar)
    {%- else -%}
        {%- set text = "trim(cast(" ~ column ~ " as varchar))" -%}
        nullif(case when {{ text }} like '%.0' then left({{ text }}, length({{ text }}) - 2) else {{ text }} end, '')
    {%- endif -%}
{%- endmacro %}

{#- {column: type} of a relation that has been built; empty where it has not. -#}
{% macro column_types(relation) -%}
    {%- set types = {} -%}
    {%- if execute and relation.schema and load_relation(relation) -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do types.update({column.name: column.dtype | upper}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(types) }}
{%- endmacro %}

{#- A number of a decimal type, or null where there is none. In text, a mark between thousands must have
    three digits behind it, so that 1,5 is never fifteen. -#}
{% macro number(column, type, decimal_mark) -%}
    {%- if type != 'VARCHAR' -%}
        try_cast({{ column }} as decimal(18, 4))
    {%- else -%}
        {%- set thousands = '.' if decimal_mark == ',' else ',' -%}
        case
            when not contains({{ column }}, '{{ thousands }}')
                then try_cast({{ "replace(" ~ column ~ ", ',', '.')" if decimal_mark == ',' else column }} as decimal(18, 4))
            when regexp_full_match(trim({{ column }}), '-?[0-9]{1,3}([{{ thousands }}][0-9]{3})+([{{ decimal_mark }}][0-9]+)?')
                then try_cast(replace(replace({{ column }}, '{{ thousands }}', ''), ',', '.') as decimal(18, 4))
        end
    {%- endif -%}
{%- endmacro %}

{#- A whole number, or null where there is none: a plain cast would round 2.5 without a word. -#}
{% macro whole_number(column, type, decimal_mark) -%}
    {%- if 'INT' in type -%}
        try_cast({{ column }} as integer)
    {%- else -%}
        {%- set value = number(column, type, decimal_mark) -%}
        case when {{ value }} = try_cast({{ value }} as integer) then try_cast({{ value }} as integer) end
    {%- endif -%}
{%- endmacro %}

{#- A moment, or null where there is none. dates is iso, dmy, mdy or ymd. -#}
{% macro moment(column, type, dates) -%}
    {%- if type.startswith('TIMESTAMP') or type == 'DATE' -%}
        try_cast({{ column }} as timestamp)
    {%- elif dates == 'iso' -%}
        try_cast({{ column }} as timestamp)
    {%- elif dates == 'ymd' -%}
        try_strptime(cast({{ column }} as varchar), '%Y%m%d')
    {%- else -%}
        {%- set day = '%d/%m/' if dates == 'dmy' else '%m/%d/' -%}
        {%- set text = "translate(trim(cast(" ~ column ~ " as varchar)), '.-', '//')" -%}
        case
            when regexp_matches({{ text }}, '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}')
                then try_strptime({{ text }}, {{ clock_formats(day ~ '%Y') }})
            when regexp_matches({{ text }}, '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}([^0-9]|$)')
                then try_strptime({{ text }}, {{ clock_formats(day ~ '%y') }})
        end
    {%- endif -%}
{%- endmacro %}

{#- A day's format, alone and with the usual ways to write the time of day. -#}
{% macro clock_formats(day) -%}
    ['{{ day }}', '{{ day }} %H:%M', '{{ day }} %H:%M:%S', '{{ day }} %I:%M %p', '{{ day }} %I:%M:%S %p']
{%- endmacro %}

{#- How dates are written in a column of text: stated, or recognised from all of them. Where days and
    months could be told apart either way, it asks. -#}
{% macro recognise_dates(relation, column, type) -%}
    {%- set stated = setting('invoice_format').get('dates') -%}
    {%- if stated -%}
        {%- if stated not in ['iso', 'dmy', 'mdy', 'ymd'] -%}
            {{ stop("var invoice_format, dates: got " ~ stated ~ "; it can be iso, dmy, mdy or ymd") }}
        {%- endif -%}
        {{ return(stated) }}
    {%- elif not type or type.startswith('TIMESTAMP') or type == 'DATE' -%}
        {{ return('iso') }}
    {%- endif -%}
    {%- set found = run_query(
        "select count(*)"
        ~ ", count(" ~ moment(column, 'VARCHAR', 'iso') ~ ")"
        ~ ", count(" ~ moment(column, 'VARCHAR', 'dmy') ~ ")"
        ~ ", count(" ~ moment(column, 'VARCHAR', 'mdy') ~ ")"
        ~ ", count(" ~ moment(column, 'VARCHAR', 'ymd') ~ ")"
        ~ ", min(" ~ column ~ ")"
        ~ " from (select distinct cast(" ~ column ~ " as varchar) as " ~ column ~ " from " ~ relation ~ " where " ~ column ~ " is not null)"
    ).rows[0] -%}
    {%- set readable = {'iso': found[1], 'dmy': found[2], 'mdy': found[3], 'ymd': found[4]} -%}
    {%- set most = readable.values() | max -%}
    {%- if found[0] and not most -%}
        {{ stop("invoices: no date can be read, the first is '" ~ found[5] ~ "'. Is it the right column? VARS='{invoice_columns: {invoiced_at: your column}}'") }}
    {%- elif readable.dmy == readable.mdy and readable.dmy == most and most -%}
        {{ stop("invoices: are dates such as '" ~ found[5] ~ "' day/month/year or month/day/year? Both fit every line. Say which: VARS='{invoice_format: {dates: dmy}}' or mdy") }}
    {%- elif [readable.dmy, readable.mdy] | min > 0 and [readable.dmy, readable.mdy] | max < 0.99 * found[0] and most in [readable.dmy, readable.mdy] -%}
        {{ stop("invoices: dates such as '" ~ found[5] ~ "' are written in more than one way. Say which counts: VARS='{invoice_format: {dates: dmy}}', mdy, iso or ymd") }}
    {%- endif -%}
    {%- for dates, count in readable.items() if count == most -%}
        {{ return(dates) }}
    {%- endfor -%}
{%- endmacro %}

{#- The decimal mark of numbers in text: stated, or recognised from all of them. -#}
{% macro recognise_decimal_mark(relation, columns, types) -%}
    {%- set stated = setting('invoice_format').get('decimal_mark') -%}
    {%- if stated -%}
        {%- if stated not in ['.', ','] -%}
            {{ stop("var invoice_format, decimal_mark: got " ~ stated ~ "; it can be '.' or ','") }}
        {%- endif -%}
        {{ return(stated) }}
    {%- endif -%}
    {%- set texts = [] -%}
    {%- for column in columns if types.get(column) == 'VARCHAR' -%}
        {%- do texts.append("select distinct trim(" ~ column ~ ") as value from " ~ relation) -%}
    {%- endfor -%}
    {%- if not texts -%}
        {{ return('.') }}
    {%- endif -%}
    {%- set found = run_query(
        "select count(*) filter (where regexp_matches(value, ',([0-9]{1,2}|[0-9]{4,})$'))"
        ~ ", count(*) filter (where regexp_matches(value, '[.]([0-9]{1,2}|[0-9]{4,})$'))"
        ~ ", min(value) filter (where regexp_matches(value, ',[0-9]{3}$'))"
        ~ ", min(value) filter (where regexp_matches(value, ',([0-9]{1,2}|[0-9]{4,})$'))"
        ~ " from (" ~ texts | join(' union all ') ~ ")"
    ).rows[0] -%}
    {%- if found[0] and found[1] and [found[0], found[1]] | min > 0.01 * (found[0] + found[1]) -%}
        {{ stop("invoices: numbers are written with decimal points and with decimal commas, such as '" ~ found[3] ~ "'. Say which counts: VARS='{invoice_format: {decimal_mark: \".\"}}' or \",\"") }}
    {%- elif found[0] > found[1] -%}
        {{ return(',') }}
    {%- elif found[2] and not found[1] -%}
        {{ stop("invoices: is '" ~ found[2] ~ "' a number of thousands or a decimal comma? Say which: VARS='{invoice_format: {decimal_mark: \".\"}}' or \",\"") }}
    {%- endif -%}
    {{ return('.') }}
{%- endmacro %}
