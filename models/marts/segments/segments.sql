{#- Month ends, the latest ones whose outcomes are known, that a name is measured at. -#}
{%- set measured_month_ends = 4 -%}
with segments as (
    select * from {{ ref('int_segments_declared') }}
),

customer_segments as (
    select
        segmentation,
        segment_code,
        customer_id
    from {{ ref('customer_segments') }}
),

cluster_centers as (
    select
        segmentation,
        segment_code,
        cluster_id
    from {{ ref('cluster_centers') }}
),

actions as (
    select * from {{ ref('int_segment_actions') }}
),

{# What each customer has spent, whatever the population calls it. #}
customers as (
    select
        segmentation,
        customer_id,
        revenue
    from {{ ref('int_customers_transformed') }}
),

as_of_dates as (
    select
        as_of_date,
        as_of_at
    from {{ ref('int_as_of_dates') }}
),

segment_history as (
    select
        segmentation,
        segment_code,
        customer_id,
        as_of_date
    from {{ ref('segment_history') }}
),

observed as (
    select
        customer_id,
        cutoff,
        prediction_days,
        orders_next
    from {{ ref('int_customers_observed') }}
),

month_ends as (
    select distinct cutoff
    from observed
    where orders_next is not null
    order by cutoff desc
    limit {{ measured_month_ends }}
),

bought as (
    select
        segment_history.segmentation,
        segment_history.segment_code,
        max(observed.prediction_days) as prediction_days,
        count(*) as customers,
        count(*) filter (where observed.orders_next > 0) as customers_who_bought,
        count(distinct observed.cutoff) as month_ends
    from observed
    inner join month_ends on observed.cutoff = month_ends.cutoff
    inner join as_of_dates on observed.cutoff = as_of_dates.as_of_at
    inner join segment_history
        on
            as_of_dates.as_of_date = segment_history.as_of_date
            and observed.customer_id = segment_history.customer_id
    group by
        segment_history.segmentation,
        segment_history.segment_code
),

sizes as (
    select
        customer_segments.segmentation,
        customer_segments.segment_code,
        count(*) as customers,
        sum(customers.revenue) as revenue
    from customer_segments
    inner join customers
        on
            customer_segments.segmentation = customers.segmentation
            and customer_segments.customer_id = customers.customer_id
    group by
        customer_segments.segmentation,
        customer_segments.segment_code
),

{# More clusters than named segments share names. #}
clusters as (
    select
        segmentation,
        segment_code,
        count(distinct cluster_id) as clusters
    from cluster_centers
    group by
        segmentation,
        segment_code
),

totals as (
    select
        segmentation,
        sum(customers) as customers,
        sum(revenue) as revenue
    from sizes
    group by segmentation
),

{# A segment stands for the clusters that have its name. One that nobody is in today may have had customers before. #}
final as (
    select
        segments.segmentation,
        segments.population,
        segments.segment_code,
        segments.segment_name,
        cast(segments.segment_order as integer) as segment_order,
        segments.colour,
        cast(coalesce(sizes.customers, 0) as integer) as customers,
        cast(coalesce(sizes.customers / cast(totals.customers as double), 0) as decimal(9, 6)) as customer_share,
        cast(coalesce(sizes.revenue, 0) as decimal(18, 2)) as revenue,
        cast(coalesce(sizes.revenue / totals.revenue, 0) as decimal(9, 6)) as revenue_share,
        coalesce(actions.key_characteristics, segments.key_characteristics) as key_characteristics,
        coalesce(actions.action, segments.action) as action,
        coalesce(actions.channel, segments.channel) as channel,
        coalesce(actions.offer, segments.offer) as offer,
        cast(clusters.clusters as integer) as clusters,
        cast(bought.customers_who_bought / cast(bought.customers as double) as decimal(9, 6)) as bought_next_share,
        cast(bought.prediction_days as integer) as bought_next_days,
        cast(coalesce(bought.customers, 0) as integer) as bought_next_customers,
        cast(coalesce(bought.month_ends, 0) as integer) as measured_month_ends
    from segments
    inner join totals on segments.segmentation = totals.segmentation
    inner join clusters
        on
            segments.segmentation = clusters.segmentation
            and segments.segment_code = clusters.segment_code
    left join sizes
        on
            segments.segmentation = sizes.segmentation
            and segments.segment_code = sizes.segment_code
    left join actions
        on
            segments.segmentation = actions.segmentation
            and segments.segment_code = actions.segment_code
    left join bought
        on
            segments.segmentation = bought.segmentation
            and segments.segment_code = bought.segment_code
)

select * from final
