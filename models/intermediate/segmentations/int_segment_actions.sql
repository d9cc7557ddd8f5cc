{{ config(materialized='view') }}

with segments as (
    select
        segmentation,
        population,
        playbook,
        segment_code,
        segment_name,
        segment_order
    from {{ ref('int_segments_declared') }}
),

actions as (
    select * from {{ ref('segment_actions') }}
),

profiles as (
    select
        segmentation,
        segment_code,
        feature,
        mean,
        median,
        overall_mean
    from {{ ref('segment_profiles') }}
),

rhythm as (
    select median_gap_days
    from {{ ref('int_as_of_dates') }}
    where is_current
),

{# A shop where nobody has bought on two days has no gap, and campaign customers have none: then nothing is true of it. #}
compared as (
    select
        segments.segmentation,
        segments.segment_code,
        segments.segment_name,
        segments.segment_order,
        actions.action_order,
        actions.feature,
        actions.statistic,
        actions.comparison,
        actions.key_characteristics,
        actions.action,
        actions.channel,
        actions.offer,
        case actions.statistic when 'mean' then profiles.mean else profiles.median end as figure,
        actions.number * case actions.times
            when 'shop_mean' then profiles.overall_mean
            when 'shop_gap' then rhythm.median_gap_days
            else 1
        end as bound
    from segments
    inner join actions
        on
            segments.playbook = actions.playbook
            and segments.segment_code = actions.segment_code
    inner join profiles
        on
            segments.segmentation = profiles.segmentation
            and segments.segment_code = profiles.segment_code
            and actions.feature = profiles.feature
    left join rhythm on segments.population = 'invoice_customers'
),

met as (
    select *
    from compared
    where
        case comparison
            when '>=' then figure >= bound
            when '>' then figure > bound
            when '<=' then figure <= bound
            else figure < bound
        end
),

final as (
    select
        segmentation,
        segment_code,
        segment_order,
        key_characteristics,
        action,
        channel,
        offer,
        segment_name || ' have another action, because their ' || statistic || ' ' || replace(feature, '_', ' ') || ' is '
        || format('{:.6g}', round(figure, 2)) || ', ' || case comparison
            when '>=' then 'at least'
            when '>' then 'more than'
            when '<=' then 'at most'
            else 'less than'
        end || ' ' || format('{:.6g}', round(bound, 2)) as reason
    from met
    qualify row_number() over (partition by segmentation, segment_code order by action_order asc) = 1
)

select * from final
