"""Give clusters the names of the prototypes that they are nearest to."""

import numpy as np
from scipy.optimize import linear_sum_assignment


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
        In the same unit.

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
    distances = np.square(centers[:, None, :] - prototypes[None, :, :]).sum(axis=2)
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
