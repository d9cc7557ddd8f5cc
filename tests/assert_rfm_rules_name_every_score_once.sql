{# All 125 triples of scores, not only those that some customer has. #}
with scores as (
    select range as score
    from range(1, 6)
),

triples as (
    select
        r_scores.score as r_score,
        f_scores.score as f_score,
        m_scores.score as m_score
    from scores as r_scores
    cross join scores as f_scores
    cross join scores as m_scores
),

named as (
    select
        triples.r_score,
        triples.f_score,
        triples.m_score,
        count(rules.rfm_segment) as names
    from triples
    left join {{ ref('rfm_segment_rules') }} as rules
        on
            triples.r_score between rules.r_from and rules.r_to
            and {{ fm_score('triples') }} between rules.fm_from and rules.fm_to
    group by
        triples.r_score,
        triples.f_score,
        triples.m_score
)

select *
from named
where names <> 1
