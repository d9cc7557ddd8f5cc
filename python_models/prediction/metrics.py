"""How good predictions are: probabilities, counts, amounts and waits."""

import numpy as np
from scipy.special import xlogy
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    mean_poisson_deviance,
    mean_tweedie_deviance,
    roc_auc_score,
)

CHAMPION_METRIC = "log_loss"
# Share of customers, those with the highest probability first, whose rate is taken.
TOP_SHARE = 0.1
# Groups of customers with like predictions.
GROUPS = 10
# Variance of money grows with this power of its mean.
MONEY_POWER = 1.5


def score_probabilities(outcomes, probabilities):
    """Take the figures of probabilities that were predicted for customers not seen in the fit.

    Parameters
    ----------
    outcomes : ndarray of shape (n_customers,), bool
        Both values must occur.
    probabilities : ndarray of shape (n_customers,), float64

    Returns
    -------
    dict of str to float
        ``log_loss`` and ``brier_score``: lower is better, and an honest probability is best.
        ``roc_auc``: chance that of a positive and a negative customer the positive one has the
        higher probability, ties half. ``average_precision``. ``top_tenth_rate``: share of positive
        outcomes in the tenth with the highest probabilities. ``predicted_rate``,
        ``observed_rate``: means, which are equal where probabilities are right on average.

    References
    ----------
    .. [1] Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA
       2007.
    """
    return {
        "log_loss": float(log_loss(outcomes, probabilities)),
        "brier_score": float(brier_score_loss(outcomes, probabilities)),
        "roc_auc": float(roc_auc_score(outcomes, probabilities)),
        "average_precision": float(average_precision_score(outcomes, probabilities)),
        "top_tenth_rate": rate_at_the_top(outcomes, probabilities, TOP_SHARE),
        "predicted_rate": float(probabilities.mean()),
        "observed_rate": float(outcomes.mean()),
    }


