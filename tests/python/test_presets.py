"""Known exports: each is recognised, nothing else is, and its totals come out right."""

import csv
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from layouts import LAYOUTS, Layout

from reading.decisions import UnreadableFile
from reading.preset_file import load_presets, preset_named
from reading.preset_rows import joined, plain_number, preset_query
from reading.presets import (
    OUR_NAMES,
    PresetError,
    Table,
    check_needs,
    column_for,
    fold,
    recognise,
    recognise_tables,
)
from reading.sql import sql_name

PRESETS = load_presets()
PROJECT = Path(__file__).resolve().parents[2]
ONLINE_RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ONLINE_RETAIL_II = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"

single = sorted(name for name in LAYOUTS if not PRESETS[name].tables)
of_tables = sorted(name for name in LAYOUTS if PRESETS[name].tables)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layouts")
    return {name: make(folder / name) for name, make in LAYOUTS.items()}


def rows_of(layout, path):
    """Header and rows of a file of a layout; rows that are shorter are filled up."""
    quoting = csv.QUOTE_NONE if layout.delimiter == "\t" else csv.QUOTE_MINIMAL
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=layout.delimiter, quoting=quoting))
    header, *rows = rows[layout.lines_before_header :]
    return header, [row + [""] * (len(header) - len(row)) for row in rows if row]


def headers_of(layout):
    return {role: rows_of(layout, path)[0] for role, path in layout.files.items()}


def put(connection, name, width, rows):
    """Put rows of text into a table with their line numbers, in an order that is not the file's."""
    texts = {f"c{n}": [row[n] for row in rows[::-1]] for n in range(width)}
    frame = pd.DataFrame({"line": range(len(rows), 0, -1), **texts})
    columns = ", ".join(f"cast({text} as varchar) as {text}" for text in texts)
    connection.register("frame", frame)
    connection.execute(f"create or replace table {name} as select line, {columns} from frame")
    connection.unregister("frame")


def table_of(connection, layout, path, name):
    header, rows = rows_of(layout, path)
    rows = rows[: layout.rows] if path == next(iter(layout.files.values())) else rows
    put(connection, name, len(header), rows)
    columns = {text: f"c{n}" for n, text in enumerate(header)}
    return Table(relation=name, columns=columns, line="line")


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        yield connection


def query_of(connection, layout):
    preset = PRESETS[layout.preset]
    tables = {
        role: table_of(connection, layout, path, f"t_{n}")
        for n, (role, path) in enumerate(layout.files.items())
    }
    table = joined(preset, tables) if preset.tables else next(iter(tables.values()))
    return preset_query(preset, table.relation, table.columns, line=table.line)


# ---------------------------------------------------------------------------------- recognising


def test_every_preset_has_a_layout_to_test_it_on():
    assert set(LAYOUTS) == set(PRESETS)


@pytest.mark.parametrize("name", single)
def test_a_file_is_recognised_as_itself_and_as_nothing_else(layouts, name):
    (headers,) = headers_of(layouts[name]).values()
    assert recognise(headers, PRESETS) == PRESETS[name]
    assert recognise_tables({"a.csv": headers}, PRESETS) is None


@pytest.mark.parametrize("name", single)
def test_the_case_and_order_of_headers_and_columns_of_other_apps_do_not_matter(layouts, name):
    (headers,) = headers_of(layouts[name]).values()
    changed = [
        "My own column",
        *(f" {header.upper().replace(' ', '_')} " for header in reversed(headers)),
    ]
    assert recognise(changed, PRESETS) == PRESETS[name]


@pytest.mark.parametrize("name", single)
def test_without_one_header_of_its_signature_a_file_is_not_recognised(layouts, name):
    (headers,) = headers_of(layouts[name]).values()
    for lacking in PRESETS[name].signature:
        kept = [header for header in headers if header != lacking]
        assert recognise(kept, PRESETS) is None, lacking


@pytest.mark.parametrize("name", single)
def test_a_header_that_occurs_twice_leaves_a_doubt(layouts, name):
    (headers,) = headers_of(layouts[name]).values()
    assert recognise([*headers, PRESETS[name].signature[0]], PRESETS) is None


