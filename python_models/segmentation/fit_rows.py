"""Rows of the tables int_fits and int_fits_kept, as objects and back."""

import numpy as np
import pandas as pd

from segmentation.drift import Reference
from segmentation.fitting import Fit
from segmentation.versions import Version

# What keeping a row adds to it.
ADDED = ("kept_number", "customers", "moved_by_themselves")
# What is measured before a decision, as columns.
MEASURED = (
    "previous_model_version",
    "moved_by_refit",
    "known_share",
    "explained",
    "explained_by_refit",
    "name_conflict",
)


def read_versions(kept, declaration, keys):
    """Read the fits that earlier builds have kept for a segmentation, oldest first.

    Parameters
    ----------
    kept : DuckDBPyRelation
        ``int_fits_kept``.
    declaration : Declaration
    keys : dict of str to str
        What a fit belongs to: ``source_key``, ``settings_key``, ``playbook_key``.

    Returns
    -------
    list of Version

    Raises
    ------
    ValueError
        If a row is not what `fit_row` writes, with what to do about it.
    """
    own = " and ".join(f"{name} = '{key}'" for name, key in keys.items())
    rows = (
        kept.filter(f"segmentation = '{declaration.segmentation}' and {own}")
        .filter("decision = 'refit'")
        .order("kept_number")
    )
    names = rows.columns
    try:
        return [
            read_version(dict(zip(names, row, strict=True)), declaration) for row in rows.fetchall()
        ]
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
        raise ValueError(
            f"a fit of {declaration.segmentation} that an earlier build kept can't be read "
            f"({type(error).__name__}: {error}). To forget all kept fits, so that the next build "
            "fits anew: .venv/bin/dbt run-operation forget_fits"
        ) from None


def read_version(row, declaration):
    """Read a kept fit from its row.

    Parameters
    ----------
    row : dict
    declaration : Declaration

    Returns
    -------
    Version
    """
    fit = Fit(
        tried=row["tried"],
        centers=row["centers"],
        agreements=row["agreements"],
        names_withheld=row["names_withheld"],
    )
    if fit.version != row["model_version"]:
        raise ValueError("its centres are not those that it is named after")
    if not fit.tried:
        raise ValueError("figures of its clusters are missing")
    bins = {part["feature"]: part for part in row["bins"]}
    return Version(
        as_of_at=row["fitted_as_of_at"],
        fingerprint=row["fingerprint"],
        fit=fit,
        reference=Reference(
            customers=int(row["fitted_customers"]),
            edges={
                feature: np.array(bins[feature]["edges"], dtype="float64")
                for feature in declaration.features
            },
            shares={
                feature: np.array(bins[feature]["shares"], dtype="float64")
                for feature in declaration.features
            },
            sketch=np.array(row["sketch"], dtype="uint64"),
            days=row["fitted_days"],
        ),
    )


def fit_row(segmentation, keys, as_of_at, decided):
    """Write what was decided as a row.

    Parameters
    ----------
    segmentation : str
    keys : dict of str to str
        As for `read_versions`.
    as_of_at : datetime or None
        The moment at which customers are measured.
    decided : Decision

    Returns
    -------
    dict
        Columns of ``int_fits``; some are left away where they are null.
    """
    told, reference = decided.told or {}, decided.reference
    row = {"segmentation": segmentation, **keys, "as_of_at": as_of_at}
    row |= {name: told.get(name) for name in ("decision", "reason", *MEASURED)}
    row["feature_psi"] = [
        {"feature": feature, "psi": psi} for feature, psi in told.get("feature_psi", {}).items()
    ] or None
    if decided.fit is not None:
        row |= {
            "is_new": reference is not None,
            "model_version": decided.fit.version,
            "fitted_as_of_at": decided.fitted_as_of_at,
            "fingerprint": decided.fingerprint,
            "tried": decided.fit.tried,
            "centers": decided.fit.centers,
            "agreements": decided.fit.agreements,
            "names_withheld": decided.fit.names_withheld,
        }
    if reference is not None:
        row |= {
            "fitted_customers": reference.customers,
            "bins": [
                {"feature": feature, "edges": edges.tolist(), "shares": shares.tolist()}
                for (feature, edges), shares in zip(
                    reference.edges.items(), reference.shares.values(), strict=True
                )
            ],
            "fitted_days": reference.days,
            "sketch": [int(number) for number in reference.sketch],
        }
    return row


def fits_relation(session, rows, like):
    """Make a relation of rows, typed like another.

    Parameters
    ----------
    session : DuckDBPyConnection
    rows : list of dict
        As from `fit_row`.
    like : DuckDBPyRelation
        ``int_fits_kept``, whose columns and types it gets, but for those that keeping adds.

    Returns
    -------
    DuckDBPyRelation
    """
    types = {
        name: kind for name, kind in zip(like.columns, like.types, strict=True) if name not in ADDED
    }
    columns = {name: [in_order(row.get(name), types[name]) for row in rows] for name in types}
    frame = session.from_df(pd.DataFrame(columns, dtype=object))
    return frame.project(
        ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
    )


def in_order(value, kind):
    """Give the rows in a list the fields of their type, in its order, none left out.

    DuckDB takes rows whose fields differ in order, as new ones and kept ones do, for maps.
    """
    if value is None or kind.id != "list" or kind.child.id != "struct":
        return value
    names = [name for name, _ in kind.child.children]
    return [{name: row.get(name) for name in names} for row in value]
