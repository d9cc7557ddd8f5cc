{{ config(enabled=has_campaign()) }}

with classified as (
    select
        case when reject_reason is null then 'kept' else 'rejected' end as status,
        coalesce(reject_reason, 'customer') as reason
    from {{ ref('int_campaign_customers_classified') }}
),

final as (
    select
        status,
        reason,
        count(*) as lines
    from classified
    group by
        status,
        reason
)

select * from final
