"""Forecast the sizes of segments from monthly transitions; score forecasts on months held out."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

HORIZONS = (1, 2, 3)
# Counts lose half their weight in this many months where recent ones shall count more: segments
# made of sums since the first purchase drift, so that old months mislead.
HALF_LIFE = 1
# With fewer errors than this nothing is said about how far off a forecast may be.
FEWEST_ERRORS = 3
# An interval of 80 % leaves out a tenth on either side.
UPPER_TAIL = 0.9


@dataclass(frozen=True)
class Movement:
    """Who went from where to where, month by month, without a gap.

    Attributes
    ----------
    months : ndarray of shape (n_months,), int64
        Month of the calendar, 1 to 12.
    moves : ndarray of shape (n_months, n_segments, n_segments), float64
        Customers by segment at the month's beginning and at its end.
    arrivals : ndarray of shape (n_months, n_segments), float64
        New customers by their segment at the month's end.
    """

    months: np.ndarray
    moves: np.ndarray
    arrivals: np.ndarray

    def __len__(self):
        """Count the months."""
        return len(self.months)

    def until(self, month):
        """Leave out all from this month on: what was known at its beginning."""
        return Movement(self.months[:month], self.moves[:month], self.arrivals[:month])

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


def everyone_stays(movement, month):
    """Expect the sizes of today; a customer's chance to move is that of all so far."""
    segments = movement.moves.shape[1]
    stays = np.eye(segments)
    stayed = np.trace(movement.moves.sum(axis=0))
    everyone = movement.moves.sum()
    moving = (everyone - stayed + 1) / (everyone + 2) if segments > 1 else 0.0
    chances = np.where(stays == 1, 1 - moving, moving / max(segments - 1, 1))
    return Step(stays, chances, np.zeros(segments))


def last_month(movement, month):
    """Expect that the next month is like the last."""
    weights = np.zeros(len(movement))
    weights[-1] = 1.0
    return weighted_step(movement, weights)


def average_month(movement, month):
    """Expect the average of all months."""
    return weighted_step(movement, np.ones(len(movement)))


def recent_months(movement, month):
    """Expect an average in which a month counts half as much as the one after it."""
    ages = np.arange(len(movement))[::-1]
    return weighted_step(movement, 0.5 ** (ages / HALF_LIFE))


def same_month(movement, month):
    """Expect recent months, and as far as there are any, the same months of earlier years.

    With n of these, their average counts n parts and that of recent months one.
    """
    recent = recent_months(movement, month)
    same = (movement.months == month).astype("float64")
    if not same.any():
        return recent
    before = weighted_step(movement, same)
    parts = np.array([same.sum(), 1.0]) / (same.sum() + 1)
    return Step(*(parts[0] * old + parts[1] * new for old, new in zip(before, recent, strict=True)))


# Simplest first: the first of equals is used.
METHODS = {
    "everyone_stays": everyone_stays,
    "last_month": last_month,
    "average_month": average_month,
    "recent_months": recent_months,
    "same_month": same_month,
}
WITHOUT_BACKTEST = "average_month"


class Sizes(NamedTuple):
    """Expected sizes, each of shape (n_horizons, n_segments): all, and customers yet to come."""

    customers: np.ndarray
    new_customers: np.ndarray


