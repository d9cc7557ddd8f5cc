with by_sql as (
    select
        segmentation,
        customer_id,
        cluster_id
    from {{ ref('customer_segments') }}
),

by_python as (
    select
        segmentation,
        customer_id,
        cluster_id
    from {{ ref('int_customers_clustered') }}
),

compared as (
    select
        coalesce(by_sql.segmentation, by_python.segmentation) as segmentation,
        coalesce(by_sql.customer_id, by_python.customer_id) as customer_id,
        by_sql.cluster_id as sql_cluster_id,
        by_python.cluster_id as python_cluster_id
    from by_sql
    full outer join by_python
        on
            by_sql.segmentation = by_python.segmentation
            and by_sql.customer_id = by_python.customer_id
)

select *
from compared
where sql_cluster_id is distinct from python_cluster_id
