"""Predict at past moments from what was known then, and compare with the outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from prediction.classifiers import DECIMALS
from prediction.intervals import learn_spread, spread_around
from prediction.metrics import (
    absolute_days,
    group_predictions,
    log_losses,
    poisson_deviances,
    score_amounts,
    score_counts,
    score_probabilities,
    score_waits,
    tweedie_deviances,
)
from prediction.models import predict_window, predict_year
from prediction.observations import FEATURES, YEAR
from prediction.weights import weigh_steps

# Cutoffs that are learnt from together, the latest ones whose outcomes are known.
LATEST_CUTOFFS = 3
# So are those that lie a year before the moment, with at most so many days between: the season of
# what is to be predicted.
SEASON_DAYS = 46
# Cutoffs whose scores are taken.
TESTED_CUTOFFS = 4
# Customers who bought, and customers who did not, without which nothing is learnt or tested.
LEAST_CUSTOMERS = 10
# A plainer model that is better at every cutoff is in use, if there are at least so many.
LEAST_CUTOFFS = 2
# So is one that is better by so many standard errors.
STANDARD_ERRORS = 2
# What has an interval for each customer.
WITH_INTERVALS = "spend"
# What is expected of a year that nothing could be learnt or tested on.
UNTESTED_YEAR = "last_365_days"


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
    losses : callable
        From outcomes and predictions: what each prediction lacks. Its mean is the figure that
        decides between models.
    is_grouped : bool
        Whether predictions are also compared with outcomes by groups.
    """

    days: int
    outcome: Callable
    score: Callable
    losses: Callable
    is_grouped: bool = True


def targets(days):
    """Name what is predicted, with a window of so many days."""
    return {
        "churn": Target(days, lambda seen: seen.orders == 0, score_probabilities, log_losses),
        "orders": Target(days, lambda seen: seen.orders, score_counts, poisson_deviances),
        "spend": Target(days, lambda seen: seen.spend, score_amounts, tweedie_deviances),
        "spend_365d": Target(YEAR, lambda seen: seen.spend_year, score_amounts, tweedie_deviances),
        "next_purchase_date": Target(
            days,
            lambda seen: seen.waits,
            partial(score_waits, days=days),
            partial(absolute_days, days=days),
            False,
        ),
    }


def is_enough(seen, days):
    """Whether there are customers who bought in the days, and customers who did not."""
    bought = (seen.spend_year if days == YEAR else seen.orders) > 0
    return min(bought.sum(), (~bought).sum()) >= LEAST_CUSTOMERS


@dataclass(frozen=True)
class Predicted:
    """What is predicted at a moment.

    Attributes
    ----------
    values : dict of str to dict of str to ndarray of shape (n,), float64
        By target and model, the plainest first and last the one that is preferred.
    spreads : dict of str to tuple
        By model of ``WITH_INTERVALS``, as from `learn_spread`. Empty where no outcome was known.
    weights : dict of str to dict of str to list of Weight
        By target and model, what it has learnt, the spread too.
    """

    values: dict
    spreads: dict
    weights: dict


def is_a_year_known(features):
    """Whether a customer's first purchase is a year back, so that a year's money can be known."""
    return features[:, FEATURES.index("tenure_days")].max(initial=0) >= YEAR - 1


def known_at(history, moment, days):
    """Take the cutoffs to learn from: outcomes known at a moment, the latest and a year ago's.

    Parameters
    ----------
    history : Observations
    moment : datetime64
    days : int
        A cutoff's outcome is known once as many days have gone by.

    Returns
    -------
    Observations
        Of at most ``LATEST_CUTOFFS`` cutoffs and those within ``SEASON_DAYS`` of a year before the
        moment.
    """
    cutoffs = np.unique(history.cutoffs)
    known = cutoffs[cutoffs + np.timedelta64(days, "D") <= moment]
    from_a_year_ago = np.abs(known - (moment - np.timedelta64(YEAR, "D")))
    of_the_season = known[from_a_year_ago <= np.timedelta64(SEASON_DAYS, "D")]
    return history.at(np.union1d(known[-LATEST_CUTOFFS:], of_the_season))


def predict_at(history, moment, now, days):
    """Predict at a moment, from what was known then.

    Parameters
    ----------
    history : Observations
        Perhaps of later cutoffs too; these are not looked at.
    moment : datetime64
    now : ndarray of shape (n, 7), float64
        Features of the customers at that moment, in a fixed order.
    days : int
        The window of ``history``, or ``YEAR``.

    Returns
    -------
    Predicted
        As from `predict_window` or `predict_year`, rounded.
    """
    train = known_at(history, moment, days)
    is_learnt = is_enough(train, days)
    if days == YEAR and not is_learnt and not is_a_year_known(now):
        return Predicted({}, {}, {})
    asked = np.vstack([now, train.features]) if is_learnt else now
    # Sums in a fixed order, so that the same customers give the same digits on any machine's cores.
    with threadpool_limits(limits=1):
        known = train if is_learnt else None
        if days == YEAR:
            told = predict_year(known, now, asked)
        else:
            told = predict_window(known, now, asked, days)
    rounded = {
        target: {model: np.round(values, DECIMALS) for model, values in models.items()}
        for target, models in told.values.items()
    }
    spreads = {}
    if is_learnt and WITH_INTERVALS in rounded:
        outcomes = targets(days)[WITH_INTERVALS].outcome(train)
        for model, values in rounded[WITH_INTERVALS].items():
            spreads[model] = learn_spread(values[len(now) :], outcomes)
            told.weights[WITH_INTERVALS][model] += weigh_spread(spreads[model])
    return Predicted(
        {
            target: {model: values[: len(now)] for model, values in models.items()}
            for target, models in rounded.items()
        },
        spreads,
        told.weights,
    )


