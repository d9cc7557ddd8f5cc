with files as (
    select * from {{ ref('base_shop__files') }}
),

decisions as (
    select * from {{ source('shop', 'readings') }}
),

lines_by_fate as (
    select
        file_number,
        reject_reason,
        count(*) as lines,
        coalesce(sum(abs(line_amount)), 0) as amount
    from {{ ref('int_invoice_lines_classified') }}
    group by
        file_number,
        reject_reason
),

whole_files as (
    select
        file_number,
        sum(lines) as lines,
        sum(amount) as amount
    from lines_by_fate
    group by file_number
),

everything as (
    select
        sum(lines) as lines,
        sum(amount) as amount
    from lines_by_fate
),

{# A decision that leaves lines out has one reason. What it costs is the money of that reason, unless further lines are
   left out for the same one: a guest has no customer, and neither has a line without an id. #}
costs as (
    select
        reject_reason,
        sum(lines) as lines,
        sum(amount) as amount
    from lines_by_fate
    where reject_reason is not null
    group by reject_reason
),

{# Codes that are no products where this shop sells are goods in another. #}
charges as (
    select
        product_id,
        count(*) as lines,
        coalesce(sum(abs(line_amount)), 0) as amount
    from {{ ref('int_invoice_lines_classified') }}
    where not is_product
    group by product_id
),

told_charges as (
    select
        string_agg(product_id, ', ' order by amount desc, product_id asc) as codes,
        sum(lines) as lines,
        sum(amount) as amount
    from charges
),

told_decisions as (
    select
        coalesce(files.source_file, 'all files') as source_file,
        cast(decisions.position as integer) as reading_order,
        decisions.question,
        decisions.answer,
        decisions.found,
        decisions.evidence,
        cast(coalesce(decisions.lines, whole_files.lines, everything.lines, 0) as bigint) as lines,
        cast(
            case
                when decisions.lines is null then coalesce(whole_files.amount, everything.amount, 0)
                when decisions.reject_reason is not null and decisions.lines >= coalesce(costs.lines, 0) then coalesce(costs.amount, 0)
            end as decimal(18, 2)
        ) as amount,
        decisions.runner_up,
        decisions.setting,
        decisions.matters
    from decisions
    left join everything on decisions.file_number is null
    left join files on decisions.file_number = files.file_number
    left join whole_files on decisions.file_number = whole_files.file_number
    left join costs on decisions.reject_reason = costs.reject_reason
),

{# Lines count although not all in them can be read: a cost that is text, say. #}
told_unread as (
    select
        classified.file_number,
        files.source_file,
        count(*) as lines,
        sum(abs(classified.line_amount)) as amount,
        min(classified.unread_text) as example
    from {{ ref('int_invoice_lines_classified') }} as classified
    inner join files on classified.file_number = files.file_number
    where classified.unread_text is not null
    group by
        classified.file_number,
        files.source_file
),

told_lines as (
    select
        told_unread.file_number,
        source_file,
        'values that can''t be read' as question,
        'taken as unknown; their lines count' as answer,
        'recognised' as found,
        'such as ' || example as evidence,
        lines,
        amount,
        cast(null as varchar) as setting,
        true as matters
    from told_unread
    union all
    select
        null as file_number,
        'all files' as source_file,
        'codes that are no products' as question,
        codes as answer,
        {{ "'default'" if setting('non_product_codes') is none else "'declared'" }} as found,
        'they count as revenue, and stay out of what is told of products' as evidence,
        lines,
        amount,
        '{non_product_codes: [your codes]}' as setting,
        false as matters
    from told_charges
    where lines > 0
),

final as (
    select * from told_decisions
    union all
    select
        source_file,
        cast(
            (select coalesce(max(told_decisions.reading_order), 0) from told_decisions)
            + row_number() over (order by file_number asc nulls last) as integer
        ) as reading_order,
        question,
        answer,
        found,
        evidence,
        cast(lines as bigint) as lines,
        cast(amount as decimal(18, 2)) as amount,
        null as runner_up,
        setting,
        matters
    from told_lines
)

select * from final
