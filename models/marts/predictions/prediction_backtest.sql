with tested as (
    select * from {{ ref('int_predictions_tested') }}
    where group_number = 0
),

{% if has_campaign() -%}
campaign_scored as (
    select * from {{ ref('int_campaign_responses_scored') }}
),

data_end as (
    select max(as_of_date) as as_of_date
    from {{ ref('int_campaign_customers') }}
),

{% endif -%}
final as (
    select
        target,
        model,
        cast(cutoff as timestamp) as cutoff,
        metric,
        value,
        is_champion
    from tested
    {%- if has_campaign() %}
    union all
    select
        'campaign_response' as target,
        campaign_scored.model,
        cast(data_end.as_of_date as timestamp) as cutoff,
        campaign_scored.metric,
        campaign_scored.value,
        campaign_scored.is_champion
    from campaign_scored
    cross join data_end
    {%- endif %}
)

select * from final
