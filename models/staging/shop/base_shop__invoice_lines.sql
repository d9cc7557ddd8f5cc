{{ config(materialized=landing_materialization()) }}

{#- Named for the lineage; the macro below reads what is behind it. -#}
{%- set shop_invoice_lines = source('shop', 'invoice_lines') -%}

with source as (
    {{ read_invoices() }}
)

select * from source
