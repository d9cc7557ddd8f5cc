{# A line without a customer is rejected whatever else it holds, so only the others are looked at. #}
with invoice_lines as (
    select * from {{ ref('stg_shop__invoice_lines') }}
    where
        malformed_reason is null
        and customer_id is not null
),

{# Imported twice, since an engine that keeps what is read twice would keep every line. #}
invoice_products as (
    select
        invoice_id,
        product_id
    from {{ ref('stg_shop__invoice_lines') }}
    where
        malformed_reason is null
        and customer_id is not null
),

{# Two lines can only be equal, or need a number to tell them apart, where an invoice holds a product
   twice. That is a few in a hundred, so all else here is spared the comparison of every column. #}
hashed as (
    select {{ line_name_hash() }} as line_hash
    from invoice_products
),

{# Nearly all differ, and then sorting costs two thirds of what grouping does. #}
hashes_numbered as (
    select
        line_hash,
        row_number() over (partition by line_hash) as place
    from hashed
),

repeated_hashes as (
    select line_hash
    from hashes_numbered
    where place = 2
),

repeated_lines as (
    select *
    from invoice_lines
    where {{ line_name_hash() }} in (select repeated_hashes.line_hash from repeated_hashes)
),

{# Numbered by content, so that the order of lines in the file does not matter; only lines that are
   equal in every column are told apart by their place. #}
numbered as (
    select
        source_file,
        source_line,
        row_number() over (
            partition by {{ line_name() }}
            order by
                quantity,
                unit_price,
                invoiced_at,
                description,
                customer_id,
                country,
                invoice_id,
                line_amount,
                source_text,
                source_file,
                source_line
        ) as line_number,
        row_number() over (
            partition by
                invoice_id,
                product_id,
                customer_id,
                description,
                country,
                quantity,
                unit_price,
                line_amount,
                invoiced_at,
                source_text
            order by source_file, source_line
        ) > 1 as is_exact_duplicate
    from repeated_lines
)

select * from numbered
