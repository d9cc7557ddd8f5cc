{#- Over the last whole month, or what there is of one where none is whole. -#}
with segment_transitions as (
    select * from {{ ref('segment_transitions') }}
    where period = 'month'
),

segments as (
    select * from {{ ref('segments') }}
),

latest as (
    select
        segmentation,
        coalesce(max(to_date) filter (where not is_partial), max(to_date)) as to_date
    from segment_transitions
    group by segmentation
),

final as (
    select
        segment_transitions.segmentation,
        segment_transitions.from_date,
        segment_transitions.to_date,
        segment_transitions.is_partial,
        segment_transitions.from_segment_code = 'new' as is_new,
        segment_transitions.from_segment_code,
        coalesce(segments_before.segment_name, 'New customers') as from_segment_name,
        segments_after.segment_order,
        segments_after.segment_code,
        segments_after.segment_name,
        segment_transitions.customers,
        segment_transitions.share
    from segment_transitions
    inner join latest
        on
            segment_transitions.segmentation = latest.segmentation
            and segment_transitions.to_date = latest.to_date
    inner join segments as segments_after
        on
            segment_transitions.segmentation = segments_after.segmentation
            and segment_transitions.to_segment_code = segments_after.segment_code
    left join segments as segments_before
        on
            segment_transitions.segmentation = segments_before.segmentation
            and segment_transitions.from_segment_code = segments_before.segment_code
    order by
        segment_transitions.segmentation,
        segment_transitions.from_segment_code = 'new',
        segments_before.segment_order,
        segments_after.segment_order
)

select * from final