@pytest.mark.parametrize("name", of_tables)
def test_files_are_recognised_together_by_their_headers_and_not_by_their_names(layouts, name):
    headers = headers_of(layouts[name])
    files = {f"file {n}": header for n, header in enumerate(headers.values())}
    files["notes.csv"] = ["Date", "Note"]
    roles = {role: f"file {n}" for n, role in enumerate(headers)}
    assert recognise_tables(files, PRESETS) == (PRESETS[name], roles)
    for header in headers.values():
        assert recognise(header, PRESETS) is None


@pytest.mark.parametrize("name", of_tables)
def test_a_file_too_few_is_not_recognised_unless_it_is_optional(layouts, name):
    headers = headers_of(layouts[name])
    for role, spec in PRESETS[name].tables.items():
        fewer = {other: header for other, header in headers.items() if other != role}
        assert (recognise_tables(fewer, PRESETS) is not None) == spec.optional, role


def test_files_of_different_exports_are_not_joined(layouts):
    every = {name: headers_of(layouts[name]) for name in of_tables}
    for one in of_tables:
        for other in of_tables:
            if one != other:
                first, second = next(iter(every[one].values())), list(every[other].values())[1]
                assert recognise_tables({"a": first, "b": second}, PRESETS) is None, (one, other)


def test_two_files_for_one_role_stop_with_one_line(layouts):
    headers = headers_of(layouts["olist"])
    headers["orders_2018.csv"] = headers["orders"]
    with pytest.raises(
        UnreadableFile, match=r"orders and orders_2018\.csv could both be .* orders"
    ) as stop:
        recognise_tables(headers, PRESETS)
    assert "\n" not in str(stop.value)


def test_a_file_that_could_be_two_exports_is_none(layouts):
    both = {fold(h): h for name in ("etsy", "square") for h in headers_of(layouts[name])[name]}
    assert recognise(list(both.values()), PRESETS) is None


def test_one_file_with_the_columns_of_two_roles_is_not_joined_with_itself(layouts):
    details, orders = headers_of(layouts["northwind"]).values()
    flat = list({fold(header): header for header in [*details, *orders]}.values())
    assert recognise_tables({"flat.csv": flat}, PRESETS) is None


@pytest.mark.parametrize("header", [ONLINE_RETAIL, ONLINE_RETAIL_II])
def test_online_retail_is_no_known_export(header):
    assert recognise(header.split(","), PRESETS) is None
    assert recognise_tables({"a.csv": header.split(",")}, PRESETS) is None


@pytest.mark.parametrize(
    "header",
    [
        # Plain files with some of the words of known exports.
        "Order ID,Order Date,Customer ID,Product ID,Units,Price",
        "order_id,order_item_id,product_id,customer_id,order_date,price",
        "order_id,product_id,unit_price,quantity,discount,customer_id,order_date",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,Discount,LineAmount,CustomerID,Country",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Status",
        "id,amount,currency,customer,created,status",
        "Date,Item,Qty,Price,Customer",
    ],
)
def test_a_shops_own_file_is_no_known_export(header):
    assert recognise(header.split(","), PRESETS) is None
    assert recognise_tables({"a.csv": header.split(",")}, PRESETS) is None


def test_the_demo_is_no_known_export():
    for path in sorted((PROJECT / "data" / "demo").glob("*.csv")):
        assert recognise(path.open(encoding="utf-8").readline().strip().split(","), PRESETS) is None


def test_a_part_of_shopifys_columns_is_enough(connection):
    headers = (
        "Name,Email,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku".split(
            ","
        )
    )
    preset = recognise(headers, PRESETS)
    assert preset == PRESETS["shopify"]
    values = "('#1', 'A@b.com', '2023-01-06 12:21:00 -0500', '3', 'Mug', '39.00', 'P016')"
    query = preset_query(
        preset,
        f"(values {values}) as t (a, b, c, d, e, f, g)",
        dict(zip(headers, "abcdefg", strict=True)),
        line="1",
    )
    row = connection.sql(query).fetchone()
    got = dict(zip(connection.sql(query).columns, row, strict=True))
    assert got["invoice_id"] == "#1"
    assert got["invoiced_at"] == "2023-01-06 12:21:00 -0500"
    assert (got["quantity"], got["unit_price"], got["line_amount"]) == ("3", "39.00", "117.00")
    assert got["left_out"] is None