def project(model, movement):
    """Expect sizes after each of the next months.

    Parameters
    ----------
    model : callable
        One of `METHODS`.
    movement : Movement
        A month at least.

    Returns
    -------
    Sizes
    """
    known, new = movement.sizes()[-1], np.zeros(movement.arrivals.shape[1])
    customers, new_customers = [], []
    for horizon in HORIZONS:
        step = model(movement, (movement.months[-1] + horizon - 1) % 12 + 1)
        known = known @ step.shares
        new = new @ step.shares + step.arrivals
        customers.append(known + new)
        new_customers.append(new)
    return Sizes(np.array(customers), np.array(new_customers))


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one model from the end of every month but the last, beside the outcome.

    Attributes
    ----------
    errors : ndarray of shape (n_months - 1, n_horizons, n_segments), float64
        Expected less actual customers; nan where the month forecast is not over.
    populations : ndarray of shape (n_months - 1,), float64
        Customers at the moment of the forecast.
    log_losses : ndarray of shape (n_months - 1,), float64
        Sum over customers of minus the natural logarithm of the chance that the model gave to
        where each one was a month later.
    """

    errors: np.ndarray
    populations: np.ndarray
    log_losses: np.ndarray

    def size_error(self, horizon=None):
        """Average the absolute errors of segment sizes, of all horizons if none is given."""
        errors = self.errors if horizon is None else self.errors[:, HORIZONS.index(horizon)]
        errors = np.abs(errors[~np.isnan(errors)])
        return float(errors.mean()) if len(errors) else None

    def log_loss(self):
        """Average the log loss over customers, one month ahead."""
        customers = self.populations.sum()
        return float(self.log_losses.sum() / customers) if customers else None

    def held_out(self, horizon):
        """Count the forecasts that far ahead."""
        return int((~np.isnan(self.errors[:, HORIZONS.index(horizon), 0])).sum())


def backtest(model, movement):
    """Forecast from the end of every month but the last, knowing that month and those before.

    Parameters
    ----------
    model : callable
        One of `METHODS`.
    movement : Movement
        A month at least.

    Returns
    -------
    Backtest
    """
    sizes = movement.sizes()
    origins = range(1, len(movement))
    errors = np.full((len(origins), len(HORIZONS), sizes.shape[1]), np.nan)
    losses = np.zeros(len(origins))
    for place, origin in enumerate(origins):
        known = movement.until(origin)
        came = sizes[origin + 1 : origin + 1 + len(HORIZONS)]
        errors[place, : len(came)] = project(model, known).customers[: len(came)] - came
        chances = model(known, movement.months[origin]).chances
        losses[place] = -(movement.moves[origin] * np.log(chances)).sum()
    return Backtest(errors, sizes[1:-1].sum(axis=1), losses)


def choose(backtests):
    """Choose the model with the least mean absolute error of sizes.

    Parameters
    ----------
    backtests : dict of str to Backtest
        By model, the simplest first: of equal ones it is taken.

    Returns
    -------
    str
    """
    scores = {name: tested.size_error() for name, tested in backtests.items()}
    if None in scores.values():
        return WITHOUT_BACKTEST
    # Rounded, so that equal errors are equal.
    return min(scores, key=lambda name: round(scores[name], 9))


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


def coverage(tested, horizon):
    """How often the interval of an earlier forecast, made from errors known then, held the outcome.

    Parameters
    ----------
    tested : Backtest
    horizon : int
        Months ahead.

    Returns
    -------
    share : float or None
        Of forecasts of a segment's size, 0 to 1; None where none had an interval.
    checks : int
        Number of these.
    """
    errors = tested.errors[:, HORIZONS.index(horizon)]
    inside = []
    for origin in range(tested.errors.shape[0]):
        # Of a forecast made that many months ago, the outcome was just known.
        known = slice(0, max(origin - horizon + 1, 0))
        half = reach(errors[known], tested.populations[known], tested.populations[origin])
        seen = ~np.isnan(errors[origin]) & ~np.isnan(half)
        inside += (np.abs(errors[origin]) <= half)[seen].tolist()
    return (float(np.mean(inside)) if inside else None), len(inside)


def forecast(movement):
    """Forecast with the model that the backtest prefers.

    Parameters
    ----------
    movement : Movement
        A month at least. With one there is no backtest, and until there are three errors as far
        ahead, no interval: these are None.

    Returns
    -------
    list of dict
        A row for each horizon and segment, the latter as ``segment``, its place in the arrays.
    """
    backtests = {name: backtest(model, movement) for name, model in METHODS.items()}
    chosen = choose(backtests)
    tested = backtests[chosen]
    sizes = movement.sizes()[-1]
    expected = project(METHODS[chosen], movement)
    rows = []
    for place, horizon in enumerate(HORIZONS):
        over = ~np.isnan(tested.errors[:, place, 0])
        half = reach(tested.errors[over, place], tested.populations[over], sizes.sum())
        covered, checks = coverage(tested, horizon)
        scores = {
            "model": chosen,
            "backtest_months": tested.held_out(horizon),
            "interval_coverage": covered,
            "interval_checks": checks,
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
            rows.append(
                {
                    "months_ahead": horizon,
                    "segment": segment,
                    "customers": int(sizes[segment]),
                    "expected_customers": float(customers),
                    "expected_new_customers": float(expected.new_customers[place, segment]),
                    "low": float(max(customers - half[segment], 0)) if known else None,
                    "high": float(customers + half[segment]) if known else None,
                    **scores,
                }
            )
    return rows
