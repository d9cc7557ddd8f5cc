"""The shop block by block, so that any size fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from giftshop.catalogue import Catalogue
from giftshop.customers import Customers, draw_customers
from giftshop.habits import Size
from giftshop.lines import Lines, join, take
from giftshop.sales import guest_lines, known_lines

MIN_LINES, MAX_LINES = 1_000, 54_000_000
BLOCK_CUSTOMERS = 10_000  # bounds the memory of one block to some 300 MB
FIRST_CUSTOMER_ID = 12_001
LEAST_RARE = 5  # lines of each rare kind in any file, before customers are cut to the size
# Shares of all lines, from the real file, or slightly above it where it has a handful in
# 540,000 lines that would be none in the demo.
GUEST_SHARE = 0.232


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
