"""Measure a partition: how good, how stable, and how like another it is."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    pairwise_distances,
)

from segmentation.clusters import NOISE, fit_partitions, lightly, nearest_centers, sample_rows

# Figures that compare every pair of customers are exact up to here, else taken on a sample, which
# changes a silhouette by less than 0.01.
PAIRS_EXACT = 5_000
PAIRS_SAMPLE = 2_500
# Customers drawn for each refit. Fewer than all, so a split that holds here holds all the more.
RESAMPLE = 1_000


class Yardstick:
    """What partitions of the same customers are measured with: distances, taken once.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
        Scaled features.
    seed : int
        Of the sample that is measured where customers are many.

    Attributes
    ----------
    rows : ndarray of shape (n_measured,), int64
        Customers on which figures are taken.
    """

    def __init__(self, points, seed):
        size = len(points) if len(points) <= PAIRS_EXACT else PAIRS_SAMPLE
        self.rows = sample_rows(len(points), size, seed)
        self._points = points[self.rows]
        self._distances = None

    def figures(self, labels):
        """Silhouette, Davies-Bouldin and Calinski-Harabasz of a partition, noise left out.

        Parameters
        ----------
        labels : ndarray of shape (n_measured,), int64
            Clusters of the customers in ``rows``.

        Returns
        -------
        dict of str to float
            nan where there are fewer than two clusters, or none with two customers.

        References
        ----------
        .. [1] Rousseeuw, "Silhouettes", Journal of Computational and Applied Mathematics 20, 1987.
        """
        clustered = labels != NOISE
        kept = labels[clustered]
        if not 2 <= len(np.unique(kept)) < len(kept):
            return dict.fromkeys(("silhouette", "davies_bouldin", "calinski_harabasz"), np.nan)
        points = self._points[clustered]
        return {
            "silhouette": self._silhouette(clustered, kept),
            "davies_bouldin": float(davies_bouldin_score(points, kept)),
            "calinski_harabasz": float(calinski_harabasz_score(points, kept)),
        }

    def _silhouette(self, clustered, labels):
        if self._distances is None:
            self._distances = pairwise_distances(self._points).astype("float32")
        distances = self._distances
        if not clustered.all():
            distances = distances[np.ix_(clustered, clustered)]
        found, own = np.unique(labels, return_inverse=True)
        members = np.eye(len(found), dtype="float32")[own]
        sizes = members.sum(axis=0)
        sums = (distances @ members).astype("float64")
        place = np.arange(len(own))
        others = sizes[own] - 1
        inner = sums[place, own] / np.maximum(others, 1)
        means = sums / sizes
        means[place, own] = np.inf
        outer = means.min(axis=1)
        larger = np.maximum(inner, outer)
        widths = np.where(
            (others > 0) & (larger > 0), (outer - inner) / np.where(larger, larger, 1), 0
        )
        return float(widths.mean())


@dataclass(frozen=True)
class Stability:
    """Agreement of refits on resamples with the fit itself.

    Attributes
    ----------
    mean, spread : float
        Mean and standard deviation of the adjusted Rand index over refits; nan without refits.
    refits : int
    """

    mean: float
    spread: float
    refits: int


def measure_stability(points, partitions, *, refits, n_init, seed, jobs=1):
    """Refit on resamples, and see how far the clusters are those of the fit.

    Customers are drawn with replacement, the same for every partition; each algorithm then does
    what it did for the fit, and its labels are compared with the fit's on the customers drawn.
    Noise counts as a cluster.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
        Scaled features of the customers that all partitions cover.
    partitions : dict of str to list of (int, ndarray of shape (n_customers,))
        For each algorithm, asked-for k and labels. One that finds its own k has one.
    refits : int
        Resamples; 0 leaves stability unknown.
    n_init, seed : int
        As for the fits.
    jobs : int
        Processes that share the resamples, each of which has its own seed: how many there are
        changes no figure.

    Returns
    -------
    dict of str to list of Stability
        In the order of ``partitions``.

    References
    ----------
    .. [1] Hennig, "Cluster-wise assessment of cluster stability", CSDA 52, 2007.
    """
    if refits == 0:
        unknown = Stability(np.nan, np.nan, 0)
        return {algorithm: [unknown] * len(fits) for algorithm, fits in partitions.items()}
    rounds = Parallel(n_jobs=jobs)(
        delayed(refit)(points, partitions, number, n_init=n_init, seed=seed)
        for number in range(refits)
    )
    return {
        algorithm: [
            Stability(float(np.mean(scores)), float(np.std(scores)), refits)
            for scores in zip(*(found[algorithm] for found in rounds), strict=True)
        ]
        for algorithm in partitions
    }


def refit(points, partitions, number, *, n_init, seed):
    """Refit every partition on one resample.

    Parameters
    ----------
    points, partitions, n_init, seed
        As ``measure_stability`` takes them.
    number : int
        Of the resample.

    Returns
    -------
    dict of str to list of float
        Adjusted Rand indices, in the order of ``partitions``.
    """
    rng = np.random.default_rng([seed, number])
    drawn = rng.integers(len(points), size=min(len(points), RESAMPLE))
    sample = points[drawn]
    distinct = len(np.unique(sample, axis=0))
    found = {}
    with lightly():
        for algorithm, fits in partitions.items():
            possible = [k for k, _ in fits if k <= distinct]
            again = fit_partitions(sample, algorithm, possible, n_init=n_init, seed=number)
            scores = [
                adjusted_rand(labels[drawn], partition.labels)
                for (_, labels), partition in zip(fits, again, strict=False)
            ]
            found[algorithm] = scores + [np.nan] * (len(fits) - len(scores))
    return found


def adjusted_rand(labels, other_labels):
    """Agreement of two partitions beyond chance, by counts of pairs.

    What scikit-learn's ``adjusted_rand_score`` gives, in a tenth of its time for a thousand
    customers, of which the stability of all candidates takes some thousands.

    Parameters
    ----------
    labels, other_labels : ndarray of shape (n_customers,), int64

    Returns
    -------
    float
        1 where both are the same but for names, near 0 where they have nothing in common.

    References
    ----------
    .. [1] Hubert and Arabie, "Comparing partitions", Journal of Classification 2, 1985.
    """
    _, ours = np.unique(labels, return_inverse=True)
    _, theirs = np.unique(other_labels, return_inverse=True)
    both = np.bincount(ours * (theirs.max() + 1) + theirs)
    # Ordered pairs of customers who are together in both partitions, in one of them, in neither.
    squares = [int(np.square(sizes).sum()) for sizes in map(np.bincount, (ours, theirs))]
    together = int(np.square(both).sum())
    only_ours, only_theirs = (square - together for square in squares)
    neither = len(labels) ** 2 - together - only_ours - only_theirs
    together -= len(labels)
    if only_ours == only_theirs == 0:
        return 1.0
    return (
        2.0
        * (together * neither - only_ours * only_theirs)
        / (
            (together + only_ours) * (only_ours + neither)
            + (together + only_theirs) * (only_theirs + neither)
        )
    )


def center_agreement(points, partition):
    """Share of clustered customers whose nearest centre is that of their own cluster.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    partition : Partition

    Returns
    -------
    float
        0 to 1; 1 for K-Means by construction, nan where nobody is in a cluster.
    """
    clustered = partition.labels != NOISE
    if not clustered.any():
        return np.nan
    nearest = nearest_centers(points[clustered], partition.centers)
    return float((nearest == partition.labels[clustered]).mean())


def cross_table(labels, other_labels):
    """Count customers for each pair of clusters that has any.

    Parameters
    ----------
    labels, other_labels : ndarray of shape (n_customers,), int64

    Returns
    -------
    list of tuple of int
        (cluster, other cluster, customers), rising.
    """
    pairs, counts = np.unique(np.column_stack([labels, other_labels]), axis=0, return_counts=True)
    return [(int(a), int(b), int(n)) for (a, b), n in zip(pairs, counts, strict=True)]
