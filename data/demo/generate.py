"""Simulate a gift shop and write its invoice lines in the layout of UCI Online Retail.

Run ``python data/demo/generate.py`` for the demo data of this project, three CSV files beside this
script. Run ``python data/demo/generate.py --scale 5000000 --out lines.parquet`` for a load test
of any size. Nothing is copied from a real shop: customers, products and names are invented, the
proportions of purchases and of dirt follow the real file.

How it works
------------
Customers have latent habits: when they arrive, how often they buy (gamma), how long they stay
(exponential), how many lines and pieces they order and which products they prefer. Their orders
are thinned by season, weekday and hour. Simulation starts 18 months before the file does, so the
file opens with a shop in full swing and holds cancellations of purchases it does not hold. Guests
(no CustomerID) fill the file up to exactly the wanted number of lines. All draws are rounded
to whole minutes, pieces and tenths of a penny at once, and all sorts are stable, so the files are
equal to the byte wherever the pinned numpy runs.

Both outputs come from the same functions. The demo has smaller baskets and fewer products, so that
1,400 customers fit a small file; ``--scale`` has the baskets of the real shop, about 125 lines
for each identified customer.

Columns of ``invoices.csv`` and of the Parquet file
---------------------------------------------------
InvoiceNo, StockCode, Description, Quantity (pieces), InvoiceDate (shop time, whole minutes),
UnitPrice (pounds), CustomerID (empty for guests), Country. Sorted by InvoiceDate and InvoiceNo.

Columns of ``customers_truth.csv``
----------------------------------
One row per customer with at least one line of any kind in ``invoices.csv``.

customer_id, habit, country
    Who it is; ``habit`` is one of the names in ``HABITS``.
arrived_at, dropped_out_at
    Days (ISO). The customer buys on the day of arrival, which may lie before the file begins, and
    never after ``dropped_out_at``; that is empty for those still active at the end of the file.
purchase_rate_per_year
    Latent orders per year of activity, the one of the arrival day apart; season averages to 1.
mean_basket_lines
    Latent mean number of lines in an order, before repeated products fall together.
mean_quantity
    Latent mean quantity of a line of a product at ``REFERENCE_MILS``, before it is moved to a
    pack size; cheaper products sell in larger numbers.
favourite_products
    Stock codes the customer keeps returning to, ``|``-separated, most preferred first.
invoices, lines_of_sale, first_purchase_at, last_purchase_at, monetary_pence
    What the generator sold to the customer inside the file's span: lines with a quantity and a
    price above zero on ordinary invoices, **with** postage, carriage, manual and bank charges and
    lines at a fraction of a penny, **without** the second copies of duplicated lines.
    Cancellations, discounts, free lines and stray negative lines neither count nor reduce
    anything. A line's amount is quantity times price, rounded half away from zero to the penny,
    then summed.
    Customers of whom the file holds only cancellations have zeros and no dates.

Columns of ``campaign_customers.csv``
-------------------------------------
Another simulated shop, of food and wine, that asked its customers six times whether they take an
offer: 29 columns as in the public marketing campaign data, tab-separated, days first. Customers
have one of three latent manners of buying, ``CAMPAIGN_HABITS``, which the file does not name.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import duckdb
import numpy as np

Lines = dict[str, np.ndarray]

HISTORY_START = np.datetime64("2022-06-01")
FILE_START = np.datetime64("2023-12-01")
FILE_END = np.datetime64("2025-12-09T12:50", "m")
DAY_MINUTES = 1440
START_DAY = int((FILE_START - HISTORY_START).astype(int))
START_MINUTE = START_DAY * DAY_MINUTES
END_MINUTE = int((FILE_END - HISTORY_START).astype(int))
END_DAY = END_MINUTE // DAY_MINUTES
NEVER = 1_000_000  # a day no simulation reaches

MIN_LINES, MAX_LINES = 1_000, 54_000_000
BLOCK_CUSTOMERS = 10_000  # bounds the memory of one block to some 300 MB
FIRST_CUSTOMER_ID = 12_001
FIRST_INVOICE_NO = 410_001
MEMORY_LIMIT = "1GB"  # DuckDB's; it spills the rest beside the output

# Demand of a month, a weekday (Monday first) and an hour of the day. The shop is closed on
# Saturdays and from 21 December to 3 January.
MONTH_DEMAND = (0.84, 0.80, 0.98, 0.84, 1.04, 0.98, 0.98, 1.00, 1.40, 1.62, 2.05, 1.55)
WEEKDAY_DEMAND = (1.00, 1.05, 1.10, 1.25, 0.90, 0.0, 0.30)
YEARLY_GROWTH = 0.10
HOUR_DEMAND = {7: 1, 8: 20, 9: 52, 10: 82, 11: 85, 12: 115, 13: 97, 14: 84, 15: 75, 16: 41, 17: 20}
LATE_HOUR_DEMAND = {18: 14, 19: 10}  # Thursdays
SUNDAY_HOUR_DEMAND = {10: 30, 11: 80, 12: 120, 13: 100, 14: 80, 15: 50, 16: 10}

LEAST_RARE = 5  # lines of each rare kind in any file, before customers are cut to the size

# Shares of all lines, from the real file, or slightly above it where it has a handful in
# 540,000 lines that would be none in the demo.
GUEST_SHARE = 0.232
DUPLICATE_SHARE = 0.0100
FREE_NOTE_SHARE = 0.0046
STOCK_LOSS_SHARE = 0.54  # of the free notes: negative quantities
FREE_LINE_SHARE = 0.0001
STRAY_NEGATIVE_SHARE = 0.00005
SUB_PENNY_SHARE = 0.00005
DISCOUNT_SHARE = 0.00025
BANK_CHARGE_SHARE = 0.00003
FEE_SHARE = 0.0002  # of each of FEES
VOUCHER_SHARE = 0.0001
BAD_DEBT_SHARE = 0.000006
LOWER_CASE_SHARE = 0.004  # of the lines of products whose code ends in a letter

CANCEL_EVENT_SHARE = 0.075  # of orders
SUMMED_CANCEL_SHARE = 0.012  # of repeat purchases of one product at one price

REFERENCE_MILS = 1_950  # a mil is a tenth of a penny
BULK_QUANTITY = 100
BULK_DISCOUNT = 0.85
PACK_SIZES = np.array(
    """1 2 3 4 6 8 10 12 16 20 24 36 48 60 72 96 120 144 192 240 288 360 480 600 720 960 1200 1440
    1920 2400""".split(),
    int,
)
PACK_LIMITS = np.sqrt(PACK_SIZES[:-1] * PACK_SIZES[1:])
MAX_GUEST_LINES = 200
BUNDLE_SHARE = 0.16  # of the orders of three and more lines

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
CARRIAGE_COUNTRIES = (EIRE, COUNTRY_NAMES.index("Channel Islands"))
POSTAGE_MILS = 18_000 + 2_000 * (np.arange(len(COUNTRIES)) % 6)
WHOLESALE_COUNTRIES = {
    "United Kingdom": 0.45,
    "EIRE": 0.15,
    "Netherlands": 0.15,
    "Germany": 0.10,
    "France": 0.08,
    "Australia": 0.07,
}
GUEST_COUNTRIES = {"United Kingdom": 0.975, "EIRE": 0.012, "Unspecified": 0.008, "France": 0.005}

STYLES = tuple(
    """ANTIQUE BLUE BRIGHT CHALK COPPER CORAL COUNTRY DUSKY EMERALD ENAMEL FADED FOLK GILDED GLAZED
    GOLDEN GREEN HAMMERED IVORY JOLLY LIME LITTLE MARBLED MELLOW MIDNIGHT MINT NAVY OAK OCHRE PEARL
    PINK PLUM QUILTED RED RUSTIC SAGE SEASIDE SILVER SLATE SMOKED SPECKLED STRIPED TARTAN TEAL
    VELVET WHITE WICKER WOVEN YELLOW""".split()
)
MOTIFS = tuple(
    """ACORN ANCHOR APPLE BADGER BEE BLUEBELL BRAMBLE CAMEL CLOVER COMET CRANE DAISY DRAGON FERN
    FINCH FOX GULL HARE HEDGEHOG HERON IRIS IVY KITE LARK LEMON LILAC MOLE MOON MOTH OLIVE OTTER
    PEAR PINE POPPY PUFFIN QUINCE RAVEN SNAIL SPARROW STAG STARFISH THISTLE TOAD TULIP TURTLE WHALE
    WILLOW WREN""".split()
)
ITEMS = (
    "APRON|BIRD FEEDER|BISCUIT TIN|BOOKEND|BOOKMARK|BOTTLE STOPPER|BREAD BIN|BUNTING|BUTTER DISH"
    "|CAKE STAND|CANDLE|CANDLE JAR|CARD HOLDER|CHOPPING BOARD|CLOCK|COASTER|COAT HOOK|COOKIE CUTTER"
    "|CUSHION|DOORMAT|DRAWER KNOB|EGG CUP|FRIDGE MAGNET|GARLAND|GIFT BAG|GIFT TAG|GLASS BAUBLE"
    "|HAND TOWEL|INCENSE|JEWEL BOX|JUG|KEY RING|LANTERN|LUNCH TIN|MATCHES|MIRROR|MUG|NAPKINS"
    "|NOTEBOOK|OVEN GLOVE|PAPER CHAIN|PARASOL|PENCIL CASE|PHOTO ALBUM|PLANT POT|PLATE|POSTCARD"
    "|PUZZLE|RIBBON REEL|SCARF|SHOPPER|SOAP DISH|SPOON REST|STICKERS|STORAGE BOX|TABLECLOTH"
    "|TEA CADDY|TEA COSY|TEA TOWEL|TEALIGHT|TOY CHEST|TRAY|UMBRELLA|VASE|WALL SIGN|WIND CHIME"
    "|WREATH|WRITING SET"
).split("|")
# Text that naive readers break on: commas, double quotes and letters outside ASCII.
NAME_FORMS = (
    '{item} 7" {style}',
    "{item}, {motif}",
    "CAFÉ {item} {style}",
    '{item} {style}, 12" x 8"',
    "FIANCÉE {motif} {item}",
)
# On stock corrections; most have no text at all.
NOTES = (*[None] * 18, *["check"] * 4, *["damaged"] * 2, "damages", "?", "??", "lost", "found")
NOTES += ("thrown away", "wrong code, see 22", 'box "B" wet', "counted twice")
FEES = {"AMAZONFEE": 60_000, "S": 2_000, "BANK CHARGES": 1_500}  # median pence
VOUCHERS = {f"gift_0001_{pounds}": pounds for pounds in (10, 20, 30, 50)}
CHARGES = {
    "POST": "POSTAGE",
    "C2": "CARRIAGE",
    "M": "Manual",
    "D": "Discount",
    "S": "SAMPLES",
    "B": "Adjust bad debt",
    "DOT": "DOTCOM POSTAGE",
    "AMAZONFEE": "AMAZON FEE",
    "BANK CHARGES": "Bank Charges",
    # Goods, but with a word for a code, as charges have.
    "PADS": "SPARE FELT PADS",
} | {code: f"Gift Voucher £{pounds}.00" for code, pounds in VOUCHERS.items()}


@dataclass(frozen=True)
class Habit:
    """Latent manner of buying of a group of customers.

    Attributes
    ----------
    name : str
        Shown in the truth file.
    share : float
        Of all simulated customers, those before the file's span included.
    rate : float
        Mean orders per year of activity.
    rate_shape : float
        Shape of the gamma distribution of rates; large means alike.
    stay_days : float
        Mean of the exponential lifetime after arrival, in days.
    never_leaves : float
        Share of customers without an end.
    veterans : float
        Share of customers who arrived before the file begins.
    basket : float
        Basket lines relative to the shop's.
    quantity : float
        Mean quantity of a line at the reference price.
    loyalty : float
        Share of lines that are one of the customer's favourites.
    """

    name: str
    share: float
    rate: float
    rate_shape: float
    stay_days: float
    never_leaves: float
    veterans: float
    basket: float
    quantity: float
    loyalty: float


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


@dataclass(frozen=True)
class Size:
    """What differs between the demo and a load test.

    Attributes
    ----------
    lines : int
        Data lines of the file.
    products : int
        Products in the catalogue, at most ``len(STYLES) * len(MOTIFS)``.
    basket_lines : float
        Mean lines of an order of a customer whose habit has ``basket`` 1.
    favourites : int
        Most favourites a customer can have.
    """

    lines: int
    products: int
    basket_lines: float
    favourites: int

    @property
    def lines_per_customer(self) -> float:
        """Expected lines of a simulated customer; only sizes the blocks."""
        return 4.5 * self.basket_lines


DEMO = Size(lines=43_500, products=620, basket_lines=5.0, favourites=8)


def scaled(lines: int) -> Size:
    """Return the size of a load test of ``lines`` lines with the baskets of the real shop."""
    return Size(lines=lines, products=2_200, basket_lines=23.5, favourites=24)


# ---------------------------------------------------------------------- the calendar


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
GIFT_DAYS = np.array(
    [
        day
        for day in OPEN_DAYS.tolist()
        if day >= START_DAY and "10-20" <= str(HISTORY_START + day)[5:] <= "12-19"
    ]
)


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


# ---------------------------------------------------------------------- the catalogue


@dataclass(frozen=True)
class Catalogue:
    """Products, charges and texts; lines refer to the two lists by position.

    Products come first in ``codes`` and ``descriptions``, at equal positions.

    Attributes
    ----------
    codes, descriptions : list of str
        All texts of the columns StockCode and Description.
    mils : ndarray of shape (n_products, 3)
        List prices in tenths of a penny, before and after up to two changes.
    changed_on : ndarray of shape (n_products, 2)
        First day of the second and of the third price.
    popularity : ndarray of shape (n_products,)
        Cumulated share of the lines of the products up to this one.
    bundles : ndarray of shape (n_bundles, 3)
        Products that go together.
    other_description, lower_code : ndarray of shape (n_products,)
        Position of another spelling; the product's own position where there is none.
    notes : ndarray of shape (n_notes,)
        Positions of the notes on stock corrections; -1 is no text.
    charges : dict of str to (int, int)
        Positions of code and description of what is no product, by code.
    """

    codes: list[str]
    descriptions: list[str]
    mils: np.ndarray
    changed_on: np.ndarray
    popularity: np.ndarray
    bundles: np.ndarray
    other_description: np.ndarray
    lower_code: np.ndarray
    notes: np.ndarray
    charges: dict[str, tuple[int, int]]

    @property
    def products(self) -> int:
        """Return the number of products."""
        return len(self.mils)

    def price(self, product: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """Return the list price of each product at each minute, in mils."""
        changed = (minute // DAY_MINUTES)[:, None] >= self.changed_on[product]
        return self.mils[product, changed.sum(axis=1)]

    def charge(self, code: str) -> dict[str, int]:
        """Return the columns code and description of what is no product."""
        return dict(zip(("code", "description"), self.charges[code], strict=True))

    def popular(self, rng: np.random.Generator, shape: int | tuple[int, int]) -> np.ndarray:
        """Draw products by popularity."""
        return np.searchsorted(self.popularity, rng.random(shape) * (1 - 1e-9), side="right")


def _product_names(rng: np.random.Generator, products: int) -> list[str]:
    """Compose distinct names; one in eight has text that naive readers break on."""
    pairs = rng.permutation(len(STYLES) * len(MOTIFS))[:products]
    names = []
    for number, pair in enumerate(pairs.tolist()):
        words = {
            "style": STYLES[pair % len(STYLES)],
            "motif": MOTIFS[pair // len(STYLES)],
            "item": ITEMS[int(rng.integers(len(ITEMS)))],
        }
        form = "{style} {motif} {item}"
        if number % 8 == 3:
            form = NAME_FORMS[int(rng.integers(len(NAME_FORMS)))]
        elif number % 8 == 5:
            form = f"SET OF {2 + pair % 5} {{motif}} {{item}}"
        name = form.format(**words)
        names.append(name if name not in names else "{style} {motif} {item}".format(**words))
    return names


def _shop_pence(pence: np.ndarray) -> np.ndarray:
    """Move prices to such as a shop asks: 39p, 85p, 1.95, 4.20."""
    small = np.maximum(pence // 10, 1) * 10 + 9
    return np.where(pence < 90, small, np.rint(pence / 25) * 25 - 5).astype(int)


def draw_catalogue(rng: np.random.Generator, products: int) -> Catalogue:
    """Invent the products of the shop.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    products : int
        From 100 to ``len(STYLES) * len(MOTIFS)``.

    Returns
    -------
    Catalogue
        Position 0 is the most popular product.
    """
    stems = rng.permutation(np.arange(20_100, 20_100 + 2 * products)).astype(str)[:products]
    suffix = rng.choice(["", "", "", "A", "B", "S"], products)
    codes = [stem + letter for stem, letter in zip(stems.tolist(), suffix.tolist(), strict=True)]
    descriptions = _product_names(rng, products)
    own = np.arange(products)

    lower_code = own.copy()
    for product in np.flatnonzero(suffix != "").tolist():
        lower_code[product] = len(codes)
        codes.append(codes[product].lower())
    other_description = own.copy()
    for product in range(7, products, 12):
        name = descriptions[product]
        other = (f"{name} ", f" {name}", name.replace(" ", "  ", 1), name.title())
        other_description[product] = len(descriptions)
        descriptions.append(other[product // 12 % len(other)])

    pence = np.exp(rng.normal(np.log(195), 0.75, products))
    factors = rng.choice([0.85, 1.05, 1.10, 1.20], (products, 2))
    levels = np.column_stack((pence, pence * factors[:, 0], pence * factors.prod(axis=1)))
    changed_on = np.sort(rng.integers(START_DAY + 30, END_DAY, (products, 2)), axis=1)
    changes = rng.choice(3, products, p=[0.6, 0.3, 0.1])
    changed_on[changes < 2, 1] = NEVER
    changed_on[changes < 1, 0] = NEVER

    weight = 1 / (own + 6.0) ** 0.75
    bundles = rng.permutation(products)[: 3 * max(8, products // 60)].reshape(-1, 3)

    notes = []
    for note in NOTES:
        notes.append(-1 if note is None else len(descriptions))
        if note is not None:
            descriptions.append(note)
    charges = {}
    for code, text in CHARGES.items():
        charges[code] = (len(codes), len(descriptions))
        codes.append(code)
        descriptions.append(text)
    return Catalogue(
        codes=codes,
        descriptions=descriptions,
        mils=_shop_pence(levels) * 10,
        changed_on=changed_on,
        popularity=np.cumsum(weight / weight.sum()),
        bundles=bundles,
        other_description=other_description,
        lower_code=lower_code,
        notes=np.array(notes),
        charges=charges,
    )


# ---------------------------------------------------------------------- lines


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


# ---------------------------------------------------------------------- customers


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


def some_mils(rng: np.random.Generator, size: int, median_pence: float) -> np.ndarray:
    """Draw skewed amounts of whole pence, in mils."""
    pence = np.rint(rng.lognormal(np.log(median_pence), 1.0, size)).astype(int)
    return np.maximum(pence, 1) * 10


def sell(
    rng: np.random.Generator, catalogue: Catalogue, who: Customers, heads: Lines, least: int
) -> Lines:
    """Fill the orders of customers and add charges and what goes wrong in an order.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    catalogue : Catalogue
        The shop's products.
    who : Customers
        Their habits.
    heads : Lines
        Columns invoice, minute, customer and country, one row per order.
    least : int
        Least number of lines of each rare kind.

    Returns
    -------
    Lines
        On ordinary invoices; those that the truth counts are marked in ``sale``.
    """
    buyer, country = heads["customer"], heads["country"]
    order, baskets = fill_baskets(
        rng,
        catalogue,
        Orders(
            minute=heads["minute"],
            lines=whole_number_basket(rng, who.basket_lines[buyer], 0.5),
            quantity=who.quantity[buyer],
            wholesale=who.habit[buyer] == WHOLESALER,
            loyalty=np.array([habit.loyalty for habit in HABITS])[who.habit[buyer]],
            favourites=who.favourites,
            favourite_count=who.favourite_count[buyer],
            buyer=buyer,
        ),
    )
    draw = rng.random(len(buyer))
    carried = np.isin(country, CARRIAGE_COUNTRIES)
    posted = np.flatnonzero(~carried & (country != UNITED_KINGDOM) & (draw < 0.5))
    carried = np.flatnonzero(carried & (draw < 0.4))
    manual = np.flatnonzero(rng.random(len(buyer)) < 0.012)

    inside = np.flatnonzero(heads["minute"] >= START_MINUTE)

    def some(share: float) -> np.ndarray:
        return pick(rng, inside, count_of(share, len(order), least))

    def charge(code: str, rows: np.ndarray, quantity: np.ndarray | int, mils: np.ndarray | int):
        return make_lines(
            **take(heads, rows), **catalogue.charge(code), quantity=quantity, mils=mils, sale=True
        )

    banked, pads, freed = some(BANK_CHARGE_SHARE), some(SUB_PENNY_SHARE), some(FREE_LINE_SHARE)
    gift = rng.integers(0, catalogue.products, len(freed))
    sales = join(
        make_lines(**take(heads, order), **baskets, sale=True),
        charge("POST", posted, 1 + rng.poisson(0.6, len(posted)), POSTAGE_MILS[country[posted]]),
        charge("C2", carried, 1, 50_000),
        charge("M", manual, 1 + rng.poisson(0.3, len(manual)), some_mils(rng, len(manual), 900)),
        charge("BANK CHARGES", banked, 1, 15_000),
        charge("PADS", pads, rng.choice([1, 1, 5, 12], len(pads)), 1),
        make_lines(
            **take(heads, freed),
            code=gift,
            description=gift,
            quantity=rng.choice([1, 2, 12, 24], len(freed)),
            mils=0,
        ),
    )
    within = np.flatnonzero(heads["minute"][order] >= START_MINUTE)
    stray = take(sales, pick(rng, within, count_of(STRAY_NEGATIVE_SHARE, len(order), least)))
    return join(sales, stray | {"quantity": -stray["quantity"], "sale": stray["sale"] & False})


def cancel(rng: np.random.Generator, lines: Lines, heads: Lines) -> Lines:
    """Take purchases back, in whole, in part, or several at once.

    A line is taken back once at most. Its return keeps customer, product and price. Some returns
    are one line for two purchases of the same product at the same price, so their quantity is
    larger than that of either.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    lines : Lines
        Lines of the orders, in any order.
    heads : Lines
        The orders, sorted by customer and minute; ``invoice`` is the position.

    Returns
    -------
    Lines
        On cancellation invoices, which have numbers after those of the orders; some may lie
        after the end of the file.
    """
    orders = len(heads["invoice"])
    sold = take(lines, lines["sale"])
    sold = take(sold, np.lexsort([sold[n] for n in ("invoice", "mils", "code", "customer")]))
    repeat = np.ones(len(sold["code"]) - 1, bool)
    for name in ("customer", "code", "mils"):
        repeat &= sold[name][1:] == sold[name][:-1]
    repeat &= rng.random(len(repeat)) < SUMMED_CANCEL_SHARE
    repeat[1:] &= ~repeat[:-1]  # no line in two pairs
    first = np.flatnonzero(repeat)
    summed = take(sold, first + 1)
    summed = summed | {
        "quantity": -(summed["quantity"] + sold["quantity"][first]),
        "minute": draw_later(rng, summed["minute"]),
        "invoice": 2 * orders + np.arange(len(first)),
    }

    draw = rng.random(orders)
    taken = np.flatnonzero(draw < CANCEL_EVENT_SHARE)
    event = np.full(orders, -1)
    event[taken] = taken
    # One in seven cancellations also takes back from the customer's order before.
    wide = taken[(draw[taken] < CANCEL_EVENT_SHARE / 7) & (taken > 0)]
    wide = wide[(heads["customer"][wide - 1] == heads["customer"][wide]) & (event[wide - 1] < 0)]
    event[wide - 1] = wide
    full = (draw > CANCEL_EVENT_SHARE * 0.94) & (draw < CANCEL_EVENT_SHARE)

    basket = np.bincount(sold["invoice"], minlength=orders)
    chance = np.where(full, 1.0, np.minimum(0.7 / np.maximum(basket, 1) + 0.1, 1.0))
    event_of = event[sold["invoice"]]
    back = (event_of >= 0) & (rng.random(len(event_of)) < chance[sold["invoice"]])
    back[first] = back[first + 1] = False
    part = (rng.random(len(event_of)) < 0.35) & ~full[sold["invoice"]] & (sold["quantity"] > 1)
    less = 1 + (rng.random(len(event_of)) * (sold["quantity"] - 1)).astype(int)
    later = draw_later(rng, heads["minute"])
    returned = take(sold | {"quantity": -np.where(part, less, sold["quantity"])}, back)
    returned |= {
        "minute": later[event_of[back]],
        "invoice": orders + event_of[back],
    }
    both = join(returned, summed)
    return both | {"kind": np.full_like(both["kind"], 2), "sale": np.zeros_like(both["sale"])}


def give_discounts(
    rng: np.random.Generator, catalogue: Catalogue, heads: Lines, lines: int, least: int
) -> Lines:
    """Return discount lines, each on its own cancellation invoice, some time after an order."""
    orders = len(heads["invoice"])
    given = pick(rng, np.arange(orders), count_of(DISCOUNT_SHARE, lines, least))
    return make_lines(
        **take(heads, given)
        | {"invoice": 3 * orders + given, "minute": draw_later(rng, heads["minute"][given])},
        **catalogue.charge("D"),
        kind=2,
        quantity=-1,
        mils=some_mils(rng, len(given), 2_000),
    )


def known_lines(
    rng: np.random.Generator, catalogue: Catalogue, who: Customers, least: int
) -> Lines:
    """Return all lines of customers inside the span of the file, duplicates included."""
    customer, minute = draw_orders(rng, who)
    heads = {
        "invoice": np.arange(len(customer)),
        "minute": minute,
        "customer": customer,
        "country": who.country[customer],
    }
    sales = sell(rng, catalogue, who, heads, least)
    discounts = give_discounts(rng, catalogue, heads, len(sales["code"]), least)
    lines = join(sales, cancel(rng, sales, heads), discounts)
    lines = take(lines, (lines["minute"] >= START_MINUTE) & (lines["minute"] <= END_MINUTE))
    again = take(lines, rng.random(len(lines["code"])) < DUPLICATE_SHARE)
    return join(lines, again | {"sale": np.zeros_like(again["sale"])})


# ---------------------------------------------------------------------- guests


def guest_lines(
    rng: np.random.Generator, catalogue: Catalogue, size: Size, wanted: int, lines: int, least: int
) -> Lines:
    """Return exactly ``wanted`` lines without a customer.

    Beside sales there are the shop's own bookings: stock corrections at price 0, fees, samples,
    vouchers and bad debts, in proportion to all ``lines`` of the block.
    """

    def heads(count: int) -> Lines:
        first, last = np.full(count, START_DAY), np.full(count, END_DAY - 1)
        return {
            "invoice": np.arange(count),
            "minute": draw_minutes(rng, draw_days(rng, first, last)),
            "country": _draw_country(rng, GUEST_COUNTRIES, count),
        }

    def booking(code: str, count: int, kind: int, quantity: np.ndarray | int, mils: np.ndarray):
        return make_lines(
            **heads(count) | {"country": UNITED_KINGDOM},
            **catalogue.charge(code),
            kind=kind,
            quantity=quantity,
            mils=mils,
        )

    notes = count_of(FREE_NOTE_SHARE, lines)
    lost = rng.random(notes) < STOCK_LOSS_SHARE
    product = rng.integers(0, catalogue.products, notes)
    named = rng.random(notes) < 0.25
    parts = [
        make_lines(
            **heads(notes) | {"country": UNITED_KINGDOM},
            code=product,
            description=np.where(named, product, rng.choice(catalogue.notes, notes)),
            quantity=rng.integers(1, 200, notes) * np.where(lost, -1, 1),
            mils=0,
        )
    ]
    fees = count_of(FEE_SHARE, lines, least)
    parts += [booking(c, fees, 2, -1, some_mils(rng, fees, pence)) for c, pence in FEES.items()]
    debts = count_of(BAD_DEBT_SHARE, lines, min(least, 3))
    wrong_way = np.where(np.arange(debts) % 3 == 0, 1, -1)
    parts.append(booking("B", debts, 1, 1, some_mils(rng, debts, 150_000) * wrong_way))
    for code, pounds in VOUCHERS.items():
        sold = count_of(VOUCHER_SHARE / len(VOUCHERS), lines, least)
        before_tax = np.full(sold, round(pounds / 1.2 * 100) * 10)
        parts.append(booking(code, sold, 0, rng.integers(1, 4, sold), before_tax))

    wanted -= sum(len(part["code"]) for part in parts)
    doubled = count_of(DUPLICATE_SHARE, wanted)
    missing = wanted - doubled
    baskets = []
    mean = 4 * size.basket_lines  # guests are batches of small orders
    while missing > 0:
        count = int(missing / mean) + 5
        head = heads(count)
        basket = np.minimum(whole_number_basket(rng, np.full(count, mean), 1.3), MAX_GUEST_LINES)
        order, filled = fill_baskets(
            rng,
            catalogue,
            Orders(
                minute=head["minute"],
                lines=basket,
                quantity=np.full(count, 3.0),
                wholesale=np.zeros(count, bool),
                loyalty=np.zeros(count),
                favourites=np.zeros((1, 1), int),
                favourite_count=np.ones(count, int),
                buyer=np.zeros(count, int),
            ),
        )
        posted = np.flatnonzero(rng.random(count) < 0.4)
        postage = make_lines(
            **take(head, posted),
            **catalogue.charge("DOT"),
            quantity=1,
            mils=some_mils(rng, len(posted), 4_000),
        )
        made = join(make_lines(**take(head, order), **filled), postage)
        baskets.append(take(made, np.argsort(made["invoice"], kind="stable")[:missing]))
        missing -= len(baskets[-1]["code"])
    parts += baskets
    for number, part in enumerate(parts):
        part["invoice"] = part["invoice"] * len(parts) + number
    again = take(join(*baskets), rng.choice(wanted - doubled, doubled, replace=False))
    return join(*parts, again)


# ---------------------------------------------------------------------- blocks


@dataclass(frozen=True)
class Block:
    """Some customers, guests in proportion and all their lines.

    Attributes
    ----------
    lines : Lines
        Invoices are numbered from 0 without a gap.
    invoice_minute, invoice_kind : ndarray
        One entry per invoice.
    who : Customers
        The customers, those without a line included.
    first_customer : int
        CustomerID of the first of them; the others follow.
    """

    lines: Lines
    invoice_minute: np.ndarray
    invoice_kind: np.ndarray
    who: Customers
    first_customer: int


def choose_customers(lines_of: np.ndarray, room: int) -> np.ndarray:
    """Choose customers whose lines fill ``room`` to 99 %, skipping those too large for the rest."""
    enough = room * 0.01
    chosen = np.zeros(len(lines_of), bool)
    for customer, lines in enumerate(lines_of.tolist()):
        if lines <= room:
            chosen[customer] = True
            room -= lines
        if room <= enough:
            break
    return chosen


def simulate(catalogue: Catalogue, size: Size, seed: int) -> Iterator[Block]:
    """Yield blocks that have ``size.lines`` lines together.

    Each block has its own random stream, so memory is bounded by one block.
    """
    left, number, first_customer = size.lines, 0, FIRST_CUSTOMER_ID
    while left > 0:
        rng = np.random.default_rng((seed, 1 + number))
        least = LEAST_RARE if number == 0 else 0
        room = round(left * (1 - GUEST_SHARE))
        customers = min(BLOCK_CUSTOMERS, int(1.05 * room / size.lines_per_customer) + 30)
        who = draw_customers(rng, catalogue, size, customers)
        known = known_lines(rng, catalogue, who, least)
        lines_of = np.bincount(known["customer"], minlength=customers)
        chosen = choose_customers(lines_of, room)
        known = take(known, chosen[known["customer"]])
        lines = round(len(known["code"]) / (1 - GUEST_SHARE))
        # A rest too small for customers of all habits is left to guests.
        if left - lines < max(0.01 * size.lines, MIN_LINES / 10):
            lines = left
        guests = guest_lines(rng, catalogue, size, lines - len(known["code"]), lines, least)
        guests["invoice"] += known["invoice"].max(initial=-1) + 1
        both = join(known, guests)
        customer = both["customer"]
        both["customer"] = np.where(customer < 0, customer, customer + first_customer)
        both["shuffle"] = rng.integers(0, 2**31, len(customer))
        _, at, both["invoice"] = np.unique(both["invoice"], return_index=True, return_inverse=True)
        yield Block(both, both["minute"][at], both["kind"][at], who, first_customer)
        left -= lines
        number += 1
        first_customer += customers


# ---------------------------------------------------------------------- campaign customers


@dataclass(frozen=True)
class CampaignHabit:
    """Latent manner of buying of a group of campaign customers.

    Attributes
    ----------
    name : str
        Not in the file.
    share : float
        Of all customers.
    income, income_spread : float
        Mean and standard deviation of yearly household income.
    spend, spend_spread : float
        Median of money spent in two years, and standard deviation of its logarithm.
    categories : tuple of float
        Mean shares of wine, fruit, meat, fish, sweets and gold.
    channels : tuple of float
        Mean purchases by web, catalogue and store.
    deals, visits : float
        Mean purchases at a discount, and mean web visits in the last month.
    kids, teens : float
        Chance of each of two places for a small child and of two for a teenager.
    age : float
        Mean age in years.
    accepts : tuple of float
        Chance to accept each of the first five campaigns.
    """

    name: str
    share: float
    income: float
    income_spread: float
    spend: float
    spend_spread: float
    categories: tuple[float, ...]
    channels: tuple[float, ...]
    deals: float
    visits: float
    kids: float
    teens: float
    age: float
    accepts: tuple[float, ...]


CAMPAIGN_HABITS = (
    CampaignHabit(
        "well_off", 0.31, 74_500, 9_500, 1_220, 0.34, (0.46, 0.06, 0.31, 0.07, 0.05, 0.05),
        (5.1, 5.7, 8.5), 1.3, 2.9, 0.02, 0.16, 47, (0.17, 0.03, 0.08, 0.11, 0.20),
    ),
    CampaignHabit(
        "careful", 0.45, 34_300, 10_500, 75, 0.70, (0.40, 0.05, 0.26, 0.07, 0.05, 0.17),
        (2.0, 0.6, 3.2), 1.9, 6.4, 0.38, 0.23, 43, (0.00, 0.00, 0.08, 0.01, 0.00),
    ),
    CampaignHabit(
        "online", 0.24, 54_600, 8_500, 650, 0.38, (0.58, 0.03, 0.21, 0.04, 0.03, 0.11),
        (6.7, 2.7, 7.3), 4.4, 6.5, 0.19, 0.43, 48, (0.04, 0.02, 0.07, 0.14, 0.02),
    ),
)  # fmt: skip
CAMPAIGN_CUSTOMERS = 1_995  # and COPIED of them twice
CAMPAIGN_FIRST, CAMPAIGN_LAST = np.datetime64("2023-07-30"), np.datetime64("2025-06-29")
CAMPAIGN_COLUMNS = (
    "ID Year_Birth Education Marital_Status Income Kidhome Teenhome Dt_Customer Recency MntWines"
    " MntFruits MntMeatProducts MntFishProducts MntSweetProducts MntGoldProds NumDealsPurchases"
    " NumWebPurchases NumCatalogPurchases NumStorePurchases NumWebVisitsMonth AcceptedCmp3"
    " AcceptedCmp4 AcceptedCmp5 AcceptedCmp1 AcceptedCmp2 Complain Z_CostContact Z_Revenue"
    " Response"
).split()
CONTACT_COST, RESPONSE_REVENUE = 3, 11
EDUCATIONS = {"Graduation": 0.50, "PhD": 0.22, "Master": 0.16, "2n Cycle": 0.09, "Basic": 0.03}
MARITAL_STATES = {
    "Married": 0.385,
    "Together": 0.26,
    "Single": 0.215,
    "Divorced": 0.105,
    "Widow": 0.035,
}
# Dirt: customers without an income, with a typing error in it, born too early or not at all, in
# states that are none, and whose line stands twice.
MISSING_INCOMES, TYPING_ERROR, COPIED = 22, 666_666, 5
ABSURD_BIRTH_YEARS = (1893, 1899, 1900, 2094)
ODD_STATES = ("Absurd", "Absurd", "YOLO", "YOLO", "Alone", "Alone", "Alone")


def draw_campaign(rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the habit of each campaign customer and the columns of the file, without dirt."""
    size = CAMPAIGN_CUSTOMERS
    habit = rng.choice(len(CAMPAIGN_HABITS), size, p=[one.share for one in CAMPAIGN_HABITS])

    def latent(name: str) -> np.ndarray:
        return np.array([getattr(one, name) for one in CAMPAIGN_HABITS])[habit]

    income = rng.normal(latent("income"), latent("income_spread")).round().clip(4_000, 120_000)
    # Of two customers with one habit, the richer one spends more.
    wealth = (income - latent("income")) / latent("income_spread")
    noise = rng.normal(0, 1, size) * 0.8 + wealth * 0.6
    spend = (latent("spend") * np.exp(latent("spend_spread") * noise)).clip(6, 2_500)
    shares = rng.gamma(latent("categories") * 12, 1.0)
    money = (spend[:, None] * shares / shares.sum(axis=1, keepdims=True)).round().astype(int)
    purchases = rng.poisson(latent("channels"))
    age = rng.normal(latent("age"), 11.5).round().clip(18, 78).astype(int)
    days = rng.integers(0, int((CAMPAIGN_LAST - CAMPAIGN_FIRST).astype(int)) + 1, size)
    recency = rng.integers(0, 100, size)
    accepted = rng.random((size, 5)) < latent("accepts")
    state = rng.choice(list(MARITAL_STATES), size, p=list(MARITAL_STATES.values()))
    teens = rng.binomial(2, latent("teens"))
    # Who accepted before, bought just now or has been here long says yes more often.
    logit = (
        -2.0
        + 1.25 * accepted.sum(axis=1)
        - 0.028 * (recency - 50)
        - 0.0032 * (days - 350)
        - 0.9 * np.isin(state, ["Married", "Together"])
        - 0.6 * teens
    )
    response = rng.random(size) < 1 / (1 + np.exp(-logit))
    columns = {
        "ID": rng.permutation(11_192)[:size],
        "Year_Birth": int(str(CAMPAIGN_LAST)[:4]) - age,
        "Education": rng.choice(list(EDUCATIONS), size, p=list(EDUCATIONS.values())),
        "Marital_Status": state,
        "Income": income.astype(int),
        "Kidhome": rng.binomial(2, latent("kids")),
        "Teenhome": teens,
        "Dt_Customer": CAMPAIGN_FIRST + days,
        "Recency": recency,
        **dict(zip(CAMPAIGN_COLUMNS[9:15], money.T, strict=True)),
        "NumDealsPurchases": rng.poisson(latent("deals")),
        "NumWebPurchases": purchases[:, 0],
        "NumCatalogPurchases": purchases[:, 1],
        "NumStorePurchases": purchases[:, 2],
        "NumWebVisitsMonth": rng.poisson(latent("visits")),
        **{f"AcceptedCmp{number + 1}": accepted[:, number] for number in range(5)},
        "Complain": rng.random(size) < 0.01,
        "Z_CostContact": np.full(size, CONTACT_COST),
        "Z_Revenue": np.full(size, RESPONSE_REVENUE),
        "Response": response,
    }
    return habit, columns


