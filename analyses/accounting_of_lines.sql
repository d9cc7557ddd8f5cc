with line_accounting as (
    select * from {{ ref('line_accounting') }}
),

final as (
    select
        status,
        reason,
        lines,
        amount
    from line_accounting
    order by
        case status
            when 'kept_sale' then 1
            when 'matched_return' then 2
            when 'unmatched_return' then 3
            else 4
        end,
        lines desc,
        reason asc
)

select * from final
