{#- Quantiles of Student's t that leave out a tenth, by degrees of freedom; more month ends than four make them little
    smaller. -#}
{%- set tenths_of_t = [3.078, 1.886, 1.638, 1.533] -%}
with sales as (
    select
        customer_id,
        invoiced_at,
        sale_amount,
        is_first_sale_moment
    from {{ ref('int_invoices') }}
    where sale_lines > 0
),

current_as_of as (
    select
        as_of_at,
        prediction_days
    from {{ ref('int_as_of_dates') }}
    where is_current
),

predictions as (
    select * from {{ ref('customer_predictions') }}
),

tested as (
    select
        target,
        cutoff,
        value as ratio
    from {{ ref('prediction_backtest') }}
    where
        subject = 'customers'
        and is_champion
        and metric = 'total_ratio'
        and target in ('orders', 'spend')
),

cutoffs as (
    select distinct
        cutoff,
        false as is_current
    from tested
    union all
    select
        as_of_at as cutoff,
        true as is_current
    from current_as_of
),

windows as (
    select
        cutoffs.cutoff,
        cutoffs.is_current,
        current_as_of.prediction_days,
        {{ days_after('cutoffs.cutoff', '-current_as_of.prediction_days') }} as recent_from,
        {{ days_after('cutoffs.cutoff', 'current_as_of.prediction_days') }} as predicted_until
    from cutoffs
    cross join current_as_of
),

customers as (
    select
        customer_id,
        min(invoiced_at) as first_sale_at
    from sales
    group by customer_id
),

shop as (
    select min(first_sale_at) as first_sale_at
    from customers
),

measured as (
    select
        'orders' as target,
        customer_id,
        invoiced_at,
        cast(1 as decimal(18, 2)) as amount
    from sales
    where is_first_sale_moment
    union all
    select
        'spend' as target,
        customer_id,
        invoiced_at,
        sale_amount as amount
    from sales
),

{# What came after a cutoff, from customers known then; what came before it and a year ago, from everybody. #}
counted as (
    select
        measured.target,
        windows.cutoff,
        windows.is_current,
        windows.prediction_days,
        windows.recent_from,
        sum(measured.amount) filter (
            where
            customers.first_sale_at < windows.cutoff
            and measured.invoiced_at >= windows.cutoff
            and measured.invoiced_at < windows.predicted_until
        ) as observed,
        sum(measured.amount) filter (
            where
            measured.invoiced_at >= windows.cutoff - interval '365' day
            and measured.invoiced_at < windows.predicted_until - interval '365' day
        ) as a_year_before,
        sum(measured.amount) filter (
            where
            measured.invoiced_at >= windows.recent_from
            and measured.invoiced_at < windows.cutoff
        ) as recent,
        sum(measured.amount) filter (
            where
            measured.invoiced_at >= windows.recent_from - interval '365' day
            and measured.invoiced_at < windows.cutoff - interval '365' day
        ) as recent_a_year_before
    from windows
    cross join measured
    inner join customers on measured.customer_id = customers.customer_id
    group by
        measured.target,
        windows.cutoff,
        windows.is_current,
        windows.prediction_days,
        windows.recent_from
),

{# A year ago is known where the shop is as old as that. #}
compared as (
    select
        counted.target,
        counted.cutoff,
        counted.is_current,
        counted.prediction_days,
        counted.observed,
        case when shop.first_sale_at <= counted.cutoff - interval '364' day then counted.a_year_before end as a_year_before,
        case
            when shop.first_sale_at <= counted.recent_from - interval '364' day
                then cast(counted.recent as double) / nullif(cast(counted.recent_a_year_before as double), 0)
        end as growth
    from counted
    cross join shop
),

expected as (
    select
        'orders' as target,
        sum(expected_orders) as predicted
    from predictions
    union all
    select
        'spend' as target,
        sum(expected_spend) as predicted
    from predictions
),

{# How far totals were off: all customers err together, so each month end is one observation. #}
errors as (
    select
        target,
        {{ tenths_of_t }}[least(count(*), 4)] * sqrt(avg(ln(ratio) * ln(ratio)) * (1 + 1.0 / count(*))) as error
    from tested
    group by target
),

totals as (
    select
        compared.target,
        compared.cutoff,
        compared.is_current,
        compared.prediction_days,
        compared.a_year_before,
        compared.growth,
        case when compared.is_current then expected.predicted else tested.ratio * cast(compared.observed as double) end as predicted,
        cast(expected.predicted as double) / exp(errors.error) as tested_low,
        cast(expected.predicted as double) * exp(errors.error) as tested_high,
        case when not compared.is_current then compared.observed end as observed,
        cast(compared.a_year_before as double) * coalesce(compared.growth, 1) as of_the_season
    from compared
    inner join errors on compared.target = errors.target
    left join expected on compared.target = expected.target
    left join tested
        on
            compared.target = tested.target
            and compared.cutoff = tested.cutoff
),

final as (
    select
        target,
        cutoff,
        is_current,
        cast(prediction_days as integer) as prediction_days,
        cast(predicted as decimal(18, 2)) as predicted,
        case when is_current then cast(least(tested_low, of_the_season) as decimal(18, 2)) end as predicted_low,
        case when is_current then cast(greatest(tested_high, of_the_season) as decimal(18, 2)) end as predicted_high,
        cast(observed as decimal(18, 2)) as observed,
        cast(a_year_before as decimal(18, 2)) as a_year_before,
        cast(growth as decimal(12, 4)) as growth,
        cast(of_the_season as decimal(18, 2)) as expected_from_last_year,
        case when is_current then of_the_season not between tested_low and tested_high end as is_unlike_last_year
    from totals
    where predicted is not null
)

select * from final
