"""What is sold and cancelled, with the dirt of a real till."""

from __future__ import annotations

import numpy as np

from giftshop.catalogue import VOUCHERS, Catalogue
from giftshop.customers import (
    HABITS,
    WHOLESALER,
    Customers,
    Orders,
    _draw_country,
    draw_orders,
    fill_baskets,
    whole_number_basket,
)
from giftshop.habits import Size
from giftshop.lines import (
    COUNTRIES,
    COUNTRY_NAMES,
    EIRE,
    UNITED_KINGDOM,
    Lines,
    count_of,
    join,
    make_lines,
    pick,
    some_mils,
    take,
)
from giftshop.season import (
    DAY_MINUTES,
    END_DAY,
    END_MINUTE,
    START_DAY,
    draw_days,
    draw_later,
    draw_minutes,
)

START_MINUTE = START_DAY * DAY_MINUTES
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
CANCEL_EVENT_SHARE = 0.075  # of orders
SUMMED_CANCEL_SHARE = 0.012  # of repeat purchases of one product at one price
MAX_GUEST_LINES = 200
CARRIAGE_COUNTRIES = (EIRE, COUNTRY_NAMES.index("Channel Islands"))
POSTAGE_MILS = 18_000 + 2_000 * (np.arange(len(COUNTRIES)) % 6)
GUEST_COUNTRIES = {"United Kingdom": 0.975, "EIRE": 0.012, "Unspecified": 0.008, "France": 0.005}
FEES = {"AMAZONFEE": 60_000, "S": 2_000, "BANK CHARGES": 1_500}  # median pence


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
