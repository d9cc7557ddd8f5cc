"""Give clusters the names of the prototypes that they are nearest to."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from segmentation.claims import figures, figures_of_shop, first_unmet
from segmentation.clusters import nearest_centers
from segmentation.scaling import apply_ranks, fit_scale, scale


@dataclass(frozen=True)
class NamedCluster:
    """A cluster, or a group of outliers, with its name.

    Attributes
    ----------
    position : int or None
        Of the cluster in its partition; None for a group of outliers.
    center : ndarray of shape (n_features,), float64, or None
        In scaled units. That of a group of outliers is the mean of its customers, only for looking
        at; None where it has none.
    code : str
        The segment whose name it has.
    meaning : str
        The segment that prototypes and claims give it; another one where a name was kept.
    outliers : list of str or None
        Features in which customers of the group are outliers.
    withheld : str or None
        For people: which name it would have and why that is not true; None where it has a name of
        its playbook.
    """

    position: int | None
    center: np.ndarray | None
    code: str
    meaning: str
    outliers: list | None
    withheld: str | None = None


def name_clusters(
    declaration, customers, preparation, inside, outside, playbook, partition, previous=None
):
    """Name and number the clusters of a partition, and the groups of outliers behind them.

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
    partition : Partition
    previous : StoredFit, optional
        Whose clusters' numbers and names are kept, where it has as many.

    Returns
    -------
    list of NamedCluster
        In the order of their numbers.
    """
    shop = figures_of_shop(customers) if playbook.claims else None
    clusters = name_centers(
        customers.transformed[inside],
        preparation,
        playbook,
        partition.centers,
        previous,
        groups=measure_clusters(customers, preparation, inside, playbook, partition.centers),
        shop=shop,
    )
    is_kept = previous is not None and len(previous.centers) == len(partition.centers)
    for kind, code in playbook.outliers.items():
        if not kind <= declaration.separated:
            continue
        pattern = np.array([feature in kind for feature in declaration.features])
        members = (outside == pattern).all(axis=1)
        center, meaning, withheld = None, code, None
        if members.any():
            center = scale(customers.transformed[members], preparation).mean(axis=0)
            claims = playbook.claims.get(code)
            group = figures(customers.raw[members]) if claims else None
            if claims and first_unmet(claims, group, shop):
                meaning, withheld = withhold(playbook, code, group, shop)
        kept = previous.codes[len(clusters)] if is_kept else meaning
        clusters.append(NamedCluster(None, center, kept, meaning, sorted(kind), withheld))
    return clusters


def measure_clusters(customers, preparation, inside, playbook, centers):
    """Take the figures of each cluster's customers: of those that are nearest to its centre.

    Parameters
    ----------
    customers : Customers
    preparation : Preparation
    inside : ndarray of shape (n_customers,), bool
        Customers that were clustered.
    playbook : Playbook
    centers : ndarray of shape (k, n_features), float64
        In scaled units.

    Returns
    -------
    list of dict, or None
        As from `claims.figures`. None where the playbook asks for no figures. A centre that nobody
        is nearest to has none, so that no claim about it is true.
    """
    if not (playbook.claims or playbook.best) or not len(centers):
        return None
    nearest = nearest_centers(scale(customers.transformed[inside], preparation), centers)
    raw = customers.raw[inside]
    nothing = np.full((1, raw.shape[1]), np.nan)
    members = [raw[nearest == position] for position in range(len(centers))]
    return [figures(own if len(own) else nothing) for own in members]


def name_centers(
    transformed, preparation, playbook, centers, previous=None, *, groups=None, shop=None
):
    """Name and number centres.

    Parameters
    ----------
    transformed : ndarray of shape (n_customers, n_features), float64
        Of the customers that were clustered.
    preparation : Preparation
    playbook : Playbook
    centers : ndarray of shape (k, n_features), float64
        In scaled units.
    previous : StoredFit, optional
        As for `name_clusters`.
    groups : list of dict, optional
        Figures of each centre's customers; needed where the playbook has claims or a best segment.
    shop : dict, optional
        Figures of all customers; needed where it has claims.

    Returns
    -------
    list of NamedCluster
    """
    if not len(centers):
        return []
    codes = [*playbook.prototypes, *playbook.fallbacks]
    standard = to_standard(transformed, preparation, centers)
    prototypes = np.array(list(playbook.prototypes.values()))
    best = find_best(playbook, groups)
    allowed = None if groups is None else find_allowed(playbook, groups, shop)
    if best is not None and not allowed[best]:
        # Where it is not true of the best, it is not for those who come after them.
        allowed[:, best[1]] = False
    matched = match_prototypes(standard, prototypes, allowed, best)
    withheld = [None] * len(centers)
    nearest = match_prototypes(standard, prototypes, best=best)
    for position in np.flatnonzero(matched < 0):
        code, withheld[position] = withhold(
            playbook, codes[nearest[position]], groups[position], shop
        )
        matched[position] = codes.index(code)
    order = order_clusters(centers, matched)
    meanings = [codes[matched[position]] for position in range(len(centers))]
    names = [meanings[position] for position in order]
    if previous is not None and len(previous.centers) == len(centers):
        before = to_standard(
            transformed,
            preparation,
            in_units_of(preparation, previous.preparation, previous.centers),
        )
        order, names = match_prototypes(before, standard), list(previous.codes)
        # A plain name was given for want of a true one: it is no promise, and gives way.
        for place, position in enumerate(order):
            if place < len(names) and names[place] in playbook.fallbacks:
                names[place] = meanings[position]
    return [
        NamedCluster(
            int(position), centers[position], name, meanings[position], None, withheld[position]
        )
        for position, name in zip(order, names, strict=False)
    ]


def find_allowed(playbook, groups, shop):
    """Find which names would be true of which clusters.

    Parameters
    ----------
    playbook : Playbook
    groups : list of dict
        Figures of each cluster's customers.
    shop : dict
        Figures of all customers.

    Returns
    -------
    ndarray of shape (n_clusters, n_prototypes), bool
    """
    return np.array(
        [
            [
                first_unmet(playbook.claims.get(code, ()), group, shop) is None
                for code in playbook.prototypes
            ]
            for group in groups
        ]
    )


def find_best(playbook, groups):
    """Find the cluster that the playbook's best segment belongs to.

    Parameters
    ----------
    playbook : Playbook
    groups : list of dict, or None
        Figures of each cluster's customers.

    Returns
    -------
    tuple of (int, int), or None
        Position of the cluster, and that of the segment among the prototypes. None where the
        playbook has no such segment.
    """
    if playbook.best is None:
        return None
    code, column = playbook.best
    means = [group["mean"][column] for group in groups]
    return int(np.nanargmax(means)), list(playbook.prototypes).index(code)


def withhold(playbook, code, group, shop):
    """Give customers a plain name in place of one that is not true of them.

    Parameters
    ----------
    playbook : Playbook
    code : str
        Of the segment whose claims they do not meet.
    group, shop : dict
        Figures of these customers, and of all.

    Returns
    -------
    code : str
        Of the first plain segment whose claims are all true of them.
    reason : str
        For people.
    """
    plain = next(
        each
        for each in playbook.fallbacks
        if first_unmet(playbook.claims.get(each, ()), group, shop) is None
    )
    unmet = first_unmet(playbook.claims.get(code, ()), group, shop)
    reason = "others rank above them" if unmet is None else unmet.told(group, shop)
    return plain, f"{playbook.names[plain]} are not called {playbook.names[code]}, because {reason}"


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


def match_prototypes(centers, prototypes, allowed=None, best=None):
    """Match clusters with the named prototypes of a playbook.

    Every prototype names one cluster, and every cluster has one name, such that the sum of squared
    distances is the least (plain distances tie wherever centres and prototypes lie along a line);
    where clusters are more than prototypes, those left over take the name of the nearest. The
    numbers of the clusters play no part, so a refit, a shuffle or another seed keeps names.

    Where some pairs are not allowed, as many clusters as possible get an allowed name of their
    own, those left over take the nearest allowed name, and the others get none. The best pair is
    made first, if it is allowed, however far apart the two are.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features), float64
        In standard deviations from the mean of all customers.
    prototypes : ndarray of shape (n_prototypes, n_features), float64
        In the same unit. A feature that is nan for all of them takes no part.
    allowed : ndarray of shape (n_clusters, n_prototypes), bool, optional
        Which prototypes may name which clusters; all where it is left out.
    best : tuple of (int, int), optional
        A cluster, and the prototype that it comes before all others for.

    Returns
    -------
    ndarray of shape (n_clusters,), int64
        For each cluster, the position of its prototype; -1 where none is allowed.

    Raises
    ------
    ValueError
        If either is empty or their features differ in number.

    References
    ----------
    .. [1] Kuhn, "The Hungarian method for the assignment problem", 1955.
    """
    centers = np.asarray(centers, dtype="float64")
    prototypes = np.asarray(prototypes, dtype="float64")
    if centers.ndim != 2 or prototypes.ndim != 2 or 0 in (len(centers), len(prototypes)):
        raise ValueError("there must be a cluster and a prototype at least")
    if centers.shape[1] != prototypes.shape[1]:
        raise ValueError(
            f"clusters have {centers.shape[1]} features, prototypes {prototypes.shape[1]}"
        )
    told = ~np.isnan(prototypes).all(axis=0)
    distances = np.square(centers[:, None, told] - prototypes[None, :, told]).sum(axis=2)
    if allowed is None:
        allowed = np.ones(distances.shape, dtype=bool)
    # One pair that is not allowed costs more than all pairs that are.
    dear = 1 + distances.sum()
    costs = np.where(allowed, distances, dear)
    matched = costs.argmin(axis=1)
    if best is not None and allowed[best]:
        # Whatever else this cluster or this name could have is out of the question.
        costs[best[0]], costs[:, best[1]], costs[best] = dear, dear, 0
    clusters, names = linear_sum_assignment(costs)
    is_allowed = allowed[clusters, names]
    matched[clusters[is_allowed]] = names[is_allowed]
    matched[~allowed.any(axis=1)] = -1
    return matched.astype("int64")


def order_clusters(centers, matched):
    """Order in which clusters are numbered: by name, then by centre.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features), float64
    matched : ndarray of shape (n_clusters,), int64
        Positions of their prototypes, which stand in the playbook's order.

    Returns
    -------
    ndarray of shape (n_clusters,), int64
        Positions in ``centers``; a refit that finds the same centres finds the same order.
    """
    keys = [(int(name), *center) for name, center in zip(matched, centers.tolist(), strict=True)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype="int64")
