"""What a file may look like: every input builds to a sensible result or ends in one clear line."""

import gzip
import random
import re
import zipfile
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from xml.sax.saxutils import escape

import duckdb
import pytest
import yaml
from conftest import DEMO, build_shop, dbt, differences, in_addition
from landing import land
from settings import printable

from reading.decisions import UnreadableFile

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def write(path, lines, *, header=HEADER, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
    return path


def shop(customers=12, months=6):
    """Lines of a small shop whose customers differ."""
    chance = random.Random(7)
    return [
        f"{number},{chance.randint(10, 40)},mug,{1 + number % 5},2011-{1 + month:02}-"
        f"{1 + (number * 7) % 28:02} 10:00:00,{1 + number % 9}.50,c{number % customers},UK"
        for month in range(months)
        for number in range(month * 100, month * 100 + 3 * customers)
        if chance.random() < 0.6 or month == 0
    ]


def check(folder, invoices, variables=None):
    """Read and classify invoice lines, and nothing else, as ``make check`` does."""
    given = {"invoices": str(invoices), "campaign_customers": None}
    arguments = ["build", "--selector", "check", "--vars", in_addition(given, variables)]
    ran = dbt(folder, *arguments)
    assert ran.code == 0, ran.output + ran.errors
    return ran


def test_every_malformed_line_is_kept_with_its_place_and_reason(tmp_path):
    lines = shop()
    bad = {
        3: ("too_few_fields", "1,2,3"),
        5: ("too_many_fields", "1,2,3,4,5,6,7,8,9"),
        7: ("unclosed_quote", '900,A,"never closed,1,2011-01-05 10:00:00,1.00,c1,UK'),
        9: ("blank_line", ""),
        11: ("unreadable_value", "901,A,mug,two,2011-01-05 10:00:00,1.00,c1,UK"),
        13: ("unreadable_value", "902,A,mug,1,2011-13-05 10:00:00,1.00,c1,UK"),
        15: ("missing_invoice", ",A,mug,1,2011-01-05 10:00:00,1.00,c1,UK"),
        17: ("missing_date", "903,A,mug,1,,1.00,c1,UK"),
        19: ("implausible_date", "904,A,mug,1,1900-01-01 10:00:00,1.00,c1,UK"),
        21: ("implausible_date", "905,A,mug,1,2999-01-01 10:00:00,1.00,c1,UK"),
        23: ("missing_quantity", "906,A,mug,,2011-01-05 10:00:00,1.00,c1,UK"),
    }
    for place, (_, text) in sorted(bad.items()):
        lines.insert(place - 2, text)
    lines.append('907,A,"two\nlines, ""quoted""",1,2011-01-05 10:00:00,1.00,c1,UK')
    path = write(tmp_path / "dirty.csv", lines)
    raw = path.read_bytes() + b"908,A,\xff\xfe,1,2011-01-05 10:00:00,1.00,c1,UK\n"
    path.write_bytes(raw + "909,A,caf\u00e9,1,2011-01-05 10:00:00,1.00,c1,UK".encode())
    built = build_shop(tmp_path / "built", invoices=path)
    assert built.code == 0, built.errors
    found = {
        line: (reason, text)
        for line, reason, text in built.rows(
            "select source_line, reject_reason, source_text from marts.rejected_lines"
        )
    }
    for place, (reason, text) in bad.items():
        assert found[place][0] == reason, place
        if reason in ("too_few_fields", "too_many_fields", "unclosed_quote"):
            assert found[place][1] == text
    undecoded = raw.count(b"\n")
    assert found.pop(undecoded) == (
        "bytes_not_text",
        r"908,A,\xff\xfe,1,2011-01-05 10:00:00,1.00,c1,UK",
    )
    assert set(found) == set(bad)
    assert built.one("select max(as_of_at) < '2012-01-01' from marts.customers") == (True,)
    sold = dict(built.rows("select invoice_id, description from marts.invoice_lines"))
    assert sold["907"] == 'two\nlines, "quoted"'
    assert sold["909"] == "caf\u00e9"


def semicolons(lines):
    """German ways: semicolons, decimal commas, days first."""
    for line in lines:
        number, code, text, quantity, moment, price, customer, country = line.split(",")
        day, clock = moment.split(" ")
        day = ".".join(reversed(day.split("-")))
        moment, price = f"{day} {clock}", price.replace(".", ",")
        yield ";".join([number, code, text, quantity, moment, price, customer, country])


def american(lines):
    """Months first, no seconds, tabs."""
    for line in lines:
        fields = line.split(",")
        year, month, day = fields[4][:10].split("-")
        fields[4] = f"{int(month)}/{int(day)}/{year} {fields[4][11:16]}"
        yield "\t".join(fields)


def letters(column):
    """Name of a column of a sheet, from 0."""
    return ("" if column < 26 else chr(64 + column // 26)) + chr(65 + column % 26)


class Number(str):
    """A number as a spreadsheet writes it, such as 1E-3."""


def as_xlsx(path, sheets):
    """Write the least of an XLSX file: rows of texts and numbers, a sheet for each name.

    A sheet without rows is empty, and None is one of a chart.
    """
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as book:
        numbers = range(1, len(sheets) + 1)
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            + "".join(
                f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
                f'ContentType="{kind}.worksheet+xml"/>'
                for n in numbers
            )
            + "</Types>",
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><sheets>'
            + "".join(
                f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>'
                for n, name in zip(numbers, sheets, strict=True)
            )
            + "</sheets></workbook>",
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            + "".join(
                f'<Relationship Id="r{n}" Type="{office}/{"work" if rows is not None else "chart"}'
                f'sheet" Target="worksheets/sheet{n}.xml"/>'
                for n, rows in zip(numbers, sheets.values(), strict=True)
            )
            + "</Relationships>",
        )
        for n, rows in zip(numbers, sheets.values(), strict=True):
            cells = "".join(
                f'<row r="{place}">'
                + "".join(
                    f'<c r="{letters(column)}{place}"><v>{value}</v></c>'
                    if isinstance(value, (int, float, Number))
                    else f'<c r="{letters(column)}{place}" t="inlineStr">'
                    f"<is><t>{escape(value)}</t></is></c>"
                    for column, value in enumerate(row)
                    if value is not None
                )
                + "</row>"
                for place, row in enumerate(rows or [], start=1)
            )
            book.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f"<worksheet {main}><sheetData>{cells}</sheetData></worksheet>",
            )


def numbered(lines, variant):
    """The same lines under invoice numbers of their own."""
    return [
        f"{int(number) + 1_000_000 * variant},{rest}"
        for number, _, rest in (line.partition(",") for line in lines)
    ]


def test_any_way_to_write_the_same_lines_makes_the_same_lines(tmp_path):
    """All ways in one folder: what stands in one file decides nothing about another."""
    lines = [line.replace("mug", "Gr\u00f6\u00dfe") for line in shop()]
    folder = tmp_path / "in"
    write(folder / "plain.csv", numbered(lines, 1))
    write(
        folder / "german.csv",
        semicolons(numbered(lines, 2)),
        header=HEADER.replace(",", ";"),
        encoding="cp1252",
    )
    us = write(folder / "us.tsv", american(numbered(lines, 3)), header=HEADER.replace(",", "\t"))
    us.write_bytes(b"\xef\xbb\xbf" + us.read_bytes().replace(b"\n", b"\r\n"))
    packed = write(tmp_path / "packed.csv", numbered(lines, 4))
    (folder / "packed.csv.gz").write_bytes(gzip.compress(packed.read_bytes()))
    half = len(lines) // 2
    write(folder / "a.csv", numbered(lines[:half], 5))
    write(folder / "empty.csv", [])
    write(
        folder / "b.csv",
        [",".join(line.split(",")[::-1]) for line in numbered(lines[half:], 5)],
        header=",".join(HEADER.split(",")[::-1]),
    )
    first = datetime(1899, 12, 30)
    rows = []
    for line in numbered(lines, 6):
        number, code, text, quantity, moment, price, customer, country = line.split(",")
        serial = (datetime.fromisoformat(moment) - first).total_seconds() / 86_400
        rows.append(
            [int(number), code, text, int(quantity), serial, float(price), customer, country]
        )
    names = HEADER.replace("InvoiceNo", "Invoice").replace("UnitPrice", "Price").split(",")
    as_xlsx(folder / "book.xlsx", {"2010": [names, *rows[:half]], "2011": [names, *rows[half:]]})
    typed = write(tmp_path / "typed.csv", numbered(lines, 7))
    duckdb.read_csv(str(typed)).write_parquet(str(folder / "typed.parquet"))
    ran = check(tmp_path / "built", folder)
    found = {}
    query = (
        "select cast(invoice_id as integer), product_id, description, quantity, invoiced_at, "
        "unit_price, customer_id, country, line_amount, is_sale, reject_reason "
        "from intermediate.int_invoice_lines_classified"
    )
    for number, *values in ran.rows(query, file=ran.warehouse):
        variant, number = divmod(number, 1_000_000)
        found.setdefault(variant, []).append((number, *values))
    expected = []
    for line in lines:
        number, code, text, quantity, moment, price, customer, country = line.split(",")
        amount = int(quantity) * Decimal(price)
        moment = datetime.fromisoformat(moment)
        values = [int(number), code, text, Decimal(quantity), moment, Decimal(price), customer]
        expected.append((*values, country, amount, True, None))
    assert [*sorted(found)] == [*range(1, 8)]
    for variant, rows in found.items():
        assert sorted(rows) == sorted(expected), variant


def test_a_log_of_amounts_without_invoices_and_products(tmp_path):
    """What a record shop keeps: who, when (20110131), how many, how much."""
    lines = []
    for line in shop():
        _, _, _, quantity, moment, price, customer, _ = line.split(",")
        amount = Decimal(quantity) * Decimal(price)
        lines.append(f"{customer},{moment[:10].replace('-', '')},{quantity},{amount}")
    path = write(tmp_path / "log.csv", lines, header="who,day,cds,dollars")
    columns = "{customer_id: who, invoiced_at: day, quantity: cds, line_amount: dollars}"
    built = build_shop(
        tmp_path / "built", invoices=path, variables=f"{{invoice_columns: {columns}}}"
    )
    assert built.code == 0, built.errors
    total = sum(Decimal(line.split(",")[3]) for line in set(lines))
    assert built.one("select sum(monetary), max(frequency) > 1 from marts.customers") == (
        total,
        True,
    )
    days = len({tuple(line.split(",")[:2]) for line in lines})
    assert built.one("select sum(frequency) from marts.customers") == (days,)


def test_quantities_by_weight_are_summed_exactly(tmp_path):
    """Some orders are of less than a kilogram. Half of what c0 bought last goes back."""
    lines = []
    for place, line in enumerate(shop()):
        number, code, text, _, *rest = line.split(",")
        lines.append(",".join([number, code, text, f"{place % 3}.{485 + place}", *rest]))
    lines.append("899,77,tea,0.5,2011-01-28 10:00:00,9.99,c0,UK")
    goes_back = "C900,77,tea,-0.25,2011-01-28 12:00:00,9.99,c0,UK"
    path = write(tmp_path / "scale.csv", [*lines, goes_back])
    built = build_shop(tmp_path / "built", invoices=path)
    assert built.code == 0, built.errors
    bought = {}
    for line in lines:
        _, _, _, quantity, _, price, customer, _ = line.split(",")
        amount = (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        bought.setdefault(customer, []).append((Decimal(quantity), amount))
    assert built.rows("select customer_id, quantity, monetary from marts.customers order by 1") == [
        (customer, *map(sum, zip(*found, strict=True)))
        for customer, found in sorted(bought.items())
    ]
    total = sum(quantity for found in bought.values() for quantity, _ in found)
    for mart in ("products", "monthly_revenue where segmentation = 'lifecycle'"):
        assert built.one(f"select sum(quantity) from marts.{mart}") == (total,)
    returned = "select lines, amount from marts.line_accounting where status = 'matched_return'"
    assert built.one(returned) == (1, Decimal("-2.50"))
    profiled = dict(built.rows("select column_name, minimum from marts.data_profile order by 1"))
    assert profiled["line_amount"] == "-2.50"
    assert profiled["unit_price"] == "1.5"
    source = "where table_name = 'source_lines' and column_name = 'quantity'"
    assert built.one(f"select minimum from marts.data_profile {source}") == ("-0.25",)


def test_of_a_relation_of_the_warehouse_only_mapped_columns_are_published(demo, tmp_path):
    with duckdb.connect(str(tmp_path / "customers.duckdb")) as connection:
        connection.execute("create schema raw")
        # Compressed text could not be found among the bytes.
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute(
            f"""
            create table raw.lines as
            select *, base64(unhex(sha256(cast(lines as varchar)))) as note
            from read_csv('{DEMO}/invoices.csv', all_varchar = true, quote = '"', escape = '"')
                as lines
            """
        )
        connection.execute(
            "create table raw.staff as select base64(unhex(sha256('p' || range))) as password "
            "from range(1_000)"
        )
        query = "select distinct note from raw.lines union select password from raw.staff"
        secrets = {secret.encode() for (secret,) in connection.execute(query).fetchall()}
    built = build_shop(tmp_path, invoices="relation:raw.lines")
    assert built.code == 0, built.errors
    marts = ["customers", "line_accounting", "monthly_revenue"]
    assert differences(demo, built, marts) == dict.fromkeys(marts, 0)

    def told(path):
        return secrets & set(re.findall(rb"[A-Za-z0-9+/]{43}=", path.read_bytes()))

    assert len(told(built.warehouse)) > 0.9 * len(secrets) > 10_000
    assert told(built.published) == set()
    # The fits that the warehouse keeps are not published either.
    query = "select distinct fingerprint from kept.fits"
    for (fingerprint,) in built.rows(query, file=built.warehouse):
        assert fingerprint.encode() in built.warehouse.read_bytes()
        assert fingerprint.encode() not in built.published.read_bytes()


ODD_IDS = [
    "o'brien",
    'quo"te',
    "\U0001f381",
    "007",
    "x" * 300,
    "'; drop table customers; --",
    "{{ 1 }}",
]


def test_odd_identifiers_stay_what_they_are(tmp_path):
    lines = [
        ",".join('"' + value.replace('"', '""') + '"' for value in line.split(","))
        for line in shop(customers=len(ODD_IDS))
    ]
    for number, name in enumerate(ODD_IDS):
        quoted = name.replace('"', '""')
        lines = [line.replace(f'"c{number}"', f'"{quoted}"') for line in lines]
    built = build_shop(tmp_path / "built", invoices=write(tmp_path / "odd.csv", lines))
    assert built.code == 0, built.errors
    found = {row[0] for row in built.rows("select customer_id from marts.customers")}
    assert found == set(ODD_IDS)


@pytest.mark.parametrize(
    ("lines", "customers", "left_out"),
    [
        (["1,A,mug,1,2011-01-05 10:00:00,1.00,c1,UK"], 1, {"lifecycle", "value_tiers"}),
        (
            [f"{n},A,mug,1,2011-01-05 10:00:00,1.00,c{n},UK" for n in range(30)],
            30,
            {"lifecycle", "value_tiers"},
        ),
        (
            [f"1,A,mug,{n + 1},2011-01-05 10:00:00,400000000,c1,UK" for n in range(2_000)],
            1,
            {"lifecycle", "value_tiers"},
        ),
    ],
    ids=["one customer", "all equal", "one customer with prices of 400 million"],
)
def test_too_few_customers_leave_segmentations_out(tmp_path, lines, customers, left_out):
    built = build_shop(tmp_path / "built", invoices=write(tmp_path / "few.csv", lines))
    assert built.code == 0, built.errors
    assert built.one("select count(*), count(segment_code) from marts.customers") == (customers, 0)
    for segmentation in left_out:
        assert f"Warning: {segmentation} is left out" in built.output


SWAPPED = HEADER.replace("Quantity", "_").replace("UnitPrice", "Quantity").replace("_", "UnitPrice")
ODD_NAME = HEADER.replace("UnitPrice", "\x1b[31mPrize\x7f\u202e")


def faults(message):
    """What a message must be, whatever it says: one line, not too long, fit for a terminal."""
    return [
        *(["is several lines"] if len(message.splitlines()) != 1 else []),
        *(["is too long"] if len(message) > 2_100 else []),
        *(["is not printable"] if not message.isprintable() else []),
    ]


@pytest.mark.parametrize(
    ("name", "header", "lines", "given", "message"),
    [
        ("a.csv", "", [], {}, "a.csv: it has no header"),
        (
            "a.csv",
            HEADER.replace("UnitPrice", "Prize"),
            shop(2),
            {},
            "has no column for unit_price (or line_amount). It has: InvoiceNo, StockCode",
        ),
        ("a.csv", HEADER + ",UnitPrice", shop(2), {}, "has the column UnitPrice twice"),
        (
            "a.csv",
            HEADER.replace("Country", "Price"),
            shop(2),
            {},
            "several columns that could be unit_price: UnitPrice, Price",
        ),
        ("a.csv", HEADER, ["1,A,mug,1,01/02/2011,1.00,c1,UK"], {}, "day/month/year or month/day"),
        ("a.csv", HEADER, ["1,A,mug,1,17,1.00,c1,UK"], {}, "no date can be read"),
        ("a.csv", HEADER, ['1,A,mug,1,2011-01-05,"1,000",c1,UK'], {}, "thousands or a decimal"),
        ("a.csv", HEADER, shop(2), {"dates": "us"}, "dates: got us; it can be iso, dmy, mdy"),
        ("a.csv", HEADER, shop(2), {"decimal_mark": ";"}, "decimal_mark: got ;; it can be ., ,"),
        ("a.csv", HEADER, shop(2), {"encoding": "ebcdic"}, "ebcdic"),
        ("a.csv", ODD_NAME, shop(2), {}, r"InvoiceDate, \x1b[31mPrize\x7f\u202e, CustomerID"),
        pytest.param(
            "a.csv",
            ",".join(f"column {number}" for number in range(400)),
            shop(2),
            {},
            " more. Say which is which: VARS='{invoice_columns: {our name: your name}}'",
            id="400 columns",
        ),
        ("a.docx", HEADER, shop(2), {}, "is no file that can be read"),
        ("a.xlsx", HEADER, shop(2), {}, "a.xlsx: it is text, not an XLSX file"),
        ("a.csv.gz", HEADER, shop(2), {}, "a.csv.gz: it is not packed with gzip"),
        ("a.parquet", HEADER, shop(2), {}, "a.parquet"),
    ],
)
def test_a_file_that_cannot_be_read_ends_in_one_line(tmp_path, name, header, lines, given, message):
    path = write(tmp_path / name, lines, header=header)
    with pytest.raises(UnreadableFile) as caught:
        land(path, invoice_format=given)
    told = printable(str(caught.value))
    assert message in told
    assert faults(told) == []


@pytest.mark.parametrize(
    ("header", "lines", "variables", "message"),
    [
        (ODD_NAME, shop(2), None, r"InvoiceDate, \x1b[31mPrize\x7f\u202e, CustomerID"),
        (HEADER, shop(2), "{invoice_format: {encodin: utf-8}}", "Did you mean encoding?"),
        (
            HEADER,
            [line.replace("mug,", "mug,\x1b[2J") for line in shop(2)],
            None,
            r"such as line 2 of a.csv: quantity \x1b[2J1, price 1.50",
        ),
    ],
    ids=["reading", "settings", "classification"],
)
def test_a_build_that_stops_says_so_in_one_line(tmp_path, header, lines, variables, message):
    path = write(tmp_path / "a.csv", lines, header=header)
    ran = build_shop(tmp_path / "built", invoices=path, variables=variables)
    assert ran.code != 0
    assert message in ran.errors
    assert ran.errors.startswith("error: ")
    assert faults(ran.errors.removesuffix("\n")) == []
    assert "Traceback" not in ran.output + ran.errors
    assert not ran.published.exists()


GIFTS = [f"{n},A,mug,1,2011-01-0{1 + n % 9} 10:00:00,,c{n},UK" for n in range(20)]
LARGE = ["900,A,car,1,2011-01-05 10:00:00,9000.00,c1,UK", "901,A,car,0,2011-01-05,9000.00,c1,UK"]


@pytest.mark.parametrize(
    ("header", "lines", "given", "messages"),
    [
        (HEADER, [], {}, ["there are no lines at all"]),
        (
            HEADER,
            ["C1,A,mug,-1,2011-01-05 10:00:00,1.00,c1,UK"],
            {},
            ["no line is a kept sale, so there are no customers: 1 return"],
        ),
        (
            SWAPPED,
            [line.replace(".50,", ".55,") for line in shop(2)],
            {"invoice_columns": {"invoiced_at": "CustomerID", "customer_id": "InvoiceDate"}},
            ["no date can be read"],
        ),
        (
            HEADER,
            [*shop(), *GIFTS],
            {},
            [
                "would be left out as missing_price: each has neither price nor amount, such as",
                "What to do: VARS='{invoice_columns: {unit_price: your column}}'",
                "Build without them: VARS='{accepted_reasons: [missing_price]}'",
            ],
        ),
        (HEADER, [*shop(), *GIFTS], {"accepted_reasons": ["missing_price"]}, None),
        (HEADER, [*shop(), *GIFTS], {"rejected_limit": 0.5}, None),
    ],
    ids=["no lines", "returns", "swapped", "no price", "accepted", "limit"],
)
def test_a_reason_that_costs_much_stops_a_build_unless_it_is_accepted(
    tmp_path, header, lines, given, messages
):
    path = write(tmp_path / "a.csv", lines, header=header)
    settings = {"invoices": str(path), "campaign_customers": None} | given
    command = ["build", "--select", "+int_invoice_lines_classified", "--exclude-resource-type"]
    command += ["test", "--exclude-resource-type", "unit_test", "--vars"]
    ran = dbt(tmp_path / "built", *command, yaml.safe_dump(settings))
    assert (ran.code == 0) == (messages is None), ran.output
    for message in messages or []:
        assert message in ran.output
    assert "Traceback" not in ran.output
