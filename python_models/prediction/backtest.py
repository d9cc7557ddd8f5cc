"""Predict at past moments from what was known then, and compare with the outcome."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from prediction.classifiers import DECIMALS
from prediction.customers import DAYS, YEAR, predict_quarter, predict_year
from prediction.metrics import (
    GROUPS,
    group_predictions,
    score_amounts,
    score_counts,
    score_probabilities,
    score_waits,
)

# Cutoffs that are learnt from together, the latest ones whose outcomes are known.
POOLED_CUTOFFS = 3
# Cutoffs whose scores are taken.
TESTED_CUTOFFS = 4
# Cutoffs before these that are predicted too, for the intervals of the first ones tested.
EARLIER_CUTOFFS = 4
# Customers who bought, and customers who did not, without which nothing is learnt or tested.
LEAST_CUSTOMERS = 10
# An interval is meant to hold this share of outcomes, and to leave out at most this one below.
COVERAGE = 0.8
BELOW = 0.1


@dataclass(frozen=True)
class Target:
    """What is predicted, and how predictions are judged.

    Attributes
    ----------
    days : int
        How long after the cutoff it is known.
    outcome : callable
        From `Observations`: an array of outcomes.
    score : callable
        From outcomes and predictions: a dict of figures.
    decides : str
        The figure whose least mean over cutoffs makes a champion.
    is_grouped : bool
        Whether predictions are also compared with outcomes by groups.
    """

    days: int
    outcome: Callable
    score: Callable
    decides: str
    is_grouped: bool = True


TARGETS = {
    "churn_90d": Target(DAYS, lambda seen: seen.orders == 0, score_probabilities, "log_loss"),
    "orders_90d": Target(DAYS, lambda seen: seen.orders, score_counts, "poisson_deviance"),
    "spend_90d": Target(DAYS, lambda seen: seen.spend, score_amounts, "tweedie_deviance"),
    "spend_365d": Target(YEAR, lambda seen: seen.spend_year, score_amounts, "tweedie_deviance"),
    "next_purchase_date": Target(
        DAYS, lambda seen: seen.waits, score_waits, "absolute_days", False
    ),
}
PREDICTORS = {DAYS: predict_quarter, YEAR: predict_year}


def is_enough(seen, days):
    """Whether there are customers who bought in the days, and customers who did not."""
    bought = (seen.orders if days == DAYS else seen.spend_year) > 0
    return min(bought.sum(), (~bought).sum()) >= LEAST_CUSTOMERS


def known_at(history, moment, days):
    """Take the latest cutoffs whose outcomes were known at a moment.

    Parameters
    ----------
    history : Observations
    moment : datetime64
    days : int
        A cutoff's outcome is known once as many days have gone by.

    Returns
    -------
    Observations
        Of at most ``POOLED_CUTOFFS`` cutoffs.
    """
    cutoffs = np.unique(history.cutoffs)
    known = cutoffs[cutoffs + np.timedelta64(days, "D") <= moment]
    return history.at(known[-POOLED_CUTOFFS:])


def predict_at(history, moment, features, days):
    """Predict at a moment, from what was known then.

    Parameters
    ----------
    history : Observations
        Perhaps of later cutoffs too; these are not looked at.
    moment : datetime64
    features : ndarray of shape (n, 7), float64
        Of the customers at that moment, in a fixed order.
    days : int
        ``DAYS`` or ``YEAR``.

    Returns
    -------
    dict of str to dict of str to ndarray of shape (n,), float64
        As from `predict_quarter`, rounded; none where too little was known.
    """
    train = known_at(history, moment, days)
    if not is_enough(train, days):
        return {}
    # Sums in a fixed order, so that the same customers give the same digits on any machine's cores.
    with threadpool_limits(limits=1):
        predicted = PREDICTORS[days](train, features)
    return {
        target: {model: np.round(values, DECIMALS) for model, values in models.items()}
        for target, models in predicted.items()
    }


def predict_past(history, as_of, days, most=TESTED_CUTOFFS + EARLIER_CUTOFFS):
    """Predict at the latest cutoffs whose outcomes are known by now.

    Parameters
    ----------
    history : Observations
    as_of : datetime64
        Now.
    days : int
    most : int
        How many cutoffs.

    Returns
    -------
    dict of datetime64 to dict
        By cutoff, in order, what `predict_at` says; without those that can't be tested.
    """
    past = {}
    cutoffs = np.unique(history.cutoffs)
    known = cutoffs[cutoffs + np.timedelta64(days, "D") <= as_of]
    for cutoff in known[-most:]:
        seen = history.at(cutoff)
        predicted = predict_at(history, cutoff, seen.features, days)
        if predicted and is_enough(seen, days):
            past[cutoff] = predicted
    return past


def learn_spread(predictions, outcomes):
    """Learn how far outcomes lie from predictions, for customers with like predictions.

    Parameters
    ----------
    predictions : ndarray of shape (n,), float64
        Above 0.
    outcomes : ndarray of shape (n,), float64

    Returns
    -------
    borders : ndarray of shape (9,), float64
        Predictions that part the customers into tenths.
    low, high : ndarray of shape (10,), float64
        Of each tenth, outcome / prediction at both ends of the interval. ``BELOW`` of outcomes lie
        below, or none where more than that are 0, and the interval holds ``COVERAGE`` of them.
    """
    borders = np.quantile(predictions, np.arange(1, GROUPS) / GROUPS)
    groups = np.searchsorted(borders, predictions, side="right")
    low, high = np.zeros(GROUPS), np.zeros(GROUPS)
    for group in range(GROUPS):
        # A group may be empty where predictions tie; then everybody stands for it.
        members = groups == group if (groups == group).any() else slice(None)
        ratios = outcomes[members] / predictions[members]
        low[group] = np.quantile(ratios, BELOW)
        below = (ratios < low[group]).mean()
        high[group] = np.quantile(ratios, min(COVERAGE + below, 1))
    return borders, low, high


def spread_around(predictions, spread):
    """Give predictions the interval that was learnt for their like.

    Parameters
    ----------
    predictions : ndarray of shape (n,), float64
    spread : tuple
        As from `learn_spread`.

    Returns
    -------
    low, high : ndarray of shape (n,), float64
        The prediction lies between them: where few buy anything, a mean can be above what nine in
        ten spend, and the interval is widened to hold it.
    """
    borders, low, high = spread
    groups = np.searchsorted(borders, predictions, side="right")
    return (
        np.minimum(predictions * low[groups], predictions),
        np.maximum(predictions * high[groups], predictions),
    )


def spread_known_at(history, past, moment, target, model):
    """Learn the spread from predictions at cutoffs whose outcomes were known at a moment.

    Parameters
    ----------
    history : Observations
    past : dict
        As from `predict_past`.
    moment : datetime64
    target, model : str

    Returns
    -------
    tuple or None
        As from `learn_spread`; none where no such cutoff was predicted.
    """
    days = np.timedelta64(TARGETS[target].days, "D")
    known = [cutoff for cutoff in past if cutoff + days <= moment][-POOLED_CUTOFFS:]
    if not known:
        return None
    return learn_spread(
        np.concatenate([past[cutoff][target][model] for cutoff in known]),
        np.concatenate([TARGETS[target].outcome(history.at(cutoff)) for cutoff in known]),
    )


def score(history, past):
    """Score what was predicted at the latest cutoffs.

    Parameters
    ----------
    history : Observations
    past : dict
        As from `predict_past`.

    Returns
    -------
    list of tuple
        target, model, cutoff, metric and value.
    """
    rows = []
    for cutoff in list(past)[-TESTED_CUTOFFS:]:
        seen = history.at(cutoff)
        for target, models in past[cutoff].items():
            outcomes = TARGETS[target].outcome(seen)
            for model, predictions in models.items():
                figures = TARGETS[target].score(outcomes, predictions)
                if target == "spend_90d":
                    spread = spread_known_at(history, past, cutoff, target, model)
                    if spread:
                        low, high = spread_around(predictions, spread)
                        held = (low <= outcomes) & (outcomes <= high)
                        figures["coverage_80"] = float(held.mean())
                rows += [(target, model, cutoff, name, value) for name, value in figures.items()]
    return rows


def choose_champions(rows):
    """Choose, for each target, the model with the least mean of the figure that decides.

    Parameters
    ----------
    rows : list of tuple
        As from `score`; of each target and cutoff the plainest model first, which wins a tie.

    Returns
    -------
    dict of str to str
    """
    figures = {}
    for target, model, _, metric, value in rows:
        if metric == TARGETS[target].decides:
            figures.setdefault(target, {}).setdefault(model, []).append(value)
    return {
        target: min(models, key=lambda model: np.round(np.mean(models[model]), DECIMALS))
        for target, models in figures.items()
    }


def group(history, past, champions):
    """Compare predictions of the champions with outcomes, by groups with like predictions.

    Parameters
    ----------
    history : Observations
    past : dict
        As from `predict_past`.
    champions : dict of str to str

    Returns
    -------
    list of tuple
        target, model, cutoff, number of the group (from 1, the lowest predictions), customers,
        least, largest and mean prediction, and mean outcome. Equal predictions share a group.
    """
    rows = []
    for cutoff in list(past)[-TESTED_CUTOFFS:]:
        for target, models in past[cutoff].items():
            if not TARGETS[target].is_grouped:
                continue
            groups = group_predictions(
                models[champions[target]], TARGETS[target].outcome(history.at(cutoff))
            )
            rows += [(target, champions[target], cutoff, *figures) for figures in groups]
    return rows
