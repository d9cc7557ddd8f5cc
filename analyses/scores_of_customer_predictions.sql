{#- Means over the month ends that were tested; the model in use first, then by error. -#}
{%- set others = ['roc_auc', 'top_tenth_rate', 'observed_rate', 'total_ratio', 'coverage_80', 'bought_by_date'] -%}
with prediction_backtest as (
    select * from {{ ref('prediction_backtest') }}
    where subject = 'customers'
),

averaged as (
    select
        target,
        prediction_days,
        model,
        is_champion,
        count(distinct cutoff) as cutoffs,
        {%- for metric in others %}
        avg(value) filter (where metric = '{{ metric }}') as {{ metric }},
        {%- endfor %}
        avg(value) filter (
            where metric in ('log_loss', 'poisson_deviance', 'tweedie_deviance', 'absolute_days')
        ) as deciding_value
    from prediction_backtest
    group by
        target,
        prediction_days,
        model,
        is_champion
),

final as (
    select *
    from averaged
    order by
        target asc,
        is_champion desc,
        deciding_value asc,
        model asc
)

select * from final
