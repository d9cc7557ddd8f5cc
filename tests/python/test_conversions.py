"""From what stands in a file to what is counted: one reading of many files, each in its own way."""

from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
import yaml
from test_inputs import as_xlsx, check

HEADER = "Invoice,SKU,Qty,Date,Price,Customer"
DAY = "2011-01-05"
NOON = datetime(2011, 1, 5, 12)
MIDNIGHT = datetime(2011, 1, 5)

# Moments by file, each with what it means on the clock of Berlin; None cannot be read.
MOMENTS = {
    "iso": {
        "2011-01-05": MIDNIGHT,
        "2011/1/5 12:00": NOON,
        "2011-01-05T12:00:00.000": NOON,
        "2011-01-05 12:00 PM": NOON,
        "2011-01-05T11:00:00Z": NOON,
        "2011-01-05 17:00+06:00": NOON,
        "2011-01-05T11:00Z": NOON,
        "2011.1.5 11:00:00 UTC": NOON,
        "'2011-01-05 12:00": NOON,
        "5 January 2011 12:00": NOON,
        '"Jan 5, 2011 12:00 PM"': NOON,
        "05-Jan-11": MIDNIGHT,
        "5 Jan 11 12:00": NOON,
        "2011 Jan 5": MIDNIGHT,
        '"Wed, 05 Jan 2011 11:00:00 +0000"': NOON,
        "2011-02-30": None,
        "infinity": None,
        "epoch": None,
        "2011-01-05 BC": None,
        "2011123": None,
    },
    "dmy": {
        **{f"{day}/01/2011": datetime(2011, 1, day) for day in range(13, 32)},
        "05.01.2011 12:00": NOON,
        "5/1/2011 12:00 pm": NOON,
        "'05/01/2011": MIDNIGHT,
        "05/01/11": MIDNIGHT,
        "05/01/2011 17:00 +0600": NOON,
        "5/1/2011 11:00:00Z": NOON,
        "2011-01-05": MIDNIGHT,
        "5 Jan 2011": MIDNIGHT,
        "30/02/2011": None,
    },
    "mdy": {
        **{f"01/{day}/2011": datetime(2011, 1, day) for day in range(13, 32)},
        "1/5/2011 12:00:00 PM": NOON,
        "01-05-2011": MIDNIGHT,
        "01/05/11 12:00": NOON,
        "1/5/2011 6:00 AM -0500": NOON,
        "02/30/2011": None,
    },
    "yymd": {f"11-{month:02}-30": datetime(2011, month, 30) for month in range(3, 13)},
    "ymd": {
        "20110105": MIDNIGHT,
        "'20110105": MIDNIGHT,
        "20110105120000": NOON,
        "20110230": None,
    },
    "serial": {"40548": MIDNIGHT, "40548.5": NOON, '"40548,5"': NOON, "'40548": MIDNIGHT},
    "epoch_s": {"1294225200": NOON, "1294182000": MIDNIGHT},
    "epoch_ms": {"1294225200000": NOON, "1294182000000": MIDNIGHT},
}
# Years of two digits are told apart by days that span less time.
MOMENTS["yymd"] |= {f"11-01-{day}": datetime(2011, 1, day) for day in range(10, 32)}

NUMBERS = {
    "point": {
        "1.5": "1.5",
        ".5": "0.5",
        '"1,234.5"': "1234.5",
        "1 234.5": "1234.5",
        "1\u00a0234.5": "1234.5",
        "1\u2009234.5": "1234.5",
        "1'234.5": "1234.5",
        "$1.5": "1.5",
        "1.5 EUR": "1.5",
        "'1.5": "1.5",
        '"1,23,456.5"': "123456.5",
        '"1,5"': None,
        "1_000": None,
        "1e3": None,
        "0x10": None,
        "12 34": None,
        "\u0661": None,
        "1.2.3": None,
    },
    "comma": {
        '"1,5"': "1.5",
        '"0,5"': "0.5",
        '"1.234,5"': "1234.5",
        '"1 234,5"': "1234.5",
        '"1\u202f234,5"': "1234.5",
        '"1\u2019234,5"': "1234.5",
        '"1,5 \u20ac"': "1.5",
        '"\u20ac 1,5"': "1.5",
        "1.5": None,
    },
}


