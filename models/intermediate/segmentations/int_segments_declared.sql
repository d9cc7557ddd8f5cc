{{ config(materialized='view') }}

with declared as (
    select distinct
        segmentation,
        population,
        playbook
    from {{ ref('int_segmentations_declared') }}
),

playbook as (
    select * from {{ ref('segment_playbook') }}
),

claiming as (
    select distinct playbook
    from {{ ref('segment_claims') }}
),

{# A name that claims something is not always true; then one of the playbook fallback takes its place. #}
playbooks as (
    select
        segmentation,
        population,
        playbook
    from declared
    union all
    select
        declared.segmentation,
        declared.population,
        'fallback' as playbook
    from declared
    inner join claiming on declared.playbook = claiming.playbook
),

segments as (
    select
        playbooks.segmentation,
        playbooks.population,
        playbook.playbook,
        playbook.segment_code,
        playbook.segment_name,
        playbook.segment_order,
        playbook.colour,
        playbook.key_characteristics,
        playbook.action,
        playbook.channel,
        playbook.offer
    from playbooks
    inner join playbook on playbooks.playbook = playbook.playbook
)

select * from segments
