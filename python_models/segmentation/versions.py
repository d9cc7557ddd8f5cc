"""Keep a fit as long as it holds: choose the version in use, or make the next one of it."""

from dataclasses import dataclass, replace
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
from segmentation.fitting import Fit, fit_segmentation
from segmentation.scaling import scale
from segmentation.stored_fit import read_fit


@dataclass(frozen=True)
class Version:
    """A fit that an earlier build has kept.

    Attributes
    ----------
    as_of_at : datetime or None
        The moment whose customers it was made on; None where the data have none.
    fingerprint : str
        Of these customers.
    fit : Fit
    reference : Reference
    """

    as_of_at: datetime | None
    fingerprint: str
    fit: Fit
    reference: Reference


@dataclass(frozen=True)
class Decision:
    """What a build decided on the fit of a segmentation.

    Attributes
    ----------
    fit : Fit or None
        The one that holds now; None where there are too few customers for any.
    fitted_as_of_at : datetime or None
        The moment whose customers it was made on.
    fingerprint : str or None
        Of these customers.
    reference : Reference or None
        Of a fit that this build made; None where an earlier one did.
    told : dict or None
        ``decision`` (keep, refit or left_out), ``reason``, and what was measured. None where an
        earlier build decided on these very customers.
    """

    fit: Fit | None
    fitted_as_of_at: datetime | None = None
    fingerprint: str | None = None
    reference: Reference | None = None
    told: dict | None = None


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
    days=None,
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
    days : float, optional
        How far the data reach back from there; None where totals don't grow with the data.
    refit : {"auto", "always", "never"}
    compared, refits, say, jobs
        As ``fit_segmentation`` takes them.

    Returns
    -------
    Decision
    """
    if len(customers.ids) == 0:
        return left_out("there are no customers")
    now = fingerprint(customers)
    version = version_in_use(versions, as_of_at, refit=refit)

    def fitted(previous, told, *, keep_names=True):
        fit = fit_segmentation(
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
        if fit is None:
            return left_out("there are fewer distinct customers than clusters")
        reference = describe_reference(customers, declaration.features, days)
        return Decision(fit, as_of_at, now, reference, told(read_fit(fit.centers)))

    if version is None:
        reason = "the first fit of this source under these settings"
        return fitted(None, lambda _: {"decision": "refit", "reason": reason})

    unchanged = Decision(version.fit, version.as_of_at, version.fingerprint)
    say(f"{declaration.segmentation}: version {version.fit.version} holds, unless it has drifted")
    if version.fingerprint == now and refit != "always":
        return unchanged
    previous = read_fit(version.fit.centers)
    drift = measure_drift(
        customers,
        declaration.features,
        version.reference,
        days=days,
        ageing=declaration.day_counts | declaration.growing,
    )
    if drift.known_share < SAME_SHOP and refit == "auto":
        reason = (
            f"another shop: about {drift.known_share:.0%} of the customers that version "
            f"{version.fit.version} was fitted on are among these"
        )
        return fitted(None, lambda _: {"decision": "refit", "reason": reason})

    fresh, obstacle = fit_again(declaration, customers, playbook, previous)
    if fresh is None:
        reason = f"no refit is possible: {obstacle}"
        told = {**drift_figures(drift), "decision": "keep", "reason": reason}
        return replace(unchanged, told=told)

    def measured(fit):
        return {
            **drift_figures(drift),
            **refit_figures(customers, previous, fit),
            "previous_model_version": version.fit.version,
        }

    figures = measured(read_fit(fresh.centers))
    is_due, reason = judge_drift(
        drift, figures["explained"], figures["explained_by_refit"], declaration.day_counts
    )
    if refit == "always":
        is_due, reason = True, "the var refit is always"
    elif refit == "never":
        is_due, reason = False, "the var refit is never"
    # The fresh fit has the centres that the next version would have.
    conflict = name_conflict(fresh) if is_due else None
    if is_due and (refit == "always" or not conflict):

        def told(fit):
            figures, words = measured(fit), reason
            if conflict:
                words += (
                    f"; names were given anew, because {conflict}; {figures['moved_by_refit']:,} "
                    f"of {len(customers.ids):,} customers have another name"
                )
            return {**figures, "decision": "refit", "reason": words, "name_conflict": conflict}

        return fitted(previous, told, keep_names=not conflict)
    if conflict:
        reason = f"a refit is due: {reason}; the fit is kept, because {conflict}"
    told = {**figures, "decision": "keep", "reason": reason, "name_conflict": conflict}
    return replace(unchanged, told=told)


def left_out(reason):
    """Leave a segmentation out."""
    return Decision(None, told={"decision": "left_out", "reason": reason})


def fit_again(declaration, customers, playbook, previous):
    """Fit as many clusters once more, without comparisons.

    Parameters
    ----------
    declaration : Declaration
    customers : Customers
    playbook : Playbook
    previous : StoredFit
        The fit in use.

    Returns
    -------
    fit : Fit or None
    obstacle : str or None
        Why there is none.
    """
    k = len(previous.centers)
    bounds = {"k": k, "k_min": k, "k_max": k} if declaration.algorithm in TAKE_K else {}
    try:
        fit = fit_segmentation(
            replace(declaration, **bounds), customers, playbook, previous=previous
        )
    except ValueError as error:
        return None, str(error)
    if fit is None:
        return None, "there are fewer distinct customers than clusters"
    found = len(read_fit(fit.centers).centers)
    return (fit, None) if found == k else (None, f"it finds {found} clusters, not {k}")


def name_conflict(fit):
    """Say which clusters of a refit do not match the names that they take over.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    str or None
        For people. None where the prototypes would name every cluster in the same way.
    """
    names = {(row["segment_code"], row["prototype_segment_code"]) for row in fit.centers}
    told = [
        f"the cluster that would be named {name} is like {meaning}"
        for name, meaning in sorted(names)
        if name != meaning
    ]
    return f"in a refit {' and '.join(told)}" if told else None


def drift_figures(drift):
    """Round what a decision tells of drift."""
    return {
        "feature_psi": {feature: round(index, 6) for feature, index in drift.psi.items()},
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
