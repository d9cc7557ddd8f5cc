"""Regressions on what was known of customers."""

import numpy as np
from sklearn.linear_model import PoissonRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prediction.classifiers import logistic_regression

# Strength of the penalty on squared coefficients of scaled features.
PENALTY = 0.01
# Variance grows with this power of the mean: between that of counts (1) and of amounts (2).
TWEEDIE_POWER = 1.5
# Days from the cutoff on, within which customers have bought or not; those in the window count.
HORIZONS = (3, 7, 14, 21, 30, 45, 60, 90, 120, 180)
# Customers who bought within a horizon, and who did not, without whom it is left out.
LEAST_CUSTOMERS = 10


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


def poisson_regression(train, outcomes, test):
    """Fit counts; as `regression`."""
    return regression(
        PoissonRegressor(alpha=PENALTY, solver="newton-cholesky"), train, outcomes, test
    )


def tweedie_regression(train, outcomes, test):
    """Fit money, of which some is 0 and little is much; as `regression`."""
    model = TweedieRegressor(
        power=TWEEDIE_POWER, alpha=PENALTY, link="log", solver="newton-cholesky"
    )
    return regression(model, train, outcomes, test)


def median_waits(train, waits, test, days):
    """Find the days after which half of such customers have bought, from several horizons.

    For each of ``HORIZONS`` up to ``days`` a logistic regression says how likely a purchase within
    it is. Between horizons the probability grows evenly.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features), float64
    waits : ndarray of shape (n_train,), float64
        Days to the next purchase; infinite without one within ``days``.
    test : ndarray of shape (n_test, n_features), float64
    days : int

    Returns
    -------
    ndarray of shape (n_test,), float64
        Infinite where one half is not reached within the last horizon.
    """
    ends, bought = [0], [np.zeros(len(test))]
    for horizon in (one for one in HORIZONS if one <= days):
        within = waits < horizon
        if LEAST_CUSTOMERS <= within.sum() <= len(within) - LEAST_CUSTOMERS:
            ends.append(horizon)
            # Who has bought within a week has bought within a month.
            bought.append(np.maximum(bought[-1], logistic_regression(train, within, test)))
    ends, bought = np.array(ends, dtype="float64"), np.array(bought)
    # The first horizon at which half have bought, and the one before it.
    after = (bought < 0.5).sum(axis=0)
    reached = after < len(ends)
    after = np.minimum(after, len(ends) - 1)
    before = np.maximum(after - 1, 0)
    customers = np.arange(len(test))
    low, high = bought[before, customers], bought[after, customers]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = ends[before] + (ends[after] - ends[before]) * (0.5 - low) / (high - low)
    return np.where(reached, between, np.inf)
