with as_of_dates as (
    select
        as_of_date,
        as_of_at,
        is_current
    from {{ ref('int_as_of_dates') }}
),

segment_history as (
    select
        segmentation,
        customer_id,
        as_of_date,
        segment_code,
        previous_segment_code
    from {{ ref('segment_history') }}
),

ends as (
    {%- for period in ['month', 'quarter'] %}
    select
        '{{ period }}' as period,
        as_of_date,
        as_of_at <> date_trunc('{{ period }}', as_of_at) as is_partial
    from as_of_dates
    where
        is_current
        or as_of_at = date_trunc('{{ period }}', as_of_at)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{# Before the first end nobody was known: it begins no period. #}
periods as (
    select
        period,
        lag(as_of_date) over (partition by period order by as_of_date) as from_date,
        as_of_date as to_date,
        is_partial
    from ends
),

at_quarter_ends as (
    select
        segment_history.segmentation,
        segment_history.customer_id,
        segment_history.as_of_date,
        segment_history.segment_code
    from segment_history
    inner join ends
        on
            segment_history.as_of_date = ends.as_of_date
            and ends.period = 'quarter'
),

by_quarter as (
    select
        segmentation,
        as_of_date,
        segment_code,
        lag(segment_code) over (partition by segmentation, customer_id order by as_of_date) as previous_segment_code
    from at_quarter_ends
),

steps as (
    select
        'month' as period,
        segmentation,
        as_of_date,
        previous_segment_code,
        segment_code
    from segment_history
    union all
    select
        'quarter' as period,
        segmentation,
        as_of_date,
        previous_segment_code,
        segment_code
    from by_quarter
),

moves as (
    select
        period,
        segmentation,
        as_of_date,
        previous_segment_code,
        segment_code,
        count(*) as customers
    from steps
    group by
        period,
        segmentation,
        as_of_date,
        previous_segment_code,
        segment_code
),

final as (
    select
        moves.segmentation,
        moves.period,
        periods.from_date,
        periods.to_date,
        periods.is_partial,
        coalesce(moves.previous_segment_code, 'new') as from_segment_code,
        moves.segment_code as to_segment_code,
        cast(moves.customers as integer) as customers,
        cast(
            moves.customers / cast(sum(moves.customers) over (
                partition by moves.segmentation, moves.period, periods.to_date, moves.previous_segment_code
            ) as double) as decimal(9, 6)
        ) as share
    from moves
    inner join periods
        on
            moves.period = periods.period
            and moves.as_of_date = periods.to_date
    where periods.from_date is not null
)

select * from final
