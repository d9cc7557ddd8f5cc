"""A fit as rows: what a table needs to assign any customer, and the same as arrays."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from segmentation.clusters import nearest_centers
from segmentation.scaling import Preparation, find_outliers, scale


@dataclass(frozen=True)
class StoredFit:
    """What a fit stores of itself: enough to assign any customer.

    Attributes
    ----------
    preparation : Preparation
    centers : ndarray of shape (k, n_features), float64
        Row ``i`` is the cluster with the id ``i + 1``.
    codes : list of str
        Segment code of each cluster, and after them of each group of outliers.
    outliers : list of ndarray of shape (n_features,), bool
        For each group of outliers, in which features its customers are such. The first has the id
        k + 1.
    """

    preparation: Preparation
    centers: np.ndarray
    codes: list
    outliers: list

    def assign(self, transformed, raw):
        """Cluster or group of each customer, one independent of all others.

        Parameters
        ----------
        transformed, raw : ndarray of shape (n_customers, n_features), float64

        Returns
        -------
        ndarray of shape (n_customers,), int64
            Cluster ids, from 1.
        """
        found = nearest_centers(scale(transformed, self.preparation), self.centers) + 1
        outside = find_outliers(raw, self.preparation)
        for number, pattern in enumerate(self.outliers, start=len(self.centers) + 1):
            found[(outside == pattern).all(axis=1)] = number
        return found


def center_rows(features, preparation, clusters):
    """Write scaling and centres as rows.

    Parameters
    ----------
    features : sequence of str
    preparation : Preparation
    clusters : list of NamedCluster
        In the order of their numbers, from 1.

    Returns
    -------
    list of dict
        One row per cluster and feature, by both: the columns of the mart ``cluster_centers``.
        What stands for no limit is None.
    """
    return [
        {
            "cluster_id": number,
            "segment_code": cluster.code,
            "prototype_segment_code": cluster.meaning,
            "outlier_features": " ".join(cluster.outliers) if cluster.outliers else None,
            "feature_number": column + 1,
            "feature": feature,
            "knots": _numbers(preparation.knots[column]),
            "clip_low": _number(preparation.lows[column]),
            "clip_high": _number(preparation.highs[column]),
            "feature_offset": _number(preparation.offsets[column]),
            "feature_scale": _number(preparation.scales[column]),
            "fence_low": _number(preparation.fence_lows[column]),
            "fence_high": _number(preparation.fence_highs[column]),
            "center_scaled": None if cluster.center is None else _number(cluster.center[column]),
        }
        for number, cluster in enumerate(clusters, start=1)
        for column, feature in enumerate(features)
    ]


def version_of(rows):
    """Name a version after its rows.

    Parameters
    ----------
    rows : list of dict
        As from `center_rows`.

    Returns
    -------
    str
        12 hexadecimal digits, equal where scaling, centres and names are.
    """
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:12]


def read_fit(rows):
    """Read a fit from its rows.

    Parameters
    ----------
    rows : list of dict
        As from `center_rows`, in any order.

    Returns
    -------
    StoredFit
    """
    clusters = {}
    for row in sorted(rows, key=lambda row: (row["cluster_id"], row["feature_number"])):
        clusters.setdefault(row["cluster_id"], []).append(row)
    first = clusters[1]

    def column(name, missing):
        return np.array([missing if row[name] is None else row[name] for row in first])

    return StoredFit(
        preparation=Preparation(
            knots=tuple(
                None if row["knots"] is None else np.array(row["knots"], dtype="float64")
                for row in first
            ),
            lows=column("clip_low", -np.inf),
            highs=column("clip_high", np.inf),
            offsets=column("feature_offset", 0.0),
            scales=column("feature_scale", 1.0),
            fence_lows=column("fence_low", -np.inf),
            fence_highs=column("fence_high", np.inf),
        ),
        centers=np.array(
            [
                [row["center_scaled"] for row in cells]
                for cells in clusters.values()
                if cells[0]["outlier_features"] is None
            ]
        ),
        codes=[cells[0]["segment_code"] for cells in clusters.values()],
        outliers=[
            np.array([row["feature"] in cells[0]["outlier_features"].split() for row in cells])
            for cells in clusters.values()
            if cells[0]["outlier_features"] is not None
        ],
    )


def read_rows(cluster_centers):
    """Read the rows of every fit in use.

    Parameters
    ----------
    cluster_centers : DuckDBPyRelation
        The mart of that name.

    Returns
    -------
    dict of str to list of dict
        By segmentation.
    """
    rows = {}
    names = cluster_centers.columns
    for values in cluster_centers.fetchall():
        row = dict(zip(names, values, strict=True))
        rows.setdefault(row["segmentation"], []).append(row)
    return rows


def check_assigned(declaration, customers, assigned, fit):
    """Stop unless SQL has put every customer where the fit does.

    The arithmetic of assignment is written twice, in SQL for tables of any size and here for what
    Python measures. Both must agree on everybody.

    Parameters
    ----------
    declaration : Declaration
    customers : Customers
    assigned : Assigned
        By SQL.
    fit : StoredFit

    Raises
    ------
    ValueError
        If they don't, with an example.
    """
    clusters = fit.assign(customers.transformed, customers.raw)
    others = np.flatnonzero(clusters != assigned.clusters)
    if len(others):
        raise ValueError(
            f"segmentation {declaration.segmentation}: SQL and scikit-learn put {len(others):,} of "
            f"{len(clusters):,} customers into different clusters, such as "
            f"{customers.ids[others[0]]}: {assigned.clusters[others[0]]} and {clusters[others[0]]}"
        )


def _number(value):
    return float(value) if np.isfinite(value) else None


def _numbers(values):
    return None if values is None else [float(value) for value in values]
