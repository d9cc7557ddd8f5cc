"""Fit K-Means and measure what came out."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    pairwise_distances_argmin,
    pairwise_distances_argmin_min,
    silhouette_score,
)

from segmentation.scaling import round_significant

# Above this many customers, candidates are fitted on a seeded sample of them and the chosen one is
# refitted on all, starting at the sample's centres.
FIT_SAMPLE = 10_000
# The silhouette compares every pair of customers: exact up to here, else on a sample, which changes
# it by less than 0.01.
SILHOUETTE_EXACT = 5_000
SILHOUETTE_SAMPLE = 2_500


@dataclass(frozen=True)
class Clustering:
    """One fitted K-Means and its figures.

    Attributes
    ----------
    k : int
        Number of clusters asked for.
    centers : ndarray of shape (k, n_features), float64
        In scaled units.
    labels : ndarray of shape (n_customers,), int64
        Nearest centre of every customer, 0 to k - 1.
    inertia : float
        Sum of squared distances to the nearest centre, in squared scaled units.
    silhouette, davies_bouldin, calinski_harabasz : float
        Quality of the split; see the functions of these names in scikit-learn.
    smallest_cluster_share : float
        Share of customers in the smallest cluster, 0 to 1.
    """

    k: int
    centers: np.ndarray
    labels: np.ndarray
    inertia: float
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    smallest_cluster_share: float


def sample_rows(n_rows, size, seed):
    """Rows of a seeded sample without replacement, in rising order; all rows if there are fewer.

    Parameters
    ----------
    n_rows, size, seed : int

    Returns
    -------
    ndarray of shape (min(n_rows, size),), int64
    """
    if n_rows <= size:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, size=size, replace=False))


def fit_kmeans(features, k, *, n_init, seed):
    """Fit K-Means and measure it on all customers.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        Scaled features, rows in a fixed order: with one seed, shuffled rows can end in another of
        several nearly tied optima.
    k : int
        Number of clusters, from 2 to the number of distinct rows.
    n_init : int
        Number of k-means++ starts; the one with the lowest inertia is kept.
    seed : int

    Returns
    -------
    Clustering

    Raises
    ------
    ValueError
        If there are fewer distinct rows than clusters.

    References
    ----------
    .. [1] Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    """
    if k > count_distinct_rows(features, k):
        raise ValueError(f"{k} clusters need at least {k} customers that differ")
    rows = sample_rows(len(features), FIT_SAMPLE, seed)
    fitted = KMeans(k, init="k-means++", n_init=n_init, random_state=seed).fit(features[rows])
    return measure(features, fitted.cluster_centers_, seed=seed)


def refit_on_all(features, clustering, *, seed):
    """Move the centres of a fit on a sample to where all customers want them.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
    clustering : Clustering
        Returned as it is where the sample was everybody.
    seed : int

    Returns
    -------
    Clustering
    """
    if len(features) <= FIT_SAMPLE:
        return clustering
    fitted = KMeans(clustering.k, init=clustering.centers, n_init=1, random_state=seed).fit(
        features
    )
    return measure(features, fitted.cluster_centers_, seed=seed)


def measure(features, centers, *, seed):
    """Assign customers to centres and take the figures of the split.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
    centers : ndarray of shape (k, n_features), float64
    seed : int
        Of the sample on which silhouettes are taken where customers are many.

    Returns
    -------
    Clustering
    """
    # Near 0 the last of 12 digits is noise of the order in which rows were added.
    centers = np.round(round_significant(centers), 12) + 0.0
    labels, distances = pairwise_distances_argmin_min(features, centers)
    counts = np.bincount(labels, minlength=len(centers))
    size = len(features) if len(features) <= SILHOUETTE_EXACT else SILHOUETTE_SAMPLE
    rows = sample_rows(len(features), size, seed)
    split = 2 <= len(np.unique(labels[rows])) < len(rows)
    return Clustering(
        k=len(centers),
        centers=centers,
        labels=labels.astype("int64"),
        inertia=float(np.square(distances).sum()),
        silhouette=float(silhouette_score(features[rows], labels[rows])) if split else np.nan,
        davies_bouldin=float(davies_bouldin_score(features, labels)) if split else np.nan,
        calinski_harabasz=float(calinski_harabasz_score(features, labels)) if split else np.nan,
        smallest_cluster_share=float(counts.min() / len(features)),
    )


def nearest_centers(features, centers):
    """Nearest centre of each customer, one independent of all others.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        Scaled features.
    centers : ndarray of shape (k, n_features), float64

    Returns
    -------
    ndarray of shape (n_customers,), int64
        Positions in ``centers``.
    """
    return pairwise_distances_argmin(features, centers).astype("int64")


def count_distinct_rows(features, enough):
    """Count distinct rows, but stop looking once there are enough.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
    enough : int

    Returns
    -------
    int
    """
    block = max(1_000, enough)
    seen = features[:0]
    for start in range(0, len(features), block):
        seen = np.unique(np.vstack([seen, features[start : start + block]]), axis=0)
        if len(seen) >= enough:
            break
    return len(seen)
