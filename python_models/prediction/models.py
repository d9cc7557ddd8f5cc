"""What a shop's customers will do: every model of every target, and what each has learnt."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from prediction.classifiers import one_feature_rule
from prediction.observations import YEAR
from prediction.purchase_rates import (
    Abstained,
    expected_basket,
    fit_baskets,
    fit_purchase_rates,
    none_in,
    orders_in,
)
from prediction.regressions import (
    fit_horizons,
    fit_poisson,
    fit_tweedie,
    fit_yes_or_no,
    logarithms,
    median_waits,
)
from prediction.rules import (
    LEAST_SHARE,
    PRIOR_DAYS,
    PRIOR_ORDERS,
    even_waits,
    floored,
    mean_basket,
    mean_baskets,
    own_gaps,
    repeat_rate,
)
from prediction.weights import weigh_numbers, weigh_regression, weigh_steps

# Where the bands of the rule on recency end, in days.
RECENCY_BANDS = [7, 14, 30, 60, 90, 180, 365]
# Customers whom the purchase rates of all are estimated from.
SAMPLED_CUSTOMERS = 10_000
# Weight of the logistic regression in the mean with BG/NBD, which counts for one.
LOGISTIC_WEIGHT = 2
# Probabilities that are averaged as logits stay this far from 0 and 1.
LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Told:
    """What models say of customers, and what they have learnt.

    Attributes
    ----------
    values : dict of str to dict of str to ndarray of shape (n,), float64
        Predictions by target and model, the plainest first and the preferred one last.
    weights : dict of str to dict of str to list of Weight
        By the same targets and models, all that the model needs to predict a customer.
    """

    values: dict
    weights: dict


def predict_by_rates(now, features, days):
    """Predict the ``days`` to come by BG/NBD and gamma-gamma, which need no known outcome.

    Parameters
    ----------
    now : ndarray of shape (n_now, 7), float64
        Features of the customers at the moment, in a fixed order.
    features : ndarray of shape (n, 7), float64
        Of those to be predicted.
    days : int

    Returns
    -------
    Told
        Probability to buy nothing (``churn``), orders and money. Empty where the models abstain;
        without money where that of baskets does.
    """
    sampled = now[:: max(1, -(-len(now) // SAMPLED_CUSTOMERS))]
    rates = fit_purchase_rates(*histories(sampled))
    if isinstance(rates, Abstained):
        return Told({}, {})
    orders = orders_in(rates, *histories(features), days)
    least = LEAST_SHARE * orders.mean()
    orders = np.maximum(orders, least)
    values = {
        "churn": {"bg_nbd": none_in(rates, *histories(features), days)},
        "orders": {"bg_nbd": orders},
    }
    learnt = weigh_numbers(
        "bg_nbd", r=rates.r, alpha=rates.alpha, a=rates.a, b=rates.b, least_orders=least
    )
    weights = {"churn": {"bg_nbd": learnt}, "orders": {"bg_nbd": learnt}}
    baskets = fit_baskets(sampled[:, 2], sampled[:, 3] / sampled[:, 2])
    if not isinstance(baskets, Abstained):
        means = expected_basket(baskets, features[:, 2], features[:, 3] / features[:, 2])
        values["spend"] = {"bg_nbd_gamma_gamma": orders * means}
        of_baskets = weigh_numbers("gamma_gamma", p=baskets.p, q=baskets.q, gamma=baskets.gamma)
        weights["spend"] = {"bg_nbd_gamma_gamma": [*learnt, *of_baskets]}
    return Told(values, weights)


def histories(features):
    """Take repeat orders, days from the first order to the last, and days from the first to now."""
    recency, tenure, frequency = features.T[:3]
    return frequency - 1, tenure - recency, tenure


def predict_window(train, now, features, days):
    """Predict the ``days`` from a cutoff on, by each model of each target.

    Parameters
    ----------
    train : Observations or None
        Of earlier cutoffs, with outcomes; some customers bought and some did not. None where no
        such outcomes are known yet.
    now : ndarray of shape (n_now, 7), float64
        ``FEATURES`` of the customers at the cutoff, in a fixed order.
    features : ndarray of shape (n, 7), float64
        Of those to be predicted.
    days : int
        The window.

    Returns
    -------
    Told
        Probability to buy nothing (``churn``), orders, money, and the days after which a purchase
        is as likely as not (``next_purchase_date``).
    """
    by_rates = predict_by_rates(now, features, days)
    if train is None:
        return by_rates
    known, asked = logarithms(train.features), logarithms(features)
    stayed_away = train.orders == 0
    logistic = fit_yes_or_no(known, stayed_away)
    poisson = fit_poisson(known, train.orders)
    tweedie = fit_tweedie(known, train.spend)
    horizons = fit_horizons(known, train.waits, days)
    nobody, bands = stayed_away.mean(), rates_of_bands(train.features, stayed_away)
    baskets = mean_baskets(train.features, features)
    churn = {
        "base_rate": np.full(len(features), nobody),
        "recency_bands": bands[np.digitize(features[:, 0], RECENCY_BANDS)],
        **by_rates.values.get("churn", {}),
        "logistic_regression": logistic.probabilities(asked),
    }
    orders = {
        "last_window": floored(features[:, 4], train.orders.mean()),
        "repeat_rate": repeat_rate(train.features, train.orders, features, days),
        **by_rates.values.get("orders", {}),
        "poisson_regression": poisson.amounts(asked),
    }
    spend = {
        "last_window": features[:, 5],
        "rate_and_basket": orders["repeat_rate"] * baskets,
        **by_rates.values.get("spend", {}),
        "tweedie_regression": tweedie.amounts(asked),
        "poisson_and_basket": orders["poisson_regression"] * baskets,
    }
    spend = {model: floored(money, train.spend.mean()) for model, money in spend.items()}
    averaged = [
        model
        for model in ("tweedie_regression", "poisson_and_basket", "bg_nbd_gamma_gamma")
        if model in spend
    ]
    if by_rates.values:
        churn["ensemble"] = mean_of_logits(
            (LOGISTIC_WEIGHT, churn["logistic_regression"]), (1, churn["bg_nbd"])
        )
        orders["ensemble"] = geometric_mean(orders["poisson_regression"], orders["bg_nbd"])
    spend["ensemble"] = geometric_mean(*(spend[model] for model in averaged))
    values = {
        "churn": churn,
        "orders": orders,
        "spend": spend,
        "next_purchase_date": {
            "base_rate": even_waits(churn["base_rate"], days),
            "own_gap": own_gaps(features),
            "poisson_regression": even_waits(np.exp(-orders["poisson_regression"]), days),
            "logistic_regression": even_waits(churn["logistic_regression"], days),
            "logistic_regressions": median_waits(horizons, asked),
        },
    }
    of_logistic = weigh_regression("logistic_regression", logistic)
    of_poisson = weigh_regression("poisson_regression", poisson)
    of_tweedie = weigh_regression("tweedie_regression", tweedie)
    of_rates = weigh_numbers(
        "repeat_rate",
        prior_days=PRIOR_DAYS,
        prior_orders=train.orders.mean() / days * PRIOR_DAYS,
        least_orders=LEAST_SHARE * train.orders.mean(),
    )
    of_basket = weigh_numbers(
        "basket", prior_orders=PRIOR_ORDERS, prior_basket=mean_basket(train.features)
    )
    least_orders = weigh_numbers("last_window", least_orders=LEAST_SHARE * train.orders.mean())
    least_spend = weigh_numbers("spend", least=LEAST_SHARE * train.spend.mean())
    weights = {
        "churn": {
            "base_rate": weigh_numbers("base_rate", rate=nobody),
            "recency_bands": weigh_steps("recency_bands", "band", RECENCY_BANDS, bands),
            "logistic_regression": of_logistic,
            **by_rates.weights.get("churn", {}),
        },
        "orders": {
            "last_window": least_orders,
            "repeat_rate": of_rates,
            "poisson_regression": of_poisson,
            **by_rates.weights.get("orders", {}),
        },
        "spend": {
            "last_window": [],
            "rate_and_basket": [*of_rates, *of_basket],
            "tweedie_regression": of_tweedie,
            "poisson_and_basket": [*of_poisson, *of_basket],
            **by_rates.weights.get("spend", {}),
        },
        "next_purchase_date": {
            "base_rate": weigh_numbers("base_rate", rate=nobody),
            "own_gap": weigh_numbers("own_gap", gaps=1),
            "poisson_regression": of_poisson,
            "logistic_regression": of_logistic,
            "logistic_regressions": [
                weight
                for horizon, regression in horizons.items()
                for weight in weigh_horizon(horizon, regression)
            ],
        },
    }
    for target, models, each in (
        ("churn", ["logistic_regression", "bg_nbd"], [LOGISTIC_WEIGHT, 1]),
        ("orders", ["poisson_regression", "bg_nbd"], [1, 1]),
        ("spend", averaged, [1] * len(averaged)),
    ):
        if "ensemble" in values[target]:
            own = weights[target]
            own["ensemble"] = [
                *weigh_numbers("ensemble", **dict(zip(models, each, strict=True))),
                *(weight for model in models for weight in own[model]),
            ]
    for model, learnt in weights["spend"].items():
        weights["spend"][model] = [*learnt, *least_spend]
    return Told(values, weights)


def weigh_horizon(horizon, regression):
    """Write a regression of `fit_horizons`, and its days."""
    part = f"within_{horizon}_days"
    return [*weigh_regression(part, regression), *weigh_numbers(part, days=horizon)]


def rates_of_bands(features, stayed_away):
    """Take the rate of customers in each of the bands of recency.

    Parameters
    ----------
    features : ndarray of shape (n, 7), float64
    stayed_away : ndarray of shape (n,), bool

    Returns
    -------
    ndarray of shape (8,), float64
    """
    bands = np.digitize(features[:, :1], RECENCY_BANDS)
    every = np.arange(len(RECENCY_BANDS) + 1)[:, None]
    return one_feature_rule(0)(bands, stayed_away, every)


def mean_of_logits(*weighted):
    """Average probabilities as logits, so that 1 % and 2 % are as far apart as 98 % and 99 %.

    Parameters
    ----------
    *weighted : tuple of float and ndarray of shape (n,), float64
        Weight and probabilities of each model.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    weights = [weight for weight, _ in weighted]
    logits = [
        logit(np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))
        for _, probabilities in weighted
    ]
    return expit(np.average(logits, axis=0, weights=weights))


