"""Plain rules about what customers will do, which a model has to beat, and parts of models."""

import numpy as np

# Weight of everybody's mean basket in a customer's own, in orders.
PRIOR_ORDERS = 2
# Time with everybody's mean rate that a customer's own rate is drawn towards, in days.
PRIOR_DAYS = 90
# No expectation is 0, which a deviance would punish without limit: this share of the mean is least.
LEAST_SHARE = 0.01


def floored(expected, mean):
    """Raise expectations to the least share of a mean."""
    return np.maximum(expected, LEAST_SHARE * mean)


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
    return floored((frequency - 1 + everybody) / (tenure + PRIOR_DAYS) * days, outcomes.mean())


def mean_baskets(train, features):
    """Average basket of each customer, drawn towards that of all orders in training."""
    orders, money = features[:, 2], features[:, 3]
    return (money + PRIOR_ORDERS * mean_basket(train)) / (orders + PRIOR_ORDERS)


def mean_basket(train):
    """Average basket of all orders in training."""
    return train[:, 3].sum() / train[:, 2].sum()


def own_gaps(features):
    """Wait until the customer's own mean gap has gone by; without a gap, for ever."""
    recency, tenure, frequency = features[:, 0], features[:, 1], features[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = (tenure - recency) / (frequency - 1)
    return np.where(frequency > 1, np.maximum(gap - recency, 0), np.inf)


def even_waits(nobody, days):
    """Find the days after which half of such customers have bought, at a constant rate.

    Parameters
    ----------
    nobody : ndarray of shape (n,), float64
        Probability to buy nothing in ``days``.
    days : int

    Returns
    -------
    ndarray of shape (n,), float64
        Above ``days`` where that probability is above one half.
    """
    with np.errstate(divide="ignore"):
        return days * np.log(2) / np.abs(np.log(np.clip(nobody, 1e-9, 1)))
