"""Choose the number of clusters."""

import numpy as np

# Silhouettes closer than this do not tell two numbers of clusters apart: it is what a sample of
# customers changes them by.
SILHOUETTE_TIE = 0.01
# A split that sets apart fewer customers than this share describes outliers, not segments.
SMALLEST_SHARE = 0.02
# Below this mean adjusted Rand index of refits on resamples, a split is a matter of luck.
STABLE = 0.6


def elbow_depths(inertias):
    """How far each point of the inertia curve lies below the line between its ends.

    Parameters
    ----------
    inertias : array-like of shape (n_candidates,), float64
        Inertia for rising k, in steps of one.

    Returns
    -------
    ndarray of shape (n_candidates,), float64
        0 at the ends; the largest value is the elbow. In units of the curve's whole drop.

    References
    ----------
    .. [1] Satopaa et al., "Finding a kneedle in a haystack", ICDCSW 2011.
    """
    inertias = np.asarray(inertias, dtype="float64")
    drop = inertias[0] - inertias[-1]
    if len(inertias) < 3 or drop <= 0:
        return np.zeros(len(inertias))
    line = np.linspace(1.0, 0.0, len(inertias))
    # Rounded, so that equal depths are equal.
    return np.round(line - (inertias - inertias[-1]) / drop, 12)


def select_k(ks, inertias, silhouettes, smallest_shares, stabilities=None):
    """Choose k within declared bounds.

    Splits whose smallest cluster holds less than 2 % of customers are refused, and so are those
    whose refits on resamples agree with them by less than 0.6 (mean adjusted Rand index). Of the
    others, those within 0.01 of the best silhouette count as tied, and the deepest elbow of the
    inertia curve decides; the smaller k where that is equal too. If every split is refused, the
    most stable of those without a splinter is taken, and if all have one, the split with the
    largest smallest cluster.

    Parameters
    ----------
    ks : sequence of int, rising in steps of one
        The candidates, all within bounds.
    inertias, silhouettes, smallest_shares : sequences of float, one for each candidate
    stabilities : sequence of float, one for each candidate, optional
        nan where unknown, which refuses nothing.

    Returns
    -------
    k : int
    reason : str
        For people, with the figures.

    Raises
    ------
    ValueError
        If there is no candidate.
    """
    if len(ks) == 0:
        raise ValueError("there is no candidate to choose from")
    silhouettes = np.nan_to_num(np.asarray(silhouettes, dtype="float64"), nan=-1.0)
    shares = np.asarray(smallest_shares, dtype="float64")
    known = np.full(len(ks), np.nan) if stabilities is None else np.asarray(stabilities, "float64")
    agreements = np.nan_to_num(known, nan=1.0)
    bounds = f"k within {ks[0]} to {ks[-1]}"
    whole = shares >= SMALLEST_SHARE
    if not whole.any():
        best = int(np.argmax(shares))
        return ks[best], (
            f"every {bounds} sets apart a cluster under {SMALLEST_SHARE:.0%} of customers; "
            f"this one's smallest is the largest ({shares[best]:.1%})"
        )
    fit = whole & (agreements >= STABLE)
    if not fit.any():
        best = int(np.argmax(np.where(whole, agreements, -np.inf)))
        return ks[best], (
            f"every {bounds} is unstable or sets apart a splinter; of those without one, refits "
            f"agree most with this ({agreements[best]:.2f}, below {STABLE})"
        )
    best = silhouettes[fit].max()
    tied = fit & (silhouettes >= best - SILHOUETTE_TIE)
    depths = elbow_depths(inertias)
    chosen = int(np.argmax(np.where(tied, depths, -np.inf)))
    reason = f"best silhouette of {bounds} ({silhouettes[chosen]:.3f})"
    if best == -1.0:
        reason = f"{bounds} has no silhouette to compare; the elbow of inertia is deepest here"
    elif tied.sum() > 1:
        others = ", ".join(
            f"{silhouettes[i]:.3f} at {ks[i]}" for i in np.flatnonzero(tied) if i != chosen
        )
        reason = (
            f"silhouette {silhouettes[chosen]:.3f} ties with {others}, of {bounds}; "
            f"the elbow of inertia is deepest here"
        )
    if not np.isnan(known[chosen]):
        reason += f"; refits agree {known[chosen]:.2f}"
    for refused, why in (
        (~whole, f"a cluster under {SMALLEST_SHARE:.0%}"),
        (whole & ~fit, f"refits that agree under {STABLE}"),
    ):
        if refused.any():
            reason += f"; refused for {why}: k = {', '.join(str(k) for k in np.array(ks)[refused])}"
    return ks[chosen], reason
