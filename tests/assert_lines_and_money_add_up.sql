{# What went in, counted apart from everything that reads it, against what the accounting says came out. #}
with source_lines as (
    select sum(lines) as lines
    from {{ ref('base_shop__files') }}
),

classified as (
    select
        coalesce(sum(line_amount), 0) as amount,
        coalesce(sum(line_amount) filter (where reject_reason is null), 0) as net_revenue
    from {{ ref('int_invoice_lines_classified') }}
),

{# A record whose quoted values hold line breaks covers several lines. #}
continued as (
    select coalesce(sum(line_span - 1), 0) as lines
    from {{ source('shop', 'invoice_lines') }}
),

accounted as (
    select
        coalesce(sum(lines), 0) as lines,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(amount) filter (where status <> 'rejected'), 0) as net_revenue
    from {{ ref('line_accounting') }}
),

compared as (
    select
        source_lines.lines - continued.lines as source_lines,
        accounted.lines as accounted_lines,
        classified.amount as source_amount,
        accounted.amount as accounted_amount,
        classified.net_revenue as classified_net_revenue,
        accounted.net_revenue as accounted_net_revenue
    from source_lines
    cross join continued
    cross join classified
    cross join accounted
)

select *
from compared
where
    source_lines is distinct from accounted_lines
    or source_amount <> accounted_amount
    or classified_net_revenue <> accounted_net_revenue