def campaign_rows(rng: np.random.Generator) -> list[list[object]]:
    """Return the rows of the campaign file, dirt included, in the order of CAMPAIGN_COLUMNS."""
    _, columns = draw_campaign(rng)
    texts = {name: columns[name].astype(object) for name in CAMPAIGN_COLUMNS}
    texts["Dt_Customer"] = np.array(
        [day.item().strftime("%d-%m-%Y") for day in columns["Dt_Customer"]], object
    )
    for name in CAMPAIGN_COLUMNS:
        if columns[name].dtype == bool:
            texts[name] = columns[name].astype(int).astype(object)
    dirty = iter(rng.permutation(CAMPAIGN_CUSTOMERS).tolist())
    for _ in range(MISSING_INCOMES):
        texts["Income"][next(dirty)] = ""
    texts["Income"][next(dirty)] = TYPING_ERROR
    for year in ABSURD_BIRTH_YEARS:
        texts["Year_Birth"][next(dirty)] = year
    for state in ODD_STATES:
        texts["Marital_Status"][next(dirty)] = state
    rows = [list(row) for row in zip(*(texts[name] for name in CAMPAIGN_COLUMNS), strict=True)]
    for _ in range(COPIED):
        rows.insert(int(rng.integers(len(rows))), rows[next(dirty)])
    return rows


