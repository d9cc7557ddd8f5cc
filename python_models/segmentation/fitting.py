"""From a declaration and its customers' features to fitted candidates."""

import hashlib
import json
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
from segmentation.naming import match_prototypes, order_clusters
from segmentation.quality import (
    Stability,
    Yardstick,
    center_agreement,
    cross_table,
    measure_stability,
)
from segmentation.scaling import apply_ranks, find_outliers, fit_preparation, fit_scale, scale
from segmentation.selection import select_k


@dataclass(frozen=True)
class Declaration:
    """A segmentation as declared; see the var ``segmentations`` in dbt_project.yml."""

    segmentation: str
    features: tuple[str, ...]
    algorithm: str
    k: int | None
    k_min: int
    k_max: int
    n_init: int
    seed: int
    scaler: str = "standard"
    ranked: frozenset[str] = frozenset()
    winsorised: tuple[float, float] | None = None
    separated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Playbook:
    """The named segments of a segmentation.

    Attributes
    ----------
    prototypes : dict of str to ndarray of shape (n_features,), float64
        For each segment code, in the playbook's order, where its typical customer stands: in
        standard deviations of each transformed feature from the mean of all customers clustered.
    outliers : dict of frozenset of str to str
        For each set of features in which customers are outliers, the code of their segment.
    """

    prototypes: dict
    outliers: dict

    def key(self):
        """12 hexadecimal digits, equal where segments and their places are."""
        segments = [(code, place.tolist()) for code, place in self.prototypes.items()]
        kinds = sorted((sorted(kind), code) for kind, code in self.outliers.items())
        return hashlib.sha256(json.dumps([segments, kinds]).encode()).hexdigest()[:12]


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
class Customers:
    """The customers of a segmentation, in a fixed order.

    Attributes
    ----------
    ids : ndarray of shape (n_customers,), object
    transformed, raw : ndarray of shape (n_customers, n_features), float64
        Features after the declared transform, and in their own units.
    revenue : ndarray of shape (n_customers,), float64
        What each has spent.
    """

    ids: np.ndarray
    transformed: np.ndarray
    raw: np.ndarray
    revenue: np.ndarray


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
    list of dict
        A row for each algorithm and k, the declared algorithm first and k rising: the columns of
        the model ``int_segmentations_fitted``. Empty where there are fewer customers that differ
        than the declaration asks clusters for.

    Raises
    ------
    ValueError
        If an algorithm that finds its own number of clusters finds one outside the bounds, or the
        playbook has no segment for a kind of outlier.
    """
    if len(customers.ids) == 0:
        return []
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
        return []
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
        described = [
            describe(
                declaration,
                customers,
                preparation,
                inside,
                outside,
                playbook,
                candidate,
                previous if candidate is chosen and keep_names else None,
            )
            for candidate in candidates
        ]
        agreements = compare(points, candidates, described, chosen)
    return [
        {
            "segmentation": declaration.segmentation,
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
            "model_version": version,
            "centers": text,
            "agreements": json.dumps(agreements) if candidate is chosen else None,
        }
        for candidate, (version, text, _) in zip(candidates, described, strict=True)
    ]


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


def describe(
    declaration, customers, preparation, inside, outside, playbook, candidate, previous=None
):
    """Write scaling and named centres of one candidate as text, and the version they make.

    Parameters
    ----------
    declaration : Declaration
    customers : Customers
    preparation : Preparation
    inside : ndarray of shape (n_customers,), bool
        Customers that were clustered.
    outside : ndarray of shape (n_customers, n_features), bool
        Features in which a customer is an outlier.
    playbook : Playbook
    candidate : Candidate
    previous : StoredFit, optional
        Whose clusters' numbers and names are kept, where it has as many.

    Returns
    -------
    version : str
        12 hexadecimal digits, equal where scaling, centres and names are.
    text : str
        JSON list with an object for each cluster and feature. Groups of outliers come after the
        clusters; their centres, means of their customers, are only for looking at.
    clusters : list of tuple of (int, str)
        For each centre of the partition, the number and the segment code that it got.
    """
    centers = candidate.partition.centers
    codes = list(playbook.prototypes)
    numbered, order = [], []
    if len(centers):
        prototypes = np.array([playbook.prototypes[code] for code in codes])
        standard = to_standard(customers.transformed[inside], preparation, centers)
        matched = match_prototypes(standard, prototypes)
        meanings = [codes[place] for place in matched]
        order = order_clusters(centers, matched)
        names = [meanings[cluster] for cluster in order]
        if previous is not None and len(previous.centers) == len(centers):
            before = to_standard(
                customers.transformed[inside],
                preparation,
                in_units_of(preparation, previous.preparation, previous.centers),
            )
            order, names = match_prototypes(before, standard), previous.codes
        numbered = [
            (centers[cluster], name, meanings[cluster], None)
            for cluster, name in zip(order, names, strict=False)
        ]
    for kind, code in playbook.outliers.items():
        if not kind <= declaration.separated or not declaration.separated:
            continue
        pattern = np.array([feature in kind for feature in declaration.features])
        members = (outside == pattern).all(axis=1)
        center = (
            scale(customers.transformed[members], preparation).mean(axis=0)
            if members.any()
            else None
        )
        numbered.append((center, code, code, sorted(kind)))
    rows = [
        {
            "cluster_id": number,
            "segment_code": code,
            "prototype_segment_code": meaning,
            "outlier_features": " ".join(kind) if kind else None,
            "feature_number": column + 1,
            "feature": feature,
            "knots": _numbers(preparation.knots[column]),
            "clip_low": _number(preparation.lows[column]),
            "clip_high": _number(preparation.highs[column]),
            "feature_offset": _number(preparation.offsets[column]),
            "feature_scale": _number(preparation.scales[column]),
            "fence_low": _number(preparation.fence_lows[column]),
            "fence_high": _number(preparation.fence_highs[column]),
            "center_scaled": None if center is None else _number(center[column]),
        }
        for number, (center, code, meaning, kind) in enumerate(numbered, start=1)
        for column, feature in enumerate(declaration.features)
    ]
    text = json.dumps(rows, sort_keys=True)
    places = np.argsort(order)
    clusters = [(int(places[i]) + 1, numbered[places[i]][1]) for i in range(len(centers))]
    return hashlib.sha256(text.encode()).hexdigest()[:12], text, clusters


def to_standard(transformed, preparation, centers):
    """Centres in standard deviations from the mean, whatever they were scaled with.

    Parameters
    ----------
    transformed : ndarray of shape (n_customers, n_features), float64
        Of the customers that were clustered.
    preparation : Preparation
    centers : ndarray of shape (k, n_features), float64
        In scaled units.

    Returns
    -------
    ndarray of shape (k, n_features), float64
    """
    values = np.clip(
        apply_ranks(transformed, preparation.knots), preparation.lows, preparation.highs
    )
    means, spreads = fit_scale(values)
    return (centers * preparation.scales + preparation.offsets - means) / spreads


def in_units_of(preparation, other, centers):
    """Centres in the scaled units of another preparation.

    Parameters
    ----------
    preparation : Preparation
        The one whose units are wanted.
    other : Preparation
        The one that the centres were scaled with.
    centers : ndarray of shape (k, n_features), float64

    Returns
    -------
    ndarray of shape (k, n_features), float64
    """
    return (centers * other.scales + other.offsets - preparation.offsets) / preparation.scales


def compare(points, candidates, described, chosen):
    """Cross tables of the algorithms, each as it would assign customers: to the nearest centre.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
    candidates : list of Candidate
    described : list of tuple
        For each candidate, what ``describe`` returned.
    chosen : Candidate
        Algorithms that are told k are compared at this candidate's.

    Returns
    -------
    list of dict
        For each pair of algorithms and pair of their clusters that share customers.
    """
    of_chosen_k = [
        (candidate.partition, clusters)
        for candidate, (_, _, clusters) in zip(candidates, described, strict=True)
        if len(clusters)
        and (
            candidate.partition.algorithm not in TAKE_K
            or candidate.partition.k == chosen.partition.k
        )
    ]
    assigned = [nearest_centers(points, partition.centers) for partition, _ in of_chosen_k]
    return [
        {
            "algorithm": partition.algorithm,
            "k": partition.k,
            "cluster_id": clusters[cluster][0],
            "segment_code": clusters[cluster][1],
            "other_algorithm": other.algorithm,
            "other_k": other.k,
            "other_cluster_id": other_clusters[other_cluster][0],
            "other_segment_code": other_clusters[other_cluster][1],
            "customers": customers,
        }
        for first, (partition, clusters) in enumerate(of_chosen_k)
        for second, (other, other_clusters) in enumerate(of_chosen_k)
        if first < second
        for cluster, other_cluster, customers in cross_table(assigned[first], assigned[second])
    ]


def _number(value):
    return float(value) if np.isfinite(value) else None


def _numbers(values):
    return None if values is None else [float(value) for value in values]
