{#- The plugin opens the files when the source below is asked for, and needs the settings before. -#}
{%- do hand_over_settings() -%}

with files as (
    select * from {{ source('shop', 'files') }}
),

final as (
    select
        cast(file_number as integer) as file_number,
        cast(source_file as varchar) as source_file,
        cast(kind as varchar) as kind,
        cast(lines as bigint) as lines,
        cast(dates as varchar) as dates,
        cast(decimal_mark as varchar) as decimal_mark,
        cast(has_invoice_id as boolean) as has_invoice_id,
        cast(is_line_amount_paid as boolean) as is_line_amount_paid,
        cast(discount_kind as varchar) as discount_kind,
        cast(cancellation_prefix as varchar) as cancellation_prefix
    from files
)

select * from final
