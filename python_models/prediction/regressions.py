"""Regressions on what was known of customers."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import PoissonRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prediction.classifiers import fit_logistic

# Strength of the penalty on squared coefficients of scaled features.
PENALTY = 0.01
# Variance grows with this power of the mean: between that of counts (1) and of amounts (2).
TWEEDIE_POWER = 1.5
# Days from the cutoff on, within which customers have bought or not; those in the window count.
HORIZONS = (3, 7, 14, 21, 30, 45, 60, 90, 120, 180)
# Customers who bought within a horizon, and who did not, without whom it is left out.
LEAST_CUSTOMERS = 10
# Columns of `logarithms`.
LOGARITHMS = (
    "log_recency_days",
    "log_tenure_days",
    "log_frequency",
    "log_monetary",
    "log_orders_last_window",
    "log_spend_last_window",
    "log_orders_a_day",
    "log_average_basket",
    "overdue",
    "is_first_order",
    "recency_days",
)


def logarithms(features):
    """Write features so that equal steps are equal factors, and habits stand beside amounts.

    Parameters
    ----------
    features : ndarray of shape (n, 7), float64
        ``FEATURES``.

    Returns
    -------
    ndarray of shape (n, 11), float64
        ``LOGARITHMS``: logarithms of the first six (with 1 added where they can be 0), of orders a
        day and of the average basket; how many of the customer's own mean gaps have gone by since
        the last purchase, as a logarithm; whether there is no gap yet; and recency as it is.
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


@dataclass(frozen=True)
class Regression:
    """A fitted regression on standardised features.

    Attributes
    ----------
    lowest, highest : ndarray of shape (n_features,), float64
        The range that it has learnt from. Features are kept within it, so that nothing explodes.
    mean, scale : ndarray of shape (n_features,), float64
        What standardises the features.
    coefficients : ndarray of shape (n_features,), float64
    intercept : float
    """

    lowest: np.ndarray
    highest: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    intercept: float

    def predictor(self, features):
        """Take the sum of coefficients times standardised features, before the link."""
        kept = np.clip(features, self.lowest, self.highest)
        return (kept - self.mean) / self.scale @ self.coefficients + self.intercept

    def probabilities(self, features):
        """Predict how likely a yes is, by a logistic regression."""
        return expit(self.predictor(features))

    def amounts(self, features):
        """Predict counts or money, by a regression with a logarithmic link."""
        return np.exp(self.predictor(features))


def as_regression(pipeline, train, *, factor=1):
    """Take what was fitted out of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Of a scaler and a linear model, fitted.
    train : ndarray of shape (n_train, n_features), float64
        What it was fitted on.
    factor : float
        What outcomes were divided by; the link is logarithmic where it is not 1.

    Returns
    -------
    Regression
    """
    scaler, model = (step for _, step in pipeline.steps)
    return Regression(
        train.min(axis=0),
        train.max(axis=0),
        scaler.mean_,
        scaler.scale_,
        np.ravel(model.coef_),
        float(np.ravel(model.intercept_)[0] + np.log(factor)),
    )


def fit_yes_or_no(train, outcomes):
    """Fit a logistic regression.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features), float64
    outcomes : ndarray of shape (n_train,), bool
        Both values must occur.

    Returns
    -------
    Regression
    """
    return as_regression(fit_logistic(train, outcomes), train)


def fit_amounts(model, train, outcomes):
    """Fit a generalised linear model with a logarithmic link.

    Parameters
    ----------
    model : PoissonRegressor or TweedieRegressor
    train : ndarray of shape (n_train, n_features), float64
    outcomes : ndarray of shape (n_train,), float64
        Not negative, and not all 0.

    Returns
    -------
    Regression
    """
    # In means, so that the penalty is as strong in any currency.
    mean = outcomes.mean()
    pipeline = make_pipeline(StandardScaler(), model).fit(train, outcomes / mean)
    return as_regression(pipeline, train, factor=mean)


def fit_poisson(train, outcomes):
    """Fit counts; as `fit_amounts`."""
    return fit_amounts(PoissonRegressor(alpha=PENALTY, solver="newton-cholesky"), train, outcomes)


def fit_tweedie(train, outcomes):
    """Fit money, of which some is 0 and little is much; as `fit_amounts`."""
    model = TweedieRegressor(
        power=TWEEDIE_POWER, alpha=PENALTY, link="log", solver="newton-cholesky"
    )
    return fit_amounts(model, train, outcomes)


def fit_horizons(train, waits, days):
    """Fit for each of ``HORIZONS`` up to ``days`` how likely a purchase within it is.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features), float64
    waits : ndarray of shape (n_train,), float64
        Days to the next purchase; infinite without one within ``days``.
    days : int

    Returns
    -------
    dict of int to Regression
        By horizon, without those in which too few bought, or did not.
    """
    fitted = {}
    for horizon in (one for one in HORIZONS if one <= days):
        within = waits < horizon
        if LEAST_CUSTOMERS <= within.sum() <= len(within) - LEAST_CUSTOMERS:
            fitted[horizon] = fit_yes_or_no(train, within)
    return fitted


def median_waits(horizons, features):
    """Find the days after which half of such customers have bought, from several horizons.

    Between horizons the probability grows evenly.

    Parameters
    ----------
    horizons : dict of int to Regression
        As from `fit_horizons`.
    features : ndarray of shape (n, n_features), float64

    Returns
    -------
    ndarray of shape (n,), float64
        Infinite where one half is not reached within the last horizon.
    """
    ends, bought = [0, *horizons], [np.zeros(len(features))]
    for regression in horizons.values():
        # Who has bought within a week has bought within a month.
        bought.append(np.maximum(bought[-1], regression.probabilities(features)))
    ends, bought = np.array(ends, dtype="float64"), np.array(bought)
    # The first horizon at which half have bought, and the one before it.
    after = (bought < 0.5).sum(axis=0)
    reached = after < len(ends)
    after = np.minimum(after, len(ends) - 1)
    before = np.maximum(after - 1, 0)
    customers = np.arange(len(features))
    low, high = bought[before, customers], bought[after, customers]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = ends[before] + (ends[after] - ends[before]) * (0.5 - low) / (high - low)
    return np.where(reached, between, np.inf)
