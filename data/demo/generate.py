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
from pathlib import Path
from typing import NoReturn

import duckdb

from giftshop.files import write_demo, write_scaled
from giftshop.simulation import MAX_LINES, MIN_LINES


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
