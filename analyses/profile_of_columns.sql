{#- The report is sent about, and the first and last text of a column may be the e-mail address of a customer. So
    only numbers and moments have a smallest and a largest value here; the mart has them all. -#}
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
        case when column_type <> 'VARCHAR' then minimum end as minimum,
        case when column_type <> 'VARCHAR' then maximum end as maximum,
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
