with data_profile as (
    select * from {{ ref('data_profile') }}
),

final as (
    select
        table_name,
        column_name,
        column_type,
        row_count,
        null_share,
        distinct_values,
        minimum,
        maximum,
        mean,
        standard_deviation,
        p25,
        median,
        p75,
        skewness,
        outlier_share
    from data_profile
    order by
        table_name desc,
        column_number asc
)

select * from final
