{{
    config(
        materialized='incremental',
        full_refresh=false,
        on_schema_change='append_new_columns',
        schema='kept',
        alias='fits'
    )
}}

{# This only makes the table, in the first build. keep_fits() adds the rows of int_fits at the end of a build whose
   every test has passed, for int_fits to read in the next one. #}
with kept as (
    select
        cast(null as integer) as kept_number,
        ---------- what the fit belongs to
        cast(null as varchar) as segmentation,
        cast(null as varchar) as source_key,
        cast(null as varchar) as settings_key,
        cast(null as varchar) as playbook_key,
        ---------- what was decided, and on what figures
        cast(null as timestamp) as as_of_at,
        cast(null as varchar) as decision,
        cast(null as varchar) as reason,
        cast(null as varchar) as name_conflict,
        cast(null as varchar) as model_version,
        cast(null as varchar) as previous_model_version,
        cast(null as integer) as customers,
        cast(null as integer) as moved_by_themselves,
        cast(null as integer) as moved_by_refit,
        cast(null as struct(feature varchar, psi double)[]) as feature_psi,
        cast(null as double) as known_share,
        cast(null as double) as explained,
        cast(null as double) as explained_by_refit,
        ---------- the fit
        cast(null as boolean) as is_new,
        cast(null as timestamp) as fitted_as_of_at,
        cast(null as varchar) as fingerprint,
        cast(null as varchar) as names_withheld,
        cast(null as struct(
            cluster_id integer,
            segment_code varchar,
            prototype_segment_code varchar,
            outlier_features varchar,
            feature_number integer,
            feature varchar,
            knots double[],
            clip_low double,
            clip_high double,
            feature_offset double,
            feature_scale double,
            fence_low double,
            fence_high double,
            center_scaled double
        )[]) as centers,
        cast(null as struct(
            algorithm varchar,
            k integer,
            clusters integer,
            customers integer,
            inertia double,
            silhouette double,
            davies_bouldin double,
            calinski_harabasz double,
            stability_ari double,
            stability_spread double,
            stability_refits integer,
            smallest_cluster_share double,
            noise_share double,
            noise_revenue_share double,
            center_agreement double,
            eps double,
            is_selected boolean,
            selection_reason varchar,
            model_version varchar
        )[]) as tried,
        cast(null as struct(
            algorithm varchar,
            k integer,
            cluster_id integer,
            segment_code varchar,
            other_algorithm varchar,
            other_k integer,
            other_cluster_id integer,
            other_segment_code varchar,
            customers integer
        )[]) as agreements,
        ---------- what a later build compares its customers with
        cast(null as integer) as fitted_customers,
        cast(null as struct(feature varchar, edges double[], shares double[])[]) as bins,
        cast(null as double) as fitted_days,
        cast(null as ubigint[]) as sketch
),

nothing as (
    select * from kept
    where false
)

select * from nothing
