{{ config(pre_hook="{{ stop_without_weights() }}") }}

{#- A score of another shop has stopped there, with one line; it need not stop here once more. -#}
{%- do ref('customer_segments') -%}
{#- Beyond these log odds of a chance to leave nothing is left to be summed, as in orders_in() of purchase_rates.py. -#}
{%- set log_odds_from, log_odds_until = -38, 28 -%}
{%- set days_a_month = 30.4375 -%}
{%- set term = ['place', 'lowest', 'highest', 'mean', 'scale', 'coefficient'] -%}
{%- set window = ['churn', 'orders', 'spend', 'next_purchase_date'] -%}
with weights as (
    select
        *,
        row_number() over (
            partition by target, part
            order by feature_number asc
        ) as place
    from {{ ref('prediction_weights') }}
),

observed as (
    select * from {{ ref('int_customers_observed') }}
),

cutoffs as (
    select
        prediction_days,
        max(cutoff) filter (where is_current) as as_of_at,
        min(cutoff) filter (where not is_current) as first_cutoff
    from observed
    group by prediction_days
),

{# Days that are known after the first month end; below 0 where it is still to come. #}
windows as (
    select
        prediction_days,
        coalesce(
            {{ elapsed_days('first_cutoff', 'as_of_at') }},
            -{{ elapsed_days('as_of_at', "date_trunc('month', as_of_at) + interval '1' month") }}
        ) as days_known
    from cutoffs
),

customers as (
    select
        customer_id,
        prediction_days,
        recency_days,
        tenure_days,
        frequency,
        cast(recency_days as double) as recency,
        cast(tenure_days as double) as tenure,
        cast(frequency as double) as orders,
        cast(monetary as double) as money,
        cast(orders_last_window as double) as orders_last_window,
        cast(spend_last_window as double) as spend_last_window,
        cast(spend_last_365d as double) as spend_last_365d,
        {{ prediction_features('observed') }} as features
    from observed
    where is_current
),

models as (
    select
        {%- for target in window + ['spend_365d'] %}
        max(model) filter (where target = '{{ target }}') as {{ target }}_model,
        {%- endfor %}
        coalesce(bool_or(is_tested), false) as is_any_tested,
        coalesce(bool_or(is_tested) filter (where target = 'spend_365d'), false) as is_spend_365d_tested
    from weights
),

{# Until the first month end, which may be still to come, is as long ago as predictions look ahead. #}
months as (
    select
        case
            when
                not models.is_any_tested
                and windows.prediction_days > windows.days_known
                then cast(ceil((windows.prediction_days - windows.days_known) / {{ days_a_month }}) as integer)
        end as months_until_tested
    from windows
    cross join models
),

{# Models of several targets of the window are the same fit. #}
numbers as (
    select
        {{- numbers_in_columns('', window, {
            'base_rate': ['rate'],
            'bg_nbd': ['r', 'alpha', 'a', 'b', 'least_orders'],
            'gamma_gamma': ['p', 'q', 'gamma'],
            'repeat_rate': ['prior_days', 'prior_orders', 'least_orders'],
            'basket': ['prior_orders', 'prior_basket'],
            'last_window': ['least_orders'],
            'spend': ['least'],
        }) }}
        {{- numbers_in_columns('year_', ['spend_365d'], {
            'repeat_rate': ['prior_days', 'prior_spend'],
            'spend': ['least'],
        }) }}
        {{- numbers_in_columns('churn_', ['churn'], {'ensemble': ['logistic_regression', 'bg_nbd']}) }}
        {{- numbers_in_columns('orders_', ['orders'], {'ensemble': ['poisson_regression', 'bg_nbd']}) }}
        {{- numbers_in_columns('spend_', ['spend'], {
            'ensemble': ['tweedie_regression', 'poisson_and_basket', 'bg_nbd_gamma_gamma']
        }) }}
        count(*) as weights
    from weights
),

fitted as (
    select
        target,
        part,
        {{ ordered_list(struct_of(dict(zip(term, term))), 'feature_number') }} filter (where mean is not null) as terms,
        max(coefficient) filter (where feature = 'intercept') as intercept,
        max(coefficient) filter (where feature = 'days') as days,
        {{ ordered_list('lowest', 'feature_number') }} filter (where lowest is not null) as borders,
        {{ ordered_list('coefficient', 'feature_number') }} as figures
    from weights
    group by
        target,
        part
),

{# Each whole in a column: a regression as its terms and intercept, steps as borders and values. #}
wholes as (
    select
        {%- for name, targets, part in [
            ('logistic', ['churn', 'next_purchase_date'], 'logistic_regression'),
            ('poisson', ['orders', 'spend', 'next_purchase_date'], 'poisson_regression'),
            ('tweedie', ['spend'], 'tweedie_regression'),
            ('tweedie_year', ['spend_365d'], 'tweedie_regression'),
        ] %}
        any_value({{ struct_of({'terms': 'terms', 'intercept': 'intercept'}) }}) filter (
            where target in ('{{ targets | join("', '") }}') and part = '{{ part }}'
        ) as {{ name }},
        {%- endfor %}
        {%- for name, target, part in [
            ('bands', 'churn', 'recency_bands'),
            ('lows', 'spend', 'interval_low'),
            ('highs', 'spend', 'interval_high'),
        ] %}
        any_value({{ struct_of({'borders': 'borders', 'figures': 'figures'}) }}) filter (
            where target = '{{ target }}' and part = '{{ part }}'
        ) as {{ name }},
        {%- endfor %}
        {{ ordered_list(struct_of({'days': 'days', 'terms': 'terms', 'intercept': 'intercept'}), 'days') }} filter (
            where days is not null
        ) as horizons
    from fitted
),

{# Chances to leave, at even steps of their log odds. #}
steps as (
    select
        0.8 / sqrt(bg_nbd_a + 3) as step,
        {{ each_of(
            numbers_below('ceil(' ~ (log_odds_until - log_odds_from) ~ ' / (0.8 / sqrt(bg_nbd_a + 3)))'),
            'number',
            log_odds_from ~ ' + number * (0.8 / sqrt(bg_nbd_a + 3))'
        ) }} as all_log_odds
    from numbers
),

chances as (
    select
        step,
        {{ each_of(
            'all_log_odds',
            'log_odds',
            struct_of({'leaves': from_logit('log_odds'), 'stays': from_logit('-log_odds')})
        ) }} as chances
    from steps
),

{# BG/NBD knows customers by these alone, and there are far fewer of them. #}
histories as (
    select distinct
        prediction_days,
        recency_days,
        tenure_days,
        frequency,
        recency,
        tenure,
        orders
    from customers
),

rates as (
    select
        histories.*,
        numbers.bg_nbd_a as a,
        numbers.bg_nbd_b + histories.orders - 1 as stays,
        numbers.bg_nbd_r + histories.orders - 1 as shape,
        histories.prediction_days / (numbers.bg_nbd_alpha + histories.tenure) as length,
        case
            when histories.frequency = 1 then 1
            else {{ from_logit(
                'ln((numbers.bg_nbd_b + histories.orders - 2) / numbers.bg_nbd_a)'
                ~ ' - (numbers.bg_nbd_r + histories.orders - 1) * '
                ~ log_of_one_and('histories.recency / (numbers.bg_nbd_alpha + histories.tenure - histories.recency)')
            ) }}
        end as still_here
    from histories
    cross join numbers
),

ended as (
    select
        *,
        shape * length as at_none,
        {{ one_less_exp('-shape * ' ~ log_of_one_and('length')) }} as at_one,
        {{ log_beta('a', 'stays') }} as scale
    from rates
),

expected as (
    select
        ended.prediction_days,
        ended.recency_days,
        ended.tenure_days,
        ended.frequency,
        1 - ended.still_here * ended.at_one as none_by_rates,
        ended.still_here * (
            (ended.stays * ended.at_none + ended.a * ended.at_one) / (ended.a + ended.stays)
            + chances.step * {{ sum_of_list(each_of(
                'chances.chances',
                'chance',
                'exp(ended.a * ln(chance.leaves) + ended.stays * ln(chance.stays) - ended.scale) * ('
                ~ one_less_exp('-ended.shape * ' ~ log_of_one_and('chance.leaves * ended.length')) ~ ' / chance.leaves'
                ~ ' - chance.stays * ended.at_none - chance.leaves * ended.at_one)'
            )) }}
        ) as orders_by_rates
    from ended
    cross join chances
),

parts as (
    select
        customers.*,
        models.*,
        numbers.*,
        wholes.lows,
        wholes.highs,
        expected.none_by_rates,
        greatest(expected.orders_by_rates, numbers.bg_nbd_least_orders) as orders_by_rates,
        numbers.gamma_gamma_p * (numbers.gamma_gamma_gamma + customers.money)
        / (numbers.gamma_gamma_p * customers.orders + numbers.gamma_gamma_q - 1) as basket_by_gamma,
        (customers.money + numbers.basket_prior_orders * numbers.basket_prior_basket)
        / (customers.orders + numbers.basket_prior_orders) as basket,
        {{ step_of('wholes.bands', 'customers.recency') }} as rate_of_band,
        {{ from_logit(predictor('wholes.logistic', 'customers.features')) }} as none_by_logistic,
        exp({{ predictor('wholes.poisson', 'customers.features') }}) as orders_by_poisson,
        exp({{ predictor('wholes.tweedie', 'customers.features') }}) as spend_by_tweedie,
        exp({{ predictor('wholes.tweedie_year', 'customers.features') }}) as year_by_tweedie,
        greatest(customers.orders_last_window, numbers.last_window_least_orders) as orders_as_before,
        greatest(
            (customers.orders - 1 + numbers.repeat_rate_prior_orders)
            / (customers.tenure + numbers.repeat_rate_prior_days) * customers.prediction_days,
            numbers.repeat_rate_least_orders
        ) as orders_by_own_rate,
        (customers.money * (customers.orders - 1) / customers.orders + numbers.year_repeat_rate_prior_spend)
        / (customers.tenure + numbers.year_repeat_rate_prior_days) * 365 as year_by_own_rate,
        case
            when customers.frequency > 1
                then greatest((customers.tenure - customers.recency) / (customers.orders - 1) - customers.recency, 0)
        end as own_gap,
        {{ each_of(
            'wholes.horizons',
            'horizon',
            struct_of({'days': 'horizon.days', 'bought': from_logit(predictor('horizon', 'customers.features'))})
        ) }} as horizons
    from customers
    cross join models
    cross join numbers
    cross join wholes
    left join expected
        on
            customers.prediction_days = expected.prediction_days
            and customers.recency_days = expected.recency_days
            and customers.tenure_days = expected.tenure_days
            and customers.frequency = expected.frequency
),

{# No money that is expected is below the least. #}
spent as (
    select
        *,
        {%- for name, expected in {
            'spend_as_before': 'spend_last_window',
            'spend_by_own_rate': 'orders_by_own_rate * basket',
            'spend_by_rates': 'orders_by_rates * basket_by_gamma',
            'spend_by_regression': 'spend_by_tweedie',
            'spend_by_poisson': 'orders_by_poisson * basket',
        }.items() %}
        case when {{ expected }} is not null then greatest({{ expected }}, spend_least) end as {{ name }},
        {%- endfor %}
        {# The first horizon at which half have bought. #}
        {{ at_place(those_of('horizons', 'horizon', 'horizon.bought >= 0.5'), 1) }} as reached
    from parts
),

missed as (
    select
        *,
        {{ those_of('horizons', 'horizon', 'horizon.days < reached.days') }} as missed
    from spent
),

{# Who has bought within a week has bought within a month. #}
waited as (
    select
        *,
        coalesce({{ greatest_in_list(each_of('missed', 'horizon', 'horizon.days')) }}, 0) as days_before,
        coalesce({{ greatest_in_list(each_of('missed', 'horizon', 'horizon.bought')) }}, 0) as bought_before
    from missed
),

{# By the model in use of each target. Further digits are noise of the machine. #}
predicted as (
    select
        *,
        round(case churn_model
            when 'base_rate' then base_rate_rate
            when 'recency_bands' then rate_of_band
            when 'bg_nbd' then none_by_rates
            when 'logistic_regression' then none_by_logistic
            when 'ensemble'
                then {{ from_logit(
                    '(churn_ensemble_logistic_regression * ' ~ to_logit('none_by_logistic')
                    ~ ' + churn_ensemble_bg_nbd * ' ~ to_logit('none_by_rates')
                    ~ ') / (churn_ensemble_logistic_regression + churn_ensemble_bg_nbd)'
                ) }}
        end, 9) as churn_probability,
        round(case orders_model
            when 'last_window' then orders_as_before
            when 'repeat_rate' then orders_by_own_rate
            when 'bg_nbd' then orders_by_rates
            when 'poisson_regression' then orders_by_poisson
            when 'ensemble' then {{ geometric_mean({
                'orders_by_poisson': 'orders_ensemble_poisson_regression',
                'orders_by_rates': 'orders_ensemble_bg_nbd',
            }) }}
        end, 9) as expected_orders,
        round(case spend_model
            when 'last_window' then spend_as_before
            when 'rate_and_basket' then spend_by_own_rate
            when 'bg_nbd_gamma_gamma' then spend_by_rates
            when 'tweedie_regression' then spend_by_regression
            when 'poisson_and_basket' then spend_by_poisson
            when 'ensemble' then {{ geometric_mean({
                'spend_by_regression': 'spend_ensemble_tweedie_regression',
                'spend_by_poisson': 'spend_ensemble_poisson_and_basket',
                'spend_by_rates': 'spend_ensemble_bg_nbd_gamma_gamma',
            }) }}
        end, 9) as expected_spend,
        round(greatest(case spend_365d_model
            when 'last_365_days' then spend_last_365d
            when 'repeat_rate' then year_by_own_rate
            when 'tweedie_regression' then year_by_tweedie
        end, case when spend_365d_model is not null then year_spend_least end), 9) as expected_spend_365d,
        round(case next_purchase_date_model
            when 'base_rate' then {{ even_waits('base_rate_rate', 'prediction_days') }}
            when 'own_gap' then own_gap
            when 'poisson_regression' then {{ even_waits('exp(-orders_by_poisson)', 'prediction_days') }}
            when 'logistic_regression' then {{ even_waits('none_by_logistic', 'prediction_days') }}
            when 'logistic_regressions'
                then days_before + (reached.days - days_before) * (0.5 - bought_before) / (reached.bought - bought_before)
        end, 9) as next_purchase_days
    from waited
),

final as (
    select
        predicted.customer_id,
        predicted.churn_probability,
        predicted.expected_orders,
        predicted.expected_spend,
        predicted.expected_spend_365d,
        case when predicted.next_purchase_days < predicted.prediction_days then predicted.next_purchase_days end as next_purchase_days,
        {# The prediction itself is always between both ends. #}
        case
            when predicted.lows is not null
                then predicted.expected_spend * least({{ step_of('predicted.lows', 'predicted.expected_spend') }}, 1)
        end as expected_spend_low,
        case
            when predicted.highs is not null
                then predicted.expected_spend * greatest({{ step_of('predicted.highs', 'predicted.expected_spend') }}, 1)
        end as expected_spend_high,
        predicted.churn_model,
        predicted.orders_model,
        predicted.spend_model,
        predicted.spend_365d_model,
        predicted.next_purchase_date_model as next_purchase_model,
        predicted.is_spend_365d_tested,
        months.months_until_tested
    from predicted
    cross join months
)

select * from final