def test_columns_for_our_names_are_found_as_the_file_writes_them():
    headers = ["NAME", "e-mail", "created_at", "Lineitem SKU"]
    assert column_for(PRESETS["shopify"], "invoice_id", headers) == ["NAME"]
    assert column_for(PRESETS["shopify"], "customer_id", headers) == ["e-mail"]
    assert column_for(PRESETS["shopify"], "product_id", headers) == ["Lineitem SKU"]
    assert column_for(PRESETS["shopify"], "country", headers) == []


def test_a_report_that_names_no_buyer_stops_with_what_to_use_instead(layouts):
    (headers,) = headers_of(layouts["amazon_all_orders"]).values()
    with pytest.raises(
        UnreadableFile, match=r"^all\.txt has no column for customer_id\. .*buyer-email"
    ):
        check_needs(PRESETS["amazon_all_orders"], headers, "all.txt")
    check_needs(PRESETS["amazon_all_orders"], [*headers, "buyer-email"], "all.txt")
    check_needs(PRESETS["shopify"], [], "orders.csv")


# -------------------------------------------------------------------------------- a preset as data


def test_an_unknown_name_is_answered_with_the_one_that_is_meant():
    assert preset_named("etsy") == PRESETS["etsy"]
    with pytest.raises(
        PresetError, match=r"^there is no preset shopfy; .* Did you mean shopify\?$"
    ):
        preset_named("shopfy")


PLAIN = """
mine:
  title: My shop
  signature: [Bon, Kunde]
  columns: {invoice_id: Bon, customer_id: Kunde, invoiced_at: Tag,
            unit_price: Preis, quantity: Menge}
"""


def presets_of(tmp_path, text):
    path = tmp_path / "presets.yml"
    path.write_text(text, encoding="utf-8")
    return load_presets(path)


def test_adding_a_preset_takes_no_python(tmp_path, connection):
    presets = presets_of(tmp_path, PLAIN + "  order_amounts: {discount: Rabatt}\n")
    headers = ["Bon", "Kunde", "Tag", "Preis", "Menge", "Rabatt"]
    assert recognise(headers, presets) == presets["mine"]
    rows = "('1','k','2023-01-01','10.00','1','1.00'), ('1','k','2023-01-01','20.00','1','1.00')"
    relation = f"(values {rows}) as t (a, b, c, d, e, f)"
    query = preset_query(
        presets["mine"],
        f"(select *, row_number() over (order by d) as n from {relation})",
        dict(zip(headers, "abcdef", strict=True)),
        line="n",
    )
    amounts = connection.sql(f"select line_amount from ({query}) order by line").fetchall()
    assert amounts == [("9.67",), ("19.33",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("  title: My shop\n", ""), "preset mine: title is missing"),
        (("  signature: [Bon, Kunde]\n", ""), "preset mine: signature must be there, or tables"),
        (
            ("signature:", "signatur:"),
            r"preset mine: it does not know signatur; .* Did you mean signature\?",
        ),
        (
            ("quantity:", "quantitty:"),
            r"preset mine: columns does not know quantitty; .* quantity\?",
        ),
        (("quantity:", "discount:"), "preset mine: columns does not know discount"),
        (("invoiced_at: Tag,\n", "\n"), "preset mine: columns.invoiced_at must be there, or clock"),
        (("unit_price: Preis, ", ""), "preset mine: columns must have unit_price or line_amount"),
        (("[Bon, Kunde]", "[Bon, 7]"), "preset mine: signature must be text or a list of texts"),
        (("mine:", "mine: yes\nother:"), "preset mine: it must be a mapping"),
    ],
)
def test_a_preset_that_is_written_wrongly_is_told_in_one_line(tmp_path, change, message):
    assert change[0] in PLAIN
    with pytest.raises(PresetError, match=message) as stop:
        presets_of(tmp_path, PLAIN.replace(*change))
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("clock: {date: A}", "clock must have date and time"),
        ("fill_down: {by: Bon}", "fill_down must have by and columns"),
        ("dates: soon", "dates must be iso, dmy"),
        ("keep: [Bon]", "keep must be a mapping"),
        ("line_amounts: {rebate: Bon}", "line_amounts does not know rebate"),
        (
            "line_amounts: {discount: A, discount_share: B}",
            "line_amounts can have discount or discount_share",
        ),
        ("order_amounts: {tax: Bon}", "order_amounts does not know tax"),
        ("needs: {brand: it is needed}", "needs.brand has no entry in columns"),
        ("tables: {a: {signature: [b]}}", "signature must be there, or tables"),
    ],
)
def test_a_part_that_is_written_wrongly_is_told_in_one_line(tmp_path, added, message):
    with pytest.raises(PresetError, match=f"^preset mine: {message}") as stop:
        presets_of(tmp_path, f"{PLAIN}  {added}\n")
    assert "\n" not in str(stop.value)


