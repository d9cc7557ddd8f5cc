"""Landing: whatever the bytes, each line of a file goes on once, as a record or as text."""

import csv
import gzip
import random

import duckdb
import pytest
from conftest import build
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.landing import LANDED, count_lines, land_text, recognise_encoding

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
@given(body=dirt)
@example(body=b'1,"open,2\n3,4,5\n6,7,"8"\n')
@example(body=b'1,"two\nlines",2\n\n3,4,5')
@example(body=b'"a"b,1,2\n"c",1,2\n')
def test_every_line_goes_on_once(tmp_path_factory, body):
    source, _, rows = land(tmp_path_factory.mktemp("fuzz"), body, encoding="utf-8")
    expected = 2
    lines = source.read_bytes().split(b"\n")
    for number, span, reason, text, *fields in rows:
        assert int(number) == expected
        expected += int(span)
        raw = lines[int(number) - 1].rstrip(b"\r")
        if reason is None:
            block = b"\n".join(line.rstrip(b"\r") for line in lines[int(number) - 1 :][: int(span)])
            parsed = next(csv.reader([block.decode()], strict=True))
            assert [field or "" for field in fields] == parsed
        else:
            assert fields == [None] * 3
            if reason != "bytes_not_text":
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
    ],
)
def test_what_cannot_be_landed_is_refused(tmp_path, header, arguments, message):
    with pytest.raises(ValueError, match=message):
        land(tmp_path, b"1,2\n", header=header, **arguments)


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
            chance.choice(["1", "2", "-1", "0", "", "1.5", "many", "99999999999"]),
            f"2011-{chance.randint(1, 12):02}-{chance.randint(1, 31):02} 10:00",
            chance.choice(["1.50", "0", "-2", "", "free", "1e9", "0.001"]),
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
