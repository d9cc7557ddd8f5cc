{#- The segments of the primary segmentation, for people who look at a terminal. -#}
{% macro print_summary(published) -%}
    {%- set segments = run_query(
        "select segment_name, customers, customer_share, revenue, revenue_share, action from marts.segments"
        ~ " where segmentation = " ~ sql_text(setting('primary_segmentation')) ~ " order by segment_order"
    ).rows -%}
    {%- set lines = run_query(
        "select sum(lines), sum(lines) filter (where status = 'kept_sale'), sum(lines) filter (where status like '%return'),"
        ~ " sum(lines) filter (where status = 'rejected') from marts.line_accounting"
    ).rows[0] -%}
    {%- set measured = run_query("select min(as_of_at), count(*), sum(monetary) from marts.customers").rows[0] -%}
    {{ print('') }}
    {{ print(
        '{:,}'.format(lines[0] | int) ~ ' invoice lines = ' ~ '{:,}'.format(lines[1] | int) ~ ' sales + '
        ~ '{:,}'.format(lines[2] | int) ~ ' returns + ' ~ '{:,}'.format(lines[3] | int) ~ ' rejected'
    ) }}
    {{ print(
        '{:,}'.format(measured[1]) ~ ' customers, revenue ' ~ '{:,.2f}'.format(measured[2]) ~ ', as of '
        ~ measured[0].strftime('%Y-%m-%d %H:%M')
    ) }}
    {{ print('') }}
    {{ print(summary_line('Segment (' ~ setting('primary_segmentation') ~ ')', 'Customers', '', 'Revenue', 'What to do')) }}
    {{ print(summary_line('-' * 26, '-' * 9, '-' * 4, '-' * 7, '-' * 48)) }}
    {%- for segment in segments -%}
        {%- set action = (segment[5] | wordwrap(48)).split('\n') -%}
        {{ print(summary_line(
            segment[0], '{:,}'.format(segment[1]), '{:.0%}'.format(segment[2]), '{:.0%}'.format(segment[4]), action[0]
        )) }}
        {%- for line in action[1:] -%}
            {{ print(summary_line('', '', '', '', line)) }}
        {%- endfor -%}
    {%- endfor -%}
    {{ print_warnings() }}
    {{ print_campaign_summary() if has_campaign() }}
    {{ print('') }}
    {{ print('Published: ' ~ published ~ ' (schema marts, open it read-only)') }}
{%- endmacro %}

{% macro summary_line(segment, customers, share, revenue, action) -%}
    {{ return('{:<26.26}  {:>9}  {:>4}  {:>7}  {}'.format(printable(segment), customers, share, revenue, printable(action))) }}
{%- endmacro %}

{#- Where the campaign's lines went, and who said yes. -#}
{% macro print_campaign_summary() -%}
    {%- set campaign = run_query(
        "select sum(lines), sum(lines) filter (where status = 'kept'),"
        ~ " (select avg(cast(accepted_6 as integer)) from marts.campaign_customers) from marts.campaign_accounting"
    ).rows[0] -%}
    {{ print('') }}
    {{ print(
        'Campaign (' ~ printable(campaign_setting()) ~ '): ' ~ '{:,}'.format(campaign[0] | int) ~ ' lines = '
        ~ '{:,}'.format(campaign[1] | int) ~ ' customers + ' ~ '{:,}'.format((campaign[0] - campaign[1]) | int) ~ ' rejected; '
        ~ '{:.1%}'.format(campaign[2]) ~ ' said yes last'
    ) }}
    {%- set segments = run_query(
        "select segment_name, segments.customers, customer_share, revenue_share, rate"
        ~ " from marts.segments left join marts.campaign_response on dimension = 'segment' and campaign = 'campaign_6'"
        ~ " and value = segment_name where segmentation = " ~ sql_text(campaign_segmentation()) ~ " order by segment_order"
    ).rows -%}
    {%- if segments -%}
        {{ print(summary_line('Segment (' ~ campaign_segmentation() ~ ')', 'Customers', '', 'Spend', 'Said yes last')) }}
        {{ print(summary_line('-' * 26, '-' * 9, '-' * 4, '-' * 7, '-' * 13)) }}
    {%- endif -%}
    {%- for segment in segments -%}
        {{ print(summary_line(
            segment[0], '{:,}'.format(segment[1]), '{:.0%}'.format(segment[2]), '{:.0%}'.format(segment[3]),
            '{:>13.1%}'.format(segment[4]) if segment[4] is not none else ''
        )) }}
    {%- endfor -%}
{%- endmacro %}

{#- What a score did: how many customers, of which the last whole build did not know so many. -#}
{% macro print_score(published) -%}
    {%- for row in run_query(
        "select customer_segments.segmentation, count(*), count(*) filter (where customers.customer_id is null),"
        ~ " count(*) filter (where customers.segment_code <> customer_segments.segment_code)"
        ~ " from marts.customer_segments left join marts.customers using (customer_id)"
        ~ " where customer_segments.segmentation = " ~ sql_text(setting('primary_segmentation')) ~ " group by 1"
    ).rows -%}
        {{ print(
            '{:,}'.format(row[1]) ~ ' customers scored (' ~ row[0] ~ '); since the last build ' ~ '{:,}'.format(row[2])
            ~ ' are new and ' ~ '{:,}'.format(row[3]) ~ ' have another segment'
        ) }}
    {%- endfor -%}
    {{ print('Scored: ' ~ published ~ ' (marts.customer_segments, open it read-only)') }}
{%- endmacro %}

{#- Segmentations that are not what their declarations let people expect. -#}
{% macro print_warnings() -%}
    {%- for row in run_query(
        "select distinct segmentation from intermediate.int_segmentations_declared"
        ~ " where segmentation not in (select segmentation from marts.segments) order by segmentation"
    ).rows -%}
        {{ print_warning(row[0] ~ ' is left out: fewer customers that differ than clusters it asks for.') }}
    {%- endfor -%}
    {%- for row in run_query(
        "select segmentation, cast(sum(clusters) as integer), count(*), string_agg("
        ~ "clusters || ' clusters are ' || segment_name, ', ' order by segment_order) filter (where clusters > 1)"
        ~ " from marts.segments where clusters > 0 and (segmentation, segment_code) not in ("
        ~ "select segmentation, segment_code from marts.cluster_centers where outlier_features is not null)"
        ~ " group by segmentation having max(clusters) > 1 order by segmentation"
    ).rows -%}
        {{ print_warning(
            row[0] ~ ': ' ~ row[1] ~ ' clusters share ' ~ row[2] ~ ' names: ' ~ row[3]
            ~ '. Declare a smaller k, or add segments to the playbook.'
        ) }}
    {%- endfor -%}
    {%- for row in run_query(
        "select segmentation, decided.reason, decided.decision from ("
        ~ "select segmentation, " ~ decision_struct('decision') ~ " as decided"
        ~ " from intermediate.int_segmentations_fitted where is_selected)"
        ~ " where decided.name_conflict is not null order by segmentation"
    ).rows -%}
        {{ print_warning(row[0] ~ ': ' ~ row[1] ~ (". To name all clusters anew: VARS='{refit: always}'" if row[2] == 'keep' else '.')) }}
    {%- endfor -%}
{%- endmacro %}

{#- One line for people. -#}
{% macro print_warning(message) -%}
    {{ print('Warning: ' ~ message) }}
{%- endmacro %}
