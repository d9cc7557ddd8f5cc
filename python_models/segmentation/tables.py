"""Between tables and arrays."""

import difflib
import json
import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from segmentation.clusters import nearest_centers
from segmentation.fitting import Customers, Declaration, Playbook
from segmentation.scaling import Preparation, find_outliers, scale


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
        winsorised = first["outlier_policy"] == "winsorise"
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
                scaler=first["scaler"],
                ranked=frozenset(rows["feature"][rows["transform"] == "rank"]),
                winsorised=(
                    (float(first["winsorised_from"]), float(first["winsorised_to"]))
                    if winsorised
                    else None
                ),
                separated=frozenset(rows["feature"][rows["is_separated"].astype(bool)]),
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
    Customers
    """
    numbers = range(1, len(declaration.features) + 1)
    lists = [
        f"{name}[{number}] as {name}_{number}"
        for name in ("features", "measures")
        for number in numbers
    ]
    customers = (
        transformed.filter(f"segmentation = '{declaration.segmentation}'")
        .project(
            ", ".join(
                [
                    "customer_id",
                    "length(customer_id) as id_length",
                    "cast(revenue as double) as revenue",
                    *lists,
                ]
            )
        )
        .order("id_length, customer_id")
        .fetchnumpy()
    )

    def columns(name):
        # A null is no number: as nan it is refused where the scale is fitted.
        return np.column_stack(
            [
                np.ma.filled(customers[f"{name}_{number}"].astype("float64"), np.nan)
                for number in numbers
            ]
        )

    return Customers(
        ids=np.asarray(customers["customer_id"], dtype=object),
        transformed=columns("features"),
        raw=columns("measures"),
        revenue=np.ma.filled(customers["revenue"].astype("float64"), 0.0),
    )


def read_segments(assigned, declaration, ids):
    """Read the segment of each of a segmentation's customers.

    Parameters
    ----------
    assigned : DuckDBPyRelation
        ``customer_segments``.
    declaration : Declaration
    ids : ndarray of shape (n_customers,), object

    Returns
    -------
    ndarray of shape (n_customers,), object
        Segment codes, in the order of the identifiers.

    Raises
    ------
    ValueError
        If a customer has no segment, or somebody else has one.
    """
    rows = (
        assigned.filter(f"segmentation = '{declaration.segmentation}' and segment_code is not null")
        .project("customer_id, segment_code")
        .fetchall()
    )
    codes = dict(rows)
    missing = [customer for customer in ids if customer not in codes]
    if missing or len(rows) != len(ids):
        example = f", such as {missing[0]}" if missing else ""
        raise ValueError(
            f"segmentation {declaration.segmentation}: of {len(ids):,} customers, {len(missing):,} "
            f"have no row in customer_segments{example}; it has {len(rows):,} rows"
        )
    return np.array([codes[customer] for customer in ids], dtype=object)


def read_as_of(transformed, declaration):
    """Read the moment at which a segmentation's customers are measured.

    Parameters
    ----------
    transformed : DuckDBPyRelation
        ``int_customers_transformed``.
    declaration : Declaration

    Returns
    -------
    datetime or None
        None without customers, or where the data have no dates.
    """
    found = (
        transformed.filter(f"segmentation = '{declaration.segmentation}'")
        .aggregate("max(as_of_at)")
        .fetchone()
    )
    return found[0]


def read_versions(versions, declaration, *, source_key, settings_key, playbook_key):
    """Read the fits that earlier builds have kept for a segmentation, oldest first.

    Parameters
    ----------
    versions : DuckDBPyRelation
        The table ``kept.model_versions``.
    declaration : Declaration
    source_key, settings_key, playbook_key : str
        What a fit belongs to.

    Returns
    -------
    list of Version
    """
    rows = (
        versions.filter(
            f"segmentation = '{declaration.segmentation}' and source_key = '{source_key}'"
            f" and settings_key = '{settings_key}' and playbook_key = '{playbook_key}'"
        )
        .order("version_number")
        .project("model_version, as_of_at, fingerprint, fit")
        .fetchall()
    )
    return [Version(*row) for row in rows]


def read_playbook(playbook, prototypes, name, declaration):
    """Read the named segments of a declaration.

    Parameters
    ----------
    playbook : DataFrame
        ``segment_playbook``, ordered by segment_order: playbook, segment_code, outlier_features.
    prototypes : DataFrame
        ``segment_prototypes``: playbook, segment_code, feature, position.
    name : str
        Of the playbook.
    declaration : Declaration

    Returns
    -------
    Playbook

    Raises
    ------
    ValueError
        If there is no such playbook, it has segments of outliers alone, or another segment lacks
        the position of a feature.
    """
    where = f"segmentation {declaration.segmentation}: "
    rows = playbook[playbook["playbook"] == name]
    if rows.empty:
        known = sorted(playbook["playbook"].unique())
        meant = difflib.get_close_matches(name, known, n=1)
        raise ValueError(
            f"{where}seeds/segment_playbook.csv has no playbook {name}; "
            f"there are {', '.join(known)}" + (f". Did you mean {meant[0]}?" if meant else "")
        )
    stands = prototypes[prototypes["playbook"] == name]
    found, outliers = {}, {}
    for code, kind in zip(rows["segment_code"], rows["outlier_features"], strict=True):
        if isinstance(kind, str) and kind:
            outliers[frozenset(kind.split())] = code
            continue
        of_segment = stands[stands["segment_code"] == code]
        positions = dict(zip(of_segment["feature"], of_segment["position"], strict=True))
        # Who spends much in a year is who spends much: a window needs no position of its own.
        for feature in declaration.features:
            whole = re.sub(r"_[0-9]+d$", "", feature)
            if feature not in positions and whole in positions:
                positions[feature] = positions[whole]
        lacking = [feature for feature in declaration.features if feature not in positions]
        if lacking:
            raise ValueError(
                f"{where}seeds/segment_prototypes.csv has no position of {code} for "
                f"{', '.join(lacking)}"
            )
        found[code] = np.array([float(positions[feature]) for feature in declaration.features])
    if not found:
        raise ValueError(
            f"{where}all segments of the playbook {name} in seeds/segment_playbook.csv are of "
            "outliers; add those of everybody else"
        )
    return Playbook(found, outliers)


@dataclass(frozen=True)
class Version:
    """A fit that an earlier build has kept.

    Attributes
    ----------
    model_version : str
    as_of_at : datetime or None
        The moment whose customers it was made on; None where the data have none.
    fingerprint : str
        Of these customers.
    fit : str
        JSON, see ``versions.write_version``.
    """

    model_version: str
    as_of_at: datetime | None
    fingerprint: str
    fit: str


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


def read_fit(text):
    """Read a fit from the JSON of ``int_segmentations_fitted``.

    Parameters
    ----------
    text : str

    Returns
    -------
    StoredFit
    """
    rows = json.loads(text)
    n_features = max(row["feature_number"] for row in rows)
    by_cluster = [rows[start : start + n_features] for start in range(0, len(rows), n_features)]
    clusters = [cells for cells in by_cluster if cells[0]["outlier_features"] is None]
    groups = [cells for cells in by_cluster if cells[0]["outlier_features"] is not None]

    def column(name, missing):
        return np.array(
            [missing if cell[name] is None else cell[name] for cell in rows[:n_features]]
        )

    return StoredFit(
        preparation=Preparation(
            knots=tuple(
                None if cell["knots"] is None else np.array(cell["knots"])
                for cell in rows[:n_features]
            ),
            lows=column("clip_low", -np.inf),
            highs=column("clip_high", np.inf),
            offsets=column("feature_offset", 0.0),
            scales=column("feature_scale", 1.0),
            fence_lows=column("fence_low", -np.inf),
            fence_highs=column("fence_high", np.inf),
        ),
        centers=np.array([[cell["center_scaled"] for cell in cells] for cells in clusters]),
        codes=[cells[0]["segment_code"] for cells in by_cluster],
        outliers=[
            np.array([cell["feature"] in cells[0]["outlier_features"].split() for cell in cells])
            for cells in groups
        ],
    )