# ---------------------------------------------------------------------- files

LINE_COLUMNS = "invoice minute kind code description quantity mils customer country shuffle".split()
# Numbers become text only here. The shuffle sets the order of lines within an invoice; a code is
# twice in an invoice only in copies, whose order is moot.
EXPORT = f"""
    select
        ['', 'A', 'C'][lines.kind + 1] || numbers.number as InvoiceNo,
        codes.text as StockCode,
        descriptions.text as Description,
        lines.quantity as Quantity,
        timestamp '{HISTORY_START}' + to_minutes(lines.minute) as InvoiceDate,
        lines.mils / 1000 as UnitPrice,
        nullif(lines.customer, -1) as CustomerID,
        countries.text as Country
    from lines
    inner join numbers using (invoice)
    inner join codes on lines.code = codes.position
    inner join countries on lines.country = countries.position
    left join descriptions on lines.description = descriptions.position
    order by lines.minute, numbers.number, lines.shuffle, lines.code, lines.quantity
"""
INVOICE_COLUMNS = (
    "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country".split()
)
TRUTH_COLUMNS = (
    "customer_id habit arrived_at purchase_rate_per_year dropped_out_at mean_basket_lines"
    " mean_quantity favourite_products country invoices lines_of_sale first_purchase_at"
    " last_purchase_at monetary_pence"
).split()


