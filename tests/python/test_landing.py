"""Landing: whatever the bytes, each line of a file goes on once, as a record or as text."""

import csv
import gzip
import random
import tracemalloc
import zipfile
from unittest.mock import patch

import duckdb
import pytest
from conftest import build
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_inputs import as_xlsx

from files.landing import (
    LANDED,
    MOST_BYTES,
    MOST_SHOWN,
    count_lines,
    land_text,
    recognise_encoding,
    sheet_names,
)
from files.plugin import lines_of

repeatable = settings(derandomize=True, deadline=None, max_examples=400)

PIECES = [b"a", b"1", b"2.50", b",", b",", b";", b'"', b'""', b"\n", b"\r\n", b"\r", b" "]
PIECES += [
    b"\xff",
    b"\xc3\xa9",
    b"\xe9",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\t",
    b"x,y,z\n",
    b'"p\nq",1,2\n',
]
dirt = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


def land(folder, body, *, header=b"a,b,c\n", **settings):
    source = folder / "in.csv"
    source.write_bytes(header + body)
    landed = land_text(str(source), str(folder / "landing"), **settings)
    names = [*LANDED, *landed["columns"]]
    rows = duckdb.execute(
        "from read_csv(?, auto_detect = false, header = false, delim = ?, quote = '\"', "
        "escape = '\"', columns = ?)",
        [landed["file"], landed["delimiter"], dict.fromkeys(names, "VARCHAR")],
    ).fetchall()
    return source, landed, rows


@repeatable
@given(body=dirt, most=st.sampled_from([8, 20, MOST_BYTES]))
@example(body=b'1,"open,2\n3,4,5\n6,7,"8"\n', most=MOST_BYTES)
@example(body=b'1,"two\nlines",2\n\n3,4,5', most=MOST_BYTES)
@example(body=b'1,"two\nlines",2\n\n3,4,5', most=15)
@example(body=b'"a"b,1,2\n"c",1,2\n', most=MOST_BYTES)
@example(body=b"1,22,34\n1,22,345\n1,22,345\r\n1,22,3456", most=8)
def test_every_line_goes_on_once(tmp_path_factory, body, most):
    with patch("files.landing.MOST_BYTES", most):
        source, _, rows = land(tmp_path_factory.mktemp("fuzz"), body, encoding="utf-8")
    expected = 2
    lines = source.read_bytes().split(b"\n")
    for number, span, reason, text, *fields in rows:
        assert int(number) == expected
        expected += int(span)
        raw = lines[int(number) - 1].rstrip(b"\r")
        length = len(lines[int(number) - 1]) + (int(number) < len(lines))
        assert (reason == "too_long_line") == (length > most)
        if reason is None:
            assert sum(map(len, lines[int(number) - 1 :][: int(span)])) < most
            block = b"\n".join(line.rstrip(b"\r") for line in lines[int(number) - 1 :][: int(span)])
            parsed = next(csv.reader([block.decode()], strict=True))
            assert [field or "" for field in fields] == parsed
        else:
            assert fields == [None] * 3
            if reason not in ("bytes_not_text", "too_long_line"):
                assert (text or "") == raw.decode()
    assert expected == count_lines(str(source)) + 1


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"1,2,3\n", [None]),
        (b"1,2\n1,2,3,4\n\n", ["too_few_fields", "too_many_fields", "blank_line"]),
        (b'1,"2,3\n4,5,6\n', ["unclosed_quote", None]),
        (b'1,"2\n' + b"x\n" * 60 + b'y",3\n', ["unclosed_quote"] + ["too_few_fields"] * 61),
        (b'1,"2\n3",4\n5,6,7', [None, None]),
        (b'1,a"b,2\n', [None]),
        (b'1,"a"b,2\n', ["unclosed_quote"]),
        (b"1,\xff,2\n3,4,5\n", ["bytes_not_text", None]),
        (b"1,\x00,2\n", ["bytes_not_text"]),
    ],
)
def test_reason_of_each_line(tmp_path, body, reasons):
    _, _, rows = land(tmp_path, body, encoding="utf-8")
    found = [row[2] for row in rows]
    if body.startswith(b'1,"2\nx'):
        found[-1] = "too_few_fields" if found[-1] == "unclosed_quote" else found[-1]
    assert found == reasons


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (b"plain\n", "utf-8"),
        ("caf\u00e9\n".encode(), "utf-8"),
        ("caf\u00e9 \u20ac\n".encode("cp1252"), "cp1252"),
        ("caf\u00e9\n".encode() * 3 + b"\xff\n", "utf-8"),
    ],
)
def test_encoding_is_that_of_most_lines(tmp_path, text, encoding):
    (tmp_path / "in.csv").write_bytes(text)
    assert recognise_encoding(str(tmp_path / "in.csv")) == encoding


