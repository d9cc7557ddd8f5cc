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

{#- Text that is a plain number, with a decimal point; null where it is none, since a cast would take 1_000 and
    1e3 too. A mark between thousands must have three digits behind it, so that 1,5 is never fifteen. -#}
{% macro plain_number(column, decimal_mark, decimals) -%}
    {%- set thousands = '.' if decimal_mark == ',' else ',' -%}
    {%- set fraction = '([' ~ decimal_mark ~ ']' ~ decimals ~ ')?' -%}
    case
        when regexp_full_match({{ column }}, '\s*[-+]?[0-9]*{{ fraction }}\s*')
            then {{ "replace(" ~ column ~ ", ',', '.')" if decimal_mark == ',' else column }}
        when regexp_full_match({{ column }}, '\s*[-+]?[0-9]{1,3}([{{ thousands }}][0-9]{3})+{{ fraction }}\s*')
            then translate({{ column }}, '{{ decimal_mark ~ thousands }}', '.')
    end
{%- endmacro %}

{#- A number, or null where there is none. Eight decimals: things are sold in thousands at a hundredth of a penny
    each, and what floats add behind the fifteenth digit is rounded away. -#}
{% macro number(column, type, decimal_mark) -%}
    {%- if type == 'VARCHAR' -%}
        {{ decimal_in_text(plain_number(column, decimal_mark, '[0-9]*')) }}
    {%- elif type == 'FLOAT' -%}
        {#- The shortest text that means a float is what was meant by it. -#}
        {{ decimal_in_text("cast(" ~ column ~ " as varchar)") }}
    {%- elif type == 'DOUBLE' -%}
        {#- The same, without the detour where fifteen digits are enough. -#}
        case
            when abs({{ column }}) < 10000000 then try_cast({{ column }} as decimal(22, 8))
            else {{ decimal_in_text("cast(" ~ column ~ " as varchar)") }}
        end
    {%- else -%}
        try_cast({{ column }} as decimal(22, 8))
    {%- endif -%}
{%- endmacro %}

{#- The narrow type is read thirty times as quickly, and holds nearly every number. -#}
{% macro decimal_in_text(text) -%}
    coalesce(cast(try_cast({{ text }} as decimal(18, 8)) as decimal(22, 8)), try_cast({{ text }} as decimal(22, 8)))
{%- endmacro %}

{#- A whole number, or null where there is none: a plain cast would round 2.5 without a word. The lowest integer
    is left out, which has no opposite. -#}
{% macro whole_number(column, type, decimal_mark) -%}
    {%- if type == 'VARCHAR' -%}
        nullif(try_cast({{ plain_number(column, decimal_mark, '0*') }} as integer), -2147483648)
    {%- elif 'INT' in type -%}
        nullif(try_cast({{ column }} as integer), -2147483648)
    {%- else -%}
        {%- set value = number(column, type, decimal_mark) -%}
        case when {{ value }} = try_cast({{ value }} as integer) then nullif(try_cast({{ value }} as integer), -2147483648) end
    {%- endif -%}
{%- endmacro %}

{#- What so many pieces cost, rounded once, to the penny; null from a million million on, so that a few typing
    errors can't make a sum that is too large for its type. Wide integers cost twenty times as much to round, so
    they are left to the few lines that need them. -#}
{% macro amount(quantity, price) -%}
    case
        when abs({{ quantity }}) < 10000 and abs({{ price }}) < 1000000
            then cast({{ quantity }} * cast({{ price }} as decimal(18, 8)) as decimal(18, 2))
        else cast(try_cast({{ quantity }} * {{ price }} as decimal(14, 2)) as decimal(18, 2))
    end
{%- endmacro %}

{#- A number as plain text. Spreadsheets write small and large ones as 1E-3, and so do casts of floats. -#}
{% macro number_text(column, type, is_sheet) -%}
    {%- set text = "cast(" ~ column ~ " as varchar)" -%}
    {%- set written_out = "coalesce(cast(try_cast(" ~ text ~ " as decimal(38, 12)) as varchar), " ~ text ~ ")" -%}
    {%- if type == 'VARCHAR' and is_sheet -%}
        case
            when regexp_full_match({{ column }}, '-?[0-9]([.][0-9]+)?[Ee][-+]?[0-9]+') then {{ written_out }}
            else {{ column }}
        end
    {%- elif type == 'VARCHAR' or 'INT' in type -%}
        {{ text }}
    {%- else -%}
        {{ written_out }}
    {%- endif -%}
{%- endmacro %}

{#- A moment in a spreadsheet's cell as text. Spreadsheets count days since the end of 1899, with the time as a
    fraction; their last day is 9999-12-31. Eight digits that are a day are one, where nobody says how dates are
    written. -#}
{% macro sheet_moment(column, dates) -%}
    case
        when
            regexp_full_match({{ column }}, '[0-9]+([.][0-9]+)?([Ee][-+]?[0-9]+)?')
            and try_cast({{ column }} as double) > 0
            and try_cast({{ column }} as double) < 2958466
            then cast(
                timestamp '1899-12-30' + to_seconds(try_cast(round(try_cast({{ column }} as double) * 86400) as bigint)) as varchar
            )
        {%- if not dates %}
        when regexp_full_match({{ column }}, '[0-9]{8}')
            then coalesce(strftime(try_strptime({{ column }}, '%Y%m%d'), '%Y-%m-%d'), {{ column }})
        {%- endif %}
        else {{ column }}
    end
{%- endmacro %}

{#- A moment, or null where there is none. dates is iso, dmy, mdy or ymd. What is written with an offset is UTC
    without it. Patterns come before casts, which would take infinity, BC, epoch and 2011123 too. -#}
{% macro moment(column, type, dates) -%}
    {%- if type.startswith('TIMESTAMP') or type == 'DATE' -%}
        case when isfinite({{ column }}) then try_cast({{ column }} as timestamp) end
    {%- else -%}
        {%- set text = "cast(" ~ column ~ " as varchar)" -%}
        {%- set day_and_month = "translate(trim(" ~ text ~ "), '.-', '//')" -%}
        {%- set day = '%d/%m/' if dates == 'dmy' else '%m/%d/' -%}
        {%- set clock = '( +[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( [AaPp][Mm])?)?' -%}
        {%- set iso = '[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}' -%}
        {%- set iso_clock = '[ T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?' -%}
        case
            {%- if dates == 'iso' %}
            when regexp_full_match({{ text }}, '\s*{{ iso }}({{ iso_clock }}Z?)?\s*') then try_cast({{ text }} as timestamp)
            when regexp_full_match({{ text }}, '\s*{{ iso ~ iso_clock }} ?[-+][0-9]{2}(:?[0-9]{2})?\s*')
                then timezone('UTC', try_cast(regexp_replace({{ text }}, ' ([-+])', '\1') as timestamptz))
            {%- elif dates == 'ymd' %}
            when regexp_full_match({{ text }}, '\s*[0-9]{8}\s*') then try_strptime({{ text }}, '%Y%m%d')
            {%- else %}
            when regexp_full_match({{ day_and_month }}, '[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}{{ clock }}')
                then try_strptime({{ day_and_month }}, {{ clock_formats(day ~ '%Y') }})
            when regexp_full_match({{ day_and_month }}, '[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}{{ clock }}')
                then try_strptime({{ day_and_month }}, {{ clock_formats(day ~ '%y') }})
            {%- endif %}
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
