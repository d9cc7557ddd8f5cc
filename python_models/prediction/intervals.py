"""Intervals around predictions, from how far outcomes were from predictions of their like."""

import numpy as np

from prediction.metrics import GROUPS

# An interval is meant to hold this share of outcomes, and to leave out at most this one below.
COVERAGE = 0.8
BELOW = 0.1


def learn_spread(predictions, outcomes):
    """Learn how far outcomes lie from predictions, for customers with like predictions.

    Parameters
    ----------
    predictions : ndarray of shape (n,), float64
        Above 0.
    outcomes : ndarray of shape (n,), float64

    Returns
    -------
    borders : ndarray of shape (9,), float64
        Predictions that part the customers into tenths.
    low, high : ndarray of shape (10,), float64
        Of each tenth, outcome / prediction at both ends of the interval. ``BELOW`` of outcomes lie
        below, or none where more than that are 0, and the interval holds ``COVERAGE`` of them.
    """
    borders = np.quantile(predictions, np.arange(1, GROUPS) / GROUPS)
    groups = np.searchsorted(borders, predictions, side="right")
    low, high = np.zeros(GROUPS), np.zeros(GROUPS)
    for group in range(GROUPS):
        # A group may be empty where predictions tie; then everybody stands for it.
        members = groups == group if (groups == group).any() else slice(None)
        ratios = outcomes[members] / predictions[members]
        low[group] = np.quantile(ratios, BELOW)
        below = (ratios < low[group]).mean()
        high[group] = np.quantile(ratios, min(COVERAGE + below, 1))
    return borders, low, high


def spread_around(predictions, spread):
    """Give predictions the interval that was learnt for their like.

    Parameters
    ----------
    predictions : ndarray of shape (n,), float64
    spread : tuple
        As from `learn_spread`.

    Returns
    -------
    low, high : ndarray of shape (n,), float64
        The prediction lies between them: where few buy anything, a mean can be above what nine in
        ten spend, and the interval is widened to hold it.
    """
    borders, low, high = spread
    groups = np.searchsorted(borders, predictions, side="right")
    return (
        np.minimum(predictions * low[groups], predictions),
        np.maximum(predictions * high[groups], predictions),
    )
