"""How good probabilities are."""

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

CHAMPION_METRIC = "log_loss"
# Share of customers, those with the highest probability first, whose rate is taken.
TOP_SHARE = 0.1


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
