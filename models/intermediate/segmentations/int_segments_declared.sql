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

segments as (
    select
        declared.segmentation,
        declared.population,
        playbook.segment_code,
        playbook.segment_name,
        playbook.segment_order,
        playbook.colour,
        playbook.key_characteristics,
        playbook.action,
        playbook.channel,
        playbook.offer
    from declared
    inner join playbook on declared.playbook = playbook.playbook
)

select * from segments
