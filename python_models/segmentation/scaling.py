"""Bring features to one scale."""

import numpy as np


def fit_standard_scale(features):
    """Take the mean and standard deviation of each feature.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        Transformed features, finite.

    Returns
    -------
    offsets : ndarray of shape (n_features,), float64
        Means.
    scales : ndarray of shape (n_features,), float64
        Population standard deviations; 1 for a feature that does not vary, so that it counts for
        nothing instead of dividing by zero.

    Raises
    ------
    ValueError
        If there are no rows, or a value is not finite.
    """
    features = np.asarray(features, dtype="float64")
    if features.ndim != 2 or len(features) == 0:
        raise ValueError("features must have at least one row and be two-dimensional")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
    offsets = features.mean(axis=0)
    scales = features.std(axis=0)
    # The spread that is left when equal numbers are averaged is rounding, not variation.
    rounding = 1e-12 * np.maximum(1.0, np.abs(offsets))
    return round_significant(offsets), round_significant(np.where(scales > rounding, scales, 1.0))


def scale(features, offsets, scales):
    """Bring features to scaled units: ``(features - offsets) / scales``.

    The same arithmetic, in the same order, is done by the SQL that assigns customers.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
    offsets, scales : ndarray of shape (n_features,), float64

    Returns
    -------
    ndarray of shape (n_customers, n_features), float64
    """
    return (np.asarray(features, dtype="float64") - offsets) / scales


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
