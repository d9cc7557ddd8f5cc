"""What is known of a campaign's customers when the last campaign asks them."""

import numpy as np

from prediction.classifiers import (
    base_rate,
    logistic_regression,
    one_feature_rule,
    predict_out_of_fold,
)
from prediction.folds import assign_folds

OUTCOME = "accepted_6"
EARLIER_ANSWERS = [f"accepted_{number}" for number in range(1, 6)]
SPEND = [f"{category}_spend" for category in ("wine", "fruit", "meat", "fish", "sweets", "gold")]
AS_THEY_ARE = [
    "income",
    "age",
    "kids",
    "teens",
    "customer_days",
    "recency_days",
    "web_purchases",
    "catalog_purchases",
    "store_purchases",
    "deal_purchases",
    "web_visits",
    *EARLIER_ANSWERS,
]
STATES = ["education", "marital_status"]
COLUMNS = [*AS_THEY_ARE, *SPEND, *STATES]


def campaign_features(customers):
    """Write customers as numbers.

    Parameters
    ----------
    customers : DataFrame
        With ``COLUMNS``, and without ``OUTCOME``, so that no feature can hold the answer.

    Returns
    -------
    ndarray of shape (n_customers, n_features), float64
        First the accepted offers of the five earlier campaigns, counted; then ``AS_THEY_ARE``, the
        logarithm of 1 and each spend, and a column of 0 and 1 for each state that occurs.

    Raises
    ------
    ValueError
        If the outcome is among the columns.
    """
    if OUTCOME in customers.columns:
        raise ValueError(f"{OUTCOME} is what is to be predicted, and must not be a feature")
    columns = [customers[EARLIER_ANSWERS].astype("float64").sum(axis=1)]
    columns += [customers[name].astype("float64") for name in AS_THEY_ARE]
    columns += [np.log1p(customers[name].astype("float64")) for name in SPEND]
    for name in STATES:
        states = customers[name].fillna("")
        columns += [(states == state).astype("float64") for state in sorted(states.unique())]
    return np.column_stack([np.asarray(column, dtype="float64") for column in columns])


def predict_responses(features, outcomes, *, seed):
    """Predict each customer's answer out of fold by the model and the plain rules.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        As from ``campaign_features``; rows in a fixed order.
    outcomes : ndarray of shape (n_customers,), bool
    seed : int

    Returns
    -------
    dict of str to ndarray of shape (n_customers,), float64
        Probabilities of each model, the plainest first; none where there are too few of one answer
        to learn and test.
    """
    folds = assign_folds(features, outcomes, seed=seed)
    if not len(folds):
        return {}
    classifiers = {
        "base_rate": base_rate,
        "earlier_accepted": one_feature_rule(0),
        "logistic_regression": logistic_regression,
    }
    return {
        name: predict_out_of_fold(classifier, features, outcomes, folds)
        for name, classifier in classifiers.items()
    }
