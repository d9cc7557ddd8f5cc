{{ config(materialized='view') }}

with bounds as (
    select
        min(as_of_date) as first_date,
        max(as_of_date) as last_date
    from {{ ref('int_as_of_dates') }}
),

{# Sales begin in the month whose end is the first as-of date. #}
final as (
    select cast({{ days('date_trunc(\'month\', first_date)', 'last_date') }} as date) as date_day
    from bounds
)

select * from final
