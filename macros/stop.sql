{#- Ends the run with one line for the user. -#}
{% macro stop(message) -%}
    {{ exceptions.raise_compiler_error(message | replace('\n', ' ')) }}
{%- endmacro %}

{#- Nobody can be measured where nothing was sold: says what became of the lines instead. -#}
{% macro stop_without_sales() -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set fates = run_query(
            "select coalesce(reject_reason, 'return') as fate, count(*) as lines, count(*) filter (where is_sale) as sales"
            ~ " from intermediate.int_invoice_lines_classified group by 1 order by 2 desc, 1"
        ).rows -%}
        {%- if fates | map(attribute='sales') | sum == 0 -%}
            {%- set told = [] -%}
            {%- for fate in fates -%}
                {%- do told.append('{:,}'.format(fate.lines) ~ ' ' ~ fate.fate) -%}
            {%- endfor -%}
            {%- set hint = ". If C does not mark returns in your invoice numbers: VARS='{cancellation_prefix: null}'"
                if 'positive_cancellation' in told | join(' ') else '' -%}
            {{ stop("invoices: no line is a kept sale, so there are no customers: " ~ (told | join(', ') or 'there are no lines at all') ~ hint) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
