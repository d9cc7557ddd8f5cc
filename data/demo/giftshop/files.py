"""Writing the files, each replaced in one step."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np

from giftshop.campaign import CAMPAIGN_COLUMNS, campaign_rows
from giftshop.catalogue import NEVER, Catalogue, draw_catalogue
from giftshop.customers import HABIT_NAMES
from giftshop.habits import Size, scaled
from giftshop.lines import COUNTRY_NAMES, take
from giftshop.season import DAY_MINUTES, END_DAY, HISTORY_START
from giftshop.simulation import Block, simulate

FIRST_INVOICE_NO = 410_001
MEMORY_LIMIT = "1GB"  # DuckDB's; it spills the rest beside the output
DEMO = Size(lines=43_500, products=620, basket_lines=5.0, favourites=8)
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
