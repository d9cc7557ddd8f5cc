"""Choose the number of clusters."""

import numpy as np

# Silhouettes closer than this do not tell two numbers of clusters apart: it is what a sample of
# customers changes them by.
SILHOUETTE_TIE = 0.01
# A split that sets apart fewer customers than this share describes outliers, not segments.
SMALLEST_SHARE = 0.02


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


def select_k(ks, inertias, silhouettes, smallest_shares):
    """Choose k within declared bounds.

    Splits whose smallest cluster holds less than 2 % of customers are refused. Of the others, those
    within 0.01 of the best silhouette count as tied, and the deepest elbow of the inertia curve
    decides; the smaller k where that is equal too. If every split is refused, the one with the
    largest smallest cluster is taken.

    Parameters
    ----------
    ks : sequence of int, rising in steps of one
        The candidates, all within bounds.
    inertias, silhouettes, smallest_shares : sequences of float, one for each candidate

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
    bounds = f"k within {ks[0]} to {ks[-1]}"
    fit = shares >= SMALLEST_SHARE
    if not fit.any():
        best = int(np.argmax(shares))
        return ks[best], (
            f"every {bounds} sets apart a cluster under {SMALLEST_SHARE:.0%} of customers; "
            f"this one's smallest is the largest ({shares[best]:.1%})"
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
    if not fit.all():
        refused = ", ".join(str(ks[i]) for i in np.flatnonzero(~fit))
        reason += f"; refused for a cluster under {SMALLEST_SHARE:.0%}: k = {refused}"
    return ks[chosen], reason
