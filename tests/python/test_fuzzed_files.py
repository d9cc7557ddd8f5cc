"""Files of every format from one seed: no line is lost, and what is kept is what was written."""

import csv
import gzip
import io
import random
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from landing import land
from test_inputs import as_xlsx

from reading.decisions import UnreadableFile

NAMES = ["Invoice", "SKU", "Description", "Qty", "Date", "Price", "Customer", "Country"]
NAMES += ["Note", "Discount", "Cost"]
OURS = "invoice_id product_id description quantity invoiced_at unit_price customer_id country"
OURS = OURS.split()
TEXTS = [
    *("mug", "a, b", "a; b", "a | b", "tab\tbed", 'say "hi"', '"', '""', "it's", "two\nlines", ""),
    *(" spaced ", "caf\u00e9", "Gr\u00f6\u00dfe", "=1+1", "null", "\\", "\\n", "#", "-", "1,5"),
    *("NULL", "NaN", "n/a", "NA"),
]
NOTATIONS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%d.%m.%y"]
NOTATIONS += ["%Y%m%d", "%d %b %Y", "%Y-%m-%d"]
NOTATIONS += ["%d/%m/%Y %H:%M +0200", "%m/%d/%y %I:%M %p -0500", "%d.%m.%Y %H:%MZ"]
SIGNS = [["-{}"], ["{}"], ["{}", "-{}"], ["({})"], ["{}-"], ["-{} %", ""], ["", "{}%"]]
ODD = [b'"', b"\n", b"\n\n", b"\0", b"\xff\xfe", b",;\t|", b"\r", b'\n"', b'x"x\n', b"\\"]
TEXT_KINDS = ["csv", "tsv", "txt", "csv.gz"]


def rows_of(chance):
    """Rows of a shop: texts, but for the number of pieces, the moment and the price."""
    start = datetime(2010, 1, 1) + timedelta(days=chance.randrange(1_000))
    signs = chance.choice(SIGNS)
    return [
        [
            f"{chance.choice('AB')}{place // 3}",
            chance.choice([str(chance.randrange(10_000, 99_999)), "nan"]),
            chance.choice(TEXTS),
            chance.randint(1, 99),
            start
            + timedelta(days=7 * place + chance.randrange(7), minutes=chance.randrange(1_440)),
            Decimal(chance.randint(1, 999_999)) / 100,
            f"c{chance.randrange(9)}",
            chance.choice(["UK", "France", ""]),
            chance.choice(TEXTS),
            chance.choice(signs).format(chance.randint(1, 99)),
            chance.choice(["n/k", "", "-", "12 ca.", "3"]),
        ]
        for place in range(chance.randint(60, 100))
    ]