def case_lines(folder):
    """Write a file for each way; what becomes of each line, by invoice."""
    expected = {}

    def add(name, header, rows):
        (folder / f"{name}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")

    for name, moments in MOMENTS.items():
        rows = []
        for place, (text, moment) in enumerate(moments.items()):
            rows.append(f"{name}-{place},mug,1,{text},2.5,c1")
            fate = (1, Decimal("2.5"), Decimal("2.50"), moment)
            expected[f"{name}-{place}"] = fate if moment else "unreadable_value"
        add(name, HEADER, rows)
    for name, numbers in NUMBERS.items():
        # Enough that leave no doubt about the mark of the file.
        sure = '"7,25"' if name == "comma" else "7.25"
        rows = []
        for place, (text, number) in enumerate(numbers.items()):
            price = number and Decimal(number)
            rows.append(f"{name}-{place},mug,2,{DAY},{text},c1")
            fate = price and (2, price, 2 * price, MIDNIGHT)
            expected[f"{name}-{place}"] = fate or "unreadable_value"
        for place in range(300):
            prices = sure.replace("7", str(place), 1)
            rows.append(f"{name}-sure-{place},mug,1,{DAY},{prices},c1")
        add(name, HEADER, rows)
    return expected, add


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conversions") / "in"
    folder.mkdir()
    expected, add = case_lines(folder)

    def of(quantity, price, amount):
        return Decimal(quantity), Decimal(price), Decimal(amount), MIDNIGHT

    lines = {
        # Discounts of a share, of percent and of money off the line.
        "share": ("Discount", [("2", "10", "0.1", of(2, 9, 18)), ("2", "10", "", of(2, 10, 20))]),
        "percent": ("Discount", [("2", "10", "25 %", of(2, "7.5", 15))]),
        "money": ("Discount", [("2", "10", "3", of(2, "8.5", 17)), ("3", "10", "-1.5", None)]),
        # The usual way of several shops: money off is written as negative.
        "minus": (
            "Discount",
            [("2", "10", "-3", of(2, "8.5", 17)), ("-2", "10", "3", of(-2, "8.5", -17))],
        ),
        "minus_percent": ("Discount", [("2", "10", "-25 %", of(2, "7.5", 15))]),
        "paid": ("Amount", [("2", "10", "15", of(2, "7.5", 15)), ("2", "10", "20", of(2, 10, 20))]),
        # Half a kilogram, a return by its quantity and one by its price.
        "signs": (
            "Note",
            [
                ("0.5", "3", "", of("0.5", 3, "1.50")),
                ("-1", "2.5", "", of(-1, "2.5", "-2.50")),
                ("1", "-2.5", "", of(-1, "2.5", "-2.50")),
                ("-1", "-2.5", "", of(-1, "2.5", "-2.50")),
                ("(1)", "2.5", "", of(-1, "2.5", "-2.50")),
                ("1-", "2.5", "", of(-1, "2.5", "-2.50")),
                ("", "2.5", "", "missing_quantity"),
                ("n/a", "2.5", "", "missing_quantity"),
                ("0", "2.5", "", "zero_quantity"),
                ("1", "NULL", "", "missing_price"),
                ("1", "0", "", "zero_price"),
                ("x", "2.5", "", "unreadable_value"),
            ],
        ),
        # A cost is not needed; a line of nobody's is not told of it.
        "cost": (
            "Cost",
            [
                ("1", "2", "0.50", of(1, 2, 2)),
                ("1", "3", "12 ca.", of(1, 3, 3)),
                ("1", "4", "n/k", of(1, 4, 4)),
                ("x", "4", "n/k", "unreadable_value"),
            ],
        ),
        "status": (
            "Status",
            [("1", "2", "paid", of(1, 2, 2)), ("1", "2", "Void", "order_not_counted")],
        ),
        "document": (
            "Document Type",
            [("1", "2", "sale", of(1, 2, 2)), ("1", "2", "Credit Note", of(-1, 2, -2))],
        ),
    }
    for name, (column, rows) in lines.items():
        written = []
        for place, (quantity, price, more, fate) in enumerate(rows):
            written.append(f"{name}-{place},mug,{quantity},{DAY},{price},c1,{more}")
            if fate is not None:
                expected[f"{name}-{place}"] = fate
        add(name, f"{HEADER},{column}", written)
    coupons = [f"sale-{n},mug,4,{DAY},2.5,c1" for n in range(3)]
    coupons += [f"sale-{n},SAVE,1,{DAY},-1.5,c1" for n in range(3)]
    add("coupons", HEADER, coupons)
    ids = [f"id-0,MUG,1,{DAY},1,17850.0", f"id-1,mug.0,1,{DAY},1,Ann@Shop.de"]
    ids += [f"id-2,mug,1,{DAY},1,old", f"id-3,mug,1,{DAY},1,guest", f"id-4,mug,1,{DAY},1,'007"]
    add("ids", HEADER, ids)
    # Two exports of one shop, the later one with an edited line, and the till of another shop.
    edited = [f"twice-0,mug,1,{DAY},5,c1", f"twice-1,mug,1,{DAY},5,c1"]
    add("shop_1", HEADER, [*edited, f"same-0,mug,1,{DAY},5,c1"])
    add("shop_2", HEADER, [edited[0].replace(",5,", ",6,"), edited[1], f"same-0,mug,1,{DAY},5,c2"])
    duckdb.sql(
        f"select 'typed-0' as invoice, 'mug' as sku, 2.5::double as qty, date '{DAY}' as date, "
        "0.1::float as price, 'c1' as customer, '' as country"
    ).write_parquet(str(folder / "typed.parquet"))
    expected["typed-0"] = of("2.5", "0.1", "0.25")
    # Text in a sheet and in Parquet, days first and with an offset.
    names = HEADER.split(",")
    rows = [["sheet-0", "mug", 1, "13/01/2011", 2, "c1"]]
    rows += [["sheet-1", "mug", 1, "05/01/2011 17:00 +0600", 2, "c1"]]
    as_xlsx(folder / "sheet.xlsx", {"lines": [names, *rows]})
    listed = ", ".join(str(("parquet-" + row[0][-1], *row[1:])) for row in rows)
    duckdb.sql(f"from (values {listed}) as rows ({HEADER})").write_parquet(
        str(folder / "texts.parquet")
    )
    for kind in ("sheet", "parquet"):
        expected[f"{kind}-0"] = (1, Decimal(2), Decimal(2), datetime(2011, 1, 13))
        expected[f"{kind}-1"] = (1, Decimal(2), Decimal(2), NOON)
    (folder.parent / "ids.csv").write_text("old_id,customer_id\nold,new\n")
    settings = {
        "time_zone": "Europe/Berlin",
        "customer_ids": str(folder.parent / "ids.csv"),
        "upper_case_products": True,
    }
    ran = check(folder.parent / "built", folder, yaml.safe_dump(settings))
    return ran, expected