def score_expectations(outcomes, expected):
    """Take the figures that are the same for counts and amounts.

    Parameters
    ----------
    outcomes : ndarray of shape (n_customers,), float64
        Not negative, and not all 0.
    expected : ndarray of shape (n_customers,), float64

    Returns
    -------
    dict of str to float
        ``mae`` and ``rmse``, in the outcome's unit; the former prefers a median, which is 0 where
        most buy nothing. ``total_ratio``: all that was predicted / the actual total.
    """
    errors = expected - outcomes
    return {
        "mae": float(np.abs(errors).mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
        "total_ratio": float(expected.sum() / outcomes.sum()),
    }


def score_counts(outcomes, expected):
    """Take the figures of expected counts.

    Parameters
    ----------
    outcomes : ndarray of shape (n_customers,), float64
        Not negative, and not all 0.
    expected : ndarray of shape (n_customers,), float64
        Above 0.

    Returns
    -------
    dict of str to float
        ``poisson_deviance``: lower is better, and an honest mean is best. The others are those of
        `score_expectations`.

    References
    ----------
    .. [1] Gneiting, "Making and evaluating point forecasts", JASA 2011.
    """
    deviance = float(mean_poisson_deviance(outcomes, expected))
    return {"poisson_deviance": deviance, **score_expectations(outcomes, expected)}


def score_amounts(outcomes, expected):
    """Take the figures of expected money; as `score_counts`, with ``tweedie_deviance``."""
    deviance = float(mean_tweedie_deviance(outcomes, expected, power=MONEY_POWER))
    return {"tweedie_deviance": deviance, **score_expectations(outcomes, expected)}


def score_waits(outcomes, waits, days):
    """Take the figures of the days after which a purchase is as likely as not.

    Parameters
    ----------
    outcomes : ndarray of shape (n_customers,), float64
        Days from the cutoff, the beginning of a day, to the purchase; infinite where there is none
        within ``days``.
    waits : ndarray of shape (n_customers,), float64
        Those with ``days`` and more have no date.
    days : int
        The window, beyond which waits are not known.

    Returns
    -------
    dict of str to float
        ``absolute_days``: mean absolute error, with waits beyond ``days`` counted as that,
        which an honest median makes least. ``dated_share``: share of customers with a date.
        ``bought_by_date``: share of these who had bought by the end of that day; near one half
        where dates are right. Not there where nobody has a date.
    """
    figures = {"absolute_days": float(absolute_days(outcomes, waits, days).mean())}
    dated = waits < days
    figures["dated_share"] = float(dated.mean())
    if dated.any():
        bought = outcomes[dated] < np.floor(waits[dated]) + 1
        figures["bought_by_date"] = float(bought.mean())
    return figures


def log_losses(outcomes, probabilities):
    """Take the log loss of each probability; their mean is ``log_loss``.

    A certainty that does not come true has a large loss and no infinite one.
    """
    least = np.finfo("float64").eps
    return -np.log(np.clip(np.where(outcomes, probabilities, 1 - probabilities), least, 1))


def poisson_deviances(outcomes, expected):
    """Take the deviance of each expected count; their mean is ``poisson_deviance``."""
    return 2 * (xlogy(outcomes, outcomes / expected) - outcomes + expected)


def tweedie_deviances(outcomes, expected):
    """Take the deviance of each expected amount; their mean is ``tweedie_deviance``.

    At ``MONEY_POWER`` of one and a half it has this short form.
    """
    return 4 * (np.sqrt(outcomes) - np.sqrt(expected)) ** 2 / np.sqrt(expected)


def absolute_days(outcomes, waits, days):
    """Take the error of each wait; their mean is ``absolute_days``."""
    return np.abs(np.minimum(outcomes, days) - np.minimum(waits, days))


def rate_at_the_top(outcomes, probabilities, share):
    """Share of positive outcomes among the customers with the highest probabilities.

    Parameters
    ----------
    outcomes : ndarray of shape (n_customers,), bool
    probabilities : ndarray of shape (n_customers,), float64
    share : float
        Of the customers, above 0 and at most 1; a part of a customer counts in part.

    Returns
    -------
    float
        Where customers tie at the border, the mean over all orders in which they could stand.
    """
    values, places = np.unique(-probabilities, return_inverse=True)
    customers = np.bincount(places, minlength=len(values))
    positive = np.bincount(places, weights=outcomes, minlength=len(values))
    wanted = share * len(outcomes)
    before = np.cumsum(customers) - customers
    taken = np.clip(wanted - before, 0, customers)
    return float((positive * taken / customers).sum() / wanted)


def choose_champion(outcomes, predictions):
    """Choose the predictions with the least log loss.

    Parameters
    ----------
    outcomes : ndarray of shape (n_customers,), bool
    predictions : dict of str to ndarray of shape (n_customers,), float64
        Probabilities of each model, the plainest first, which wins a tie.

    Returns
    -------
    str
    """
    return min(
        predictions,
        key=lambda model: score_probabilities(outcomes, predictions[model])[CHAMPION_METRIC],
    )


def group_predictions(predictions, outcomes):
    """Compare predictions with outcomes, by groups with like predictions.

    Parameters
    ----------
    predictions : ndarray of shape (n_customers,), float64
    outcomes : ndarray of shape (n_customers,), bool or float64

    Returns
    -------
    list of tuple
        Number of the group (from 1, the lowest predictions), customers, least, largest and mean
        prediction, and mean outcome. About a tenth of the customers each; equal predictions share
        a group.
    """
    places = np.searchsorted(np.sort(predictions), predictions) * GROUPS
    tenths = places // len(predictions)
    return [
        (
            number,
            int(members.sum()),
            float(predictions[members].min()),
            float(predictions[members].max()),
            float(predictions[members].mean()),
            float(outcomes[members].mean()),
        )
        for number, members in enumerate((tenths == tenth for tenth in np.unique(tenths)), start=1)
    ]
