{# A segmentation covers every customer in every mart, or, where there are fewer customers that differ
   than clusters it asks for and no earlier fit, is nowhere. How many are left where outliers are set apart, only the
   fit knows. #}
with declared as (
    select
        segmentation,
        max(coalesce(k, k_min)) as clusters,
        bool_or(is_separated) as is_separated
    from {{ ref('int_segmentations_declared') }}
    group by segmentation
),

customers as (
    select
        segmentation,
        count(*) as customers,
        count(distinct {{ row_hash(['features']) }}) as distinct_customers
    from {{ ref('int_customers_transformed') }}
    group by segmentation
),

assigned as (
    select
        segmentation,
        count(*) as customers
    from {{ ref('customer_segments') }}
    group by segmentation
),

profiled_features as (
    select
        segmentation,
        feature,
        sum(customers) as customers
    from {{ ref('segment_profiles') }}
    group by
        segmentation,
        feature
),

profiled as (
    select
        segmentation,
        min(customers) as customers,
        max(customers) as most_customers
    from profiled_features
    group by segmentation
),

fitted as (
    select
        segmentation,
        case when centers is not null then 1 else 0 end as fits,
        coalesce(not is_new, false) as is_kept
    from {{ ref('int_fits') }}
),

compared as (
    select
        declared.segmentation,
        case
            when declared.is_separated or fitted.is_kept then coalesce(fitted.fits, 0) = 1
            else customers.distinct_customers >= declared.clusters
        end as is_possible,
        customers.customers,
        coalesce(assigned.customers, 0) as assigned_customers,
        coalesce(profiled.customers, 0) as profiled_customers,
        coalesce(profiled.most_customers, 0) as most_profiled_customers,
        coalesce(fitted.fits, 0) as fits
    from declared
    inner join customers on declared.segmentation = customers.segmentation
    left join assigned on declared.segmentation = assigned.segmentation
    left join profiled on declared.segmentation = profiled.segmentation
    left join fitted on declared.segmentation = fitted.segmentation
)

select *
from compared
where
    assigned_customers <> case when is_possible then customers else 0 end
    or profiled_customers <> case when is_possible then customers else 0 end
    or most_profiled_customers <> profiled_customers
    or fits <> case when is_possible then 1 else 0 end