def store_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, np.ndarray]
) -> None:
    """Append numpy columns to a table, which is created when it is missing."""
    connection.register("given", columns)
    connection.execute(f"create table if not exists {name} as select * from given limit 0")
    connection.execute(f"insert into {name} select * from given")
    connection.unregister("given")


def store(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, size: Size, seed: int
) -> Iterator[Block]:
    """Put a whole shop into the tables ``EXPORT`` reads and yield each block when it is in."""
    texts = {"codes": catalogue.codes, "descriptions": catalogue.descriptions}
    for name, values in (texts | {"countries": COUNTRY_NAMES}).items():
        connection.execute(
            f"create table {name} as"
            " select unnest(range(len($1::varchar[]))) as position, unnest($1::varchar[]) as text",
            [list(values)],
        )
    minutes, kinds, invoices = [], [], 0
    for block in simulate(catalogue, size, seed):
        lines = {name: block.lines[name].astype(np.int32) for name in LINE_COLUMNS}
        lines["invoice"] += invoices
        store_table(connection, "lines", lines)
        minutes.append(block.invoice_minute)
        kinds.append(block.invoice_kind)
        invoices += len(block.invoice_minute)
        yield block
    # Ordinary invoices come first within a minute, so numbers and their text sort alike.
    by_time = np.lexsort((np.concatenate(kinds), np.concatenate(minutes)))
    gaps = np.random.default_rng((seed, 0, 1)).integers(1, 3, invoices)
    numbers = {"invoice": by_time.astype(np.int32), "number": FIRST_INVOICE_NO + np.cumsum(gaps)}
    store_table(connection, "numbers", numbers)


