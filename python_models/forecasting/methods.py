"""Forecast the sizes of segments from monthly transitions; score forecasts on months held out."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

HORIZONS = (1, 2, 3)
# Counts lose half their weight in this many months where recent ones shall count more: segments
# made of sums since the first purchase drift, so that old months mislead.
HALF_LIFE = 0.5
# Another model than the preferred one is in use where it was better in every one of so many
# forecasts or more: luck alone does that one time in sixteen.
LEAST_ORIGINS = 4
# Only the latest forecasts decide: a shop changes, and a year has one of each season.
LATEST_ORIGINS = 12
# Being better by so many standard errors is enough too.
STANDARD_ERRORS = 2
# Errors are compared to as many decimals, so that equal ones are equal.
DECIMALS = 9
# With fewer errors than this nothing is said about how far off a forecast may be.
FEWEST_ERRORS = 3
# An interval of 80 % leaves out a tenth on either side.
UPPER_TAIL = 0.9


@dataclass(frozen=True)
class Movement:
    """Who went from where to where, month by month, without a gap.

    Attributes
    ----------
    moves : ndarray of shape (n_months, n_segments, n_segments), float64
        Customers by segment at the month's beginning and at its end.
    arrivals : ndarray of shape (n_months, n_segments), float64
        New customers by their segment at the month's end.
    """

    moves: np.ndarray
    arrivals: np.ndarray

    def __len__(self):
        """Count the months."""
        return len(self.moves)

    def until(self, month):
        """Leave out all from this month on: what was known at its beginning."""
        return Movement(self.moves[:month], self.arrivals[:month])

    def sizes(self):
        """Count customers by segment at the first beginning and at every end.

        Returns
        -------
        ndarray of shape (n_months + 1, n_segments), float64
        """
        return np.vstack([self.moves[0].sum(axis=1), self.moves.sum(axis=1) + self.arrivals])


class Step(NamedTuple):
    """What a model expects of one month.

    Attributes
    ----------
    shares : ndarray of shape (n_segments, n_segments), float64
        Expected share of each segment's customers that goes to each; rows sum to 1.
    chances : ndarray of shape (n_segments, n_segments), float64
        The same as chances of a single customer, none of them 0.
    arrivals : ndarray of shape (n_segments,), float64
        Expected new customers.
    """

    shares: np.ndarray
    chances: np.ndarray
    arrivals: np.ndarray


def weighted_step(movement, weights):
    """Expect what happened, on a weighted average of months.

    To the counts of each segment one customer is added that half stays and half goes anywhere, so
    that nothing is impossible and a segment without customers keeps those who come.

    Parameters
    ----------
    movement : Movement
    weights : ndarray of shape (n_months,), float64
        Not negative, 1 at most, not all 0.

    Returns
    -------
    Step
    """
    segments = movement.moves.shape[1]
    counts = np.tensordot(weights, movement.moves, axes=1)
    counts += 0.5 * np.eye(segments) + 0.5 / segments
    shares = counts / counts.sum(axis=1, keepdims=True)
    return Step(shares, shares, weights @ movement.arrivals / weights.sum())


def everyone_stays(movement):
    """Expect the sizes of today; a customer's chance to move is that of all so far."""
    segments = movement.moves.shape[1]
    stays = np.eye(segments)
    stayed = np.trace(movement.moves.sum(axis=0))
    everyone = movement.moves.sum()
    moving = (everyone - stayed + 1) / (everyone + 2) if segments > 1 else 0.0
    chances = np.where(stays == 1, 1 - moving, moving / max(segments - 1, 1))
    return Step(stays, chances, np.zeros(segments))


def last_month(movement):
    """Expect that the next month is like the last."""
    weights = np.zeros(len(movement))
    weights[-1] = 1.0
    return weighted_step(movement, weights)


def average_month(movement):
    """Expect the average of all months."""
    return weighted_step(movement, np.ones(len(movement)))


def recent_months(movement):
    """Expect an average in which a month counts half as much as the one after it."""
    ages = np.arange(len(movement))[::-1]
    return weighted_step(movement, 0.5 ** (ages / HALF_LIFE))


# Simplest first: of others that are equally much better than the preferred one, the first is used.
METHODS = {
    "everyone_stays": everyone_stays,
    "last_month": last_month,
    "average_month": average_month,
    "recent_months": recent_months,
}
PREFERRED = "recent_months"