def geometric_mean(*expected):
    """Average expectations, all above 0, as factors."""
    return np.exp(np.mean(np.log(expected), axis=0))


def predict_year(train, now, features):
    """Predict the money of the ``YEAR`` from a cutoff on; as `predict_window`.

    Without known outcomes the last year is expected again.
    """
    if train is None:
        mean = features[:, 6].mean()
        values = {"last_365_days": floored(features[:, 6], mean)}
        weights = {"last_365_days": weigh_numbers("spend", least=LEAST_SHARE * mean)}
        return Told({"spend_365d": values}, {"spend_365d": weights})
    mean = train.spend_year.mean()
    tweedie = fit_tweedie(logarithms(train.features), train.spend_year)
    # Money at the rate of all time since the first purchase, that one's left out.
    tenure, frequency, monetary = features[:, 1], features[:, 2], features[:, 3]
    repeats = monetary * (frequency - 1) / frequency
    everybody = mean / YEAR * PRIOR_DAYS
    spend = {
        "last_365_days": features[:, 6],
        "repeat_rate": (repeats + everybody) / (tenure + PRIOR_DAYS) * YEAR,
        "tweedie_regression": tweedie.amounts(logarithms(features)),
    }
    learnt = {
        "last_365_days": [],
        "repeat_rate": weigh_numbers("repeat_rate", prior_days=PRIOR_DAYS, prior_spend=everybody),
        "tweedie_regression": weigh_regression("tweedie_regression", tweedie),
    }
    least = weigh_numbers("spend", least=LEAST_SHARE * mean)
    return Told(
        {"spend_365d": {model: floored(money, mean) for model, money in spend.items()}},
        {"spend_365d": {model: [*weights, *least] for model, weights in learnt.items()}},
    )
