"""Keep a fit as long as it holds: choose the version in use, or make the next one of it."""

import json
from dataclasses import replace
from datetime import datetime

import numpy as np

from segmentation.clusters import TAKE_K
from segmentation.drift import (
    SAME_SHOP,
    Reference,
    describe_reference,
    explained_share,
    fingerprint,
    judge_drift,
    measure_drift,
)
from segmentation.fitting import fit_segmentation
from segmentation.scaling import scale
from segmentation.tables import read_fit

# What each row of a kept fit has, whatever was measured.
NEEDED = {
    "segmentation",
    "algorithm",
    "k",
    "clusters",
    "customers",
    "stability_refits",
    "is_selected",
    "model_version",
    "centers",
}


def write_version(rows, reference):
    """Write a fit down.

    Parameters
    ----------
    rows : list of dict
        What ``fit_segmentation`` returned.
    reference : Reference

    Returns
    -------
    str
        JSON, from which ``read_version`` makes the same again.
    """
    return json.dumps(
        {
            "rows": rows,
            "customers": reference.customers,
            "edges": {feature: edges.tolist() for feature, edges in reference.edges.items()},
            "shares": {feature: shares.tolist() for feature, shares in reference.shares.items()},
            "reaches": reference.reaches.tolist(),
            "sketch": [str(number) for number in reference.sketch],
        }
    )


def read_version(text):
    """Read a fit that was written down.

    Parameters
    ----------
    text : str
        From ``write_version``.

    Returns
    -------
    rows : list of dict
    reference : Reference
    """
    kept = json.loads(text)
    return kept["rows"], Reference(
        customers=kept["customers"],
        edges={feature: np.array(edges) for feature, edges in kept["edges"].items()},
        shares={feature: np.array(shares) for feature, shares in kept["shares"].items()},
        reaches=np.array(kept["reaches"]),
        sketch=np.array([int(number) for number in kept["sketch"]], dtype="uint64"),
    )


def version_in_use(versions, as_of_at, *, refit):
    """Find the version that holds at a moment: the last one that was fitted by then.

    Parameters
    ----------
    versions : sequence of Version
        Of one source, settings and segmentation, in the order in which they were kept.
    as_of_at : datetime or None
    refit : {"auto", "always", "never"}
        Where there must be no fit, a later version serves earlier moments too.

    Returns
    -------
    Version or None
    """
    earliest = datetime.min
    moment = as_of_at or earliest
    by_then = [version for version in versions if (version.as_of_at or earliest) <= moment]
    if by_then:
        # Of versions of the same moment the one kept last.
        return max(reversed(by_then), key=lambda version: version.as_of_at or earliest)
    return versions[0] if refit == "never" and versions else None


def keep_or_refit(
    declaration,
    customers,
    playbook,
    versions,
    *,
    as_of_at,
    refit="auto",
    compared=(),
    refits=0,
    say=lambda _: None,
    jobs=1,
):
    """Use the version in use, or fit the next one.

    Parameters
    ----------
    declaration : Declaration
    customers : Customers
    playbook : Playbook
    versions : sequence of Version
        Kept ones of this source, these settings and this segmentation, oldest first.
    as_of_at : datetime or None
        The moment at which customers are measured.
    refit : {"auto", "always", "never"}
    compared, refits, say, jobs
        As ``fit_segmentation`` takes them.

    Returns
    -------
    rows : list of dict
        As of ``fit_segmentation``, of the fit that holds now.
    kept : dict
        ``is_new``; ``fitted_as_of_at`` and ``fingerprint`` of the customers that it was made on;
        ``fit``, what is to be kept, or None; ``decision``, JSON of what was measured and decided,
        or None where the fit was made on these very customers by an earlier build. None without
        rows.
    """
    if len(customers.ids) == 0:
        return [], None
    now = fingerprint(customers)
    version = version_in_use(versions, as_of_at, refit=refit)

    def fitted(previous, decision, *, keep_names=True):
        rows = fit_segmentation(
            declaration,
            customers,
            playbook,
            compared=compared,
            refits=refits,
            say=say,
            previous=previous,
            keep_names=keep_names,
            jobs=jobs,
        )
        if not rows:
            return [], None
        fit = selected_fit(rows)
        reference = describe_reference(customers, declaration.features, fit)
        return rows, {
            "is_new": True,
            "fitted_as_of_at": as_of_at,
            "fingerprint": now,
            "fit": write_version(rows, reference),
            "decision": json.dumps(decision(fit)),
        }

    if version is None:
        reason = "the first fit of this source under these settings"
        return fitted(None, lambda _: {"decision": "refit", "reason": reason})

    rows, previous, reference = reread(version, declaration)
    unchanged = {
        "is_new": False,
        "fitted_as_of_at": version.as_of_at,
        "fingerprint": version.fingerprint,
        "fit": None,
        "decision": None,
    }
    say(f"{declaration.segmentation}: version {version.model_version} holds, unless it has drifted")
    if version.fingerprint == now and refit != "always":
        return rows, unchanged
    drift = measure_drift(customers, declaration.features, previous, reference)
    if drift.known_share < SAME_SHOP and refit == "auto":
        reason = (
            f"another shop: about {drift.known_share:.0%} of the customers that version "
            f"{version.model_version} was fitted on are among these"
        )
        return fitted(None, lambda _: {"decision": "refit", "reason": reason})

    k = len(previous.centers)
    bounds = {"k": k, "k_min": k, "k_max": k} if declaration.algorithm in TAKE_K else {}
    fresh, obstacle = [], "there are fewer customers that differ than clusters"
    try:
        fresh = fit_segmentation(
            replace(declaration, **bounds), customers, playbook, previous=previous
        )
    except ValueError as error:
        obstacle = str(error)
    if fresh and len(selected_fit(fresh).centers) != k:
        fresh, obstacle = [], f"it finds {len(selected_fit(fresh).centers)} clusters, not {k}"
    if not fresh:
        figures = {**drift_figures(drift), "decision": "keep"}
        figures["reason"] = f"no refit is possible: {obstacle}"
        return rows, {**unchanged, "decision": json.dumps(figures)}

    def measured(fit):
        return {
            **drift_figures(drift),
            **refit_figures(customers, previous, fit),
            "previous_model_version": version.model_version,
        }

    figures = measured(selected_fit(fresh))
    is_due, reason = judge_drift(drift, figures["explained"], figures["explained_by_refit"])
    if refit == "always":
        is_due, reason = True, "the var refit is always"
    elif refit == "never":
        is_due, reason = False, "the var refit is never"
    # The fresh fit has the centres that the next version would have.
    conflict = name_conflict(fresh) if is_due else None
    if is_due and (refit == "always" or not conflict):

        def decided(fit):
            figures, words = measured(fit), reason
            if conflict:
                words += (
                    f"; names were given anew, because {conflict}; {figures['moved_by_refit']:,} "
                    f"of {len(customers.ids):,} customers have another name"
                )
            return {**figures, "decision": "refit", "reason": words, "name_conflict": conflict}

        return fitted(previous, decided, keep_names=not conflict)
    if conflict:
        reason = f"a refit is due: {reason}; the fit is kept, because {conflict}"
    kept = {**figures, "decision": "keep", "reason": reason, "name_conflict": conflict}
    return rows, {**unchanged, "decision": json.dumps(kept)}


