with readings as (
    select * from {{ ref('readings') }}
    where matters
),

{# Files that are read alike are told once. #}
grouped as (
    select
        question,
        answer,
        found,
        evidence,
        setting,
        case when count(*) = 1 then min(source_file) else count(*) || ' files' end as source_file,
        sum(lines) as lines,
        sum(amount) as amount,
        min(reading_order) as reading_order
    from readings
    group by
        question,
        answer,
        found,
        evidence,
        setting
),

final as (
    select
        question,
        answer,
        concat_ws(': ', found, evidence) as how_found,
        source_file,
        lines,
        amount,
        setting,
        count(*) over () as decisions
    from grouped
    order by
        amount desc nulls last,
        lines desc,
        reading_order asc
    limit 12
)

select * from final
