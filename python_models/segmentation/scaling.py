"""Bring features to one scale, and set outliers apart."""

from dataclasses import dataclass

import numpy as np

# A rank is how many of these shares' quantiles a value lies above.
RANK_SHARES = np.arange(1, 100) / 100
# Tukey's fences: this many interquartile ranges beyond the quartiles.
FENCE_WIDTH = 1.5


@dataclass(frozen=True)
class Preparation:
    """What is done to transformed features before they are compared, as fitted.

    Attributes
    ----------
    knots : tuple of ndarray of shape (99,) or None, one for each feature
        Percentiles that a ranked feature is compared with.
    lows, highs : ndarray of shape (n_features,), float64
        Values are moved within these; infinite where they are kept.
    offsets, scales : ndarray of shape (n_features,), float64
        Scaled = (value - offset) / scale.
    fence_lows, fence_highs : ndarray of shape (n_features,), float64
        Customers beyond these, in the feature's own unit, are set apart; infinite where none are.
    """

    knots: tuple
    lows: np.ndarray
    highs: np.ndarray
    offsets: np.ndarray
    scales: np.ndarray
    fence_lows: np.ndarray
    fence_highs: np.ndarray


def fit_preparation(transformed, raw, *, ranked, scaler, winsorised, separated):
    """Fit fences on all customers, and the rest on those within them.

    Parameters
    ----------
    transformed, raw : ndarray of shape (n_customers, n_features), float64
        Transformed features, finite; the same features as measured. A feature that is to be ranked
        stands in both as measured.
    ranked, separated : sequence of bool, one for each feature
    scaler : {"standard", "min_max", "robust"}
    winsorised : tuple of float or None
        Lower and upper share at which values are held.

    Returns
    -------
    Preparation

    Raises
    ------
    ValueError
        If there are no rows, a value is not finite, or everybody is set apart.
    """
    transformed = np.asarray(transformed, dtype="float64")
    if transformed.ndim != 2 or len(transformed) == 0:
        raise ValueError("features must have at least one row and be two-dimensional")
    if not np.isfinite(transformed).all():
        raise ValueError("features must be finite")
    n_features = transformed.shape[1]
    fence_lows, fence_highs = np.full(n_features, -np.inf), np.full(n_features, np.inf)
    for column in np.flatnonzero(separated):
        fence_lows[column], fence_highs[column] = fit_fences(raw[:, column])
    inside = ~((raw < fence_lows) | (raw > fence_highs)).any(axis=1)
    if not inside.any():
        raise ValueError("every customer is an outlier, so nobody is left to cluster")
    kept = transformed[inside]
    knots = tuple(
        np.quantile(kept[:, column], RANK_SHARES, method="inverted_cdf") if is_ranked else None
        for column, is_ranked in enumerate(ranked)
    )
    lows, highs = np.full(n_features, -np.inf), np.full(n_features, np.inf)
    values = apply_ranks(kept, knots)
    if winsorised:
        lows, highs = round_significant(np.quantile(values, winsorised, axis=0))
        values = np.clip(values, lows, highs)
    offsets, scales = fit_scale(values, scaler)
    return Preparation(knots, lows, highs, offsets, scales, fence_lows, fence_highs)


def fit_fences(values):
    """Bounds beyond which a value is an outlier: 1.5 interquartile ranges beyond the quartiles.

    Parameters
    ----------
    values : ndarray of shape (n_customers,), float64

    Returns
    -------
    low, high : float

    References
    ----------
    .. [1] Tukey, "Exploratory data analysis", 1977.
    """
    first, third = np.quantile(values, [0.25, 0.75])
    width = FENCE_WIDTH * (third - first)
    low, high = round_significant([first - width, third + width])
    return low, high


def fit_scale(values, scaler="standard"):
    """Take what each feature is scaled with.

    Parameters
    ----------
    values : ndarray of shape (n_customers, n_features), float64
    scaler : {"standard", "min_max", "robust"}
        Mean and population standard deviation; smallest value and range; median and interquartile
        range.

    Returns
    -------
    offsets, scales : ndarray of shape (n_features,), float64
        The scale is 1 for a feature that does not vary, so that it counts for nothing instead of
        dividing by zero.
    """
    if scaler == "standard":
        offsets, scales = values.mean(axis=0), values.std(axis=0)
    elif scaler == "min_max":
        offsets, scales = values.min(axis=0), np.ptp(values, axis=0)
    else:
        first, offsets, third = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        # Where half of the customers are alike, only the others' spread is left to measure with.
        scales = np.where(third > first, third - first, values.std(axis=0))
    # The spread that is left when equal numbers are averaged is rounding, not variation.
    rounding = 1e-12 * np.maximum(1.0, np.abs(offsets))
    return round_significant(offsets), round_significant(np.where(scales > rounding, scales, 1.0))


def apply_ranks(values, knots):
    """Put ranks, 0 to 0.99, in the place of features that have knots.

    Parameters
    ----------
    values : ndarray of shape (n_customers, n_features), float64
    knots : sequence of ndarray of shape (99,) or None, one for each feature

    Returns
    -------
    ndarray of shape (n_customers, n_features), float64
        Equal values have equal ranks.
    """
    if all(percentiles is None for percentiles in knots):
        return values
    ranked = values.copy()
    for column, percentiles in enumerate(knots):
        if percentiles is not None:
            ranked[:, column] = np.searchsorted(percentiles, values[:, column], side="left") / 100
    return ranked


def scale(transformed, preparation):
    """Bring transformed features to scaled units.

    The same arithmetic, in the same order, is done by the SQL that assigns customers.

    Parameters
    ----------
    transformed : ndarray of shape (n_customers, n_features), float64
    preparation : Preparation

    Returns
    -------
    ndarray of shape (n_customers, n_features), float64
    """
    values = apply_ranks(np.asarray(transformed, dtype="float64"), preparation.knots)
    held = np.clip(values, preparation.lows, preparation.highs)
    return (held - preparation.offsets) / preparation.scales


def find_outliers(raw, preparation):
    """Which features set a customer apart.

    Parameters
    ----------
    raw : ndarray of shape (n_customers, n_features), float64
        Features in their own units.
    preparation : Preparation

    Returns
    -------
    ndarray of shape (n_customers, n_features), bool
    """
    return (raw < preparation.fence_lows) | (raw > preparation.fence_highs)


def round_significant(values, digits=12):
    """Round to significant digits.

    What a fit stores is rounded, so that linear algebra libraries which differ in the last bits
    store the same numbers.

    Parameters
    ----------
    values : array-like of float
    digits : int

    Returns
    -------
    ndarray of float64, of the shape of ``values``
    """
    values = np.asarray(values, dtype="float64")
    return np.array([float(f"{value:.{digits}g}") for value in values.ravel()]).reshape(
        values.shape
    )
