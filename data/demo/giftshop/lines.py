"""Invoice lines as columns, and what is often done with them."""

from __future__ import annotations

import numpy as np

Lines = dict[str, np.ndarray]
COUNTRIES = (
    ("United Kingdom", 0.903),
    ("Germany", 0.022),
    ("France", 0.020),
    ("EIRE", 0.008),
    ("Spain", 0.007),
    ("Netherlands", 0.006),
    ("Belgium", 0.006),
    ("Switzerland", 0.005),
    ("Portugal", 0.004),
    ("Italy", 0.004),
    ("Finland", 0.003),
    ("Austria", 0.003),
    ("Norway", 0.003),
    ("Denmark", 0.002),
    ("Channel Islands", 0.002),
    ("Australia", 0.001),
    ("Unspecified", 0.001),
)
COUNTRY_NAMES = tuple(name for name, _ in COUNTRIES)
UNITED_KINGDOM, EIRE = COUNTRY_NAMES.index("United Kingdom"), COUNTRY_NAMES.index("EIRE")


def make_lines(**columns: np.ndarray | int | bool) -> Lines:
    """Return lines of equally long columns; what is left out is the ordinary case.

    Parameters
    ----------
    **columns : ndarray or scalar
        ``invoice`` (a number local to the block), ``minute`` (since ``HISTORY_START``), ``kind``
        (0 invoice, 1 adjustment, 2 cancellation), ``code`` and ``description`` (positions in the
        catalogue, description -1 is none), ``quantity``, ``mils`` (unit price in tenths of a
        penny), ``customer`` (position in the block, -1 a guest), ``country`` (position in
        ``COUNTRIES``) and ``sale`` (whether the truth counts it).

    Returns
    -------
    Lines
        All ten columns.
    """
    given = {"kind": 0, "country": UNITED_KINGDOM, "customer": -1, "sale": False} | columns
    names = list(given)
    return dict(zip(names, map(np.array, np.broadcast_arrays(*given.values())), strict=True))


def take(lines: Lines, rows: np.ndarray) -> Lines:
    """Return the chosen rows of ``lines``."""
    return {name: values[rows] for name, values in lines.items()}


def join(*parts: Lines) -> Lines:
    """Return the rows of all parts."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def count_of(share: float, lines: int, least: int = 0) -> int:
    """Return how many of ``lines`` lines are of a rare kind."""
    return max(round(share * lines), least)


def pick(rng: np.random.Generator, rows: np.ndarray, count: int) -> np.ndarray:
    """Draw ``count`` different rows, or all where there are fewer."""
    return rng.choice(rows, min(count, len(rows)), replace=False)


def some_mils(rng: np.random.Generator, size: int, median_pence: float) -> np.ndarray:
    """Draw skewed amounts of whole pence, in mils."""
    pence = np.rint(rng.lognormal(np.log(median_pence), 1.0, size)).astype(int)
    return np.maximum(pence, 1) * 10
