{{ config(enabled=has_campaign()) }}

{# What went in, counted apart from everything that reads it, against what the accounting says came out. #}
with source_lines as (
    select {{ count_campaign_lines() }} as lines
),

{# A record whose quoted values hold line breaks covers several lines. #}
continued as (
    select coalesce(sum(line_span - 1), 0) as lines
    from {{ ref('base_campaign__customers') }}
),

accounted as (
    select
        coalesce(sum(lines), 0) as lines,
        coalesce(sum(lines) filter (where status = 'kept'), 0) as kept_lines
    from {{ ref('campaign_accounting') }}
),

kept as (
    select count(*) as customers
    from {{ ref('int_campaign_customers') }}
),

compared as (
    select
        source_lines.lines - continued.lines as source_lines,
        accounted.lines as accounted_lines,
        accounted.kept_lines,
        kept.customers as kept_customers
    from source_lines
    cross join continued
    cross join accounted
    cross join kept
)

select *
from compared
where
    source_lines is distinct from accounted_lines
    or kept_lines is distinct from kept_customers
