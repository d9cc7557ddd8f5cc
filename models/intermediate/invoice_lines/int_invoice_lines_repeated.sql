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
    select
        *,
        {{ row_hash([
            'invoice_id', 'product_id', 'customer_id', 'description', 'country', 'category', 'brand', 'channel', 'currency',
            'order_status', 'document_type', 'quantity', 'unit_price', 'line_amount', 'unit_cost', 'invoiced_at',
            'other_columns', 'source_text', 'unread_text',
        ]) }} as content_hash
    from invoice_lines
    where {{ line_name_hash() }} in (select repeated_hashes.line_hash from repeated_hashes)
),

{# Numbered by content, so that the order of lines in the file does not matter; only lines that are
   equal in every column are told apart by their place. A line of the same invoice, product, customer and day in a
   later file is its newer version: exports overlap, and invoices are edited between two. A return is no version of a
   sale: returns can have a file of their own, with the numbers of the invoices they are about. #}
numbered as (
    select
        file_number,
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
                content_hash,
                file_number,
                source_line
        ) as line_number,
        row_number() over (
            partition by content_hash, file_number
            order by source_line
        ) > 1 as is_copy_in_its_file,
        max(file_number) over (partition by content_hash) > file_number as is_copied_later,
        has_invoice_id and max(file_number) over (
            partition by
                invoice_id,
                product_id,
                customer_id,
                cast(invoiced_at as date),
                coalesce(quantity < 0, false) or coalesce(unit_price < 0, false) or coalesce(line_amount < 0, false)
        ) > file_number as is_replaced_later
    from repeated_lines
)

select
    file_number,
    source_line,
    line_number,
    is_copied_later or is_copy_in_its_file as is_exact_duplicate,
    is_replaced_later and not is_copied_later as is_replaced_later
from numbered
