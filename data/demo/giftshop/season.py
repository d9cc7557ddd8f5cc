"""When people buy: growth, months, weekdays and hours."""

from __future__ import annotations

import numpy as np

HISTORY_START = np.datetime64("2022-06-01")
FILE_START = np.datetime64("2023-12-01")
FILE_END = np.datetime64("2025-12-09T12:50", "m")
DAY_MINUTES = 1440
START_DAY = int((FILE_START - HISTORY_START).astype(int))
END_MINUTE = int((FILE_END - HISTORY_START).astype(int))
END_DAY = END_MINUTE // DAY_MINUTES
# Demand of a month, a weekday (Monday first) and an hour of the day. The shop is closed on
# Saturdays and from 21 December to 3 January.
MONTH_DEMAND = (0.84, 0.80, 0.98, 0.84, 1.04, 0.98, 0.98, 1.00, 1.40, 1.62, 2.05, 1.55)
WEEKDAY_DEMAND = (1.00, 1.05, 1.10, 1.25, 0.90, 0.0, 0.30)
YEARLY_GROWTH = 0.10
HOUR_DEMAND = {7: 1, 8: 20, 9: 52, 10: 82, 11: 85, 12: 115, 13: 97, 14: 84, 15: 75, 16: 41, 17: 20}
LATE_HOUR_DEMAND = {18: 14, 19: 10}  # Thursdays
SUNDAY_HOUR_DEMAND = {10: 30, 11: 80, 12: 120, 13: 100, 14: 80, 15: 50, 16: 10}


def _calendar() -> tuple[np.ndarray, np.ndarray]:
    """Return the demand of each day since ``HISTORY_START`` (mean 1) and its weekday."""
    days = HISTORY_START + np.arange(END_DAY + 1)
    month = days.astype("datetime64[M]").astype(int) % 12
    day_of_month = (days - days.astype("datetime64[M]")).astype(int) + 1
    weekday = (days.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    closed = ((month == 11) & (day_of_month > 20)) | ((month == 0) & (day_of_month < 4))
    demand = np.asarray(MONTH_DEMAND)[month] * np.asarray(WEEKDAY_DEMAND)[weekday] * ~closed
    one_year = slice(START_DAY, START_DAY + 365)
    growth = 1 + YEARLY_GROWTH * (np.arange(len(days)) - START_DAY) / 365
    return demand / demand[one_year].mean() * growth, weekday


def _hours() -> np.ndarray:
    """Return the cumulated demand of the hours of a week, each weekday summing to 1."""
    table = np.zeros((7, 24))
    for weekday in range(7):
        demand = SUNDAY_HOUR_DEMAND if weekday == 6 else HOUR_DEMAND
        demand = demand | (LATE_HOUR_DEMAND if weekday == 3 else {})
        table[weekday, list(demand)] = list(demand.values())
    return np.cumsum(table / table.sum(axis=1, keepdims=True))


DAY_DEMAND, WEEKDAY = _calendar()
CUMULATED_DEMAND = np.cumsum(DAY_DEMAND)
CUMULATED_HOURS = _hours()
OPEN_DAYS = np.flatnonzero(DAY_DEMAND)


def demand_before(day: np.ndarray) -> np.ndarray:
    """Return the demand of all days before ``day``, in mean days."""
    return np.concatenate(([0.0], CUMULATED_DEMAND))[np.clip(day, 0, END_DAY + 1)]


def draw_days(rng: np.random.Generator, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Draw an open day from each span ``first`` to ``last`` (both included) by demand."""
    low, high = demand_before(first), demand_before(last + 1)
    point = low + rng.random(len(first)) * (high - low)
    return np.minimum(np.searchsorted(CUMULATED_DEMAND, point, side="right"), END_DAY)


def draw_minutes(rng: np.random.Generator, day: np.ndarray) -> np.ndarray:
    """Draw a minute of business on each day, counted from ``HISTORY_START``."""
    point = WEEKDAY[day] + rng.random(len(day)) * (1 - 1e-9)
    hour = np.searchsorted(CUMULATED_HOURS, point, side="right") - 24 * WEEKDAY[day]
    return day * DAY_MINUTES + hour * 60 + rng.integers(0, 60, len(day))


def draw_later(rng: np.random.Generator, minute: np.ndarray) -> np.ndarray:
    """Draw a minute of business one or more days after each ``minute``; may be after the end."""
    day = minute // DAY_MINUTES + 1 + np.rint(rng.lognormal(2.2, 1.1, len(minute))).astype(int)
    position = np.searchsorted(OPEN_DAYS, day)
    inside = position < len(OPEN_DAYS)
    open_day = OPEN_DAYS[np.where(inside, position, 0)]
    return np.where(inside, draw_minutes(rng, open_day), END_MINUTE + 1)
