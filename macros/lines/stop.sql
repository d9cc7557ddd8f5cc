{#- Nobody can be measured where nothing was sold, and what nobody foresaw in a file ends in lines rejected for one
    reason: a reason that costs more than the var rejected_limit stops the build, and says what to do. A hook of the
    model that classifies lines. -#}
{% macro stop_where_lines_are_lost() -%}
    {%- set reasons = ref('reject_reasons') -%}
    {%- if execute and not flags.EMPTY and invocation_args_dict.get('selector') != 'check' -%}
        {%- set fates = run_query(
            "select coalesce(reject_reason, 'return') as fate, count(*) as lines, count(*) filter (where is_sale) as sales,"
            ~ " count(line_amount) as priced_lines, coalesce(sum(abs(line_amount)), 0) as amount,"
            ~ " min(invoiced_at) filter (where is_sale) as first_sale_at"
            ~ " from " ~ this ~ " group by 1 order by 2 desc, 1"
        ).rows -%}
        {%- set lines = fates | map(attribute='lines') | sum -%}
        {%- set amount = fates | map(attribute='amount') | sum -%}
        {%- set told = [] -%}
        {%- for fate in fates if fate.fate != 'return' or fate.lines > fate.sales -%}
            {%- do told.append('{:,}'.format(fate.lines - fate.sales) ~ ' ' ~ fate.fate) -%}
        {%- endfor -%}
        {%- if not lines -%}
            {{ stop("invoices: no line is a kept sale, so there are no customers: there are no lines at all") }}
        {%- endif -%}
        {%- for reason in run_query("select reject_reason, meaning, remedy from " ~ reasons ~ " where not is_expected").rows -%}
            {%- for fate in fates if fate.fate == reason.reject_reason and fate.fate not in setting('accepted_reasons') -%}
                {#- A total at the end of a file is one line, and as much money as all others. -#}
                {%- set by_money = fate.priced_lines == fate.lines and amount and fate.fate != 'no_order_data' -%}
                {%- set share = (fate.amount / amount if by_money else fate.lines / lines) | float -%}
                {%- if share > setting('rejected_limit') -%}
                    {{ stop(
                        "invoices: " ~ '{:,}'.format(fate.lines) ~ " of " ~ '{:,}'.format(lines) ~ " lines, "
                        ~ '{:.1f}'.format(100 * share) ~ " % of " ~ ("the money" if by_money else "them") ~ ", would be left out as "
                        ~ fate.fate ~ ": each " ~ reason.meaning ~ ", such as " ~ rejected_example(fate.fate)
                        ~ ". " ~ ("What to do: " ~ reason.remedy ~ ". " if reason.remedy else "")
                        ~ "Build without them: VARS='{accepted_reasons: [" ~ (setting('accepted_reasons') + [fate.fate]) | join(', ') ~ "]}'"
                    ) }}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if fates | map(attribute='sales') | sum == 0 -%}
            {{ stop("invoices: no line is a kept sale, so there are no customers: " ~ told | join(', ')) }}
        {%- endif -%}
        {%- set first_sale = (fates | map(attribute='first_sale_at') | select | min).strftime('%Y-%m-%d %H:%M:%S') -%}
        {%- set as_of = setting('as_of') | replace('T', ' ') -%}
        {%- if as_of and as_of <= first_sale -%}
            {{ stop_at('as_of', as_of ~ " is not after the first sale, " ~ first_sale ~ ", so there is nobody to measure") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- A line that was rejected for a reason, with its place, in words. -#}
{% macro rejected_example(reason) -%}
    {%- set line = run_query(
        "select source_file, source_line, coalesce(left(source_text, 200), concat_ws(', ', 'invoice ' || invoice_id, 'product ' || product_id,"
        ~ " 'customer ' || customer_id, 'quantity ' || " ~ short_number('quantity') ~ ", 'price ' || " ~ short_number('unit_price') ~ ", 'on ' || cast(invoiced_at as date)))"
        ~ " from " ~ this ~ " where reject_reason = " ~ sql_text(reason) ~ " order by source_file, source_line limit 1"
    ).rows[0] -%}
    {{ return("line " ~ line[1] ~ " of " ~ line[0] ~ ": " ~ (line[2] or "(nothing)")) }}
{%- endmacro %}

{#- A decimal as people write it, without the zeros at its end. -#}
{% macro short_number(column) -%}
    rtrim(rtrim(cast({{ column }} as varchar), '0'), '.')
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
