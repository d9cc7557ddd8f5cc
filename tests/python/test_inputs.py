"""What a file may look like: every input builds to a sensible result or ends in one clear line."""

import gzip
import random
import re
import zipfile
from decimal import Decimal
from xml.sax.saxutils import escape

import duckdb
import pytest
from conftest import DEMO, build_shop, differences

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
        23: ("unreadable_value", "906,A,mug,1.5,2011-01-05 10:00:00,1.00,c1,UK"),
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


def test_any_way_to_write_the_same_lines_makes_the_same_marts(tmp_path):
    lines = shop()
    plain = build_shop(tmp_path / "plain", invoices=write(tmp_path / "in" / "plain.csv", lines))
    assert plain.code == 0, plain.errors
    german = write(
        tmp_path / "in" / "german.csv",
        [line.replace("mug", "Gr\u00f6\u00dfe") for line in semicolons(lines)],
        header=HEADER.replace(",", ";"),
        encoding="cp1252",
    )
    us = write(tmp_path / "in" / "us.tsv", american(lines), header=HEADER.replace(",", "\t"))
    us.write_bytes(b"\xef\xbb\xbf" + us.read_bytes().replace(b"\n", b"\r\n"))
    packed = tmp_path / "in" / "packed.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "in" / "plain.csv").read_bytes()))
    half = len(lines) // 2
    write(tmp_path / "parts" / "a.csv", lines[:half])
    write(tmp_path / "parts" / "b" / "a.csv", [])
    swapped = ",".join([*HEADER.split(",")[::-1]])
    write(
        tmp_path / "parts" / "b.csv",
        [",".join(x.split(",")[::-1]) for x in lines[half:]],
        header=swapped,
    )
    epoch = duckdb.execute("select epoch(timestamp '1899-12-30')").fetchone()[0]
    rows = []
    for line in lines:
        number, code, text, quantity, moment, price, customer, country = line.split(",")
        seconds = duckdb.execute("select epoch(cast(? as timestamp))", [moment]).fetchone()[0]
        serial = (seconds - epoch) / 86400
        rows.append(
            [int(number), code, text, int(quantity), serial, float(price), customer, country]
        )
    names = HEADER.replace("InvoiceNo", "Invoice").replace("UnitPrice", "Price").split(",")
    book = tmp_path / "in" / "book.xlsx"
    as_xlsx(book, {"2010": [names, *rows[:half]], "2011": [names, *rows[half:]]})
    unordered = ["customers", "customer_segments", "line_accounting", "segments"]
    for name, invoices in {
        "german": german,
        "us": us,
        "packed": packed,
        "folder": tmp_path / "parts",
        "book": book,
    }.items():
        other = build_shop(tmp_path / name, invoices=invoices)
        assert other.code == 0, (name, other.errors)
        assert differences(plain, other, unordered) == dict.fromkeys(unordered, 0), name
        if name == "german":
            described = other.one("select distinct description from marts.invoice_lines")
            assert described == ("Gr\u00f6\u00dfe",)


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


@pytest.mark.parametrize(
    ("name", "header", "lines", "variables", "message"),
    [
        ("a.csv", HEADER, [], None, "there are no lines at all"),
        ("a.csv", "", [], None, "it has no header"),
        (
            "a.csv",
            HEADER,
            ["C1,A,mug,-1,2011-01-05 10:00:00,1.00,c1,UK"],
            None,
            "no line is a kept sale, so there are no customers: 1 return",
        ),
        (
            "a.csv",
            HEADER.replace("Quantity", "_")
            .replace("UnitPrice", "Quantity")
            .replace("_", "UnitPrice"),
            shop(2),
            None,
            "Are columns swapped?",
        ),
        (
            "a.csv",
            HEADER.replace("UnitPrice", "Prize"),
            shop(2),
            None,
            "has no column for unit_price (or line_amount). It has: InvoiceNo, StockCode",
        ),
        ("a.csv", HEADER + ",UnitPrice", shop(2), None, "has the column UnitPrice twice"),
        (
            "a.csv",
            HEADER.replace("Country", "Price"),
            shop(2),
            None,
            "several columns that could be unit_price: UnitPrice, Price",
        ),
        ("a.csv", HEADER, ["1,A,mug,1,01/02/2011,1.00,c1,UK"], None, "day/month/year or month/day"),
        ("a.csv", HEADER, ["1,A,mug,1,soon,1.00,c1,UK"], None, "no date can be read"),
        ("a.csv", HEADER, ['1,A,mug,1,2011-01-05,"1,000",c1,UK'], None, "thousands or a decimal"),
        ("a.csv", HEADER, shop(2), "{invoice_format: {dates: us}}", "it can be iso, dmy, mdy"),
        ("a.csv", HEADER, shop(2), "{invoice_format: {encoding: ebcdic}}", "it can be utf-8"),
        ("a.csv", HEADER, shop(2), "{invoice_format: utf-8}", "such as {name: value}, got utf-8"),
        ("a.csv", HEADER, shop(2), "{invoice_format: {encodin: utf-8}}", "Did you mean encoding?"),
        (
            "a.csv",
            HEADER,
            shop(2),
            "{invoice_columns: {unit_prize: a}}",
            "Did you mean unit_price?",
        ),
        (
            "a.csv",
            HEADER,
            shop(2),
            "{invoice_columns: {country: [a]}}",
            "must be text, got ['a']",
        ),
        (
            "a.csv",
            HEADER.replace("UnitPrice", "\x1b[31mPrize\x7f\u202e"),
            shop(2),
            None,
            r"InvoiceDate, \x1b[31mPrize\x7f\u202e, CustomerID",
        ),
        (
            "a.csv",
            HEADER,
            [line.replace("mug,", "mug,\x1b[2J") for line in shop(2)],
            None,
            r"can't be read, such as: quantity \x1b[2J1, price 1.50",
        ),
        pytest.param(
            "a.csv",
            ",".join(f"column {number}" for number in range(400)),
            shop(2),
            None,
            "Say which is which: VARS='{invoice_columns: {our name: your name}}'",
            id="400 columns",
        ),
        ("a.docx", HEADER, shop(2), None, "is no file that can be read"),
        ("a.xlsx", HEADER, shop(2), None, "it is no XLSX file"),
        ("a.csv.gz", HEADER, shop(2), None, "Not a gzipped file"),
        ("a.parquet", HEADER, shop(2), None, "a.parquet"),
    ],
)
def test_wrong_input_ends_in_one_line(tmp_path, name, header, lines, variables, message):
    path = write(tmp_path / name, lines, header=header)
    ran = build_shop(tmp_path / "built", invoices=path, variables=variables)
    assert ran.code != 0
    complaints = ran.errors.splitlines()
    assert len(complaints) == 1, ran.errors
    assert complaints[0].startswith("error: ")
    assert message in complaints[0]
    assert len(complaints[0]) < 2_100
    assert complaints[0].isprintable()
    assert "Traceback" not in ran.output + ran.errors
    assert not ran.published.exists()
