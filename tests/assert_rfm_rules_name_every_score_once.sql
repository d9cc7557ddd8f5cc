with scores as (
    select range as score
    from range(1, 6)
),

named as (
    select
        r_scores.score as r_score,
        fm_scores.score as fm_score,
        count(rules.rfm_segment) as names
    from scores as r_scores
    cross join scores as fm_scores
    left join {{ ref('rfm_segment_rules') }} as rules
        on
            r_scores.score between rules.r_from and rules.r_to
            and fm_scores.score between rules.fm_from and rules.fm_to
    group by
        r_scores.score,
        fm_scores.score
)

select *
from named
where names <> 1