def test_long_lines_have_a_reason_of_their_own(tmp_path):
    most = b"x" * (MOST_BYTES - len(b"1,2,\n"))
    body = b"1,2," + most + b"\n1,2,x" + most + b"\n1,2"
    _, _, rows = land(tmp_path, body, encoding="utf-8")
    assert [row[2] for row in rows] == [None, "too_long_line", "too_few_fields"]
    assert rows[0][-1] == most.decode()
    with pytest.raises(ValueError, match="its header has 524,291 bytes; it can have 524,288"):
        land(tmp_path, b"", header=b"a," + b"b" * MOST_BYTES + b"\n")


def test_a_quoted_value_may_be_long_but_not_for_ever(tmp_path):
    """Python's own limit for a field is a fourth of ours."""
    long = b'1,2,"' + b"x" * 400_000 + b'\ny"\n'
    # Fewer lines than a quote may take, but more bytes.
    too_long = b'1,2,"\n' + (b"x" * (MOST_BYTES // 20) + b"\n") * 21 + b'"\n'
    _, _, rows = land(tmp_path, long + too_long, encoding="utf-8")
    found = [row[1:3] for row in rows]
    assert found[:2] == [("2", None), ("1", "unclosed_quote")]
    assert found[2:] == [("1", "too_few_fields")] * 21 + [("1", "unclosed_quote")]


def test_the_longest_record_can_be_read(tmp_path):
    """A euro sign has three bytes where it had one, and each quote is written twice."""
    for character in ("\u20ac", '"'):
        text = 'a"b' + character * (MOST_BYTES - len(b'1,2,a"b\n'))
        _, _, rows = land(tmp_path, f"1,2,{text}\n".encode("cp1252"), encoding="cp1252")
        assert [row[2:] for row in rows] == [(None, None, "1", "2", text)]


def test_a_line_without_an_end_takes_little_memory(tmp_path):
    packed = tmp_path / "in.csv.gz"
    with gzip.open(packed, "wb", compresslevel=1) as stream:
        stream.write(b"a,b,c\n1,2,3\n")
        for _ in range(64):
            stream.write(bytes(b"x" * (1 << 20)))
        stream.write(b"\n4,5,6\n")
    tracemalloc.start()
    landed = land_text(str(packed), str(tmp_path / "landing"))
    assert count_lines(str(packed)) == 4
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
    with open(landed["file"], encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    length = 64 * (1 << 20) + 1
    cut = f"{'x' * MOST_SHOWN}\u2026 ({length:,} bytes)"
    assert rows == [
        ["2", "1", "", "", "1", "2", "3"],
        ["3", "1", "too_long_line", cut, "", "", ""],
        ["4", "1", "", "", "4", "5", "6"],
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_that_of_the_header(tmp_path, delimiter):
    header = f"\ufeffa{delimiter}b{delimiter}c\r\n".encode()
    body = delimiter.join(["1", '"x, y; z"', "2,5" if delimiter != "," else "2"]).encode()
    _, landed, rows = land(tmp_path, body, header=header)
    assert landed["columns"] == ["a", "b", "c"]
    assert rows[0][2:] == (None, None, "1", "x, y; z", "2,5" if delimiter != "," else "2")


def test_packed_and_plain_text_land_alike(tmp_path):
    _, _, plain = land(tmp_path, b"1,2,3\n4,5\n")
    packed = tmp_path / "in.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "in.csv").read_bytes()))
    landed = land_text(str(packed), str(tmp_path / "landing"))
    assert len(open(landed["file"], encoding="utf-8").readlines()) == len(plain) == 2
    assert count_lines(str(packed)) == count_lines(str(tmp_path / "in.csv")) == 3


@pytest.mark.parametrize(
    ("header", "arguments", "message"),
    [
        (b"\n", {}, "no header"),
        (b"\xff\xfea\n", {"encoding": "utf-8"}, "no header"),
        (b"one name\n", {}, "no delimiter"),
        (b'a,"b\n', {}, "can't be read"),
        (b"a,b\n", {"encoding": "ebcdic"}, "encoding is 'ebcdic'"),
        (b"a,b\n", {"delimiter": "::"}, "one character"),
        (b"a,b\n", {"delimiter": '"'}, "one character, no quote"),
        (b"a,b\n", {"delimiter": "\n"}, "one character"),
    ],
)
def test_what_cannot_be_landed_is_refused(tmp_path, header, arguments, message):
    with pytest.raises(ValueError, match=message):
        land(tmp_path, b"1,2\n", header=header, **arguments)


def test_a_damaged_gzip_is_told(tmp_path):
    lines = "".join(f"{number},{number * number},c\n" for number in range(10_000))
    packed = bytearray(gzip.compress(lines.encode(), mtime=0))
    packed[10_000:10_100] = b"\xff" * 100
    (tmp_path / "in.csv.gz").write_bytes(packed)
    assert "Error -3 while decompressing" in lines_of(str(tmp_path / "in.csv.gz"))


def test_sheets_that_hold_something(tmp_path):
    """Not those that are empty, or a chart; paths inside the book may be absolute."""
    relative, absolute = tmp_path / "relative.xlsx", tmp_path / "absolute.xlsx"
    as_xlsx(relative, {"empty": [], "one": [["a"]], "chart": None, "bare": [[None]], "two": [[1]]})
    with zipfile.ZipFile(relative) as book, zipfile.ZipFile(absolute, "w") as other:
        for name in book.namelist():
            other.writestr(name, book.read(name).replace(b'"worksheets/', b'"/xl/worksheets/'))
    assert sheet_names(str(relative)) == sheet_names(str(absolute)) == ["one", "two"]
    as_xlsx(tmp_path / "nothing.xlsx", {"empty": [], "bare": [[None]]})
    with pytest.raises(ValueError, match="no sheet with anything in it"):
        sheet_names(str(tmp_path / "nothing.xlsx"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_on_random_dirt_accounts_for_every_line(tmp_path, seed):
    """The build's own tests hold the sums; here, that a build comes to its end at all."""
    chance = random.Random(seed)
    lines = [b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"]
    for number in range(3_000):
        fields = [
            chance.choice([str(number // 3), f"C{number // 3}", "", "odd-1", "'--"]),
            chance.choice(["A", "B", "post", "", '"q,""r"""', "\u00e9"]),
            chance.choice(["mug", "", '"two\nlines"', "  ", 'stray"quote']),
            chance.choice(["1", "2", "3", "4", "6", "-1", "0", "", "1.5", "many", "99999999999"]),
            f"2011-{chance.randint(1, 12):02}-{chance.randint(1, 31):02} 10:00",
            chance.choice(["1.50", "2", "0.85", "4.25", "0", "-2", "", "free", "1e9", "0.001"]),
            chance.choice(["a", "b", "17850.0", "007", "", *map(str, range(40))]),
            chance.choice(["UK", ""]),
        ]
        if chance.random() < 0.05:
            del fields[chance.randrange(8)]
        raw = ",".join(fields).encode()
        if chance.random() < 0.05:
            place = chance.randrange(len(raw))
            raw = raw[:place] + chance.choice([b'"', b"\xff", b"\x00", b"\r", b"\n"]) + raw[place:]
        lines.append(raw)
        if chance.random() < 0.03:
            lines.append(raw)
    path = tmp_path / "dirt.csv"
    path.write_bytes(b"\n".join(lines))
    built = build(tmp_path / "built", invoices=path)
    assert built.code == 0, built.errors
    kept, rejected = built.one(
        "select (select count(*) from marts.invoice_lines), "
        "(select count(*) from marts.rejected_lines)"
    )
    spanned = built.one(
        "select sum(line_span - 1) from staging.base_shop__invoice_lines", file=built.warehouse
    )[0]
    assert kept + rejected + spanned == count_lines(str(path)) - 1
    assert min(kept, rejected) > 100
