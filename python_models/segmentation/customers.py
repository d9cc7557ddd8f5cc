"""The customers of a segmentation, as arrays in a fixed order."""

from dataclasses import dataclass

import numpy as np


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
    median_gap_days : float or None
        The shop's median days between two purchases of a customer; None where nobody has bought
        on two days, or the customers are not a shop's.
    """

    ids: np.ndarray
    transformed: np.ndarray
    raw: np.ndarray
    revenue: np.ndarray
    median_gap_days: float | None = None


@dataclass(frozen=True)
class Assigned:
    """Where customers are, in the order of their identifiers.

    Attributes
    ----------
    codes : ndarray of shape (n_customers,), object
        Segment codes.
    clusters : ndarray of shape (n_customers,), int64
        Cluster ids, from 1.
    """

    codes: np.ndarray
    clusters: np.ndarray


def read_customers(transformed, declaration, median_gap_days=None):
    """Read identifiers and features of a segmentation's customers.

    They come in the order of their numeric identifiers (shorter texts first, then by text), which
    is part of what makes a fit repeatable.

    Parameters
    ----------
    transformed : DuckDBPyRelation
        ``int_customers_transformed``.
    declaration : Declaration
    median_gap_days : float, optional
        As in `Customers`.

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
        median_gap_days=median_gap_days,
    )


def read_assigned(customer_segments, declaration, ids):
    """Read where SQL has put each of a segmentation's customers.

    Parameters
    ----------
    customer_segments : DuckDBPyRelation
        The mart of that name.
    declaration : Declaration
    ids : ndarray of shape (n_customers,), object

    Returns
    -------
    Assigned
        In the order of the identifiers.

    Raises
    ------
    ValueError
        If a customer is in no segment, or somebody else is in one.
    """
    rows = (
        customer_segments.filter(
            f"segmentation = '{declaration.segmentation}' and segment_code is not null"
        )
        .project("customer_id, segment_code, cluster_id")
        .fetchall()
    )
    found = {customer: (code, cluster) for customer, code, cluster in rows}
    missing = [customer for customer in ids if customer not in found]
    if missing or len(rows) != len(ids):
        example = f", such as {missing[0]}" if missing else ""
        raise ValueError(
            f"segmentation {declaration.segmentation}: of {len(ids):,} customers, {len(missing):,} "
            f"have no row in customer_segments{example}; it has {len(rows):,} rows"
        )
    return Assigned(
        codes=np.array([found[customer][0] for customer in ids], dtype=object),
        clusters=np.array([found[customer][1] for customer in ids], dtype="int64"),
    )


def read_gap(as_of_dates):
    """Read the shop's median days between two purchases of a customer.

    Parameters
    ----------
    as_of_dates : DuckDBPyRelation
        ``int_as_of_dates``.

    Returns
    -------
    float or None
        None where nobody has bought on two days.
    """
    (gap,) = as_of_dates.filter("is_current").aggregate("max(median_gap_days)").fetchone()
    return gap


def read_period(transformed, declaration):
    """Read when a segmentation's customers are measured, and how far their data reach back.

    Parameters
    ----------
    transformed : DuckDBPyRelation
        ``int_customers_transformed``.
    declaration : Declaration

    Returns
    -------
    as_of_at : datetime or None
        None without customers, or where the data have no dates.
    days : float or None
        From the first purchase to that moment; None where purchases are not counted from a
        beginning on.
    """
    return (
        transformed.filter(f"segmentation = '{declaration.segmentation}'")
        .aggregate("max(as_of_at), epoch(max(as_of_at) - min(begins_at)) / 86400.0")
        .fetchone()
    )
