with invoices as (
    select
        customer_id,
        invoiced_at
    from {{ ref('int_invoices') }}
    where sale_lines > 0
),

current_as_of as (
    select
        min(invoiced_at) as first_sale_at,
        coalesce({{ as_of_setting() }}, max(invoiced_at) + interval '1' day) as as_of_at
    from invoices
),

month_ends as (
    select {{ month_starts('first_sale_at', 'as_of_at') }} as as_of_at
    from current_as_of
),

moments as (
    select
        month_ends.as_of_at,
        false as is_current
    from month_ends
    cross join current_as_of
    where month_ends.as_of_at < current_as_of.as_of_at
    union all
    select
        as_of_at,
        true as is_current
    from current_as_of
    where as_of_at > first_sale_at
),

purchase_days as (
    select distinct
        invoices.customer_id,
        cast(invoices.invoiced_at as date) as purchased_on
    from invoices
    cross join current_as_of
    where invoices.invoiced_at < current_as_of.as_of_at
),

with_the_day_before as (
    select
        purchased_on,
        lag(purchased_on) over (
            partition by customer_id
            order by purchased_on asc
        ) as purchased_before_on
    from purchase_days
),

rhythm as (
    select {{ quantile(elapsed_days('purchased_before_on', 'purchased_on'), 0.5) }} as median_gap_days
    from with_the_day_before
),

{# Lines before the moment count, so the day named is the last one that they can be of. #}
final as (
    select
        cast(moments.as_of_at - interval '1' microsecond as date) as as_of_date,
        cast(moments.as_of_at as timestamp) as as_of_at,
        moments.is_current,
        cast(rhythm.median_gap_days as double) as median_gap_days,
        {{ prediction_days('rhythm.median_gap_days') }} as prediction_days
    from moments
    cross join rhythm
)

select * from final
