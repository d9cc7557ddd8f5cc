with classified as (
    select
        is_return,
        reject_reason,
        line_amount
    from {{ ref('int_invoice_lines_classified') }}
),

returns as (
    select
        returned_amount,
        matched_amount,
        case
            when matched_quantity = returned_quantity then 'whole'
            when matched_quantity > 0 then 'part'
            else 'none'
        end as matched_extent
    from {{ ref('int_returns_matched') }}
),

sales_and_rejected as (
    select
        case when reject_reason is null then 'kept_sale' else 'rejected' end as status,
        coalesce(reject_reason, 'sale') as reason,
        count(*) as lines,
        coalesce(sum(line_amount), 0) as amount
    from classified
    where not is_return
    group by
        case when reject_reason is null then 'kept_sale' else 'rejected' end,
        coalesce(reject_reason, 'sale')
),

matched_returns as (
    select
        'matched_return' as status,
        case when matched_extent = 'whole' then 'sold_before' else 'sold_before_in_part' end as reason,
        count(*) as lines,
        -sum(matched_amount) as amount
    from returns
    where matched_extent in ('whole', 'part')
    group by case when matched_extent = 'whole' then 'sold_before' else 'sold_before_in_part' end
),

{# The part of a return that finds no sale is money here, but its line is counted above. #}
unmatched_returns as (
    select
        'unmatched_return' as status,
        case when matched_extent = 'none' then 'no_sale_before' else 'rest_of_part' end as reason,
        count(*) filter (where matched_extent = 'none') as lines,
        -sum(returned_amount - matched_amount) as amount
    from returns
    where matched_extent in ('none', 'part')
    group by case when matched_extent = 'none' then 'no_sale_before' else 'rest_of_part' end
),

rejected_shares as (
    {{ rejected_shares(ref('int_invoice_lines_classified')) }}
),

combined as (
    select * from sales_and_rejected
    union all
    select * from matched_returns
    union all
    select * from unmatched_returns
),

final as (
    select
        combined.status,
        combined.reason,
        cast(combined.lines as bigint) as lines,
        cast(combined.amount as decimal(18, 2)) as amount,
        rejected_shares.line_share,
        rejected_shares.amount_share,
        rejected_shares.lost_share
    from combined
    left join rejected_shares on combined.reason = rejected_shares.reject_reason
)

select * from final
