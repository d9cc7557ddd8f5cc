"""Customers at past moments: what was known of them, and what came."""

from dataclasses import dataclass, replace

import numpy as np

# Columns of the features, in their order.
FEATURES = [
    "recency_days",
    "tenure_days",
    "frequency",
    "monetary",
    "orders_last_window",
    "spend_last_window",
    "spend_last_365d",
]
YEAR = 365


@dataclass(frozen=True)
class Observations:
    """Customers at cutoffs: what was known of them, and the outcome.

    Attributes
    ----------
    days : int
        The window: how far predictions look ahead.
    cutoffs : ndarray of shape (n,), datetime64
    features : ndarray of shape (n, 7), float64
        ``FEATURES`` at the cutoff: days, orders and money before it.
    orders, spend : ndarray of shape (n,), float64
        In the ``days`` from the cutoff on; NaN where that is not known yet.
    waits : ndarray of shape (n,), float64
        Days from the cutoff to the next purchase; infinite without one within ``days``.
    spend_year : ndarray of shape (n,), float64
        In the ``YEAR`` from the cutoff on; NaN where that is not known yet.
    """

    days: int
    cutoffs: np.ndarray
    features: np.ndarray
    orders: np.ndarray
    spend: np.ndarray
    waits: np.ndarray
    spend_year: np.ndarray

    def at(self, cutoffs):
        """Take the customers at some of the cutoffs, in the order they have."""
        kept = np.isin(self.cutoffs, cutoffs)
        by_customer = [name for name in self.__dataclass_fields__ if name != "days"]
        return replace(self, **{name: getattr(self, name)[kept] for name in by_customer})
