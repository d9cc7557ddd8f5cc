"""What a shop's customers will do, from what was known of them: models, and rules to beat."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import PoissonRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prediction.classifiers import base_rate, logistic_regression, one_feature_rule

# Columns of the features, in their order.
FEATURES = [
    "recency_days",
    "tenure_days",
    "frequency",
    "monetary",
    "orders_last_90d",
    "spend_last_90d",
    "spend_last_365d",
]
DAYS = 90
YEAR = 365
# Where the bands of the rule on recency end, in days.
RECENCY_BANDS = [7, 14, 30, 60, 90, 180, 365]
# Weight of everybody's mean basket in a customer's own, in orders.
PRIOR_ORDERS = 2
# Time with everybody's mean rate that a customer's own rate is drawn towards, in days.
PRIOR_DAYS = 90
# No expectation is 0, which a deviance would punish without limit: this share of the mean is least.
LEAST_SHARE = 0.01
# Strength of the penalty on squared coefficients of scaled features.
PENALTY = 0.01
# Variance grows with this power of the mean: between that of counts (1) and of amounts (2).
TWEEDIE_POWER = 1.5


@dataclass(frozen=True)
class Observations:
    """Customers at cutoffs: what was known of them, and the outcome.

    Attributes
    ----------
    cutoffs : ndarray of shape (n,), datetime64
    features : ndarray of shape (n, 7), float64
        ``FEATURES`` at the cutoff: days, orders and money before it.
    orders, spend : ndarray of shape (n,), float64
        In the ``DAYS`` from the cutoff on; NaN where that is not known yet.
    waits : ndarray of shape (n,), float64
        Days from the cutoff to the next purchase; infinite without one within ``DAYS``.
    spend_year : ndarray of shape (n,), float64
        In the ``YEAR`` from the cutoff on; NaN where that is not known yet.
    """

    cutoffs: np.ndarray
    features: np.ndarray
    orders: np.ndarray
    spend: np.ndarray
    waits: np.ndarray
    spend_year: np.ndarray

    def at(self, cutoffs):
        """Take the customers at some of the cutoffs, in the order they have."""
        kept = np.isin(self.cutoffs, cutoffs)
        return Observations(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


def logarithms(features):
    """Write features so that equal steps are equal factors, and habits stand beside amounts.

    Parameters
    ----------
    features : ndarray of shape (n, 7), float64
        ``FEATURES``.

    Returns
    -------
    ndarray of shape (n, 11), float64
        Logarithms of the first six (with 1 added where they can be 0), of orders a day and of the
        average basket; how many of the customer's own mean gaps have gone by since the last
        purchase, as a logarithm; whether there is no gap yet; and recency as it is.
    """
    recency, tenure, frequency, monetary, orders, spend, _ = features.T
    gap = (tenure - recency) / np.maximum(frequency - 1, 1)
    overdue = np.where(frequency > 1, np.log1p(recency) - np.log1p(gap), 0)
    return np.column_stack(
        [
            np.log1p(recency),
            np.log1p(tenure),
            np.log(frequency),
            np.log1p(monetary),
            np.log1p(orders),
            np.log1p(spend),
            np.log(frequency / (tenure + 30)),
            np.log1p(monetary / frequency),
            overdue,
            frequency == 1,
            recency,
        ]
    )


def no_further(train, test):
    """Keep features within the range that a model has learnt from, so that nothing explodes."""
    return np.clip(test, train.min(axis=0), train.max(axis=0))


def floored(expected, outcomes):
    """Raise expectations to the least share of the mean outcome in training."""
    return np.maximum(expected, LEAST_SHARE * outcomes.mean())


def regression(model, train, outcomes, test):
    """Fit a generalised linear model with a logarithmic link.

    Parameters
    ----------
    model : PoissonRegressor or TweedieRegressor
    train : ndarray of shape (n_train, n_features), float64
    outcomes : ndarray of shape (n_train,), float64
        Not negative, and not all 0.
    test : ndarray of shape (n_test, n_features), float64

    Returns
    -------
    ndarray of shape (n_test,), float64
        Expected outcomes, above 0.
    """
    # In means, so that the penalty is as strong in any currency.
    mean = outcomes.mean()
    fitted = make_pipeline(StandardScaler(), model).fit(train, outcomes / mean)
    return fitted.predict(test) * mean


def repeat_rate(train, outcomes, features, days):
    """Expect orders at the customer's own rate of repeats, drawn towards everybody's.

    A first order makes a customer and says nothing of how often one comes back: it is not counted.

    Parameters
    ----------
    train : ndarray of shape (n_train, 7), float64
        Not looked at.
    outcomes : ndarray of shape (n_train,), float64
        Orders in ``days``.
    features : ndarray of shape (n, 7), float64
    days : int

    Returns
    -------
    ndarray of shape (n,), float64
    """
    tenure, frequency = features[:, 1], features[:, 2]
    everybody = outcomes.mean() / days * PRIOR_DAYS
    return floored((frequency - 1 + everybody) / (tenure + PRIOR_DAYS) * days, outcomes)


def mean_baskets(train, features):
    """Average basket of each customer, drawn towards that of all orders in training."""
    orders, money = features[:, 2], features[:, 3]
    everybody = train[:, 3].sum() / train[:, 2].sum()
    return (money + PRIOR_ORDERS * everybody) / (orders + PRIOR_ORDERS)


def own_gaps(features):
    """Wait until the customer's own mean gap has gone by; without a gap, for ever."""
    recency, tenure, frequency = features[:, 0], features[:, 1], features[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = (tenure - recency) / (frequency - 1)
    return np.where(frequency > 1, np.maximum(gap - recency, 0), np.inf)


def even_waits(nobody):
    """Find the days after which half of such customers have bought, at a constant rate.

    Parameters
    ----------
    nobody : ndarray of shape (n,), float64
        Probability to buy nothing in ``DAYS``.

    Returns
    -------
    ndarray of shape (n,), float64
        Above ``DAYS`` where that probability is above one half.
    """
    with np.errstate(divide="ignore"):
        return DAYS * np.log(2) / np.abs(np.log(np.clip(nobody, 1e-9, 1)))


def predict_quarter(train, features):
    """Predict the ``DAYS`` from a cutoff on, by each model of each target.

    Parameters
    ----------
    train : Observations
        Of earlier cutoffs, with outcomes; some customers bought and some did not.
    features : ndarray of shape (n, 7), float64
        ``FEATURES`` of those to be predicted.

    Returns
    -------
    dict of str to dict of str to ndarray of shape (n,), float64
        By target and model, the plainest first: probability to buy nothing (``churn_90d``),
        orders, money, and the days after which a purchase is as likely as not
        (``next_purchase_date``).
    """
    stayed_away = train.orders == 0
    known = logarithms(train.features)
    asked = no_further(known, logarithms(features))
    bands, asked_bands = (
        np.digitize(one[:, :1], RECENCY_BANDS).astype("float64")
        for one in (train.features, features)
    )
    churn = {
        "base_rate": base_rate(known, stayed_away, asked),
        "recency_bands": one_feature_rule(0)(bands, stayed_away, asked_bands),
        "logistic_regression": logistic_regression(known, stayed_away, asked),
    }
    orders = {
        "last_90_days": floored(features[:, 4], train.orders),
        "repeat_rate": repeat_rate(train.features, train.orders, features, DAYS),
        "poisson_regression": regression(
            PoissonRegressor(alpha=PENALTY, max_iter=1_000), known, train.orders, asked
        ),
    }
    baskets = mean_baskets(train.features, features)
    spend = {
        "last_90_days": features[:, 5],
        "rate_and_basket": orders["repeat_rate"] * baskets,
        "poisson_and_basket": orders["poisson_regression"] * baskets,
        "tweedie_regression": tweedie_regression(known, train.spend, asked),
    }
    return {
        "churn_90d": churn,
        "orders_90d": orders,
        "spend_90d": {name: floored(money, train.spend) for name, money in spend.items()},
        "next_purchase_date": {
            "base_rate": even_waits(churn["base_rate"]),
            "own_gap": own_gaps(features),
            "poisson_regression": even_waits(np.exp(-orders["poisson_regression"])),
            "logistic_regression": even_waits(churn["logistic_regression"]),
        },
    }


def predict_year(train, features):
    """Predict the money of the ``YEAR`` from a cutoff on; as `predict_quarter`."""
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
    return {"spend_365d": {name: floored(money, train.spend_year) for name, money in spend.items()}}


def tweedie_regression(train, outcomes, test):
    """Fit money, of which some is 0 and little is much; as `regression`."""
    model = TweedieRegressor(power=TWEEDIE_POWER, alpha=PENALTY, link="log", max_iter=1_000)
    return regression(model, train, outcomes, test)
