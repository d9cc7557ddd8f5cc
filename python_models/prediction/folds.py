"""Part customers into folds, so that each is predicted by a model that has not seen it."""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

MOST_FOLDS = 10


def assign_folds(features, outcomes, *, seed):
    """Give each customer a fold; folds have like shares of positive outcomes.

    Customers who are equal in every feature share a fold: a copy in the training part would give
    the answer away.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        Rows in a fixed order.
    outcomes : ndarray of shape (n_customers,), bool
    seed : int

    Returns
    -------
    ndarray of shape (n_customers,), int64
        Folds from 0; ten, or as many as the rarer outcome has customers that differ. Empty where
        that is fewer than two, so that nothing can be learnt and tested.
    """
    _, groups = np.unique(features, axis=0, return_inverse=True)
    distinct = [len(np.unique(groups[outcomes == outcome])) for outcome in (True, False)]
    n_folds = min(MOST_FOLDS, *distinct)
    if n_folds < 2:
        return np.empty(0, dtype="int64")
    folds = np.empty(len(features), dtype="int64")
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for fold, (_, tested) in enumerate(splitter.split(features, outcomes, groups)):
        folds[tested] = fold
    return folds
