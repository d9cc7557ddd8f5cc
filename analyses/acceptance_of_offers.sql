{{ config(enabled=has_campaign()) }}

{#- The last campaign's offer by every dimension, and all campaigns for all customers. -#}
with campaign_response as (
    select * from {{ ref('campaign_response') }}
),

{# Values of this dimension are names; one that several segments bear has no colour. #}
segments as (
    select
        segment_name,
        min(colour) as colour
    from {{ ref('segments') }}
    where segmentation = '{{ campaign_segmentation() }}'
    group by segment_name
    having count(*) = 1
),

final as (
    select
        campaign_response.campaign,
        campaign_response.dimension,
        campaign_response.value_order,
        campaign_response.value,
        segments.colour,
        campaign_response.customers,
        campaign_response.accepted,
        campaign_response.rate,
        campaign_response.rate_low,
        campaign_response.rate_high
    from campaign_response
    left join segments
        on
            campaign_response.dimension = 'segment'
            and campaign_response.value = segments.segment_name
    where
        campaign_response.campaign = 'campaign_6'
        or campaign_response.dimension = 'all'
    order by
        campaign_response.dimension <> 'all',
        campaign_response.dimension,
        campaign_response.value_order,
        campaign_response.campaign
)

select * from final