def test_tables_must_be_joined_to_an_earlier_one(tmp_path):
    joined_badly = PLAIN.replace(
        "signature: [Bon, Kunde]",
        "tables: {a: {signature: [Bon]}, b: {signature: [Kunde], key: {Bon: c.Bon}}}",
    )
    with pytest.raises(
        PresetError, match=r"tables\.b\.key must point to an earlier role, not c\.Bon"
    ):
        presets_of(tmp_path, joined_badly)
    no_role = joined_badly.replace("c.Bon", "a.Bon")
    with pytest.raises(PresetError, match="tables has no role for Bon; it has a, b"):
        presets_of(tmp_path, no_role)


def test_text_that_is_no_yaml_is_told_in_one_line(tmp_path):
    with pytest.raises(PresetError, match=r"^presets\.yml is not YAML: ") as stop:
        presets_of(tmp_path, "mine: [")
    assert "\n" not in str(stop.value)


def test_a_preset_reads_no_header_that_its_layout_lacks(layouts):
    """A misspelt header in presets.yml would be skipped in silence."""
    # Other versions of the same export have these.
    elsewhere = {
        "shopify": {"Canceled at"},
        "woocommerce": {"customer_email", "order_date", "currency"},
        "woocommerce_advanced": {"Customer User ID", "Name", "Order Currency", "Category"}
        | {"Country Code (Shipping)"},
        "stripe_payments": {"Created date (UTC)", "Created"},
        "amazon_orders": {
            "amazon-order-id",
            "quantity-shipped",
            "quantity",
            "item-status",
            "order-status",
        },
        "amazon_shipments": {
            "order-id",
            "quantity-purchased",
            "quantity",
            "item-status",
            "order-status",
        },
        "amazon_all_orders": {"order-id", "quantity-purchased", "quantity-shipped", "buyer-email"},
        "etsy": {"Delivery Country"},
        "ebay": {"Custom Label (SKU)"},
        "superstore": {"Country/Region"},
        "magento": set(),
        "northwind": {"products.ProductID", "products.ProductName", "products.CategoryID"}
        | {"orders.ShipCountry"},
        "dlt_shopify": {
            "orders.billing_address__country",
            "orders.shipping_address__country",
            "orders.current_total_discounts",
        },
    }
    for name, layout in layouts.items():
        preset = PRESETS[name]
        have = {
            preset.key(f"{role}.{header}" if preset.tables else header)
            for role, headers in headers_of(layout).items()
            for header in headers
        }
        lacking = {header for header in preset.headers if preset.key(header) not in have}
        assert lacking <= elsewhere.get(name, set()), name


# ----------------------------------------------------------------------------- rows under our names


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_the_totals_of_each_layout_come_out(layouts, connection, name):
    layout = layouts[name]
    query = query_of(connection, layout)
    connection.execute(f"create table got as {query}")
    columns = [row[0] for row in connection.sql("describe got").fetchall()]
    assert columns == ["line", *OUR_NAMES, "refund", "left_out"]
    assert (
        connection.sql("select count(*), count(distinct line) from got").fetchone()
        == (layout.rows,) * 2
    )

    assert connection.sql("select count(left_out) from got").fetchone() == (layout.left_out,)
    # Without an amount a line is worth its price times its pieces, as everywhere in the project.
    price, pieces = (plain_number(text) for text in ("unit_price", "coalesce(quantity, '1')"))
    connection.execute(
        "create table counted as select *, cast(coalesce(cast(line_amount as decimal(18, 2)), "
        f"round({price} * cast({pieces} as decimal(14, 3)), 2)) as decimal(18, 2)) as paid "
        "from got where left_out is null"
    )
    revenue, of_customers, orders, customers, guests, refunded = connection.sql(
        "select sum(paid), coalesce(sum(paid) filter (customer_id is not null), 0), "
        "count(distinct invoice_id), count(distinct customer_id), "
        "count(*) filter (customer_id is null), "
        "coalesce(sum(cast(refund as decimal(18, 2))), 0) "
        "- coalesce(sum(paid) filter (paid < 0), 0) from counted"
    ).fetchone()
    assert (revenue, of_customers) == (layout.revenue, layout.revenue_of_customers)
    assert (orders, customers, guests) == (layout.orders, layout.customers, layout.guests)
    assert refunded == layout.refunded
    gone = "select count(*) from counted where cast(quantity as decimal(14, 3)) = 0"
    assert connection.sql(gone).fetchone() == (layout.pieces_gone,)
    # Days with the month first are left to the reading of dates.
    dated = (
        "[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}"
        if name in ("etsy", "superstore")
        else "2023-[0-9]{2}-[0-9]{2}.*"
    )
    moments = connection.sql("select invoiced_at from counted").fetchall()
    assert all(re.fullmatch(dated, moment) for (moment,) in moments)
    nameless = "select count(*) from counted where product_id is null"
    assert connection.sql(nameless).fetchone() == (
        layout.rows - layout.left_out if name == "stripe_payments" else 0,
    )


