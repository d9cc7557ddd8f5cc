{# What went in, counted without looking at a value, against what the accounting says came out. #}
with source_lines as (
    select count(*) as lines
    from ({{ read_invoices() }}) as source_rows
),

classified as (
    select
        coalesce(sum(line_amount), 0) as amount,
        coalesce(sum(line_amount) filter (where reject_reason is null), 0) as net_revenue
    from {{ ref('int_invoice_lines_classified') }}
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
        source_lines.lines as source_lines,
        accounted.lines as accounted_lines,
        classified.amount as source_amount,
        accounted.amount as accounted_amount,
        classified.net_revenue as classified_net_revenue,
        accounted.net_revenue as accounted_net_revenue
    from source_lines
    cross join classified
    cross join accounted
)

select *
from compared
where
    source_lines <> accounted_lines
    or source_amount <> accounted_amount
    or classified_net_revenue <> accounted_net_revenue