def moment(minute: int) -> str:
    """Return ISO text of a minute since ``HISTORY_START``."""
    return str(HISTORY_START + np.timedelta64(minute, "m")).replace("T", " ") + ":00"


def truth_rows(catalogue: Catalogue, block: Block) -> list[list[object]]:
    """Return the rows of the truth file for one block, in the order of ``TRUTH_COLUMNS``."""
    who, lines = block.who, block.lines
    customers = len(who.habit)
    seen = np.unique(lines["customer"][lines["customer"] >= 0] - block.first_customer)
    sold = take(lines, lines["sale"])
    buyer = sold["customer"] - block.first_customer
    # Both factors are positive, so adding a half before the floor rounds half away from zero.
    pence = (sold["quantity"] * sold["mils"] + 5) // 10
    count = np.bincount(buyer, minlength=customers)
    monetary = np.zeros(customers, int)
    np.add.at(monetary, buyer, pence)
    first, last = np.full(customers, NEVER * DAY_MINUTES), np.full(customers, -1)
    np.minimum.at(first, buyer, sold["minute"])
    np.maximum.at(last, buyer, sold["minute"])
    invoice_at = np.unique(sold["invoice"], return_index=True)[1]
    invoices = np.bincount(buyer[invoice_at], minlength=customers)
    rows = []
    for i in seen.tolist():
        favourites = dict.fromkeys(who.favourites[i, : who.favourite_count[i]].tolist())
        dropped = who.dropped_out[i] <= END_DAY
        rows.append(
            [
                block.first_customer + i,
                HABIT_NAMES[who.habit[i]],
                moment(int(who.arrived[i]) * DAY_MINUTES)[:10],
                f"{who.rate[i]:.3f}",
                moment(int(who.dropped_out[i]) * DAY_MINUTES)[:10] if dropped else "",
                f"{who.basket_lines[i]:.2f}",
                f"{who.quantity[i]:.2f}",
                "|".join(catalogue.codes[product] for product in favourites),
                COUNTRY_NAMES[who.country[i]],
                int(invoices[i]),
                int(count[i]),
                moment(int(first[i])) if count[i] else "",
                moment(int(last[i])) if count[i] else "",
                int(monetary[i]),
            ]
        )
    return rows


