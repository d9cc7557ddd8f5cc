"""Customers at past moments: what was known of them, and what came."""

from dataclasses import dataclass

import numpy as np

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
