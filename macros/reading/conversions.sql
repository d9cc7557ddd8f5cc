{#- A value of a known type as trimmed text; whole numbers need no look at their digits. What is written many times
    below is a column of an earlier step, so that it is worked out once for a line. -#}
{% macro trimmed_text(column, type) -%}
    {%- set text = "cast(" ~ column ~ " as varchar)" -%}
    {{ text if 'INT' in type else 'trim(' ~ text ~ ')' }}
{%- endmacro %}

{#- The same of a customer's id; the case of an e-mail address tells nobody apart. -#}
{% macro trimmed_customer(column, type) -%}
    {%- set text = trimmed_text(column, type) -%}
    {%- if 'INT' in type -%}
        {{ text }}
    {%- else -%}
        case when strpos(cast({{ column }} as varchar), '@') > 1 then lower({{ text }}) else {{ text }} end
    {%- endif -%}
{%- endmacro %}

{#- An identifier in trimmed text. Spreadsheets write 17850 as 17850.0, and exports put an apostrophe before numbers
    so that a spreadsheet keeps them. -#}
{% macro id_text(text, type) -%}
    {%- if 'INT' in type -%}
        {{ text }}
    {%- else -%}
        nullif(
            case
                when starts_with({{ text }}, '''') and regexp_full_match({{ text }}, '''[0-9].*') then substr({{ text }}, 2)
                when {{ text }} like '%.0' and regexp_full_match({{ text }}, '-?[0-9]+[.]0') then left({{ text }}, length({{ text }}) - 2)
                else {{ text }}
            end, ''
        )
    {%- endif -%}
{%- endmacro %}

{#- The code of a product; one product for both cases of its letters where the setting says so. -#}
{% macro product_id_text(text, type) -%}
    {{ 'upper(' ~ id_text(text, type) ~ ')' if setting('upper_case_products') else id_text(text, type) }}
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

{#- Whether a value is one of the words that mean nothing is there, such as NULL or n/a. -#}
{% macro is_nothing(column) -%}
    {%- set words = [''] -%}
    {%- for word in setting('null_words') -%}
        {%- do words.append(word | string | lower | trim) -%}
    {%- endfor -%}
    lower(trim(cast({{ column }} as varchar))) in (
        {%- for word in words | unique %}{{ sql_text(word) }}{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{#- Whether something is written where no value could be read. -#}
{% macro is_unread(column, source) -%}
    coalesce({{ column }} is null and {{ source }} is not null and not {{ is_nothing(source) }}, false)
{%- endmacro %}

{#- Text that is a plain number, with a decimal point; null where it is none, since a cast would take 1_000 and
    1e3 too. decimal_mark is an expression. Most numbers are digits and perhaps a mark; only others are looked at
    more closely. -#}
{% macro plain_number(column, decimal_mark) -%}
    case
        when {{ decimal_mark }} = '.' and regexp_full_match({{ column }}, '\s*[-+]?[0-9]*([.][0-9]*)?\s*') then {{ column }}
        when {{ decimal_mark }} = ',' and regexp_full_match({{ column }}, '\s*[-+]?[0-9]*([,][0-9]*)?\s*')
            then replace({{ column }}, ',', '.')
        else {{ number_in_words(column, decimal_mark) }}
    end
{%- endmacro %}

{#- A number with marks between thousands (a comma or point, a space of any width, an apostrophe), a sign of
    currency before or behind it, or a minus as (12.50) or 12.50-, as plain text. A mark between thousands must have
    three digits behind it, so that 1,5 is never fifteen; India groups by two. -#}
{% macro number_in_words(column, decimal_mark) -%}
    {%- set currency = '\\p{Sc}|[A-Z]{1,2}\\p{Sc}|[A-Z]{3}|kr[.]?|zł|Kč|Ft|lei|Fr[.]?|Rs[.]?|R|S/[.]?' -%}
    {%- set around = '(?:[-+−()\\s\\x{a0}\\x{202f}]|' ~ currency ~ ')*' -%}
    {%- set before, behind = "^(?:'')?" ~ around, around ~ '$' -%}
    {%- set space = "''’ \\x{a0}\\x{202f}\\x{2009}" -%}
    {%- set spaced = '[0-9]*|[0-9]{1,3}(?:[' ~ space ~ '][0-9]{3})+' -%}
    {%- set with_commas = spaced ~ '|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}' -%}
    {%- set with_points = spaced ~ '|[0-9]{1,3}(?:[.][0-9]{3})+' -%}
    case
        when regexp_full_match({{ column }}, '[^-+−()]*([-+−][^-+−()]*|[(][^-+−()]*[)][^-+−()]*)?')
            then
                case when regexp_matches({{ column }}, '^[^0-9]*[-(−]|[-−][^0-9]*$') then '-' else '' end
                || nullif(regexp_replace(
                    case {{ decimal_mark }}
                        when '.'
                            then regexp_extract({{ column }}, '{{ before }}((?:{{ with_commas }})(?:[.][0-9]*)?){{ behind }}', 1)
                        when ','
                            then translate(regexp_extract({{ column }}, '{{ before }}((?:{{ with_points }})(?:,[0-9]*)?){{ behind }}', 1), '.,', ',.')
                    end, '[,{{ space }}]', '', 'g'
                ), '')
    end
{%- endmacro %}

{#- What a number is read from: text as plain_number has it, and other types as they are. -#}
{% macro plain_text(column, type, decimal_mark) -%}
    {{ plain_number(column, decimal_mark) if type == 'VARCHAR' else column }}
{%- endmacro %}

{#- A number out of plain_text, or null where there is none. Eight decimals: things are sold in thousands at a
    hundredth of a penny each, and what floats add behind the fifteenth digit is rounded away. -#}
{% macro number(plain, type) -%}
    {%- if type == 'VARCHAR' -%}
        {{ decimal_in_text(plain) }}
    {%- elif type == 'FLOAT' -%}
        {#- The shortest text that means a float is what was meant by it. -#}
        {{ decimal_in_text("cast(" ~ plain ~ " as varchar)") }}
    {%- elif type == 'DOUBLE' -%}
        {#- The same, without the detour where fifteen digits are enough. -#}
        case
            when abs({{ plain }}) < 10000000 then try_cast({{ plain }} as decimal(22, 8))
            else {{ decimal_in_text("cast(" ~ plain ~ " as varchar)") }}
        end
    {%- else -%}
        try_cast({{ plain }} as decimal(22, 8))
    {%- endif -%}
{%- endmacro %}

{#- The narrow type is read thirty times as quickly, and holds nearly every number. -#}
{% macro decimal_in_text(text) -%}
    coalesce(cast(try_cast({{ text }} as decimal(18, 8)) as decimal(22, 8)), try_cast({{ text }} as decimal(22, 8)))
{%- endmacro %}

{#- A number of pieces, kilograms or hours out of plain_text, or null where there is none. -#}
{% macro quantity_number(plain, type) -%}
    {%- set value = plain if 'INT' in type or type == 'VARCHAR' else number(plain, type) -%}
    try_cast({{ value }} as decimal(18, 6))
{%- endmacro %}

{#- A whole number in text, or null where there is none: a plain cast would round 2.5 without a word. -#}
{% macro whole_number(column) -%}
    case
        when regexp_full_match({{ column }}, '\s*[-+]?[0-9]+([.]0*)?\s*') then try_cast({{ column }} as integer)
    end
{%- endmacro %}

{#- What so many pieces cost, rounded once, to the penny; null from a million million on, so that a few typing
    errors can't make a sum that is too large for its type. Wide integers cost twenty times as much to round, so
    they are left to the few lines that need them. -#}
{% macro amount(quantity, price) -%}
    case
        when abs({{ quantity }}) < 10000 and abs({{ price }}) < 1000000 and {{ quantity }} = cast({{ quantity }} as integer)
            then cast(cast({{ quantity }} as integer) * cast({{ price }} as decimal(18, 8)) as decimal(18, 2))
        when abs(cast({{ quantity }} as double)) * abs(cast({{ price }} as double)) < 1e13
            then cast(try_cast(cast({{ quantity }} as decimal(22, 6)) * {{ price }} as decimal(14, 2)) as decimal(18, 2))
    end
{%- endmacro %}

{#- Whether trimmed text is a moment as a cast takes it. Most are, and need no look at any other notation. -#}
{% macro is_iso_moment(text) -%}
    regexp_full_match({{ text }}, '[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([ T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?')
{%- endmacro %}

{#- Trimmed text with one mark in its day. Only the day's marks: a point further on begins the fraction of a second. -#}
{% macro slashed_day(text) -%}
    translate(left({{ text }}, 10), '.-', '//') || substr({{ text }}, 11)
{%- endmacro %}

{#- A moment, or null where there is none. text, is_iso and slashed are what trimmed_text, is_iso_moment and
    slashed_day make of the column, slashed only where it is not ISO; dates is the notation of the file. ISO moments and
    names of months are read beside each. What is written with an offset is put on the clock of the var time_zone.
    Patterns come before casts, which would take infinity, BC, epoch and 2011123 too. -#}
{% macro moment(column, type, text, is_iso, slashed, dates) -%}
    {%- set zone = sql_text(setting('time_zone')) -%}
    {%- if type == 'TIMESTAMP WITH TIME ZONE' -%}
        case when isfinite({{ column }}) then timezone({{ zone }}, {{ column }}) end
    {%- elif type.startswith('TIMESTAMP') or type == 'DATE' -%}
        case when isfinite({{ column }}) then try_cast({{ column }} as timestamp) end
    {%- else -%}
        {%- set digits = "ltrim(" ~ text ~ ", '''')" -%}
        {%- set iso = '[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}' -%}
        {%- set clock = '[ T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?' -%}
        {%- set offset = ' ?(Z|UTC|GMT|[-+][0-9]{2}(:?[0-9]{2})?)$' -%}
        case
            when {{ is_iso }} then try_cast({{ text }} as timestamp)
            when regexp_full_match({{ text }}, '{{ iso ~ clock }} ?(Z|UTC|[-+][0-9]{2}(:?[0-9]{2})?)')
                then timezone({{ zone }}, try_cast({{ moment_with_an_offset(text) }} as timestamptz))
            when regexp_matches({{ slashed }}, '^''?[0-9]+[/ ][0-9]{1,2}[/ ][0-9]+,?{{ clock }}( ?[AaPp][Mm])?{{ offset }}')
                then timezone({{ zone }}, try_cast(
                    cast({{ moment_in_numbers("regexp_replace(" ~ slashed ~ ", '" ~ offset ~ "', '')", dates) }} as varchar)
                    || regexp_replace(regexp_extract({{ slashed }}, '{{ offset }}', 1), 'Z|UTC|GMT', '+00') as timestamptz
                ))
            when regexp_matches({{ slashed }}, '^''?[0-9]+[/ ][0-9]{1,2}[/ ][0-9]') then {{ moment_in_numbers(slashed, dates) }}
            when {{ dates }} in ('ymd', 'serial') and regexp_full_match({{ digits }}, '[0-9]{8}') then try_strptime({{ digits }}, '%Y%m%d')
            when {{ dates }} = 'ymd' and regexp_full_match({{ digits }}, '[0-9]{14}') then try_strptime({{ digits }}, '%Y%m%d%H%M%S')
            when {{ dates }} = 'epoch_s' and regexp_full_match({{ digits }}, '[0-9]{10}')
                then timezone({{ zone }}, to_timestamp(try_cast({{ digits }} as bigint)))
            when {{ dates }} = 'epoch_ms' and regexp_full_match({{ digits }}, '[0-9]{13}')
                then timezone({{ zone }}, to_timestamp(try_cast({{ digits }} as bigint) / 1000.0))
            when {{ dates }} = 'serial' and regexp_full_match({{ digits }}, '[0-9]{1,6}([.,][0-9]+)?')
                then {{ serial_moment(digits) }}
            when regexp_matches({{ text }}, '[A-Za-z]{3}') then {{ moment_with_a_name(text, zone) }}
        end
    {%- endif -%}
{%- endmacro %}

{#- A moment in numbers with one mark in its day: ISO, or with days, months and years in the order of the file. -#}
{% macro moment_in_numbers(slashed, dates) -%}
    {%- set clock = '(,?[ T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?[AaPp][Mm])?)?' -%}
    {%- set day = "''?[0-9]{1,2}[/ ][0-9]{1,2}[/ ]" -%}
    case
        when regexp_full_match({{ slashed }}, '''?[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}{{ clock }}')
            then try_strptime({{ one_clock(slashed) }}, {{ clock_formats(['%Y/%m/%d']) }})
        when {{ dates }} = 'dmy' and regexp_full_match({{ slashed }}, '{{ day }}[0-9]{4}{{ clock }}')
            then try_strptime({{ one_clock(slashed) }}, {{ clock_formats(['%d/%m/%Y', '%d %m %Y']) }})
        when {{ dates }} = 'mdy' and regexp_full_match({{ slashed }}, '{{ day }}[0-9]{4}{{ clock }}')
            then try_strptime({{ one_clock(slashed) }}, {{ clock_formats(['%m/%d/%Y', '%m %d %Y']) }})
        when {{ dates }} in ('dmy', 'mdy', 'yymd') and regexp_full_match({{ slashed }}, '{{ day }}[0-9]{2}{{ clock }}')
            then case {{ dates }}
                when 'dmy' then try_strptime({{ one_clock(slashed) }}, {{ clock_formats(['%d/%m/%y', '%d %m %y']) }})
                when 'mdy' then try_strptime({{ one_clock(slashed) }}, {{ clock_formats(['%m/%d/%y', '%m %d %y']) }})
                else try_strptime({{ one_clock(slashed) }}, {{ clock_formats(['%y/%m/%d', '%y %m %d']) }})
            end
    end
{%- endmacro %}

{#- A moment with an offset as a cast takes it: it wants hyphens, seconds, and no space before the offset. -#}
{% macro moment_with_an_offset(text) -%}
    {%- set joined = "regexp_replace(replace(" ~ text ~ ", 'UTC', 'Z'), ' ([-+Z])', '\\1')" -%}
    {%- set day = "'^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})[ T]+'" -%}
    {%- set hyphened = "regexp_replace(" ~ joined ~ ", " ~ day ~ ", '\\1-\\2-\\3 ')" -%}
    regexp_replace({{ hyphened }}, '^([^:]+:[0-9]{2})([-+Z])', '\1:00\2')
{%- endmacro %}

{#- Days since the end of 1899, with the time as a fraction, as spreadsheets count them; their last day is
    9999-12-31. -#}
{% macro serial_moment(text) -%}
    case
        when try_cast(replace({{ text }}, ',', '.') as double) between 1 and 2958465.99999
            then timestamp '1899-12-30' + to_seconds(cast(round(try_cast(replace({{ text }}, ',', '.') as double) * 86400) as bigint))
    end
{%- endmacro %}

{#- A moment with an English name of its month, in any of the usual orders: 5 January 2011, Jan 5, 2011 3:04 PM,
    05-Jan-11, Wed, 05 Jan 2011 10:00:00 +0000. -#}
{% macro moment_with_a_name(text, zone) -%}
    {#- Two digits of a year come first: four would take 11 for the year 11. -#}
    {%- set days = ['%d %b %y', '%b %d %y', '%d %b %Y', '%b %d %Y', '%Y %b %d'] -%}
    {%- set written = "regexp_replace(" ~ text ~ ", '^(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]? +', '')" -%}
    {%- set written = "regexp_replace(" ~ written ~ ", '([A-Za-z]{3})[a-z]*', '\\1')" -%}
    {%- set written = "regexp_replace(" ~ written ~ ", '(?i:\\b(GMT|UTC)$)', '+0000')" -%}
    {%- set written = "regexp_replace(" ~ written ~ ", '(?i:(st|nd|rd|th)\\b|\\bat\\b|\\bGMT\\b|\\bUTC\\b)', ' ', 'g')" -%}
    {%- set written = "regexp_replace(" ~ written ~ ", '([A-Za-z0-9])[-/.]([A-Za-z0-9])', '\\1 \\2', 'g')" -%}
    {%- set written = "regexp_replace(" ~ written ~ ", '([A-Za-z0-9])[-/.]([A-Za-z0-9])', '\\1 \\2', 'g')" -%}
    {%- set written = one_clock("regexp_replace(" ~ written ~ ", '[, ]+', ' ', 'g')") -%}
    coalesce(
        try_strptime({{ written }}, {{ clock_formats(days) }}),
        timezone(
            {{ zone }},
            cast(try_strptime(
                {{ written }},
                [{% for day in days %}'{{ day }} %H:%M:%S %z', '{{ day }} %H:%M %z'{{ ', ' if not loop.last }}{% endfor %}]
            ) as timestamptz)
        )
    )
{%- endmacro %}

{#- A moment whose time of day is written in one way: behind one space, and with a space before AM and PM. -#}
{% macro one_clock(text) -%}
    trim(regexp_replace(regexp_replace({{ text }}, ',?[ T]+([0-9]{1,2}:)', ' \1'), ' ?([AaPp][Mm])$', ' \1'), ' ''')
{%- endmacro %}

{#- Formats of days, alone and with the usual ways to write the time of day. -#}
{% macro clock_formats(days) -%}
    [
        {%- for day in days -%}
        {%- for clock in ['', ' %H:%M', ' %H:%M:%S', ' %H:%M:%S.%f', ' %I:%M %p', ' %I:%M:%S %p'] -%}
        '{{ day ~ clock }}'{{ ', ' if not loop.last }}
        {%- endfor -%}
        {{ ', ' if not loop.last }}
        {%- endfor -%}
    ]
{%- endmacro %}
