"""Who buys, when, and what is in the baskets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftshop.catalogue import NEVER, Catalogue
from giftshop.habits import Habit, Size
from giftshop.lines import COUNTRIES, COUNTRY_NAMES, Lines
from giftshop.season import (
    END_DAY,
    END_MINUTE,
    HISTORY_START,
    OPEN_DAYS,
    START_DAY,
    demand_before,
    draw_days,
    draw_minutes,
)

LOWER_CASE_SHARE = 0.004  # of the lines of products whose code ends in a letter
REFERENCE_MILS = 1_950  # a mil is a tenth of a penny
BULK_QUANTITY = 100
BULK_DISCOUNT = 0.85
PACK_SIZES = np.array(
    """1 2 3 4 6 8 10 12 16 20 24 36 48 60 72 96 120 144 192 240 288 360 480 600 720 960 1200 1440
    1920 2400""".split(),
    int,
)
PACK_LIMITS = np.sqrt(PACK_SIZES[:-1] * PACK_SIZES[1:])
BUNDLE_SHARE = 0.16  # of the orders of three and more lines
WHOLESALE_COUNTRIES = {
    "United Kingdom": 0.45,
    "EIRE": 0.15,
    "Netherlands": 0.15,
    "Germany": 0.10,
    "France": 0.08,
    "Australia": 0.07,
}
HABITS = (
    Habit("one_time_gift", 0.110, 0.0, 1.0, 0.0, 0.0, 0.0, 0.70, 5.0, 0.25),
    Habit("lapsed_early", 0.250, 2.5, 1.5, 90.0, 0.0, 0.25, 0.85, 6.0, 0.30),
    Habit("occasional", 0.290, 1.3, 2.0, 900.0, 0.10, 0.45, 0.95, 6.5, 0.35),
    Habit("regular", 0.250, 3.2, 4.0, 900.0, 0.30, 0.55, 1.10, 8.0, 0.45),
    Habit("loyal", 0.087, 7.5, 4.0, 1500.0, 0.60, 0.70, 1.25, 11.0, 0.50),
    Habit("wholesaler", 0.013, 13.0, 4.0, 1500.0, 0.70, 0.70, 1.25, 60.0, 0.55),
)
HABIT_NAMES = tuple(habit.name for habit in HABITS)
ONE_TIME_GIFT, WHOLESALER = HABIT_NAMES.index("one_time_gift"), HABIT_NAMES.index("wholesaler")
GIFT_DAYS = np.array(
    [
        day
        for day in OPEN_DAYS.tolist()
        if day >= START_DAY and "10-20" <= str(HISTORY_START + day)[5:] <= "12-19"
    ]
)


def whole_number_basket(rng: np.random.Generator, mean: np.ndarray, spread: float) -> np.ndarray:
    """Draw skewed line counts of 1 or more around the given means."""
    lines = mean * rng.lognormal(-(spread**2) / 2, spread, len(mean))
    return np.maximum(np.rint(lines), 1).astype(int)


@dataclass(frozen=True)
class Orders:
    """Orders to be filled; all arrays are as long as there are orders.

    Attributes
    ----------
    minute : ndarray
        Since ``HISTORY_START``.
    lines : ndarray
        Wanted lines.
    quantity : ndarray
        Mean quantity of a line at the reference price.
    wholesale : ndarray of bool
        Whether the bulk price is asked at any quantity.
    loyalty : ndarray
        Share of lines taken from the favourites.
    favourites : ndarray of shape (n_buyers, most)
        Products.
    favourite_count, buyer : ndarray
        How many of the favourites in the row ``buyer`` count.
    """

    minute: np.ndarray
    lines: np.ndarray
    quantity: np.ndarray
    wholesale: np.ndarray
    loyalty: np.ndarray
    favourites: np.ndarray
    favourite_count: np.ndarray
    buyer: np.ndarray


def fill_baskets(
    rng: np.random.Generator, catalogue: Catalogue, orders: Orders
) -> tuple[np.ndarray, Lines]:
    """Choose products, quantities and prices of each order.

    A product is at most once in an order, so no two lines of an order are equal by chance.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    catalogue : Catalogue
        The shop's products.
    orders : Orders
        What is bought when and by whom.

    Returns
    -------
    order : ndarray
        Position of the order of each line, rising.
    lines : Lines
        Only the columns code, description, quantity and mils.
    """
    order = np.repeat(np.arange(len(orders.lines)), orders.lines)
    product = catalogue.popular(rng, len(order))
    loyal = rng.random(len(order)) < orders.loyalty[order]
    rank = (orders.favourite_count[order] * rng.random(len(order)) ** 1.5).astype(int)
    product = np.where(loyal, orders.favourites[orders.buyer[order], rank], product)

    bundled = np.flatnonzero((rng.random(len(orders.lines)) < BUNDLE_SHARE) & (orders.lines >= 3))
    bundle = (len(catalogue.bundles) * rng.random(len(bundled)) ** 2).astype(int)
    present = rng.random((len(bundled), 3)) < 0.85
    order = np.concatenate((order, np.repeat(bundled, present.sum(axis=1))))
    product = np.concatenate((product, catalogue.bundles[bundle][present]))

    key = np.unique(order * catalogue.products + product)
    order, product = key // catalogue.products, key % catalogue.products
    mils = catalogue.price(product, orders.minute[order])
    wanted = orders.quantity[order] * np.sqrt(REFERENCE_MILS / mils)
    wanted = wanted * rng.lognormal(-0.18, 0.6, len(order))
    quantity = PACK_SIZES[np.searchsorted(PACK_LIMITS, wanted)]
    bulk = orders.wholesale[order] | (quantity >= BULK_QUANTITY)
    mils = np.where(bulk, np.rint(mils * BULK_DISCOUNT / 10).astype(int) * 10, mils)
    other = rng.random(len(order)) < 0.4
    lower = rng.random(len(order)) < LOWER_CASE_SHARE
    return order, {
        "code": np.where(lower, catalogue.lower_code[product], product),
        "description": np.where(other, catalogue.other_description[product], product),
        "quantity": quantity,
        "mils": mils,
    }


@dataclass(frozen=True)
class Customers:
    """Latent habits; all arrays are as long as there are simulated customers.

    Attributes
    ----------
    habit : ndarray
        Position in ``HABITS``.
    country : ndarray
        Position in ``COUNTRIES``.
    rate : ndarray
        Orders per year of activity.
    arrived, dropped_out : ndarray
        Days since ``HISTORY_START``; ``NEVER`` for those who stay.
    basket_lines, quantity : ndarray
        Means of an order's lines and of a line's quantity.
    favourites : ndarray of shape (n_customers, most)
        Products, most preferred first.
    favourite_count : ndarray
        How many of them count.
    """

    habit: np.ndarray
    country: np.ndarray
    rate: np.ndarray
    arrived: np.ndarray
    dropped_out: np.ndarray
    basket_lines: np.ndarray
    quantity: np.ndarray
    favourites: np.ndarray
    favourite_count: np.ndarray


def _draw_country(rng: np.random.Generator, shares: dict[str, float], size: int) -> np.ndarray:
    """Draw positions in ``COUNTRIES``."""
    positions = np.array([COUNTRY_NAMES.index(name) for name in shares])
    weights = np.array(list(shares.values()))
    return rng.choice(positions, size, p=weights / weights.sum())


def draw_customers(
    rng: np.random.Generator, catalogue: Catalogue, size: Size, customers: int
) -> Customers:
    """Draw the latent habits of ``customers`` customers."""
    shares = np.array([habit.share for habit in HABITS])
    habit = rng.choice(len(HABITS), customers, p=shares / shares.sum())

    def of_habit(attribute: str) -> np.ndarray:
        return np.array([getattr(kind, attribute) for kind in HABITS])[habit]

    country = np.where(
        habit == WHOLESALER,
        _draw_country(rng, WHOLESALE_COUNTRIES, customers),
        _draw_country(rng, dict(COUNTRIES), customers),
    )
    veteran = rng.random(customers) < of_habit("veterans")
    arrived = draw_days(
        rng,
        np.where(veteran, 0, START_DAY),
        np.where(veteran, START_DAY - 1, END_DAY),
    )
    arrived = np.where(habit == ONE_TIME_GIFT, rng.choice(GIFT_DAYS, customers), arrived)
    stay = np.rint(of_habit("stay_days") * rng.exponential(size=customers)).astype(int)
    stays = rng.random(customers) < of_habit("never_leaves")
    shape = of_habit("rate_shape")
    basket = size.basket_lines * of_habit("basket") * rng.lognormal(-0.08, 0.4, customers)
    favourite_count = np.clip(np.rint(basket * 0.8).astype(int), 3, size.favourites)
    return Customers(
        habit=habit,
        country=country,
        rate=rng.gamma(shape) / shape * of_habit("rate"),
        arrived=arrived,
        dropped_out=np.where(stays, NEVER, arrived + stay),
        basket_lines=np.maximum(basket, 1.0),
        quantity=of_habit("quantity") * rng.lognormal(-0.08, 0.4, customers),
        favourites=catalogue.popular(rng, (customers, size.favourites)),
        favourite_count=favourite_count,
    )


def draw_orders(rng: np.random.Generator, who: Customers) -> tuple[np.ndarray, np.ndarray]:
    """Draw the orders of each customer from arrival to drop-out or the end of the file.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    who : Customers
        Their habits.

    Returns
    -------
    customer, minute : ndarray
        One entry per order, sorted by customer and minute. Orders before the file begins are in.
    """
    last = np.minimum(who.dropped_out, END_DAY)
    active = demand_before(last + 1) - demand_before(who.arrived + 1)
    repeats = rng.poisson(who.rate / 365 * np.maximum(active, 0))
    repeater = np.repeat(np.arange(len(repeats)), repeats)
    customer = np.concatenate((np.arange(len(repeats)), repeater))
    day = np.concatenate((who.arrived, draw_days(rng, who.arrived[repeater] + 1, last[repeater])))
    minute = draw_minutes(rng, day)
    inside = minute <= END_MINUTE
    customer, minute = customer[inside], minute[inside]
    by_time = np.lexsort((minute, customer))
    return customer[by_time], minute[by_time]
