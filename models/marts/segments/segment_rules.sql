with rules as (
    select * from {{ ref('int_segment_rules') }}
),

final as (
    select
        segmentation,
        segment_code,
        rule_sql,
        cast(fidelity as decimal(9, 6)) as fidelity,
        cast(baseline_fidelity as decimal(9, 6)) as baseline_fidelity,
        cast(precision as decimal(9, 6)) as precision,
        cast(recall as decimal(9, 6)) as recall,
        tested_customers
    from rules
)

select * from final