def weigh_spread(spread):
    """Write what `learn_spread` has learnt."""
    borders, *ends = spread
    return [
        weight
        for name, values in zip(("interval_low", "interval_high"), ends, strict=True)
        for weight in weigh_steps(name, "tenth", borders.tolist(), values)
    ]


def predict_past(history, as_of, days):
    """Predict at the latest cutoffs whose outcomes are known by now.

    Parameters
    ----------
    history : Observations
    as_of : datetime64
        Now.
    days : int

    Returns
    -------
    dict of datetime64 to Predicted
        By cutoff, in order; without those that can't be tested.
    """
    past = {}
    cutoffs = np.unique(history.cutoffs)
    known = cutoffs[cutoffs + np.timedelta64(days, "D") <= as_of]
    for cutoff in known[-TESTED_CUTOFFS:]:
        seen = history.at(cutoff)
        predicted = predict_at(history, cutoff, seen.features, days)
        if predicted.values and is_enough(seen, days):
            past[cutoff] = predicted
    return past


def score(history, past):
    """Score what was predicted.

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
    rows, kinds = [], targets(history.days)
    for cutoff, predicted in past.items():
        seen = history.at(cutoff)
        for target, models in predicted.values.items():
            outcomes = kinds[target].outcome(seen)
            for model, predictions in models.items():
                figures = kinds[target].score(outcomes, predictions)
                if target == WITH_INTERVALS and model in predicted.spreads:
                    low, high = spread_around(predictions, predicted.spreads[model])
                    held = (low <= outcomes) & (outcomes <= high)
                    figures["coverage_80"] = float(held.mean())
                rows += [(target, model, cutoff, name, value) for name, value in figures.items()]
    return rows


def choose_models(history, past, usable):
    """Choose, for each target, the model in use.

    It is the preferred one, unless plainer ones beat it: by a lower mean loss at every cutoff of
    ``LEAST_CUTOFFS`` or more, or by ``STANDARD_ERRORS`` over customers. Of these, the one with the
    lowest mean loss is in use. A season chooses the model that was best in it, and then it turns;
    so what is better now and then is not enough.

    Parameters
    ----------
    history : Observations
    past : dict
        As from `predict_past`.
    usable : dict of str to sequence of str
        By target, the models that can predict now, the plainest first and the preferred one last.

    Returns
    -------
    dict of str to str
        Without targets of which no usable model was tested.
    """
    chosen, kinds = {}, targets(history.days)
    for target, models in usable.items():
        losses = {}
        for cutoff, predicted in past.items():
            outcomes = kinds[target].outcome(history.at(cutoff))
            for model, values in predicted.values.get(target, {}).items():
                losses.setdefault(model, {})[cutoff] = kinds[target].losses(outcomes, values)
        tested = [model for model in models if model in losses]
        if not tested:
            continue
        *plainer, preferred = tested
        means = {}
        for model in plainer:
            gains = [
                losses[preferred][cutoff] - values
                for cutoff, values in losses[model].items()
                if cutoff in losses[preferred]
            ]
            if gains and is_better(gains):
                means[model] = np.round(np.mean([gain.mean() for gain in gains]), DECIMALS)
        chosen[target] = max(means, key=means.get) if means else preferred
    return chosen


def is_better(gains):
    """Whether a model loses less than another, at every cutoff or by far.

    Parameters
    ----------
    gains : list of ndarray, float64
        Of each cutoff, by customer, how much less.

    Returns
    -------
    bool
    """
    means = np.round([gain.mean() for gain in gains], DECIMALS)
    # Days after cutoffs may overlap and customers are the same, so their errors don't cancel out.
    error = np.mean([gain.std() / np.sqrt(len(gain)) for gain in gains])
    always = len(gains) >= LEAST_CUTOFFS and (means > 0).all()
    return bool(always or means.mean() > max(STANDARD_ERRORS * error, 0))


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
    rows, kinds = [], targets(history.days)
    for cutoff, predicted in past.items():
        for target, models in predicted.values.items():
            if not kinds[target].is_grouped or champions.get(target) not in models:
                continue
            groups = group_predictions(
                models[champions[target]], kinds[target].outcome(history.at(cutoff))
            )
            rows += [(target, champions[target], cutoff, *figures) for figures in groups]
    return rows
