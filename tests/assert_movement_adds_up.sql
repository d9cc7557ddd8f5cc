{# History covers everyone at every date and ends in the segments that customers are in, transitions count each
   of its steps, and forecasts begin where these end. #}
with history as (
    select
        segmentation,
        as_of_date,
        count(*) as customers
    from {{ ref('segment_history') }}
    group by
        segmentation,
        as_of_date
),

population as (
    select
        as_of_date,
        count(*) as customers
    from {{ ref('int_customers_as_of') }}
    group by as_of_date
),

segmentations as (
    select distinct segmentation
    from {{ ref('cluster_centers') }}
    where
        segmentation in (
            select declared.segmentation
            from {{ ref('int_segmentations_declared') }} as declared
            where declared.population = 'invoice_customers'
        )
),

expected as (
    select
        segmentations.segmentation,
        population.as_of_date,
        population.customers,
        population.as_of_date = min(population.as_of_date) over () as is_first
    from population
    cross join segmentations
),

transitions as (
    select
        segmentation,
        period,
        from_date,
        to_date,
        sum(customers) as customers,
        coalesce(sum(customers) filter (where from_segment_code <> 'new'), 0) as customers_before,
        sum(share) as shares,
        count(distinct from_segment_code) as segments_before
    from {{ ref('segment_transitions') }}
    group by
        segmentation,
        period,
        from_date,
        to_date
),

{# There is something to learn from once a month is over. #}
last_dates as (
    select
        segmentation,
        max(to_date) as from_date
    from {{ ref('segment_transitions') }}
    where period = 'month'
    group by segmentation
    having count(*) filter (where not is_partial) > 0
),

forecasts as (
    select
        segmentation,
        from_date,
        count(distinct forecast_date) as forecast_dates,
        sum(customers) / count(distinct forecast_date) as customers
    from {{ ref('segment_forecast') }}
    group by
        segmentation,
        from_date
),

current_segments as (
    select
        segmentation,
        customer_id,
        cluster_id,
        segment_code
    from {{ ref('customer_segments') }}
    where segmentation in (select segmentations.segmentation from segmentations)
),

current_history as (
    select
        segmentation,
        customer_id,
        cluster_id,
        segment_code
    from {{ ref('segment_history') }}
    where is_current
),

problems as (
    select
        'history leaves customers out' as problem,
        expected.segmentation,
        expected.as_of_date
    from expected
    left join history
        on
            expected.segmentation = history.segmentation
            and expected.as_of_date = history.as_of_date
    where expected.customers is distinct from history.customers
    union all
    select
        'history differs from customer_segments' as problem,
        coalesce(current_segments.segmentation, current_history.segmentation) as segmentation,
        cast(null as date) as as_of_date
    from current_segments
    full outer join current_history
        on
            current_segments.segmentation = current_history.segmentation
            and current_segments.customer_id = current_history.customer_id
    where
        current_segments.cluster_id is distinct from current_history.cluster_id
        or current_segments.segment_code is distinct from current_history.segment_code
    union all
    select
        'a month has no transitions' as problem,
        expected.segmentation,
        expected.as_of_date
    from expected
    left join transitions
        on
            expected.segmentation = transitions.segmentation
            and expected.as_of_date = transitions.to_date
            and transitions.period = 'month'
    where
        not expected.is_first
        and transitions.customers is null
    union all
    select
        'transitions do not sum to the population' as problem,
        transitions.segmentation,
        transitions.to_date as as_of_date
    from transitions
    left join expected as before
        on
            transitions.segmentation = before.segmentation
            and transitions.from_date = before.as_of_date
    left join expected as after
        on
            transitions.segmentation = after.segmentation
            and transitions.to_date = after.as_of_date
    where
        transitions.customers is distinct from after.customers
        or transitions.customers_before is distinct from before.customers
        or abs(transitions.shares - transitions.segments_before) > 0.001
    union all
    select
        'forecasts do not begin with the population' as problem,
        last_dates.segmentation,
        last_dates.from_date as as_of_date
    from last_dates
    inner join expected
        on
            last_dates.segmentation = expected.segmentation
            and last_dates.from_date = expected.as_of_date
    left join forecasts
        on
            last_dates.segmentation = forecasts.segmentation
            and last_dates.from_date = forecasts.from_date
    where
        forecasts.forecast_dates is distinct from 3
        or forecasts.customers <> expected.customers
)

select * from problems