def classified(read, columns, condition):
    query = f"from intermediate.int_invoice_lines_classified where {condition} order by invoice_id"
    return read[0].rows(f"select {columns} {query}", file=read[0].warehouse)


def test_every_way_to_write_a_moment_or_a_number_is_read_or_rejected(read):
    columns = "invoice_id, reject_reason, quantity, unit_price, line_amount, invoiced_at"
    found = {
        number: reason or tuple(values)
        for number, reason, *values in classified(read, columns, "true")
    }
    wrong = {
        number: (found.get(number), fate)
        for number, fate in read[1].items()
        if found.get(number) != fate
    }
    assert wrong == {}


def test_a_cost_that_can_not_be_read_is_told(read):
    told = read[0].rows(
        "select source_file, evidence, lines, amount from marts.readings "
        "where question = 'values that can''t be read'",
        file=read[0].warehouse,
    )
    assert told == [("cost.csv", "such as line 3: cost 12 ca.", 2, Decimal("7.00"))]
    columns = "unit_cost, unread_text"
    found = classified(read, columns, "starts_with(invoice_id, 'cost')")
    unread = [(None, "line 3: cost 12 ca."), (None, "line 4: cost n/k")]
    assert found == [(Decimal("0.5"), None), *unread, (None, None)]


def test_a_coupon_is_money_off_and_no_product_that_comes_back(read):
    columns = "quantity, line_amount, is_sale, is_return, is_product"
    assert (
        classified(read, columns, "product_id = 'SAVE'")
        == [(0, Decimal("-1.50"), True, False, False)] * 3
    )


def test_ids_are_read_as_what_they_mean(read):
    columns = "product_id, customer_id, reject_reason"
    assert classified(read, columns, "invoice_id like 'id-%'") == [
        ("MUG", "17850", None),
        ("MUG.0", "ann@shop.de", None),
        ("MUG", "new", None),
        ("MUG", "guest", "missing_customer"),
        ("MUG", "007", None),
    ]


def test_currencies_are_converted_by_the_rate_of_their_day(tmp_path):
    codes = ["EUR", "gbp", "CHF", "GBP"]
    days = [DAY, DAY, DAY, "2011-01-04"]
    rows = [
        f"{n},mug,3,{day},10.01,c1,{code}"
        for n, (code, day) in enumerate(zip(codes, days, strict=True))
    ]
    path = tmp_path / "lines.csv"
    path.write_text("\n".join([f"{HEADER},Currency", *rows, ""]))
    rates = ["day,currency,rate", f"{DAY},GBP,1.25", "2011-01-04,GBP,1.5", "2011-01-06,CHF,2", ""]
    (tmp_path / "rates.csv").write_text("\n".join(rates))
    settings = {"currency": "EUR", "currency_rates": str(tmp_path / "rates.csv")}
    ran = check(tmp_path / "built", path, yaml.safe_dump(settings))
    columns = "unit_price, line_amount, reject_reason"
    found = classified((ran, None), columns, "true")
    assert found[0] == (Decimal("10.01"), Decimal("30.03"), None)
    assert found[1] == (Decimal("12.5125"), Decimal("37.54"), None)
    assert found[2][2] == "missing_rate"
    assert found[3] == (Decimal("15.015"), Decimal("45.05"), None)


def test_the_later_file_wins_but_another_customer_is_another_sale(read):
    columns = "invoice_id, customer_id, unit_price, reject_reason"
    found = classified(read, columns, "invoice_id like 'twice-%' or invoice_id like 'same-%'")
    assert sorted(found, key=repr) == [
        ("same-0", "c1", 5, None),
        ("same-0", "c2", 5, None),
        ("twice-0", "c1", 5, "replaced_later"),
        ("twice-0", "c1", 6, None),
        ("twice-1", "c1", 5, "exact_duplicate"),
        ("twice-1", "c1", 5, None),
    ]


def test_empty_text_of_parquet_is_nothing(read):
    assert classified(read, "country", "invoice_id = 'typed-0'") == [(None,)]
