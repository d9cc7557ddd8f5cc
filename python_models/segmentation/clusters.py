"""Fit clusters: one function for every algorithm."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sklearn import config_context
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from segmentation.scaling import round_significant
from segmentation.selection import SMALLEST_SHARE, elbow_depths

# Above these many customers, candidates are fitted on a seeded sample of them; the chosen K-Means
# is refitted on all, starting at the sample's centres. The algorithms that compare every pair of
# customers get a smaller sample.
FIT_SAMPLE = 10_000
PAIRWISE_SAMPLE = 5_000
ALGORITHMS = {
    "kmeans": "K-Means",
    "gaussian_mixture": "Gaussian mixture",
    "ward": "Ward",
    "dbscan": "DBSCAN",
    "hdbscan": "HDBSCAN",
}
# These are told how many clusters to make; the others find their own number.
TAKE_K = ("kmeans", "gaussian_mixture", "ward")
NOISE = -1
# A mixture's fit ends when an iteration gains less log-likelihood a customer; scikit-learn's 0.001
# takes twice as long and moves hardly anybody.
MIXTURE_TOLERANCE = 0.01


@dataclass(frozen=True)
class Partition:
    """One way to part customers into clusters.

    Attributes
    ----------
    algorithm : str
        A key of ``ALGORITHMS``.
    k : int
        Number of clusters asked for, or found by an algorithm that is not asked.
    labels : ndarray of shape (n_customers,), int64
        Cluster of each customer that was fitted, 0 to k - 1, or ``NOISE``.
    centers : ndarray of shape (n_clusters, n_features), float64
        In scaled units; means of the clusters. Fewer than k where a cluster stayed empty.
    eps : float
        Radius that DBSCAN used, in scaled units; nan for the others.
    """

    algorithm: str
    k: int
    labels: np.ndarray
    centers: np.ndarray
    eps: float = np.nan


@contextmanager
def lightly():
    """Fit without what costs more than it brings on a few thousand customers.

    More threads than one are slower there, and checking arguments costs thousands of small fits a
    tenth; what does not converge, figures show.
    """
    with (
        threadpool_limits(limits=1),
        config_context(assume_finite=True, skip_parameter_validation=True),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def sample_rows(n_rows, size, seed):
    """Rows of a seeded sample without replacement, in rising order; all rows if there are fewer.

    Samples of one seed are nested: the smaller is part of the larger.

    Parameters
    ----------
    n_rows, size, seed : int

    Returns
    -------
    ndarray of shape (min(n_rows, size),), int64
    """
    if n_rows <= size:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:size])


def fit_partitions(points, algorithm, ks, *, n_init, seed):
    """Fit an algorithm for every number of clusters asked for.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
        Scaled features, rows in a fixed order: with one seed, shuffled rows can end in another of
        several nearly tied optima.
    algorithm : str
        A key of ``ALGORITHMS``.
    ks : sequence of int
        Numbers of clusters, each at most the number of distinct rows. DBSCAN and HDBSCAN find their
        own number and give one partition.
    n_init : int
        Starts of K-Means, k-means++, of which the one with the lowest inertia is kept.
    seed : int

    Yields
    ------
    Partition
        Each is fitted when it is asked for, so that a caller can say what is next.

    References
    ----------
    .. [1] Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    .. [2] Ester et al., "A density-based algorithm for discovering clusters", KDD 1996.
    .. [3] Campello et al., "Density-based clustering based on hierarchical density estimates",
       PAKDD 2013.
    """
    if algorithm == "kmeans":
        for k in ks:
            yield _fit_kmeans(points, k, "k-means++", n_init, seed)
    elif algorithm == "gaussian_mixture":
        for k in ks:
            mixture = GaussianMixture(k, tol=MIXTURE_TOLERANCE, random_state=seed)
            labels = mixture.fit_predict(points)
            yield _by_means(points, algorithm, labels, k)
    elif algorithm == "ward":
        tree = AgglomerativeClustering(n_clusters=1, linkage="ward").fit(points).children_
        for k in ks:
            yield _by_means(points, algorithm, cut_tree(tree, k), k)
    elif algorithm == "dbscan":
        neighbours = count_neighbours(points)
        eps = choose_eps(points, neighbours)
        labels = DBSCAN(eps=eps, min_samples=neighbours).fit_predict(points)
        yield _by_means(points, algorithm, labels, eps=eps)
    else:
        smallest = max(5, int(np.ceil(SMALLEST_SHARE * len(points))))
        labels = np.full(len(points), NOISE)
        if len(points) >= 2 * smallest:
            labels = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(points)
        yield _by_means(points, algorithm, labels)


def refit_on_all(points, partition, *, seed):
    """Move the centres of a K-Means fit on a sample to where all customers want them.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    partition : Partition
    seed : int

    Returns
    -------
    Partition
        Of all customers.
    """
    return _fit_kmeans(points, partition.k, partition.centers, 1, seed)


def _fit_kmeans(points, k, init, n_init, seed):
    fitted = KMeans(k, init=init, n_init=n_init, random_state=seed).fit(points)
    centers = round_centers(fitted.cluster_centers_)
    return Partition("kmeans", k, nearest_centers(points, centers), centers)


def _by_means(points, algorithm, labels, k=None, eps=np.nan):
    found, labels_from_0 = np.unique(labels[labels != NOISE], return_inverse=True)
    numbered = np.full(len(labels), NOISE, dtype="int64")
    numbered[labels != NOISE] = labels_from_0
    means = [points[numbered == cluster].mean(axis=0) for cluster in range(len(found))]
    centers = round_centers(np.array(means).reshape(len(found), points.shape[1]))
    return Partition(algorithm, k or len(found), numbered, centers, eps)


def round_centers(centers):
    """Round centres to 12 significant digits, and to 12 places near 0.

    Near 0 the last of 12 digits is noise of the order in which rows were added.

    Parameters
    ----------
    centers : ndarray of float64

    Returns
    -------
    ndarray of float64, of the shape of ``centers``
    """
    return np.round(round_significant(centers), 12) + 0.0


def cut_tree(children, k):
    """Clusters that are left when a tree of mergers stops at ``k``.

    Parameters
    ----------
    children : ndarray of shape (n_customers - 1, 2), int64
        For each merger, in order, the two clusters merged: customers are 0 to n - 1, and merger
        ``i`` makes the cluster n + i.
    k : int

    Returns
    -------
    ndarray of shape (n_customers,), int64
        0 to k - 1, in the order of each cluster's first customer.
    """
    n = len(children) + 1
    parents = np.arange(2 * n - 1)
    for merger, pair in enumerate(children[: n - k]):
        parents[pair] = n + merger
    # Mergers come after what they merge, so from the end every parent is known by then.
    for node in range(2 * n - 2, -1, -1):
        parents[node] = parents[parents[node]]
    _, first, labels = np.unique(parents[:n], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[labels]


def count_neighbours(points):
    """How many neighbours make a dense place: twice the number of features, 4 at least.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64

    Returns
    -------
    int

    References
    ----------
    .. [1] Sander et al., "Density-based clustering in spatial databases", DMKD 1998.
    """
    return min(max(4, 2 * points.shape[1]), len(points))


def choose_eps(points, neighbours):
    """Radius for DBSCAN: the knee of the sorted distances to the k-th neighbour.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    neighbours : int
        The neighbours that make a dense place; a customer is its own first.

    Returns
    -------
    float
        In scaled units, above 0.

    References
    ----------
    .. [1] Satopaa et al., "Finding a kneedle in a haystack", ICDCSW 2011.
    """
    found = NearestNeighbors(n_neighbors=neighbours).fit(points).kneighbors(points)
    distances = np.sort(found[0][:, -1])[::-1]
    knee = distances[int(np.argmax(elbow_depths(distances)))]
    if knee <= 0:
        knee = distances[distances > 0].min(initial=1.0)
    return float(round_significant(knee))


def nearest_centers(points, centers):
    """Nearest centre of each customer, one independent of all others.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
        Scaled features.
    centers : ndarray of shape (k, n_features), float64

    Returns
    -------
    ndarray of shape (n_customers,), int64
        Positions in ``centers``.
    """
    return pairwise_distances_argmin(points, centers).astype("int64")


def count_distinct_rows(points, enough):
    """Count distinct rows, but stop looking once there are enough.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    enough : int

    Returns
    -------
    int
    """
    block = max(1_000, enough)
    seen = points[:0]
    for start in range(0, len(points), block):
        seen = np.unique(np.vstack([seen, points[start : start + block]]), axis=0)
        if len(seen) >= enough:
            break
    return len(seen)
