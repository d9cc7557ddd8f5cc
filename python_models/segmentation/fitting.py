"""Fit a declared segmentation: every candidate, the choice among them, and their names."""

from dataclasses import dataclass, replace

import numpy as np

from segmentation.clusters import (
    ALGORITHMS,
    FIT_SAMPLE,
    NOISE,
    PAIRWISE_SAMPLE,
    TAKE_K,
    Partition,
    count_distinct_rows,
    fit_partitions,
    lightly,
    nearest_centers,
    refit_on_all,
    sample_rows,
)
from segmentation.naming import name_clusters
from segmentation.quality import (
    Stability,
    Yardstick,
    center_agreement,
    cross_table,
    measure_stability,
)
from segmentation.scaling import find_outliers, fit_preparation, scale
from segmentation.selection import select_k
from segmentation.stored_fit import center_rows, version_of


@dataclass(frozen=True)
class Candidate:
    """A partition with its figures.

    Attributes
    ----------
    partition : Partition
        Labels are those of the customers in ``rows``.
    rows : ndarray of shape (n_fitted,), int64
        Customers that the labels are of, rising.
    figures : dict of str to float
    stability : Stability
    """

    partition: Partition
    rows: np.ndarray
    figures: dict
    stability: Stability


@dataclass(frozen=True)
class Fit:
    """A fit, and what it was chosen from, as rows.

    Attributes
    ----------
    tried : list of dict
        A row for each algorithm and k, the declared algorithm first and k rising: the columns of
        the mart ``cluster_diagnostics`` but the segmentation's name.
    centers : list of dict
        Of the fit in use; see ``stored_fit.center_rows``.
    agreements : list of dict
        A row for each pair of algorithms and pair of their clusters that share customers.
    names_withheld : str or None
        For people: which clusters have a plain name because another would not be true.
    """

    tried: list
    centers: list
    agreements: list
    names_withheld: str | None = None

    @property
    def version(self):
        """Name of the version, equal where scaling, centres and names are."""
        return version_of(self.centers)


def fit_segmentation(
    declaration,
    customers,
    playbook,
    *,
    compared=(),
    refits=0,
    say=lambda _: None,
    previous=None,
    keep_names=True,
    jobs=1,
):
    """Fit every k within the declared bounds, choose one, name its clusters, and compare.

    Parameters
    ----------
    declaration : Declaration
    customers : Customers
    playbook : Playbook
    compared : sequence of str
        Algorithms, keys of ``ALGORITHMS``, that the declared one is compared with.
    refits : int
        Resamples on which stability is measured; 0 leaves it unknown.
    say : callable
        Told, in a few words, what is done next.
    previous : StoredFit, optional
        The fit that this one takes the place of: how many clusters there are, their numbers and
        names stay as they are there, so that a refit changes where borders lie and no meaning.
    keep_names : bool
        False: numbers and names come from the prototypes, as in a first fit.
    jobs : int
        Processes that share the refits.

    Returns
    -------
    Fit or None
        None where there are fewer distinct customers than the declaration asks clusters for.

    Raises
    ------
    ValueError
        If an algorithm that finds its own number of clusters finds one outside the bounds, or the
        playbook has no segment for a kind of outlier.
    """
    if len(customers.ids) == 0:
        return None
    check_outlier_segments(declaration, playbook)
    preparation = fit_preparation(
        customers.transformed,
        customers.raw,
        ranked=[feature in declaration.ranked for feature in declaration.features],
        scaler=declaration.scaler,
        winsorised=declaration.winsorised,
        separated=[feature in declaration.separated for feature in declaration.features],
    )
    outside = find_outliers(customers.raw, preparation)
    inside = ~outside.any(axis=1)
    points = scale(customers.transformed[inside], preparation)
    possible = count_distinct_rows(points, declaration.k_max)
    kept_k = len(previous.centers) if previous and declaration.algorithm in TAKE_K else None
    if possible < (declaration.k or kept_k or declaration.k_min):
        return None
    ks = list(range(declaration.k_min, min(declaration.k_max, possible) + 1))
    algorithms = [declaration.algorithm, *(a for a in compared if a != declaration.algorithm)]
    with lightly():
        candidates = fit_candidates(
            declaration, points, customers.revenue[inside], algorithms, ks, refits, say, jobs
        )
        chosen, reason = choose(declaration, candidates, kept_k)
        if declaration.algorithm == "kmeans" and len(points) > FIT_SAMPLE:
            place = candidates.index(chosen)
            partition = refit_on_all(points, chosen.partition, seed=declaration.seed)
            chosen = candidates[place] = remeasure(chosen, partition, points, declaration.seed)

        def name(candidate, playbook, previous=None):
            return name_clusters(
                declaration,
                customers,
                preparation,
                inside,
                outside,
                playbook,
                candidate.partition,
                previous,
            )

        in_use = name(chosen, playbook, previous if keep_names else None)
        withheld = [cluster.withheld for cluster in in_use if cluster.withheld]
        # Others name nobody. They are held to claims only in a shop where names turn out untrue.
        unclaimed = replace(playbook, claims={}, fallbacks=[], best=None)
        named = [
            in_use
            if candidate is chosen
            else name(
                candidate, playbook if withheld and is_compared(candidate, chosen) else unclaimed
            )
            for candidate in candidates
        ]
        agreements = compare(points, candidates, named, chosen)
    centers = [center_rows(declaration.features, preparation, clusters) for clusters in named]
    tried = [
        {
            "algorithm": candidate.partition.algorithm,
            "k": candidate.partition.k,
            "clusters": len(set(candidate.partition.labels.tolist()) - {NOISE}),
            "customers": len(candidate.rows),
            **{name: round(figure, 6) for name, figure in candidate.figures.items()},
            "stability_ari": round(candidate.stability.mean, 6),
            "stability_spread": round(candidate.stability.spread, 6),
            "stability_refits": candidate.stability.refits,
            "eps": candidate.partition.eps,
            "is_selected": candidate is chosen,
            "selection_reason": reason if candidate is chosen else None,
            "model_version": version_of(rows),
        }
        for candidate, rows in zip(candidates, centers, strict=True)
    ]
    reasons = "; ".join(dict.fromkeys(withheld)) or None
    return Fit(tried, centers[candidates.index(chosen)], agreements, reasons)


