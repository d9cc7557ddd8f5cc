{{ config(enabled=has_campaign()) }}

{# What went in, counted apart from everything that reads it, against what the accounting says came out, and
   against customers and money in the segments that part them. #}
with source_lines as (
    select coalesce(max(source_lines), 0) as lines
    from {{ ref('base_campaign__customers') }}
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
    select
        count(*) as customers,
        coalesce(sum(total_spend), 0) as revenue
    from {{ ref('int_campaign_customers') }}
),

segments as (
    select
        segmentation,
        sum(customers) as customers,
        sum(revenue) as revenue
    from {{ ref('segments') }}
    where population = 'campaign_customers'
    group by segmentation
),

wrong_segmentations as (
    select count(*) as segmentations
    from segments
    cross join kept
    where
        segments.customers <> kept.customers
        or segments.revenue <> kept.revenue
),

compared as (
    select
        source_lines.lines - continued.lines as source_lines,
        accounted.lines as accounted_lines,
        accounted.kept_lines,
        kept.customers as kept_customers,
        wrong_segmentations.segmentations as wrong_segmentations
    from source_lines
    cross join continued
    cross join accounted
    cross join kept
    cross join wrong_segmentations
)

select *
from compared
where
    source_lines is distinct from accounted_lines
    or kept_lines is distinct from kept_customers
    or wrong_segmentations > 0