def test_the_order_in_which_rows_are_stored_changes_nothing(layouts, connection):
    query = query_of(connection, layouts["shopify"])
    got = connection.sql(f"select * from ({query}) order by line").fetchall()
    connection.execute("create or replace table t_0 as select * from t_0 order by hash(line)")
    assert connection.sql(f"select * from ({query}) order by line").fetchall() == got


ORDER = ["number", "customer", "day", "price", "pieces", "goods", "less", "back"]
SPEC = """
mine:
  title: My shop
  signature: [number, customer]
  columns: {invoice_id: number, customer_id: customer, invoiced_at: day,
            unit_price: price, quantity: pieces}
  order_amounts: {subtotal: goods, discount: less, refund: back}
"""


def rows_under(connection, tmp_path, spec, rows, headers=ORDER):
    preset = presets_of(tmp_path, spec)["mine"]
    put(connection, "t", len(headers), rows)
    columns = {header: f"c{n}" for n, header in enumerate(headers)}
    query = preset_query(preset, "t", columns, line="line")
    relation = connection.sql(f"select * from ({query}) order by line")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def amounts(rows):
    return [row["line_amount"] for row in rows]


def test_no_cent_of_a_discount_is_lost_and_no_line_goes_below_zero(connection, tmp_path):
    rows = [["1", "k", "2023-01-01", "0.01", "1", "", "0.49", ""] for _ in range(100)]
    got = amounts(rows_under(connection, tmp_path, SPEC, rows))
    assert sum(map(Decimal, got)) == Decimal("0.51")
    assert min(map(Decimal, got)) == 0


def test_discounts_and_refunds_of_any_size_leave_what_the_order_says(connection, tmp_path):
    rows, expected = [], {}
    for n in range(300):
        prices = [Decimal((n * 37 + i * 911) % 4000 + 1) / 100 for i in range(n % 5 + 1)]
        off, back = Decimal(n * 7 % 900) / 100, Decimal(n * 13 % 700) / 100
        for price in prices:
            rows.append([str(n), "k", "2023-01-01", str(price), "2", "", str(off), str(-back)])
        expected[str(n)] = max(max(2 * sum(prices) - off, 0) - back, 0)
    got = rows_under(connection, tmp_path, SPEC, rows)
    left = dict.fromkeys(expected, Decimal(0))
    for row, given in zip(got, rows, strict=True):
        worth = Decimal(row["line_amount"])
        assert worth >= 0
        taken = Decimal(row["discount"]) + Decimal(row["refund"])
        assert worth + taken == 2 * Decimal(given[3])
        left[row["invoice_id"]] += worth
    assert left == expected


def test_the_subtotal_decides_over_the_discount_since_that_can_be_of_shipping(connection, tmp_path):
    rows = [["1", "k", "2023-01-01", "10.00", "2", "20.00", "4.90", ""]]
    rows += [["2", "k", "2023-01-01", "10.00", "2", "15.00", "", ""]]
    # More than the lines: nothing was taken off.
    rows += [["3", "k", "2023-01-01", "10.00", "2", "99.00", "", ""]]
    assert amounts(rows_under(connection, tmp_path, SPEC, rows)) == ["20.00", "15.00", "20.00"]