def as_text(chance, rows):
    """Write rows in one of many ways; the bytes, and how to read them."""
    delimiter = chance.choice(",;\t|")
    encoding = chance.choice(["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    ends = chance.choice(["\n", "\r\n"])
    notation, mark = chance.choice(NOTATIONS), chance.choice(".,")
    written = io.StringIO()
    quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(written, delimiter=delimiter, lineterminator=ends, quoting=quoting)
    writer.writerow(NAMES)
    for row in rows:
        *before, quantity, moment, price = row[:6]
        price = f"{price:.2f}".replace(".", mark)
        moment = moment.strftime(notation)
        writer.writerow([*before, quantity, moment, price, *row[6:]])
    text = written.getvalue()
    if chance.random() < 0.3:
        text = text.removesuffix(ends)
    return text.encode(encoding), delimiter, encoding


def spoil(chance, data):
    """Change bytes behind the header, in a few places or in one long stretch."""
    begin = data.index(b"\n") + 1
    head, body = data[:begin], bytearray(data[begin:])
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(body))
        what = chance.choice(["insert", "insert", "remove", "repeat", "flip"])
        if what == "insert":
            odd = [
                b'"',
                b"\n",
                b"\n\n",
                b"\0",
                b"\xff\xfe",
                b",;\t|",
                b"\r",
                b'\n"',
                b'x"x\n',
                b"\\",
            ]
            body[place:place] = chance.choice(odd)
        elif what == "remove":
            del body[place : place + chance.choice([1, 30, 300])]
        elif what == "repeat":
            body[place:place] = body[place : place + 200]
        else:
            body[place] = chance.randrange(256)
    return head + bytes(body)


def physical_lines(text):
    """Lines of a text, each with its end."""
    return io.StringIO(text, newline="\n").readlines()


def check_text(name, found, data, delimiter, encoding):
    """Read each record again at the line that it says, and account for all lines."""
    text = data.decode(encoding, errors="surrogateescape" if encoding == "utf-8" else "strict")
    lines = physical_lines(text)
    places = [line for line, span, *_ in found for line in range(line, line + span)]
    assert sorted(places) == [*range(2, len(lines) + 1)], name
    for line, span, reason, *values in found:
        if reason is None:
            written = "".join(lines[line - 1 : line - 1 + span])
            written = io.StringIO(written.rstrip("\r\n"), newline="")
            (fields,) = csv.reader(written, delimiter=delimiter)
            assert values == [field or None for field in fields[: len(OURS)]], (name, line)
        else:
            assert values == [None] * len(OURS), (name, line)


def lines_of(landed, number):
    return [
        [*row]
        for row in landed.rows(
            f"select source_line, line_span, malformed_reason, {', '.join(OURS)} "
            f"from landing.invoice_lines where file_number = {number} order by source_line"
        )
    ]


def texts_of(landed, number):
    """Lines of a file with every value as text."""
    return [
        [value if place < 3 or value is None else str(value) for place, value in enumerate(row)]
        for row in lines_of(landed, number)
    ]


def check_typed(name, found, rows, first_line):
    """Compare numbers and moments by what they are."""
    assert [(line, span, reason) for line, span, reason, *_ in found] == [
        (line, 1, None) for line in range(first_line, first_line + len(rows))
    ], name
    for (*_, number, code, text, quantity, moment, price, customer, country), row in zip(
        found, rows, strict=True
    ):
        # Empty text in Parquet is empty text; the staging model makes nothing of it.
        read = [
            number,
            code,
            text or "",
            Decimal(quantity),
            Decimal(price),
            customer,
            country or "",
        ]
        assert read == [*row[:4], *row[5:8]], name
        if "-" in moment:
            assert datetime.fromisoformat(moment) == row[4], name
        else:
            days = timedelta(seconds=round(float(moment) * 86_400))
            assert datetime(1899, 12, 30) + days == row[4], name


def write_workbook(path, rows):
    cells = [[*row] for row in rows]
    for row in cells:
        since = row[4] - datetime(1899, 12, 30)
        row[4] = since.days + since.seconds / 86_400
        row[5] = float(row[5])
    as_xlsx(path, {"lines": [NAMES, *cells]})


def write_parquet(path, rows):
    types = ["varchar"] * 3 + ["integer", "timestamp", "decimal(12, 2)"] + ["varchar"] * 5
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(NAMES, types, strict=True))
        connection.execute(f"create table lines ({columns})")
        marks = ", ".join("?" * len(NAMES))
        connection.executemany(f"insert into lines values ({marks})", rows)
        connection.table("lines").write_parquet(str(path))


@pytest.mark.parametrize("seed", range(15))
def test_whole_files_are_read_as_they_were_written(tmp_path, seed):
    chance = random.Random(seed)
    checks, products = {}, []
    for place in range(6):
        rows = rows_of(chance)
        products += [row[1] for row in rows]
        kind = chance.choice([*TEXT_KINDS, *TEXT_KINDS, "xlsx", "parquet"])
        path = tmp_path / f"{place}.{kind}"
        if kind == "xlsx":
            write_workbook(path, rows)
            checks[f"{path.name}, sheet lines"] = (check_typed, rows, 2)
        elif kind == "parquet":
            write_parquet(path, rows)
            checks[path.name] = (check_typed, rows, 1)
        else:
            data, *how = as_text(chance, rows)
            path.write_bytes(gzip.compress(data) if kind.endswith("gz") else data)
            checks[path.name] = (check_text, data, *how)
    landed = land(tmp_path)
    assert len(landed.files) == len(checks)
    told = landed.decisions("lines")["words for nothing in product_id"]
    assert told == products.count("nan")
    for file in landed.files:
        check, *how = checks[file["source_file"]]
        found = texts_of(landed, file["file_number"])
        assert file["lines"] == sum(span for _, span, *_ in found), file
        check(file["source_file"], found, *how)


@pytest.mark.parametrize("seed", range(60))
def test_of_a_spoilt_file_every_line_is_accounted_for(tmp_path, seed):
    chance = random.Random(1_000 + seed)
    while True:
        data, delimiter, encoding = as_text(chance, rows_of(chance))
        if encoding == "utf-8":
            break
    data = spoil(chance, data)
    path = tmp_path / chance.choice(["a.csv", "a.csv.gz"])
    packed = gzip.compress(data, mtime=0) if path.suffix == ".gz" else data
    path.write_bytes(packed)
    try:
        landed = land(path)
    except UnreadableFile as error:
        assert str(error).isprintable()
        return
    (file,) = landed.files
    found = texts_of(landed, 1)
    assert file["lines"] == sum(span for _, span, *_ in found)
    check_text(path.name, found, data, delimiter, encoding)
