{{ config(enabled=has_campaign()) }}

with classified as (
    select * from {{ ref('int_campaign_customers_classified') }}
),

final as (
    select
        source_file,
        source_line,
        reject_reason,
        customer_id,
        birth_year,
        marital_status,
        income,
        registered_on,
        source_text
    from classified
    where reject_reason is not null
)

select * from final
