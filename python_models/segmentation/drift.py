"""Tell whether customers have moved away from the fit that they are assigned with."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segmentation.scaling import scale

# A population stability index above this is customarily called a shift.
SHIFT = 0.25
# Ten times as many customers beyond their cluster's reach as when it was fitted.
FAR_SHARE = 0.10
# A refit that explains this much more of the variation parts customers otherwise than now; growth
# and seasons of two shops brought at most 0.067.
WORTH = 0.10
# With fewer of the customers that were fitted on still there, it is another shop.
SAME_SHOP = 0.5
# The reach of a cluster holds this share of its customers when it is fitted.
REACH = 0.99
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
    reaches : ndarray of shape (k,), float64
        For each cluster, the distance to its centre that 99 % of its customers lie within.
    sketch : ndarray of shape (at most 100,), uint64
        The smallest hashes of customers' identifiers: a sample of them that needs no list.
    """

    customers: int
    edges: dict
    shares: dict
    reaches: np.ndarray
    sketch: np.ndarray


@dataclass(frozen=True)
class Drift:
    """How customers differ from those that a fit was made on.

    Attributes
    ----------
    psi : dict of str to float
        Population stability index of each feature; 0 where nothing changed.
    far_share : float
        Share of clustered customers beyond the reach of their cluster; 0.01 when it was fitted.
    known_share : float
        Estimated share of the customers fitted on that are still there.
    """

    psi: dict
    far_share: float
    known_share: float


def describe_reference(customers, features, fit):
    """Take what a later build compares its customers with.

    Parameters
    ----------
    customers : Customers
        Those that the fit was made on.
    features : sequence of str
    fit : StoredFit

    Returns
    -------
    Reference
    """
    edges = {
        feature: np.unique(np.quantile(customers.raw[:, column], np.arange(1, BINS) / BINS))
        for column, feature in enumerate(features)
    }
    clusters, distances = distances_to_own(customers, fit)
    return Reference(
        customers=len(customers.ids),
        edges=edges,
        shares={
            feature: bin_shares(customers.raw[:, column], edges[feature])
            for column, feature in enumerate(features)
        },
        reaches=np.array(
            [
                np.quantile(distances[clusters == cluster], REACH)
                if (clusters == cluster).any()
                else 0.0
                for cluster in range(1, len(fit.centers) + 1)
            ]
        ),
        sketch=sketch(customers.ids),
    )


def measure_drift(customers, features, fit, reference):
    """Compare customers with those that a fit was made on.

    Parameters
    ----------
    customers : Customers
    features : sequence of str
    fit : StoredFit
    reference : Reference
        Of that fit.

    Returns
    -------
    Drift
    """
    clusters, distances = distances_to_own(customers, fit)
    inside = clusters <= len(fit.centers)
    far = distances[inside] > reference.reaches[clusters[inside] - 1]
    present = np.isin(reference.sketch, hash_ids(customers.ids))
    return Drift(
        psi={
            feature: stability_index(
                reference.shares[feature],
                bin_shares(customers.raw[:, column], reference.edges[feature]),
            )
            for column, feature in enumerate(features)
        },
        far_share=float(far.mean()) if inside.any() else 0.0,
        known_share=float(present.mean()),
    )


def distances_to_own(customers, fit):
    """Cluster of each customer, and how far its centre is in scaled units.

    Parameters
    ----------
    customers : Customers
    fit : StoredFit

    Returns
    -------
    clusters : ndarray of shape (n_customers,), int64
        From 1; those above k are groups of outliers.
    distances : ndarray of shape (n_customers,), float64
        nan in a group of outliers.
    """
    clusters = fit.assign(customers.transformed, customers.raw)
    inside = clusters <= len(fit.centers)
    points = scale(customers.transformed[inside], fit.preparation)
    distances = np.full(len(clusters), np.nan)
    distances[inside] = np.linalg.norm(points - fit.centers[clusters[inside] - 1], axis=1)
    return clusters, distances


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
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return (counts + 0.5) / (len(values) + 0.5 * len(counts))


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
        Shares of today's variation that the fit in use and a fresh one explain.
    day_counts : frozenset of str
        Features that count days. They move with the calendar: a season alone brings them beyond
        SHIFT.

    Returns
    -------
    is_due : bool
    reason : str
        For people, with the figures.
    """
    reasons = [
        f"{feature} has shifted (index {index:.2f}, above {SHIFT})"
        for feature, index in drift.psi.items()
        if index > SHIFT and feature not in day_counts
    ]
    if drift.far_share > FAR_SHARE:
        reasons.append(f"{drift.far_share:.0%} of customers are beyond the reach of their cluster")
    if explained_by_refit - explained > WORTH:
        reasons.append(
            f"a refit explains {explained_by_refit:.0%} of the variation, this fit {explained:.0%}"
        )
    if reasons:
        return True, "; ".join(reasons)
    moved = [
        f"{feature} {index:.2f}"
        for feature, index in drift.psi.items()
        if index > SHIFT and feature in day_counts
    ]
    counted = f"; days counted move with the calendar ({', '.join(moved)})" if moved else ""
    return False, (
        f"no feature has shifted, and a refit explains {explained_by_refit:.1%} of the variation "
        f"instead of {explained:.1%}{counted}"
    )


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
