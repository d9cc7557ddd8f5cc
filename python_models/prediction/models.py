"""What a shop's customers will do: every model of every target."""

import numpy as np
from scipy.special import expit, logit

from prediction.classifiers import base_rate, logistic_regression, one_feature_rule
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
    logarithms,
    median_waits,
    no_further,
    poisson_regression,
    tweedie_regression,
)
from prediction.rules import (
    PRIOR_DAYS,
    even_waits,
    floored,
    mean_baskets,
    own_gaps,
    repeat_rate,
)

# Where the bands of the rule on recency end, in days.
RECENCY_BANDS = [7, 14, 30, 60, 90, 180, 365]
# Customers whom the purchase rates of all are estimated from.
SAMPLED_CUSTOMERS = 10_000
# Weight of the logistic regression in the mean with BG/NBD, which counts for one.
LOGISTIC_WEIGHT = 2
# Probabilities that are averaged as logits stay this far from 0 and 1.
LEAST_PROBABILITY = 1e-6


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
    dict of str to dict of str to ndarray of shape (n,), float64
        By target and model: probability to buy nothing (``churn``), orders and money. Empty
        where the models abstain; without money where that of baskets does.
    """
    sampled = now[:: max(1, -(-len(now) // SAMPLED_CUSTOMERS))]
    rates = fit_purchase_rates(*histories(sampled))
    if isinstance(rates, Abstained):
        return {}
    orders = orders_in(rates, *histories(features), days)
    orders = floored(orders, orders.mean())
    predicted = {
        "churn": {"bg_nbd": none_in(rates, *histories(features), days)},
        "orders": {"bg_nbd": orders},
    }
    baskets = fit_baskets(sampled[:, 2], sampled[:, 3] / sampled[:, 2])
    if not isinstance(baskets, Abstained):
        means = expected_basket(baskets, features[:, 2], features[:, 3] / features[:, 2])
        predicted["spend"] = {"bg_nbd_gamma_gamma": orders * means}
    return predicted


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
    dict of str to dict of str to ndarray of shape (n,), float64
        By target and model: probability to buy nothing (``churn``), orders, money, and the days
        after which a purchase is as likely as not (``next_purchase_date``). The plainest model
        comes first, and last the one that is preferred.
    """
    by_rates = predict_by_rates(now, features, days)
    if train is None:
        return by_rates
    stayed_away = train.orders == 0
    known = logarithms(train.features)
    asked = no_further(known, logarithms(features))
    baskets = mean_baskets(train.features, features)
    bands, asked_bands = (
        np.digitize(one[:, :1], RECENCY_BANDS).astype("float64")
        for one in (train.features, features)
    )
    churn = {
        "base_rate": base_rate(known, stayed_away, asked),
        "recency_bands": one_feature_rule(0)(bands, stayed_away, asked_bands),
        **by_rates.get("churn", {}),
        "logistic_regression": logistic_regression(known, stayed_away, asked),
    }
    orders = {
        "last_window": floored(features[:, 4], train.orders.mean()),
        "repeat_rate": repeat_rate(train.features, train.orders, features, days),
        **by_rates.get("orders", {}),
        "poisson_regression": poisson_regression(known, train.orders, asked),
    }
    spend = {
        "last_window": features[:, 5],
        "rate_and_basket": orders["repeat_rate"] * baskets,
        **by_rates.get("spend", {}),
        "tweedie_regression": tweedie_regression(known, train.spend, asked),
        "poisson_and_basket": orders["poisson_regression"] * baskets,
    }
    spend = {model: floored(money, train.spend.mean()) for model, money in spend.items()}
    if by_rates:
        churn["ensemble"] = mean_of_logits(
            (LOGISTIC_WEIGHT, churn["logistic_regression"]), (1, churn["bg_nbd"])
        )
        orders["ensemble"] = geometric_mean(orders["poisson_regression"], orders["bg_nbd"])
    spend["ensemble"] = geometric_mean(
        *(
            spend[model]
            for model in ("tweedie_regression", "poisson_and_basket", "bg_nbd_gamma_gamma")
            if model in spend
        )
    )
    return {
        "churn": churn,
        "orders": orders,
        "spend": spend,
        "next_purchase_date": {
            "base_rate": even_waits(churn["base_rate"], days),
            "own_gap": own_gaps(features),
            "poisson_regression": even_waits(np.exp(-orders["poisson_regression"]), days),
            "logistic_regression": even_waits(churn["logistic_regression"], days),
            "logistic_regressions": median_waits(known, train.waits, asked, days),
        },
    }


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
        return {"spend_365d": {"last_365_days": floored(features[:, 6], features[:, 6].mean())}}
    known = logarithms(train.features)
    asked = no_further(known, logarithms(features))
    # Money at the rate of all time since the first purchase, that one's left out.
    tenure, frequency, monetary = features[:, 1], features[:, 2], features[:, 3]
    repeats = monetary * (frequency - 1) / frequency
    everybody = train.spend_year.mean() / YEAR * PRIOR_DAYS
    spend = {
        "last_365_days": features[:, 6],
        "repeat_rate": (repeats + everybody) / (tenure + PRIOR_DAYS) * YEAR,
        "tweedie_regression": tweedie_regression(known, train.spend_year, asked),
    }
    return {
        "spend_365d": {
            model: floored(money, train.spend_year.mean()) for model, money in spend.items()
        }
    }
