{#- The last two years of cohorts: more would not be legible. -#}
with cohort_retention as (
    select * from {{ ref('cohort_retention') }}
),

latest as (
    select max(cohort_month) as cohort_month
    from {{ ref('cohort_retention') }}
),

final as (
    select
        cohort_retention.cohort_month,
        cohort_retention.cohort_customers,
        cohort_retention.month_number,
        cohort_retention.month,
        cohort_retention.is_partial,
        cohort_retention.active_customers,
        cohort_retention.retention
    from cohort_retention
    cross join latest
    where
        cohort_retention.is_observed
        and cohort_retention.cohort_month > latest.cohort_month - interval '24' month
    order by
        cohort_retention.cohort_month,
        cohort_retention.month_number
)

select * from final
