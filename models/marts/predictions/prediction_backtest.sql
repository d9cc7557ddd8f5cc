{{ config(enabled=has_campaign()) }}

with scored as (
    select * from {{ ref('int_campaign_responses_scored') }}
),

data_end as (
    select max(as_of_date) as as_of_date
    from {{ ref('int_campaign_customers') }}
),

final as (
    select
        'campaign_response' as target,
        scored.model,
        cast(data_end.as_of_date as timestamp) as cutoff,
        scored.metric,
        scored.value,
        scored.is_champion
    from scored
    cross join data_end
)

select * from final
