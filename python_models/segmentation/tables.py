"""Between tables and arrays."""

import json

import numpy as np
import pandas as pd

from segmentation.fitting import Declaration


def read_declarations(declared):
    """Read declarations from the rows of ``int_segmentations_declared``.

    Parameters
    ----------
    declared : DataFrame
        Ordered by segmentation and feature_number.

    Returns
    -------
    list of Declaration
    """
    declarations = []
    for segmentation, rows in declared.groupby("segmentation", sort=False):
        first = rows.iloc[0]
        declarations.append(
            Declaration(
                segmentation=segmentation,
                features=tuple(rows["feature"]),
                algorithm=first["algorithm"],
                k=None if pd.isna(first["k"]) else int(first["k"]),
                k_min=int(first["k_min"]),
                k_max=int(first["k_max"]),
                n_init=int(first["n_init"]),
                seed=int(first["seed"]),
            )
        )
    return declarations


def read_customers(transformed, declaration):
    """Read identifiers and features of a segmentation's customers.

    They come in the order of their numeric identifiers (shorter texts first, then by text), which
    is part of what makes a fit repeatable.

    Parameters
    ----------
    transformed : DuckDBPyRelation
        ``int_customers_transformed``.
    declaration : Declaration

    Returns
    -------
    customer_ids : ndarray of shape (n_customers,), object
    features : ndarray of shape (n_customers, n_features), float64
    """
    columns = [f"feature_{number}" for number in range(1, len(declaration.features) + 1)]
    lists = [f"features[{number}] as {name}" for number, name in enumerate(columns, start=1)]
    customers = (
        transformed.filter(f"segmentation = '{declaration.segmentation}'")
        .project(", ".join(["customer_id", "length(customer_id) as id_length", *lists]))
        .order("id_length, customer_id")
        .fetchnumpy()
    )
    # A null is no number: as nan it is refused where the scale is fitted.
    features = np.column_stack(
        [np.ma.filled(customers[name].astype("float64"), np.nan) for name in columns]
    )
    return np.asarray(customers["customer_id"], dtype=object), features


def read_prototypes(prototypes, declaration):
    """Read where the named segments of a declaration's playbook stand.

    Parameters
    ----------
    prototypes : DataFrame
        Rows of the segmentation's playbook: segment_code, feature and position; ordered by
        segment_order.
    declaration : Declaration

    Returns
    -------
    dict of str to ndarray of shape (n_features,), float64
        Positions in standard deviations, features in the declaration's order.

    Raises
    ------
    ValueError
        If the playbook has no segment, or one that lacks a feature.
    """
    if prototypes.empty:
        raise ValueError(
            f"segmentation {declaration.segmentation}: "
            "its playbook has no segments in seeds/segment_prototypes.csv"
        )
    found = {}
    for code, rows in prototypes.groupby("segment_code", sort=False):
        positions = dict(zip(rows["feature"], rows["position"], strict=True))
        lacking = [feature for feature in declaration.features if feature not in positions]
        if lacking:
            raise ValueError(
                f"segmentation {declaration.segmentation}: seeds/segment_prototypes.csv has no "
                f"position of {code} for {', '.join(lacking)}"
            )
        found[code] = np.array([float(positions[feature]) for feature in declaration.features])
    return found


def read_centers(text):
    """Read scaling and centres from the JSON of ``int_segmentations_fitted``.

    Parameters
    ----------
    text : str

    Returns
    -------
    offsets, scales : ndarray of shape (n_features,), float64
    centers : ndarray of shape (k, n_features), float64
        Row ``i`` is the cluster with the id ``i + 1``.
    """
    rows = json.loads(text)
    n_features = max(row["feature_number"] for row in rows)
    first = rows[:n_features]
    centers = np.array([row["center_scaled"] for row in rows]).reshape(-1, n_features)
    offsets = np.array([row["feature_offset"] for row in first])
    scales = np.array([row["feature_scale"] for row in first])
    return offsets, scales, centers
