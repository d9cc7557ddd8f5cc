{#- Nobody can be measured where nothing was sold, and what nobody foresaw in a file ends in lines rejected for one
    reason: a reason that costs more than the var rejected_limit stops the build, and says what to do. A hook of the
    model that classifies lines. -#}
{% macro stop_where_lines_are_lost() -%}
    {%- set reasons = ref('reject_reasons') -%}
    {%- if execute and not flags.EMPTY and invocation_args_dict.get('selector') != 'check' -%}
        {%- set kept = run_query(
            "select count(*) as lines, count(*) filter (where is_sale) as sales, count(*) filter (where is_return) as returns,"
            ~ " min(invoiced_at) filter (where is_sale) as first_sale_at from " ~ this
        ).rows[0] -%}
        {%- if not kept.lines -%}
            {{ stop("invoices: no line is a kept sale, so there are no customers: there are no lines at all") }}
        {%- endif -%}
        {%- set lost = run_query(
            "select lost.*, reasons.meaning, reasons.remedy, reasons.is_expected from (" ~ rejected_shares(this) ~ ") as lost"
            ~ " left join " ~ reasons ~ " as reasons using (reject_reason) order by lost_share desc, reject_reason"
        ).rows -%}
        {%- for reason in lost if not reason.is_expected and reason.reject_reason not in setting('accepted_reasons') -%}
            {%- if reason.lost_share > setting('rejected_limit') -%}
                {{ stop(
                    "invoices: " ~ '{:,}'.format(reason.lines) ~ " of " ~ '{:,}'.format(kept.lines) ~ " lines, "
                    ~ '{:.1f}'.format(100 * reason.lost_share | float) ~ " % of "
                    ~ ("the money" if reason.lost_share == reason.amount_share else "them") ~ ", would be left out as "
                    ~ reason.reject_reason ~ ": each " ~ reason.meaning ~ ", such as " ~ rejected_example(reason.reject_reason)
                    ~ ". " ~ ("What to do: " ~ reason.remedy ~ ". " if reason.remedy else "")
                    ~ "Build without them: VARS='{accepted_reasons: ["
                    ~ (setting('accepted_reasons') + [reason.reject_reason]) | join(', ') ~ "]}'"
                ) }}
            {%- endif -%}
        {%- endfor -%}
        {%- if not kept.sales -%}
            {%- set told = [] -%}
            {%- for reason in lost -%}
                {%- do told.append('{:,}'.format(reason.lines) ~ ' ' ~ reason.reject_reason) -%}
            {%- endfor -%}
            {%- if kept.returns -%}
                {%- do told.append('{:,}'.format(kept.returns) ~ ' return') -%}
            {%- endif -%}
            {{ stop("invoices: no line is a kept sale, so there are no customers: " ~ told | join(', ')) }}
        {%- endif -%}
        {%- set first_sale = kept.first_sale_at.strftime('%Y-%m-%d %H:%M:%S') -%}
        {%- set as_of = setting('as_of') | replace('T', ' ') -%}
        {%- if as_of and as_of <= first_sale -%}
            {{ stop_at('as_of', as_of ~ " is not after the first sale, " ~ first_sale ~ ", so there is nobody to measure") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- A query for what each reason costs: its share of all lines, of all readable money, and the larger of its share of the
    money and that of its lines whose money can't be read, by which it can stop a build. A total at the end of a file is
    one line and as much money as all others, so lines without order data count as lines. -#}
{% macro rejected_shares(relation) -%}
    with fates as (
        select
            reject_reason,
            count(*) as lines,
            count(*) - count(line_amount) as unpriced_lines,
            coalesce(sum(abs(line_amount)), 0) as amount
        from {{ relation }}
        group by reject_reason
    ),

    everything as (
        select
            sum(lines) as lines,
            nullif(sum(amount), 0) as amount
        from fates
    ),

    shares as (
        select
            fates.reject_reason,
            fates.lines,
            cast(fates.lines / everything.lines as decimal(9, 6)) as line_share,
            cast(coalesce(fates.amount / everything.amount, 0) as decimal(9, 6)) as amount_share,
            cast(fates.unpriced_lines / everything.lines as decimal(9, 6)) as unpriced_share
        from fates
        cross join everything
        where fates.reject_reason is not null
    )

    select
        reject_reason,
        lines,
        line_share,
        amount_share,
        case
            when reject_reason = 'no_order_data' then line_share
            else greatest(amount_share, unpriced_share)
        end as lost_share
    from shares
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
