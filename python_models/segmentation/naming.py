"""Give clusters the names of the prototypes that they are nearest to."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

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
        The segment whose prototype it is nearest to; another one where a name was kept.
    outliers : list of str or None
        Features in which customers of the group are outliers.
    """

    position: int | None
    center: np.ndarray | None
    code: str
    meaning: str
    outliers: list | None


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
    clusters = name_centers(
        customers.transformed[inside], preparation, playbook, partition.centers, previous
    )
    for kind, code in playbook.outliers.items():
        if not kind <= declaration.separated:
            continue
        pattern = np.array([feature in kind for feature in declaration.features])
        members = (outside == pattern).all(axis=1)
        center = None
        if members.any():
            center = scale(customers.transformed[members], preparation).mean(axis=0)
        clusters.append(NamedCluster(None, center, code, code, sorted(kind)))
    return clusters


def name_centers(transformed, preparation, playbook, centers, previous=None):
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

    Returns
    -------
    list of NamedCluster
    """
    if not len(centers):
        return []
    codes = list(playbook.prototypes)
    standard = to_standard(transformed, preparation, centers)
    matched = match_prototypes(standard, np.array(list(playbook.prototypes.values())))
    order = order_clusters(centers, matched)
    meanings = [codes[matched[position]] for position in range(len(centers))]
    names = [meanings[position] for position in order]
    if previous is not None and len(previous.centers) == len(centers):
        before = to_standard(
            transformed,
            preparation,
            in_units_of(preparation, previous.preparation, previous.centers),
        )
        order, names = match_prototypes(before, standard), previous.codes
    return [
        NamedCluster(int(position), centers[position], name, meanings[position], None)
        for position, name in zip(order, names, strict=False)
    ]


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


def match_prototypes(centers, prototypes):
    """Match clusters with the named prototypes of a playbook.

    Every prototype names one cluster, and every cluster has one name, such that the sum of squared
    distances is the least (plain distances tie wherever centres and prototypes lie along a line);
    where clusters are more than prototypes, those left over take the name of the nearest. The
    numbers of the clusters play no part, so a refit, a shuffle or another seed keeps names.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features), float64
        In standard deviations from the mean of all customers.
    prototypes : ndarray of shape (n_prototypes, n_features), float64
        In the same unit. A feature that is nan for all of them takes no part.

    Returns
    -------
    ndarray of shape (n_clusters,), int64
        For each cluster, the position of its prototype.

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
    matched = distances.argmin(axis=1)
    clusters, names = linear_sum_assignment(distances)
    matched[clusters] = names
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
