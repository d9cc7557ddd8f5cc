"""Probabilities of a yes: a model, and the plain rules that it has to beat."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

# Weight of the base rate in a rule's rates, in customers.
PRIOR_CUSTOMERS = 10
# Inverse strength of the logistic model's penalty on squared coefficients of scaled features.
INVERSE_PENALTY = 0.1
# Further digits are noise of the machine.
DECIMALS = 9


def base_rate(train, outcomes, test):
    """Predict the share of positive outcomes for everybody.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features), float64
        Not looked at.
    outcomes : ndarray of shape (n_train,), bool
    test : ndarray of shape (n_test, n_features), float64

    Returns
    -------
    ndarray of shape (n_test,), float64
    """
    return np.full(len(test), outcomes.mean())


def one_feature_rule(column):
    """Make a rule that looks at one feature of few values.

    Parameters
    ----------
    column : int
        Its place among the features.

    Returns
    -------
    callable
        With the parameters of ``base_rate``. It predicts the rate among the training customers with
        the same value, drawn towards the base rate as if ``PRIOR_CUSTOMERS`` more had it.
    """

    def rule(train, outcomes, test):
        base = outcomes.mean()
        values, places = np.unique(train[:, column], return_inverse=True)
        customers = np.bincount(places, minlength=len(values))
        positive = np.bincount(places, weights=outcomes, minlength=len(values))
        rates = dict(
            zip(
                values.tolist(),
                (positive + PRIOR_CUSTOMERS * base) / (customers + PRIOR_CUSTOMERS),
                strict=True,
            )
        )
        return np.array([rates.get(value, base) for value in test[:, column].tolist()])

    return rule


def logistic_regression(train, outcomes, test):
    """Fit a logistic regression with an L2 penalty on standardised features.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features), float64
    outcomes : ndarray of shape (n_train,), bool
        Both values must occur.
    test : ndarray of shape (n_test, n_features), float64

    Returns
    -------
    ndarray of shape (n_test,), float64
    """
    return fit_logistic(train, outcomes).predict_proba(test)[:, 1]


def fit_logistic(train, outcomes):
    """Fit what `logistic_regression` predicts by.

    Returns
    -------
    Pipeline
        Of the scaler and the model.
    """
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=INVERSE_PENALTY, solver="newton-cholesky")
    )
    return model.fit(train, outcomes)


def predict_out_of_fold(classifier, features, outcomes, folds):
    """Predict each customer by a model that was fitted on the other folds.

    Parameters
    ----------
    classifier : callable
        As ``base_rate``, ``logistic_regression`` or what ``one_feature_rule`` returns.
    features : ndarray of shape (n_customers, n_features), float64
    outcomes : ndarray of shape (n_customers,), bool
    folds : ndarray of shape (n_customers,), int64

    Returns
    -------
    ndarray of shape (n_customers,), float64
        Probabilities, rounded to ``DECIMALS``.
    """
    probabilities = np.empty(len(features))
    # Sums in a fixed order, so that the same customers give the same digits on any machine's cores.
    with threadpool_limits(limits=1):
        for fold in np.unique(folds):
            tested = folds == fold
            probabilities[tested] = classifier(
                features[~tested], outcomes[~tested], features[tested]
            )
    return np.round(probabilities, DECIMALS)