def check_outlier_segments(declaration, playbook):
    """Refuse a playbook that has no name for some kind of outlier the declaration sets apart."""
    separated = sorted(declaration.separated)
    for bits in range(1, 2 ** len(separated)):
        kind = frozenset(name for place, name in enumerate(separated) if bits >> place & 1)
        if kind not in playbook.outliers:
            raise ValueError(
                f"segmentation {declaration.segmentation}: seeds/segment_playbook.csv has no "
                f"segment of its playbook for outliers in {' and '.join(sorted(kind))}; "
                f"add a row with outlier_features {' '.join(sorted(kind))}"
            )


def fit_candidates(declaration, points, revenue, algorithms, ks, refits, say, jobs=1):
    """Fit and measure every algorithm for every k.

    Parameters
    ----------
    declaration : Declaration
    points : ndarray of shape (n_customers, n_features), float64
        Scaled features.
    revenue : ndarray of shape (n_customers,), float64
    algorithms : sequence of str
    ks : sequence of int
    refits : int
    say : callable
    jobs : int

    Returns
    -------
    list of Candidate
    """
    seed = declaration.seed
    settings = {"n_init": declaration.n_init, "seed": seed}
    yardstick = Yardstick(points, seed)
    pool = sample_rows(len(points), PAIRWISE_SAMPLE, seed)
    fitted, pooled = [], {}
    for algorithm in algorithms:
        size = FIT_SAMPLE if algorithm in ("kmeans", "gaussian_mixture") else PAIRWISE_SAMPLE
        rows = sample_rows(len(points), size, seed)
        asked = [f", k = {k} ({n} of {len(ks)})" for n, k in enumerate(ks, start=1)]
        partitions = fit_partitions(points[rows], algorithm, ks, **settings)
        pooled[algorithm] = []
        for words in asked if algorithm in TAKE_K else [""]:
            say(f"{declaration.segmentation}: {ALGORITHMS[algorithm]}{words}")
            partition, covered = next(partitions), rows
            if algorithm == "kmeans" and len(rows) < len(points):
                covered = np.arange(len(points))
                partition = replace(partition, labels=nearest_centers(points, partition.centers))
            fitted.append(
                (partition, covered, measure(points, revenue, partition, covered, yardstick))
            )
            labels = partition.labels[np.searchsorted(covered, pool)]
            pooled[algorithm].append((partition.k, labels))
    if refits:
        say(f"{declaration.segmentation}: {refits} refits of each on resamples")
    stabilities = measure_stability(points[pool], pooled, refits=refits, jobs=jobs, **settings)
    flat = [stability for algorithm in algorithms for stability in stabilities[algorithm]]
    return [
        Candidate(partition, rows, figures, stability)
        for (partition, rows, figures), stability in zip(fitted, flat, strict=True)
    ]


