{{ config(enabled=has_campaign(), materialized='table') }}

{#- Named for the lineage; the macro below reads what is behind it. -#}
{%- set campaign_customers = source('campaign', 'customers') -%}

with source as (
    {{ read_campaign() }}
)

select * from source
