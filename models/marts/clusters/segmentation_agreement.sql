with fits as (
    select
        segmentation,
        agreements
    from {{ ref('int_fits') }}
),

selected as (
    select
        segmentation,
        algorithm,
        k
    from {{ ref('cluster_diagnostics') }}
    where is_selected
),

declared as (
    select distinct
        segmentation,
        population
    from {{ ref('int_segmentations_declared') }}
),

customer_segments as (
    select
        segmentation,
        customer_id,
        cluster_id,
        segment_code
    from {{ ref('customer_segments') }}
),

unnested as (
    select
        segmentation,
        {{ unnested('agreements') }} as pair
    from fits
),

algorithms as (
    select
        segmentation,
        pair.algorithm,
        pair.k,
        pair.cluster_id,
        pair.segment_code,
        segmentation as other_segmentation,
        pair.other_algorithm,
        pair.other_k,
        pair.other_cluster_id,
        pair.other_segment_code,
        pair.customers
    from unnested
),

{# Customers of another population may bear the same number. #}
assigned as (
    select
        declared.population,
        selected.algorithm,
        selected.k,
        customer_segments.*
    from customer_segments
    inner join declared on customer_segments.segmentation = declared.segmentation
    inner join selected on customer_segments.segmentation = selected.segmentation
),

segmentations as (
    select
        one.segmentation,
        one.algorithm,
        one.k,
        one.cluster_id,
        one.segment_code,
        other.segmentation as other_segmentation,
        other.algorithm as other_algorithm,
        other.k as other_k,
        other.cluster_id as other_cluster_id,
        other.segment_code as other_segment_code,
        count(*) as customers
    from assigned as one
    inner join assigned as other
        on
            one.customer_id = other.customer_id
            and one.population = other.population
            and one.segmentation < other.segmentation
    group by
        one.segmentation,
        one.algorithm,
        one.k,
        one.cluster_id,
        one.segment_code,
        other.segmentation,
        other.algorithm,
        other.k,
        other.cluster_id,
        other.segment_code
),

shared as (
    select * from algorithms
    union all
    select * from segmentations
),

margins as (
    select
        *,
        sum(customers) over compared as all_customers,
        sum(customers) over own as own_customers,
        sum(customers) over others as other_customers
    from shared
    window
        compared as (partition by segmentation, algorithm, other_segmentation, other_algorithm),
        own as (partition by segmentation, algorithm, other_segmentation, other_algorithm, cluster_id),
        others as (partition by segmentation, algorithm, other_segmentation, other_algorithm, other_cluster_id)
),

{# Pairs of customers that are together: in both, in one, in the other. A cluster's pairs are shared out
   among its rows here, so that the sum over rows counts them once. #}
paired as (
    select
        segmentation,
        algorithm,
        other_segmentation,
        other_algorithm,
        sum(customers * (customers - 1.0) / 2) as pairs_in_both,
        sum(customers * (own_customers - 1.0) / 2) as pairs_in_own,
        sum(customers * (other_customers - 1.0) / 2) as pairs_in_other,
        max(all_customers * (all_customers - 1.0) / 2) as all_pairs
    from margins
    group by
        segmentation,
        algorithm,
        other_segmentation,
        other_algorithm
),

indexed as (
    select
        *,
        pairs_in_own * pairs_in_other / nullif(all_pairs, 0) as expected_pairs,
        (pairs_in_own + pairs_in_other) / 2 as most_pairs
    from paired
),

final as (
    select
        margins.segmentation,
        margins.algorithm,
        margins.k,
        margins.cluster_id,
        margins.segment_code,
        margins.other_segmentation,
        margins.other_algorithm,
        margins.other_k,
        margins.other_cluster_id,
        margins.other_segment_code,
        cast(margins.customers as integer) as customers,
        cast(margins.customers / cast(margins.own_customers as double) as decimal(9, 6)) as customer_share,
        cast(
            coalesce(
                (indexed.pairs_in_both - indexed.expected_pairs)
                / nullif(indexed.most_pairs - indexed.expected_pairs, 0),
                1
            ) as decimal(9, 6)
        ) as adjusted_rand
    from margins
    inner join indexed
        on
            margins.segmentation = indexed.segmentation
            and margins.algorithm = indexed.algorithm
            and margins.other_segmentation = indexed.other_segmentation
            and margins.other_algorithm = indexed.other_algorithm
)

select * from final
