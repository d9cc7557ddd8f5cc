{%- set declarations = segmentations() | selectattr('population', 'equalto', 'invoice_customers') | list -%}

with invoice_customers as (
    select * from {{ ref('int_customers_as_of') }}
),

cluster_centers as (
    select * from {{ ref('cluster_centers') }}
),

{{ assigned_customers(declarations, ['customer_id', 'as_of_date', 'as_of_at', 'is_current']) }},

{# A bit for each segment: which ones a customer has been in is then one number, and one window tells
   it together with the segment before. #}
numbered as (
    select
        segmentation,
        cluster_id,
        segment_code,
        cast(1 as bigint) << (dense_rank() over (partition by segmentation order by segment_code) - 1) as segment_bit
    from clusters
),

marked as (
    select
        assigned.segmentation,
        assigned.customer_id,
        assigned.as_of_date,
        assigned.as_of_at,
        assigned.is_current,
        assigned.cluster_id,
        numbered.segment_code,
        numbered.segment_bit
    from assigned
    inner join numbered
        on
            assigned.segmentation = numbered.segmentation
            and assigned.cluster_id = numbered.cluster_id
),

{# The spine has every as-of date since the first purchase, so the row before is the date before. #}
followed as (
    select
        *,
        lag(segment_code) over by_date as previous_segment_code,
        bit_or(segment_bit) over (by_date rows between unbounded preceding and 1 preceding) as earlier_segment_bits
    from marked
    window by_date as (
        partition by
            segmentation,
            customer_id
        order by as_of_date
    )
),

final as (
    select
        segmentation,
        customer_id,
        as_of_date,
        is_current,
        as_of_at <> date_trunc('month', as_of_at) as is_partial,
        cluster_id,
        segment_code,
        previous_segment_code,
        previous_segment_code is null as is_new,
        coalesce(earlier_segment_bits & segment_bit, 0) = 0 as is_first_time_in_segment
    from followed
)

select * from final
