{{ config(enabled=has_campaign()) }}

{#- A column for each metric, the best model first. -#}
{%- set metrics = ['log_loss', 'brier_score', 'roc_auc', 'average_precision', 'top_tenth_rate', 'observed_rate'] -%}
with prediction_backtest as (
    select * from {{ ref('prediction_backtest') }}
    where subject = 'campaign_customers'
),

final as (
    select
        target,
        cutoff,
        model,
        {%- for metric in metrics %}
        max(value) filter (where metric = '{{ metric }}') as {{ metric }},
        {%- endfor %}
        is_champion
    from prediction_backtest
    group by
        target,
        cutoff,
        model,
        is_champion
    order by
        target,
        cutoff,
        log_loss
)

select * from final