def measure(points, revenue, partition, rows, yardstick):
    """Take the figures of a partition.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    revenue : ndarray of shape (n_customers,), float64
    partition : Partition
    rows : ndarray of shape (n_fitted,), int64
        Customers that its labels are of.
    yardstick : Yardstick

    Returns
    -------
    dict of str to float
        Inertia is the sum of squared distances to the own centre, of the customers in ``rows`` that
        are in a cluster, brought to the number of all customers.
    """
    labels = partition.labels
    clustered = labels != NOISE
    distances = points[rows][clustered] - partition.centers[labels[clustered]]
    counts = np.bincount(labels[clustered], minlength=max(1, partition.k))
    spent = revenue[rows]
    return {
        "inertia": float(np.square(distances).sum()) * len(points) / len(rows),
        **yardstick.figures(labels[np.searchsorted(rows, yardstick.rows)]),
        "smallest_cluster_share": float(counts.min() / len(rows)),
        "noise_share": float((~clustered).mean()),
        "noise_revenue_share": float(spent[~clustered].sum() / spent.sum()) if spent.any() else 0.0,
        "center_agreement": center_agreement(points[rows], partition),
    }


def remeasure(candidate, partition, points, seed):
    """Put a partition of all customers in the place of one whose centres came from a sample."""
    rows = np.arange(len(points))
    figures = measure(points, np.ones(len(points)), partition, rows, Yardstick(points, seed))
    return Candidate(partition, rows, figures, candidate.stability)


def choose(declaration, candidates, kept_k=None):
    """Choose one of the declared algorithm's candidates.

    Parameters
    ----------
    declaration : Declaration
    candidates : list of Candidate
    kept_k : int, optional
        Number of clusters that a refit keeps, whatever the rule would choose now.

    Returns
    -------
    chosen : Candidate
    reason : str

    Raises
    ------
    ValueError
        If the algorithm found a number of clusters outside the declared bounds.
    """
    own = [each for each in candidates if each.partition.algorithm == declaration.algorithm]
    if declaration.algorithm not in TAKE_K:
        (found,) = own
        name, k = ALGORITHMS[declaration.algorithm], found.partition.k
        if not declaration.k_min <= k <= declaration.k_max:
            raise ValueError(
                f"segmentation {declaration.segmentation}: {name} finds {k} cluster(s), outside "
                f"k_min {declaration.k_min} to k_max {declaration.k_max}; widen them or declare "
                "another algorithm"
            )
        return found, f"{name} finds its own number of clusters, {k}, within the bounds"
    if declaration.k:
        (found,) = [each for each in own if each.partition.k == declaration.k]
        return found, "k is declared"
    k, reason = select_k(
        [each.partition.k for each in own],
        [each.figures["inertia"] for each in own],
        [each.figures["silhouette"] for each in own],
        [each.figures["smallest_cluster_share"] for each in own],
        [each.stability.mean for each in own],
    )
    if kept_k:
        now = "so it does now" if k == kept_k else f"it would choose {k} now"
        k, reason = kept_k, f"k is that of the version before, which the rule chose; {now}"
    (found,) = [each for each in own if each.partition.k == k]
    return found, reason


def is_compared(candidate, chosen):
    """Whether a candidate is the one in use, or is compared with it: algorithms told k, at its."""
    partition = candidate.partition
    return partition.algorithm not in TAKE_K or partition.k == chosen.partition.k


def compare(points, candidates, named, chosen):
    """Cross tables of the algorithms, each as it would assign customers: to the nearest centre.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    candidates : list of Candidate
    named : list of list of NamedCluster
        The clusters of each candidate.
    chosen : Candidate
        The one in use.

    Returns
    -------
    list of dict
        For each pair of algorithms and pair of their clusters that share customers.
    """
    compared = []
    for candidate, clusters in zip(candidates, named, strict=True):
        partition = candidate.partition
        if is_compared(candidate, chosen) and len(partition.centers):
            told = {
                cluster.position: (number, cluster.code)
                for number, cluster in enumerate(clusters, start=1)
            }
            compared.append((partition, told, nearest_centers(points, partition.centers)))
    return [
        {
            "algorithm": partition.algorithm,
            "k": partition.k,
            "cluster_id": told[cluster][0],
            "segment_code": told[cluster][1],
            "other_algorithm": other.algorithm,
            "other_k": other.k,
            "other_cluster_id": other_told[other_cluster][0],
            "other_segment_code": other_told[other_cluster][1],
            "customers": customers,
        }
        for first, (partition, told, assigned) in enumerate(compared)
        for other, other_told, other_assigned in compared[first + 1 :]
        for cluster, other_cluster, customers in cross_table(assigned, other_assigned)
    ]