@contextlib.contextmanager
def replacing(*paths: Path) -> Iterator[list[Path]]:
    """Yield temporary files that replace ``paths`` when the body ends without an error."""
    with contextlib.ExitStack() as stack:
        temporary = []
        for path in paths:
            folder = tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
            temporary.append(Path(stack.enter_context(folder)) / path.name)
        yield temporary
        for made, path in zip(temporary, paths, strict=True):
            os.replace(made, path)


def write_csv(path: Path, columns: list[str], rows: list, delimiter: str = ",") -> None:
    """Write rows as UTF-8 with bare line feeds, quoted only where RFC 4180 asks for it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(rows)


def price_text(pounds: float) -> str:
    """Return a price with two decimals, or three where it has a fraction of a penny."""
    text = f"{pounds:.3f}"
    return text.removesuffix("0")


def write_demo(folder: Path, seed: int = 42) -> None:
    """Write ``invoices.csv``, ``customers_truth.csv`` and ``campaign_customers.csv``."""
    catalogue = draw_catalogue(np.random.default_rng((seed, 0)), DEMO.products)
    truth = []
    with duckdb.connect() as connection:
        for block in store(connection, catalogue, DEMO, seed):
            truth += truth_rows(catalogue, block)
        rows = [
            (*head, price_text(price), *tail)
            for *head, price, customer, country in connection.execute(EXPORT).fetchall()
            for tail in [(customer, country)]
        ]
    campaign = campaign_rows(np.random.default_rng((seed, 0, 2)))
    names = ("invoices.csv", "customers_truth.csv", "campaign_customers.csv")
    with replacing(*(folder / name for name in names)) as made:
        write_csv(made[0], INVOICE_COLUMNS, rows)
        write_csv(made[1], TRUTH_COLUMNS, truth)
        write_csv(made[2], CAMPAIGN_COLUMNS, campaign, delimiter="\t")


def write_scaled(path: Path, lines: int, seed: int = 42) -> None:
    """Write a load test of exactly ``lines`` lines as one Parquet file; progress goes to stderr."""
    size = scaled(lines)
    catalogue = draw_catalogue(np.random.default_rng((seed, 0)), size.products)
    with replacing(path) as (made,), duckdb.connect(str(made.with_suffix(".duckdb"))) as connection:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        done = 0
        for number, block in enumerate(store(connection, catalogue, size, seed), start=1):
            done += len(block.lines["code"])
            print(f"block {number}: {done:,} of {lines:,} lines", file=sys.stderr)
        print("sorting and writing", file=sys.stderr)
        target = str(made).replace("'", "''")
        connection.execute(f"copy ({EXPORT}) to '{target}' (format parquet)")


# ---------------------------------------------------------------------- command line


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with code 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def whole_number(text: str) -> int:
    """Return a number of 0 or more for argparse."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, got {text!r}")
    return int(text)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; any error is one line on stderr and exit code 2."""
    parser = OneLineParser(prog="generate.py", description="Simulate a gift shop's invoice lines.")
    parser.add_argument("--seed", type=whole_number, default=42, help="default 42")
    parser.add_argument(
        "--scale", type=whole_number, metavar="N", help="write N lines as Parquet instead"
    )
    parser.add_argument("--out", type=Path, metavar="PATH.parquet", help="where --scale writes")
    given = parser.parse_args(arguments)
    if (given.scale is None) != (given.out is None):
        parser.error("--scale and --out go together")
    if given.scale is not None:
        if not MIN_LINES <= given.scale <= MAX_LINES:
            parser.error(f"--scale must be from {MIN_LINES} to {MAX_LINES}, got {given.scale}")
        if given.out.suffix != ".parquet":
            parser.error(f"--out must end in .parquet, got '{given.out}'")
        if given.out.is_dir() or not given.out.parent.is_dir():
            parser.error(f"--out must be a file in a folder that exists, got '{given.out}'")
    try:
        if given.scale is None:
            write_demo(Path(__file__).resolve().parent, given.seed)
        else:
            write_scaled(given.out, given.scale, given.seed)
    except (OSError, duckdb.Error) as error:
        parser.error(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