class Sizes(NamedTuple):
    """Expected sizes, each of shape (n_horizons, n_segments): all, and customers yet to come."""

    customers: np.ndarray
    new_customers: np.ndarray


def project(model, movement, sizes):
    """Expect sizes after each of the next months.

    Parameters
    ----------
    model : callable
        One of `METHODS`.
    movement : Movement
        What is known: a month at least.
    sizes : ndarray of shape (n_segments,), float64
        Customers by segment at the moment that the months are counted from.

    Returns
    -------
    Sizes
    """
    step = model(movement)
    known, new = sizes, np.zeros(len(sizes))
    customers, new_customers = [], []
    for _ in HORIZONS:
        known = known @ step.shares
        new = new @ step.shares + step.arrivals
        customers.append(known + new)
        new_customers.append(new)
    return Sizes(np.array(customers), np.array(new_customers))


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one model from ends of months, beside the outcome.

    Attributes
    ----------
    errors : ndarray of shape (n_origins, n_horizons, n_segments), float64
        Expected less actual customers; nan where the month forecast is not over.
    populations : ndarray of shape (n_origins,), float64
        Customers at the moment of the forecast.
    log_losses : ndarray of shape (n_origins,), float64
        Sum over customers of minus the natural logarithm of the chance that the model gave to
        where each one was a month later.
    """

    errors: np.ndarray
    populations: np.ndarray
    log_losses: np.ndarray

    def size_errors(self, horizon):
        """Average the absolute errors of segment sizes, for each forecast so far ahead.

        Returns
        -------
        ndarray of shape (n_held_out,), float64
            In customers, the earliest forecast first.
        """
        errors = self.errors[:, HORIZONS.index(horizon)]
        return np.abs(errors[~np.isnan(errors[:, 0])]).mean(axis=1)

    def size_error(self, horizon):
        """Average the absolute errors of segment sizes; None without any."""
        errors = self.size_errors(horizon)
        return float(errors.mean()) if len(errors) else None

    def log_loss(self):
        """Average the log loss over customers, one month ahead."""
        customers = self.populations.sum()
        return float(self.log_losses.sum() / customers) if customers else None

    def held_out(self, horizon):
        """Count the forecasts that far ahead."""
        return len(self.size_errors(horizon))


def backtest(model, movement, behind=0):
    """Forecast from the end of every month but the last, knowing nothing that came later.

    Parameters
    ----------
    model : callable
        One of `METHODS`.
    movement : Movement
        A month at least.
    behind : int
        Months before the moment of a forecast that it does not learn from: 0, or 1 where today's
        forecast learns from months that are about so old.

    Returns
    -------
    Backtest
    """
    sizes = movement.sizes()
    origins = range(1 + behind, len(movement))
    errors = np.full((len(origins), len(HORIZONS), sizes.shape[1]), np.nan)
    losses = np.zeros(len(origins))
    for place, origin in enumerate(origins):
        known = movement.until(origin - behind)
        came = sizes[origin + 1 : origin + 1 + len(HORIZONS)]
        expected = project(model, known, sizes[origin]).customers
        errors[place, : len(came)] = expected[: len(came)] - came
        losses[place] = -(movement.moves[origin] * np.log(model(known).chances)).sum()
    return Backtest(errors, sizes[1 + behind : -1].sum(axis=1), losses)


def choose(backtests, horizon):
    """Choose the model for forecasts so far ahead.

    It is the preferred one, unless others were better in the ``LATEST_ORIGINS``: by a lower error
    in every forecast of ``LEAST_ORIGINS`` or more, or by ``STANDARD_ERRORS``. Of these, the one
    with the lowest mean error is in use.

    Parameters
    ----------
    backtests : dict of str to Backtest
        By model, the simplest first: of equal ones it is taken.
    horizon : int
        Months ahead.

    Returns
    -------
    str
    """
    preferred = backtests[PREFERRED].size_errors(horizon)
    means = {}
    for name, tested in backtests.items():
        gains = np.round(preferred - tested.size_errors(horizon), DECIMALS)[-LATEST_ORIGINS:]
        if name != PREFERRED and is_better(gains, horizon):
            means[name] = gains.mean()
    return max(means, key=means.get) if means else PREFERRED


def is_better(gains, horizon):
    """Whether a model has less error than another, in every forecast or by far.

    Parameters
    ----------
    gains : ndarray of shape (n_held_out,), float64
        Of each forecast, how much less, in customers.
    horizon : int
        Months ahead.

    Returns
    -------
    bool
    """
    if len(gains) < LEAST_ORIGINS:
        return False
    # Forecasts from consecutive months share all but one of the months ahead, and their errors.
    error = gains.std(ddof=1) / np.sqrt(len(gains) / horizon)
    return bool((gains > 0).all() or gains.mean() > max(STANDARD_ERRORS * error, 0))


def reach(errors, populations, population):
    """Half the width of an 80 % interval, from the errors of earlier forecasts.

    Errors are taken for normal around 0, with a spread that grows as the square root of all
    customers does; that it is only known from as many errors makes the interval wider (Student's
    t). A lasting bias counts as spread.

    Parameters
    ----------
    errors : ndarray of shape (n_errors, n_segments), float64
        Expected less actual customers, as far ahead as the interval is for.
    populations : ndarray of shape (n_errors,), float64
        Customers at the moments of these forecasts.
    population : float
        Customers now.

    Returns
    -------
    ndarray of shape (n_segments,), float64
        In customers; nan where there are fewer than three errors.
    """
    if len(errors) < FEWEST_ERRORS:
        return np.full(errors.shape[1], np.nan)
    spread = np.sqrt((np.square(errors) / populations[:, None]).mean(axis=0) * population)
    return student.ppf(UPPER_TAIL, len(errors)) * spread


def held(tested, horizon):
    """Whether intervals of earlier forecasts, each made from errors known then, held the outcomes.

    Parameters
    ----------
    tested : Backtest
    horizon : int
        Months ahead.

    Returns
    -------
    ndarray of shape (n_held_out, n_segments), float64
        1 if so, 0 if not, nan where there was no interval.
    """
    errors = tested.errors[: tested.held_out(horizon), HORIZONS.index(horizon)]
    inside = np.full(errors.shape, np.nan)
    for origin in range(len(errors)):
        # Of a forecast made that many months ago, the outcome was just known.
        known = slice(0, max(origin - horizon + 1, 0))
        half = reach(errors[known], tested.populations[known], tested.populations[origin])
        inside[origin] = np.where(np.isnan(half), np.nan, np.abs(errors[origin]) <= half)
    return inside


def forecast(movement, sizes, behind=0):
    """Forecast with recent months, or with a model that was clearly better so far ahead.

    Parameters
    ----------
    movement : Movement
        A month at least. With one there is no backtest, and until there are three errors as far
        ahead, no interval: these are None.
    sizes : ndarray of shape (n_segments,), float64
        Customers by segment now.
    behind : int
        Months since the last month of the movement, to the nearest: 0 or 1. In backtests it is the
        same.

    Returns
    -------
    list of dict
        A row for each horizon and segment, the latter as ``segment``, its place in the arrays.
    """
    backtests = {name: backtest(model, movement, behind) for name, model in METHODS.items()}
    rows = []
    for place, horizon in enumerate(HORIZONS):
        chosen = choose(backtests, horizon)
        tested = backtests[chosen]
        expected = project(METHODS[chosen], movement, sizes)
        months = tested.held_out(horizon)
        half = reach(tested.errors[:months, place], tested.populations[:months], sizes.sum())
        inside = held(tested, horizon)
        checked = inside[~np.isnan(inside)]
        scores = {
            "model": chosen,
            "backtest_months": months,
            "interval_coverage": float(checked.mean()) if len(checked) else None,
            "interval_checks": len(checked),
        }
        for suffix, name in (
            ("", chosen),
            ("_everyone_stays", "everyone_stays"),
            ("_last_month", "last_month"),
        ):
            scores[f"size_error{suffix}"] = backtests[name].size_error(horizon)
            scores[f"log_loss{suffix}"] = backtests[name].log_loss()
        for segment, customers in enumerate(expected.customers[place]):
            known = not np.isnan(half[segment])
            is_checked = months > 0 and not np.isnan(inside[-1, segment])
            rows.append(
                {
                    "months_ahead": horizon,
                    "segment": segment,
                    "customers": int(sizes[segment]),
                    "expected_customers": float(customers),
                    "expected_new_customers": float(expected.new_customers[place, segment]),
                    "low": float(max(customers - half[segment], 0)) if known else None,
                    "high": float(customers + half[segment]) if known else None,
                    "is_last_within": bool(inside[-1, segment]) if is_checked else None,
                    **scores,
                }
            )
    return rows
