"""Tell whether customers have moved away from the fit that they are assigned with."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

# A population stability index above this is customarily called a shift.
SHIFT = 0.25
# Days are counted by the calendar too: seasons and a cohort that only ages brought them to 1.4 on
# four shops, 90 days without a sale to 2.2 at least where people buy again.
SHIFT_OF_DAYS = 1.75
# A refit that explains this much more of the variation is worth knowing of.
WORTH = 0.10
# With fewer of the customers that were fitted on still there, it is another shop.
SAME_SHOP = 0.5
BINS = 10
SKETCHED = 100


@dataclass(frozen=True)
class Reference:
    """What is remembered of the customers that a fit was made on.

    Attributes
    ----------
    customers : int
    edges : dict of str to ndarray of shape (at most 9,), float64
        For each feature, in its own unit, where its bins meet: deciles, each once.
    shares : dict of str to ndarray of shape (number of edges + 1,), float64
        Shares of customers in the bins, each more than 0.
    sketch : ndarray of shape (at most 100,), uint64
        The smallest hashes of customers' identifiers: a sample of them that needs no list.
    days : float or None
        How far the data reached back; None where that is not known.
    """

    customers: int
    edges: dict
    shares: dict
    sketch: np.ndarray
    days: float | None = None


@dataclass(frozen=True)
class Drift:
    """How customers differ from those that a fit was made on.

    Attributes
    ----------
    psi : dict of str to float
        Population stability index of each feature; 0 where nothing changed but the age of the data.
    known_share : float
        Estimated share of the customers fitted on that are still there.
    """

    psi: dict
    known_share: float


def describe_reference(customers, features, days=None):
    """Take what a later build compares its customers with.

    Parameters
    ----------
    customers : Customers
        Those that the fit was made on.
    features : sequence of str
    days : float, optional
        How far the data reach back.

    Returns
    -------
    Reference
    """
    edges = {
        feature: np.unique(np.quantile(customers.raw[:, column], np.arange(1, BINS) / BINS))
        for column, feature in enumerate(features)
    }
    return Reference(
        customers=len(customers.ids),
        edges=edges,
        shares={
            feature: bin_shares(customers.raw[:, column], edges[feature])
            for column, feature in enumerate(features)
        },
        sketch=sketch(customers.ids),
        days=days,
    )


def measure_drift(customers, features, reference, *, days=None, ageing=frozenset()):
    """Compare customers with those that a fit was made on.

    Parameters
    ----------
    customers : Customers
    features : sequence of str
    reference : Reference
        Of that fit.
    days : float, optional
        How far the data reach back now.
    ageing : frozenset of str
        Features that grow as the data reach further back.

    Returns
    -------
    Drift
    """
    growth = max(1.0, days / reference.days) if days and reference.days else 1.0
    present = np.isin(reference.sketch, hash_ids(customers.ids))
    return Drift(
        psi={
            feature: stability_index(
                reference.shares[feature],
                aged_shares(
                    customers.raw[:, column],
                    reference.edges[feature],
                    reference.shares[feature],
                    growth if feature in ageing else 1.0,
                ),
            )
            for column, feature in enumerate(features)
        },
        known_share=float(present.mean()),
    )


def bin_shares(values, edges):
    """Shares of customers between edges, none of them 0.

    Parameters
    ----------
    values : ndarray of shape (n_customers,), float64
    edges : ndarray of shape (n_edges,), float64, rising
        A value that equals an edge lies below it.

    Returns
    -------
    ndarray of shape (n_edges + 1,), float64
        Half a customer is added to each bin, so that an empty one does not weigh without end.
    """
    return count_shares(np.searchsorted(edges, values, side="left"), edges)


def aged_shares(values, edges, expected, growth):
    """Shares of customers between edges, but for what age alone may have added.

    In data that reach twice as far back, a customer may have spent up to twice as much without
    having changed. So each may stand in any bin between its value and its value divided by the
    growth. In the order of their values, customers are put as close as that allows to where
    those of the fit stood.

    Parameters
    ----------
    values : ndarray of shape (n_customers,), float64
    edges : ndarray of shape (n_edges,), float64, rising
    expected : ndarray of shape (n_edges + 1,), float64
        Shares at the fit.
    growth : float
        How many times as far the data reach back, at least 1; 1 gives `bin_shares`.

    Returns
    -------
    ndarray of shape (n_edges + 1,), float64
    """
    values = np.sort(values)
    places = np.searchsorted(edges, values, side="left")
    without_growth = np.searchsorted(edges, values / growth, side="left")
    ranks = (np.arange(len(values)) + 0.5) / len(values)
    wanted = np.searchsorted(np.cumsum(expected)[:-1], ranks)
    # What is negative grows downwards.
    lowest, highest = np.minimum(places, without_growth), np.maximum(places, without_growth)
    return count_shares(np.clip(wanted, lowest, highest), edges)


def count_shares(places, edges):
    """Shares of customers in the bins between edges, half a customer added to each.

    Parameters
    ----------
    places : ndarray of shape (n_customers,), int64
        The bin of each.
    edges : ndarray of shape (n_edges,), float64

    Returns
    -------
    ndarray of shape (n_edges + 1,), float64
    """
    counts = np.bincount(places, minlength=len(edges) + 1)
    return (counts + 0.5) / (len(places) + 0.5 * len(counts))


def stability_index(expected, actual):
    """Take the population stability index of two distributions over the same bins.

    Parameters
    ----------
    expected, actual : ndarray of shape (n_bins,), float64
        Shares, each more than 0.

    Returns
    -------
    float
        0 for equal distributions; below 0.1 little, above 0.25 much has changed by custom.

    References
    ----------
    .. [1] Siddiqi, "Credit risk scorecards", 2006.
    """
    return float(((actual - expected) * np.log(actual / expected)).sum())


def explained_share(points, labels):
    """Share of the variation between customers that lies between clusters.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    labels : ndarray of shape (n_customers,), int64

    Returns
    -------
    float
        0 to 1; how well any two ways to part the same points do, whatever they were fitted on.
    """
    total = np.square(points - points.mean(axis=0)).sum()
    if total == 0:
        return 1.0
    _, groups = np.unique(labels, return_inverse=True)
    counts = np.bincount(groups)
    means = np.column_stack([np.bincount(groups, column) / counts for column in points.T])
    return float(1 - np.square(points - means[groups]).sum() / total)


def judge_drift(drift, explained, explained_by_refit, day_counts=frozenset()):
    """Say whether a refit is due.

    Parameters
    ----------
    drift : Drift
    explained, explained_by_refit : float
        Shares of today's variation that the fit in use and a fresh one explain. They decide
        nothing: the borders of a young shop part an old one worse, though nobody changed.
    day_counts : frozenset of str
        Features that count days. They move with the calendar: a season alone brings them beyond
        SHIFT.

    Returns
    -------
    is_due : bool
    reason : str
        For people, with the figures.
    """
    limits = {feature: SHIFT_OF_DAYS if feature in day_counts else SHIFT for feature in drift.psi}
    reasons = [
        f"{feature} has shifted (index {index:.2f}, above {limits[feature]:g})"
        for feature, index in drift.psi.items()
        if index > limits[feature]
    ]
    if reasons:
        return True, "; ".join(reasons)
    told = (
        f"no feature has shifted, and a refit explains {explained_by_refit:.1%} of the variation "
        f"instead of {explained:.1%}"
    )
    moved = [f"{feature} {index:.2f}" for feature, index in drift.psi.items() if index > SHIFT]
    if moved:
        told += f"; days counted move with the calendar ({', '.join(moved)})"
    if explained_by_refit - explained > WORTH:
        told += "; this fit is of a younger shop; to make the refit: VARS='{refit: always}'"
    return False, told


def hash_ids(ids):
    """Hash identifiers, alike on every machine.

    Parameters
    ----------
    ids : ndarray of shape (n_customers,), object

    Returns
    -------
    ndarray of shape (n_customers,), uint64
    """
    return pd.util.hash_array(np.asarray(ids, dtype=object), categorize=False)


def sketch(ids):
    """Take the smallest hashes of identifiers.

    Parameters
    ----------
    ids : ndarray of shape (n_customers,), object

    Returns
    -------
    ndarray of shape (at most 100,), uint64

    References
    ----------
    .. [1] Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.
    """
    return np.sort(hash_ids(ids))[:SKETCHED]


def fingerprint(customers):
    """Tell whether customers are, to the last digit, those of an earlier build.

    Parameters
    ----------
    customers : Customers
        In their fixed order.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256("\0".join(customers.ids).encode())
    for values in (customers.raw, customers.transformed, customers.revenue):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]
