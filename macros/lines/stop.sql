{#- Nobody can be measured where nothing was sold, and where most lines can't be read a column is not what its
    name says: tells what became of the lines instead. A hook of the model that classifies them. -#}
{% macro stop_without_sales() -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set fates = run_query(
            "select coalesce(reject_reason, 'return') as fate, count(*) as lines, count(*) filter (where is_sale) as sales,"
            ~ " min(invoiced_at) filter (where is_sale) as first_sale_at"
            ~ " from " ~ this ~ " group by 1 order by 2 desc, 1"
        ).rows -%}
        {%- set unreadable = fates | selectattr('fate', 'equalto', 'unreadable_value') | map(attribute='lines') | sum -%}
        {%- if unreadable > 0.5 * (fates | map(attribute='lines') | sum) -%}
            {%- set example = run_query(
                "select min(source_text) from " ~ this ~ " where reject_reason = 'unreadable_value'"
            ).rows[0][0] -%}
            {{ stop("invoices: in most lines a quantity, price or date can't be read, such as: " ~ example
                ~ ". Are columns swapped? Say which is which: VARS='{invoice_columns: {our name: your name}}'") }}
        {%- elif fates | map(attribute='sales') | sum == 0 -%}
            {%- set told = [] -%}
            {%- for fate in fates -%}
                {%- do told.append('{:,}'.format(fate.lines) ~ ' ' ~ fate.fate) -%}
            {%- endfor -%}
            {%- set hint = ". If C does not mark returns in your invoice numbers: VARS='{cancellation_prefix: null}'"
                if 'positive_cancellation' in told | join(' ') else '' -%}
            {{ stop("invoices: no line is a kept sale, so there are no customers: " ~ (told | join(', ') or 'there are no lines at all') ~ hint) }}
        {%- endif -%}
        {%- set first_sale = (fates | map(attribute='first_sale_at') | select | min).strftime('%Y-%m-%d %H:%M:%S') -%}
        {%- set as_of = setting('as_of') | replace('T', ' ') -%}
        {%- if as_of and as_of <= first_sale -%}
            {{ stop_at('as_of', as_of ~ " is not after the first sale, " ~ first_sale ~ ", so there is nobody to measure") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The same for the customers of a campaign. -#}
{% macro stop_without_campaign_customers() -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set fates = run_query(
            "select coalesce(reject_reason, 'kept') as fate, count(*) as customers, min(source_text) as example"
            ~ " from " ~ this ~ " group by 1 order by 2 desc, 1"
        ).rows -%}
        {%- set unreadable = fates | selectattr('fate', 'equalto', 'unreadable_value') | list -%}
        {%- if unreadable and unreadable[0].customers > 0.2 * (fates | map(attribute='customers') | sum) -%}
            {{ stop("var campaign_customers: " ~ '{:,}'.format(unreadable[0].customers) ~ " lines have a value that can't be read, such as: "
                ~ unreadable[0].example ~ ". Days are written 2012-09-04 or 04-09-2012 (days first), numbers with a decimal point") }}
        {%- elif not fates | selectattr('fate', 'equalto', 'kept') | list -%}
            {%- set told = [] -%}
            {%- for fate in fates -%}
                {%- do told.append('{:,}'.format(fate.customers) ~ ' ' ~ fate.fate) -%}
            {%- endfor -%}
            {{ stop("var campaign_customers: no customer is kept: " ~ (told | join(', ') or 'there are no lines at all')) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