def reread(version, declaration):
    """Read a version that an earlier build has kept.

    Parameters
    ----------
    version : Version
    declaration : Declaration

    Returns
    -------
    rows : list of dict
        As of ``fit_segmentation``.
    fit : StoredFit
    reference : Reference

    Raises
    ------
    ValueError
        If it is not what ``write_version`` writes, with what to do about it.
    """
    try:
        rows, reference = read_version(version.fit)
        fit = selected_fit(rows)
        whole = (
            all(row.keys() >= NEEDED for row in rows)
            and {*declaration.features} == {*reference.edges} == {*reference.shares}
            and len(reference.reaches) == len(fit.centers)
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        whole = False
    if not whole:
        raise ValueError(
            f"the fit {version.model_version} of {declaration.segmentation}, which an earlier "
            "build kept, can't be read. To forget all kept fits, so that the next build fits "
            "anew: .venv/bin/dbt run-operation forget_versions"
        )
    return rows, fit, reference


def name_conflict(rows):
    """Say which clusters of a refit do not match the names that they take over.

    Parameters
    ----------
    rows : list of dict
        Of ``fit_segmentation``.

    Returns
    -------
    str or None
        For people. None where the prototypes would name every cluster in the same way.
    """
    (text,) = [row["centers"] for row in rows if row["is_selected"]]
    names = {(cell["segment_code"], cell["prototype_segment_code"]) for cell in json.loads(text)}
    told = [
        f"the cluster that would be named {name} is like {meaning}"
        for name, meaning in sorted(names)
        if name != meaning
    ]
    return f"in a refit {' and '.join(told)}" if told else None


def selected_fit(rows):
    """Read the fit in use among candidates."""
    (text,) = [row["centers"] for row in rows if row["is_selected"]]
    return read_fit(text)


def drift_figures(drift):
    """Round what a decision tells of drift."""
    return {
        "feature_psi": {feature: round(index, 6) for feature, index in drift.psi.items()},
        "far_share": round(drift.far_share, 6),
        "known_share": round(drift.known_share, 6),
    }


def refit_figures(customers, previous, fit):
    """Measure what a refit changes.

    Parameters
    ----------
    customers : Customers
    previous, fit : StoredFit

    Returns
    -------
    dict of str to float or int
        Shares of variation explained by both, of the customers that neither sets apart, in the
        scaled units of ``fit``; customers that have another segment under ``fit``.
    """
    before = previous.assign(customers.transformed, customers.raw)
    after = fit.assign(customers.transformed, customers.raw)
    both = (before <= len(previous.centers)) & (after <= len(fit.centers))
    points = scale(customers.transformed[both], fit.preparation)
    codes_before = np.array(previous.codes, dtype=object)[before - 1]
    codes_after = np.array(fit.codes, dtype=object)[after - 1]
    return {
        "explained": round(explained_share(points, before[both]), 6),
        "explained_by_refit": round(explained_share(points, after[both]), 6),
        "moved_by_refit": int((codes_before != codes_after).sum()),
    }