def test_rows_without_an_order_number_share_nothing(connection, tmp_path):
    rows = [
        ["", "k", "2023-01-01", "10.00", "1", "", "1.00", ""],
        ["", "k", "2023-01-01", "5.00", "1", "", "", ""],
    ]
    assert amounts(rows_under(connection, tmp_path, SPEC, rows)) == ["9.00", "5.00"]


def test_an_amount_that_cannot_be_read_is_shown_and_never_counted_as_nothing(connection, tmp_path):
    rows = [
        ["1", "k", "2023-01-01", "10.00", "1", "", "1,50", ""],
        ["1", "k", "2023-01-01", "20.00", "1", "", "", ""],
        ["2", "k", "2023-01-01", "ten", "1", "", "1.00", ""],
        ["2", "k", "2023-01-01", "20.00", "1", "", "", ""],
        ["3", "k", "2023-01-01", "10.00", "a few", "", "", ""],
    ]
    assert amounts(rows_under(connection, tmp_path, SPEC, rows)) == [
        "1,50",
        "1,50",
        "ten",
        "19.00",
        "a few",
    ]


def test_what_is_filled_down_stays_within_its_order_and_never_covers_a_value(connection, tmp_path):
    spec = SPEC + "  fill_down: {by: number, columns: [customer, day]}\n"
    rows = [
        ["1", "k", "2023-01-01", "1", "1", "", "", ""],
        ["1", "", "", "2", "1", "", "", ""],
        ["2", "", "2023-02-02", "3", "1", "", "", ""],
        ["2", "m", "", "4", "1", "", "", ""],
        ["", "", "", "5", "1", "", "", ""],
    ]
    got = rows_under(connection, tmp_path, spec, rows)
    assert [row["customer_id"] for row in got] == ["k", "k", "m", "m", None]
    assert [row["invoiced_at"] for row in got] == ["2023-01-01"] * 2 + ["2023-02-02"] * 2 + [None]


def test_a_row_that_is_left_out_says_why_and_takes_no_part_of_a_discount(connection, tmp_path):
    spec = SPEC + "  keep: {kind: [line]}\n  not_counted: {state: [void], gone: any}\n"
    headers = [*ORDER, "kind", "state", "gone"]
    common = ["k", "2023-01-01", "10.00", "1", "", "2.00", ""]
    rows = [
        ["1", *common, "Line", "", ""],
        ["1", *common, "Head", "", ""],
        ["1", *common, "", "", ""],
        ["2", *common, "line", "VOID", ""],
        ["3", *common, "line", "", "2023-01-02"],
    ]
    got = rows_under(connection, tmp_path, spec, rows, headers)
    assert [row["left_out"] for row in got] == [
        None,
        "kind is Head",
        "kind is empty",
        "state is VOID",
        "gone is 2023-01-02",
    ]
    assert got[0]["line_amount"] == "8.00"


def test_money_of_an_order_is_read_on_the_rows_that_have_it(connection, tmp_path):
    spec = SPEC.replace("back}", "back, rows: {kind: [head]}}") + "  keep: {kind: [line]}\n"
    common = ["1", "k", "2023-01-01", "10.00", "1", ""]
    rows = [[*common, "9.00", "", "line"], [*common, "2.00", "1.00", "head"]]
    got = rows_under(connection, tmp_path, spec, rows, [*ORDER, "kind"])
    assert [(row["line_amount"], row["left_out"]) for row in got] == [
        ("7.00", None),
        ("10.00", "kind is head"),
    ]


def test_goods_that_come_back_are_negative_however_they_are_written(connection, tmp_path):
    spec = SPEC + "  returns: {kind: [Refund]}\n"
    headers = [*ORDER, "kind"]
    rows = [
        ["1", "k", "2023-01-01", "10.00", "2", "", "", "", "Payment"],
        ["2", "k", "2023-01-02", "10.00", "2", "", "", "", "Refund"],
        ["3", "k", "2023-01-03", "10.00", "-2.0", "", "", "", "refund"],
        ["4", "k", "2023-01-03", "-10.00", "2", "", "", "", "refund"],
    ]
    got = rows_under(connection, tmp_path, spec, rows, headers)
    assert amounts(got) == ["20.00", "-20.00", "-20.00", "-20.00"]
    assert [row["quantity"] for row in got] == ["2", "-2", "-2", "-2"]


