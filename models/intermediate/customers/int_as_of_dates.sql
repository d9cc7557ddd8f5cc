with invoices as (
    select invoiced_at
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

{# Lines before the moment count, so the day named is the last one that they can be of. #}
final as (
    select
        cast(as_of_at - interval '1' microsecond as date) as as_of_date,
        cast(as_of_at as timestamp) as as_of_at,
        is_current
    from moments
)

select * from final
