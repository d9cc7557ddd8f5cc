"""From a declaration and its customers' features to fitted candidates."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from segmentation.clusters import count_distinct_rows, fit_kmeans, refit_on_all
from segmentation.naming import match_prototypes, order_clusters
from segmentation.scaling import fit_standard_scale, scale
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


def fit_segmentation(declaration, features, prototypes):
    """Fit every k within the declared bounds, choose one, and name its clusters.

    Parameters
    ----------
    declaration : Declaration
    features : ndarray of shape (n_customers, n_features), float64
        Transformed, not scaled; rows in a fixed order, columns in the declaration's.
    prototypes : dict of str to ndarray of shape (n_features,), float64
        For each segment code, in the playbook's order, where it stands: in standard deviations of
        each transformed feature from the mean of all customers.

    Returns
    -------
    list of dict
        A row for each k, rising: the columns of the model ``int_segmentations_fitted``. Empty where
        there are fewer customers that differ than the declaration asks clusters for.
    """
    if len(features) == 0:
        return []
    offsets, scales = fit_standard_scale(features)
    scaled = scale(features, offsets, scales)
    possible = count_distinct_rows(scaled, declaration.k_max)
    if possible < (declaration.k or declaration.k_min):
        return []
    ks = list(range(declaration.k_min, min(declaration.k_max, possible) + 1))
    settings = {"n_init": declaration.n_init, "seed": declaration.seed}
    # More threads than one are slower on the few thousand customers of a fit.
    with threadpool_limits(limits=1):
        candidates = [fit_kmeans(scaled, k, **settings) for k in ks]
        if declaration.k:
            chosen, reason = declaration.k, "k is declared"
        else:
            chosen, reason = select_k(
                ks,
                [candidate.inertia for candidate in candidates],
                [candidate.silhouette for candidate in candidates],
                [candidate.smallest_cluster_share for candidate in candidates],
            )
        place = ks.index(chosen)
        candidates[place] = refit_on_all(scaled, candidates[place], seed=declaration.seed)
    return [
        {
            "segmentation": declaration.segmentation,
            "algorithm": declaration.algorithm,
            "k": candidate.k,
            "clusters": len(np.unique(candidate.labels)),
            "customers": len(features),
            "inertia": round(candidate.inertia, 6),
            "silhouette": round(candidate.silhouette, 6),
            "davies_bouldin": round(candidate.davies_bouldin, 6),
            "calinski_harabasz": round(candidate.calinski_harabasz, 6),
            "smallest_cluster_share": round(candidate.smallest_cluster_share, 6),
            "is_selected": candidate.k == chosen,
            "selection_reason": reason if candidate.k == chosen else None,
            **describe_centers(declaration, offsets, scales, candidate.centers, prototypes),
        }
        for candidate in candidates
    ]


def describe_centers(declaration, offsets, scales, centers, prototypes):
    """Write scaling and named centres of one candidate as text, and the version they make.

    Parameters
    ----------
    declaration : Declaration
    offsets, scales : ndarray of shape (n_features,), float64
    centers : ndarray of shape (k, n_features), float64
        In scaled units. The standard scaler's unit is the prototypes' too.
    prototypes : dict of str to ndarray of shape (n_features,), float64

    Returns
    -------
    dict
        ``centers``, a JSON list with an object for each cluster and feature, and
        ``model_version``, 12 hexadecimal digits, equal where scaling, centres and names are.
    """
    codes = list(prototypes)
    matched = match_prototypes(centers, np.array([prototypes[code] for code in codes]))
    rows = [
        {
            "cluster_id": number,
            "segment_code": codes[matched[cluster]],
            "feature_number": column + 1,
            "feature": feature,
            "feature_offset": float(offsets[column]),
            "feature_scale": float(scales[column]),
            "center_scaled": float(centers[cluster, column]),
        }
        for number, cluster in enumerate(order_clusters(centers, matched), start=1)
        for column, feature in enumerate(declaration.features)
    ]
    text = json.dumps(rows, sort_keys=True)
    return {
        "model_version": hashlib.sha256(text.encode()).hexdigest()[:12],
        "centers": text,
    }