def test_guests_are_nobody_and_the_next_column_is_asked(connection, tmp_path):
    spec = (
        SPEC.replace("customer_id: customer", "customer_id: [customer, mail]") + '  guests: ["0"]\n'
    )
    rows = [
        ["1", "0", "2023-01-01", "1", "1", "", "", "", "a@b.c"],
        ["2", "0", "2023-01-01", "1", "1", "", "", "", ""],
        ["3", "10", "2023-01-01", "1", "1", "", "", "", "a@b.c"],
    ]
    got = rows_under(connection, tmp_path, spec, rows, [*ORDER, "mail"])
    assert [row["customer_id"] for row in got] == ["a@b.c", None, "10"]


def test_a_key_that_occurs_twice_doubles_no_line(layouts, connection):
    layout = layouts["olist"]
    connection.execute(f"create table once as {query_of(connection, layout)}")
    # The customers' table again, with another name for each.
    connection.execute("insert into t_2 select line + 100000, c0, 'x' || c1, c2, c3, c4 from t_2")
    preset = PRESETS["olist"]
    tables = {
        role: Table(f"t_{n}", {h: f"c{i}" for i, h in enumerate(headers)}, "line")
        for n, (role, headers) in enumerate(headers_of(layout).items())
    }
    table = joined(preset, tables)
    again = preset_query(preset, table.relation, table.columns, line=table.line)
    assert connection.sql(f"select * from ({again}) except select * from once").fetchall() == []
    assert connection.sql(f"select count(*) from ({again})").fetchone() == (layout.rows,)


def test_a_row_without_its_order_stays_and_lacks_its_data(layouts, connection):
    layout = layouts["northwind"]
    query = query_of(connection, layout)
    (gone,) = connection.sql("select min(c0) from t_1").fetchone()
    connection.execute("delete from t_1 where c0 = ?", [gone])
    got = connection.sql(
        "select count(*), count(invoiced_at), count(*) filter (invoice_id = "
        f"'{gone}') from ({query})"
    )
    rows, dated, undated = got.fetchone()
    assert rows == layout.rows
    assert dated == rows - undated < rows


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.50", "12.5"),
        ("$1,234.50", "1234.5"),
        ("-$5.00", "-5"),
        ("$-5.00", "-5"),
        ("($5.00)", "-5"),
        ("'-1", "-1"),
        ("USD 5", "5"),
        ("A$5", "5"),
        ("€12.50", "12.5"),
        ("12.50 EUR", "12.5"),
        (".5", "0.5"),
        ("12345678901234.56", "12345678901234.56"),
        ("2.0000", "2"),
        ("12,50", None),
        ("1.234,50", None),
        ("1,23,456", None),
        ("\N{MINUS SIGN}5.00", None),
        ("5.00 CR", None),
        ("1e5", None),
        ("1_000", None),
        ("1-2", None),
        ("-", None),
        ("5%", None),
        ("", None),
        ("$", None),
    ],
)
def test_money_is_read_as_exports_write_it_or_not_at_all(connection, text, number):
    connection.execute("create table t (v varchar)")
    connection.execute("insert into t values (?)", [text])
    (got,) = connection.sql(f"select {plain_number('v')} from t").fetchone()
    assert got == (None if number is None else Decimal(number))


def test_names_and_values_are_data(connection, tmp_path):
    nasty = 'x"; drop table t; --'
    spec = (
        "mine:\n  title: t\n  signature: [n]\n"
        "  columns: {invoice_id: n, customer_id: 'x\"; drop table t; --',\n"
        "            invoiced_at: day, line_amount: a}\n"
        '  not_counted: {state: ["o\'clock"]}\n'
    )
    rows = [
        ["1", "it's me", "2023-01-01", "5.00", "o'clock"],
        ["2", "k", "2023-01-01", "5.00", "ok"],
    ]
    got = rows_under(connection, tmp_path, spec, rows, ["n", nasty, "day", "a", "state"])
    assert [(row["customer_id"], row["left_out"]) for row in got] == [
        ("it's me", "state is o'clock"),
        ("k", None),
    ]
    assert sql_name('a"b') == '"a""b"'


def test_layouts_are_the_same_every_time(layouts, tmp_path):
    for name, make in LAYOUTS.items():
        again = make(tmp_path / name)
        assert isinstance(again, Layout)
        assert [path.read_bytes() for path in again.files.values()] == [
            path.read_bytes() for path in layouts[name].files.values()
        ]
        assert re.fullmatch(r"\d+\.\d\d", str(again.revenue))
