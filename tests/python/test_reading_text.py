"""Text: whatever the bytes, each line of a file comes out once, as a record or as text."""

import csv
import gzip
import io
import json
import random
import stat
import tracemalloc
import zipfile
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reading.decisions import UnreadableFile
from reading.file_bytes import MOST_BYTES
from reading.records import MOST_SHOWN, Dialect, split
from reading.text import fast_source, open_text

repeatable = settings(derandomize=True, deadline=None, max_examples=120)

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


def connect():
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    return connection


def read(folder, body, *, header=b"a,b,c\n", file="in.csv", slow=False, **declared):
    """Open a file; its source, and its rows: line, span, reason, text and the values."""
    path = folder / file
    path.write_bytes(header + body)
    connection = connect()
    fast = (lambda *_: None) if slow else fast_source
    with patch("reading.text.fast_source", fast):
        source = open_text(connection, str(path), file, str(folder / "landing"), declared)
    rows = connection.execute(
        f"select {source.line} as line, {source.span}, {source.reason}, {source.text}, "
        f"{', '.join(column.sql for column in source.columns)} "
        f"from {source.relation} order by line"
    ).fetchall()
    assert sum(row[1] for row in rows) == source.lines
    assert connection.execute("select current_setting('preserve_insertion_order')").fetchone() == (
        False,
    )
    return source, rows


def names(source):
    return [column.name for column in source.columns]


def is_fast(source):
    return source.relation.startswith("landing.")


def decision(source, question):
    found = [each for each in source.decisions if each.question == question]
    assert len(found) == 1, source.decisions
    return found[0]


def refused(folder, content, message, file="in.csv", **declared):
    with pytest.raises(UnreadableFile, match=message) as stopped:
        read(folder, content, header=b"", file=file, **declared)
    assert "\n" not in str(stopped.value)


# Lines -----------------------------------------------------------------------


@repeatable
@given(body=dirt, most=st.sampled_from([8, 20, MOST_BYTES]))
@example(body=b'1,"open,2\n3,4,5\n6,7,"8"\n', most=MOST_BYTES)
@example(body=b'1,"two\nlines",2\n\n3,4,5', most=MOST_BYTES)
@example(body=b'1,"two\nlines",2\n\n3,4,5', most=15)
@example(body=b'"a"b,1,2\n"c",1,2\n', most=MOST_BYTES)
@example(body=b"1,22,34\n1,22,345\n1,22,345\r\n1,22,3456", most=8)
def test_every_line_comes_out_once(tmp_path_factory, body, most):
    folder = tmp_path_factory.mktemp("fuzz")
    # Where most line ends are carriage returns, they are line ends.
    assume(body.count(b"\r") - body.count(b"\r\n") <= body.count(b"\n") + 1)
    try:
        with patch("reading.records.MOST_BYTES", most), patch("reading.text_fast.MOST_BYTES", most):
            source, rows = read(
                folder, body, encoding="utf-8", quotes='"', header_line=1, delimiter=","
            )
    except UnreadableFile as error:
        assert "below have" in str(error)
        return
    expected = 2
    lines = (folder / "in.csv").read_bytes().split(b"\n")
    for number, span, reason, text, *fields in rows:
        assert number == expected
        expected += span
        raw = lines[number - 1].rstrip(b"\r")
        length = len(lines[number - 1]) + (number < len(lines))
        assert (reason == "too_long_line") == (length > most)
        if reason is None:
            assert sum(map(len, lines[number - 1 :][:span])) <= most
            block = b"\n".join(line.rstrip(b"\r") for line in lines[number - 1 :][:span])
            parsed = next(csv.reader([block.decode()], strict=True))
            assert [field or "" for field in fields] == parsed
        else:
            assert fields == [None] * len(source.columns)
            if reason not in ("bytes_not_text", "too_long_line"):
                assert (text or "") == raw.decode()
    assert expected == len(lines) + (lines[-1] != b"")


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
        (b"1,\r,2\n3,4,5\n", ["bytes_not_text", None]),
        (b"1,2,3\n4,5,6\nTotal,,\nTotal,9\n", [None, None, None, "too_few_fields"]),
        # Two names that begin or end with a quote are not one value of three lines.
        (b'1,"b,2\n3,d,4\n5,f",6\n', ["unclosed_quote", None, None]),
    ],
)
def test_reason_of_each_line(tmp_path, body, reasons):
    _, rows = read(tmp_path, body, encoding="utf-8", quotes='"')
    found = [row[2] for row in rows]
    if body.startswith(b'1,"2\nx'):
        found[-1] = "too_few_fields" if found[-1] == "unclosed_quote" else found[-1]
    assert found == reasons


def test_long_lines_have_a_reason_of_their_own(tmp_path):
    most = b"x" * (MOST_BYTES - len(b"1,2,\n"))
    body = b"1,2," + most + b"\n1,2,x" + most + b"\n1,2"
    _, rows = read(tmp_path, body)
    assert [row[2] for row in rows] == [None, "too_long_line", "too_few_fields"]
    assert rows[0][-1] == most.decode()
    # Without the short line too, which only the slow way can read.
    _, rows = read(tmp_path, b"1,2," + most + b"\n1,2,x" + most + b"\n")
    assert [row[2] for row in rows] == [None, "too_long_line"]
    with pytest.raises(UnreadableFile, match="its header has 524,291 bytes; it can have 524,288"):
        read(tmp_path, b"", header=b"a," + b"b" * MOST_BYTES + b"\n")


def test_a_quoted_value_may_be_long_but_not_for_ever(tmp_path):
    """Python's own limit for a field is a fourth of ours."""
    long = b'1,2,"' + b"x" * 400_000 + b'\ny"\n'
    # Fewer lines than a quote may take, but more bytes.
    too_long = b'1,2,"\n' + (b"x" * (MOST_BYTES // 20) + b"\n") * 21 + b'"\n'
    _, rows = read(tmp_path, long + too_long, quotes='"')
    found = [row[1:3] for row in rows]
    assert found[:2] == [(2, None), (1, "unclosed_quote")]
    assert found[2:] == [(1, "too_few_fields")] * 21 + [(1, "unclosed_quote")]


def test_the_longest_record_can_be_read(tmp_path):
    """A euro sign has three bytes where it had one, and each quote is written twice."""
    for character in ("\u20ac", '"'):
        text = 'a"b' + character * (MOST_BYTES - len(b'1,2,a"b\n'))
        _, rows = read(tmp_path, f"1,2,{text}\n".encode("cp1252"), encoding="cp1252")
        assert [row[2:] for row in rows] == [(None, None, "1", "2", text)]


def test_a_line_without_an_end_takes_little_memory(tmp_path):
    packed = tmp_path / "in.csv.gz"
    with gzip.open(packed, "wb", compresslevel=1) as stream:
        stream.write(b"a,b,c\n1,2,3\n")
        for _ in range(64):
            stream.write(bytes(b"x" * (1 << 20)))
        stream.write(b"\n4,5,6\n")
    connection = connect()
    tracemalloc.start()
    source = open_text(connection, str(packed), "in", str(tmp_path / "landing"), {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 << 20
    length = 64 * (1 << 20) + 1
    cut = f"{'x' * MOST_SHOWN}\u2026 ({length:,} bytes)"
    assert connection.execute(f"from {source.relation} order by 1").fetchall() == [
        ("2", "1", None, None, "1", "2", "3"),
        ("3", "1", "too_long_line", cut, None, None, None),
        ("4", "1", None, None, "4", "5", "6"),
    ]


def test_landed_lines_are_nobody_elses_to_read(tmp_path):
    read(tmp_path, b"1,2,3\n", slow=True)
    assert stat.S_IMODE((tmp_path / "landing").stat().st_mode) == 0o700


@pytest.mark.parametrize("slow", [False, True])
def test_packed_and_plain_text_read_alike(tmp_path, slow):
    lines = b"1,2,3\n4,5,6\n"
    plain, rows = read(tmp_path, lines, slow=slow)
    (tmp_path / "other").mkdir()
    packed, others = read(
        tmp_path / "other",
        b"",
        header=gzip.compress(b"a,b,c\n" + lines),
        file="in.csv.gz",
        slow=slow,
    )
    assert rows == others
    assert len(rows) == 2
    assert is_fast(plain) == is_fast(packed) == (not slow)


def test_a_name_with_the_signs_of_a_pattern(tmp_path):
    for slow in (False, True):
        _, rows = read(tmp_path, b"1,2,3\n", file="it's [1]*?.csv", slow=slow)
        assert rows == [(2, 1, None, None, "1", "2", "3")]


# Both ways of reading --------------------------------------------------------


def fuzzed(seed):
    """Write a file of random dirt."""
    chance = random.Random(seed)
    end = chance.choice(["\n", "\n", "\r\n"])
    sign = chance.choice([",", ",", ";", "\t", "|"])
    width = chance.randint(2, 6)
    dirty = chance.choice([0, 0, 0, 0.02, 0.2])
    texts = ["", "", "a", "1.50", "caf\u00e9", "\u017c\u00f3\u0142ty", "\U0001f381 box", " x ", "0"]
    texts += ["it's", "12 inch", "'", "NULL", "\\", "#", "a\u00a0b", "\u2028", "C:\\t"]
    quoted = ['""', '"a"', '"x, y; z | w\tv"', '"say ""so"""', '""""', '" "', '"\u00e9"']
    broken = ['"a"b', '"open', 'stray"quote', "\r", "\x01", ' "a"', '"a" ', '"two\nlines"', end]
    values = texts + quoted * chance.choice([0, 0, 1, 2])
    lines = [sign.join(f"name {number}" for number in range(width))]
    for _ in range(chance.randint(1, 60)):
        fields = [chance.choice(values) for _ in range(width)]
        if chance.random() < dirty:
            place = chance.randrange(width)
            fields[place] = chance.choice(broken)
        if chance.random() < dirty / 2:
            del fields[chance.randrange(width)]
        lines.append(sign.join(fields))
    text = end.join(lines) + chance.choice([end, end, end, "", end + end])
    mark = chance.choice(["", "", "\ufeff"])
    return (mark + text).encode(), sign, width


@pytest.mark.parametrize("block", range(4))
def test_both_ways_read_the_same_values(tmp_path, block):
    """And those that Python's own reader finds, where it finds the lines well-formed."""
    ways = {True: 0, False: 0}
    for seed in range(block * 40, block * 40 + 40):
        content, sign, width = fuzzed(seed)
        declared = {"delimiter": sign, "quotes": '"', "header_line": 1}
        try:
            usual, rows = read(tmp_path, content, header=b"", **declared)
        except UnreadableFile as error:
            with pytest.raises(UnreadableFile) as again:
                read(tmp_path, content, header=b"", slow=True, **declared)
            assert str(again.value) == str(error)
            continue
        slow, others = read(tmp_path, content, header=b"", slow=True, **declared)
        ways[is_fast(usual)] += 1
        assert not is_fast(slow)
        assert rows == others, (seed, content)
        assert names(usual) == names(slow)
        assert usual.lines == slow.lines
        lines = content.decode("utf-8-sig").split("\n")
        for number, span, reason, _, *fields in rows:
            if reason is None:
                text = "\n".join(line.removesuffix("\r") for line in lines[number - 1 :][:span])
                expected = next(csv.reader([text], delimiter=sign, strict=True))
                assert len(expected) == width
                assert [field or "" for field in fields] == expected, (seed, text)
        whole = list(
            csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=sign)
        )
        if is_fast(usual):
            assert [[field or "" for field in row[4:]] for row in rows] == whole[1:]
    assert min(ways.values()) >= 6, ways


@pytest.mark.parametrize(
    "body",
    [
        b"1,2,3,\n4,5,6\n",
        b"1,2,3\n\n4,5,6\n",
        b'1,"x" ,3\n4,5,6\n',
        b"1,2,3\r\n4,5,6\n",
        b"1,2,3\n4,5\r,6\n",
        b'1,"2\n3",4\n',
        b"1,\xff,3\n4,5,6\n",
        b"1,\x00,3\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n4,5,6\n",
    ],
)
def test_what_duckdb_reads_otherwise_goes_the_slow_way(tmp_path, body):
    source, rows = read(tmp_path, body)
    assert not is_fast(source)
    assert len(rows) >= 1
    assert not list(connect().execute("from duckdb_tables()").fetchall())


def test_no_table_stays_of_what_was_not_proven(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b,c\n1,2,3,\n4,5,6\n")
    connection = connect()
    open_text(connection, str(path), "in", str(tmp_path / "landing"), {})
    assert connection.execute("from duckdb_tables()").fetchall() == []


def test_lines_are_numbered_in_the_order_of_the_file(tmp_path):
    """Also where several threads read it, and the warehouse has been closed in between."""
    body = b"".join(b"%d,%d,some text to fill the line\n" % (n, n * 7) for n in range(2, 600_002))
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b,c\n" + body)
    with duckdb.connect(tmp_path / "w.duckdb", config={"threads": 4}) as connection:
        connection.execute("set preserve_insertion_order = false")
        source = open_text(connection, str(path), "in", str(tmp_path / "landing"), {})
    assert is_fast(source)
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        assert connection.execute(
            f"select count(*), count(*) filter (cast(landed_1 as bigint) = {source.line}) "
            f"from {source.relation}"
        ).fetchone() == (600_000, 600_000)


# Encodings -------------------------------------------------------------------

WORDS = ["caf\u00e9", "M\u00fcller", "na\u00efve", "plain", "\u20ac 5"]


@pytest.mark.parametrize(
    ("encoding", "mark", "answer"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf-32-le"),
        ("cp1252", b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_are_recognised(tmp_path, encoding, mark, answer, end):
    text = end.join(["id,name,price", *(f"{n},{word},2" for n, word in enumerate(WORDS)), ""])
    source, rows = read(tmp_path, b"", header=mark + text.encode(encoding))
    assert decision(source, "encoding").answer == answer
    assert decision(source, "encoding").matters == (encoding == "cp1252")
    assert names(source) == ["id", "name", "price"]
    assert [row[0] for row in rows] == [2, 3, 4, 5, 6]
    assert [row[5] for row in rows] == WORDS


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("cp1250", "\u017c\u00f3\u0142ty"),
        ("windows-1251", "\u043a\u0440\u0443\u0436\u043a\u0430"),
        ("iso-8859-2", "\u015bl\u0105ski"),
        # Its second byte is the | of ASCII.
        ("shift_jis", "\u30dd\u30c3\u30c8"),
        ("gbk", "\u676f\u5b50"),
        ("utf-16", "\u676f"),
        ("cp037", "mug"),
        ("latin-1", "caf\u00e9"),
        ("mac-roman", "caf\u00e9"),
    ],
)
def test_any_encoding_can_be_declared(tmp_path, declared, text):
    content = f"id,name,price\n1,{text},2\n3,{text},4\n".encode(declared)
    source, rows = read(tmp_path, b"", header=content, encoding=declared)
    assert [row[4:] for row in rows] == [("1", text, "2"), ("3", text, "4")]
    assert decision(source, "encoding").found == "declared"


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("cp1250", ["Kubek \u017c\u00f3\u0142ty", "\u0141y\u017cka", "p\u0119dzel"]),
        ("cp1250", ["\u0160\u00e1lek", "p\u0159\u00edst\u0159e\u0161ek", "m\u011bd\u011bn\u00fd"]),
        ("cp1250", ["k\u013e\u00fa\u010d", "\u0165a\u017ek\u00fd"]),
        ("cp1250", ["s\u0142o\u0144ce", "\u015bwieca", "\u0107ma"]),
        ("cp1252", ["caff\u00e8", "cr\u00e8me br\u00fbl\u00e9e", "\u0153uf", "pi\u00f9"]),
        ("cp1252", ["ni\u00f1o", "\u00bfqu\u00e9?", "1\u00aa calidad", "m\u00b3"]),
        ("cp1252", ["t\u00f8rkl\u00e6de", "k\u00f8d", "\u00f8l", "bl\u00e5"]),
        ("cp1252", ["p\u00e3o", "ma\u00e7\u00e3", "bal\u00f5es"]),
        ("cp1252", ["M\u00fcller", "Gr\u00f6\u00dfe"]),
    ],
)
def test_western_and_central_european_letters(tmp_path, encoding, texts):
    lines = [f"{number},{text},2\n" for number, text in enumerate(texts)]
    source, rows = read(tmp_path, "".join(lines).encode(encoding))
    assert [row[5] for row in rows] == texts
    told = decision(source, "encoding")
    assert {told.answer, told.runner_up} == {"cp1250", "cp1252"}
    assert told.matters
    assert told.runner_up in told.setting


def test_another_alphabet_is_told(tmp_path):
    body = "1,\u043a\u0440\u0443\u0436\u043a\u0430,2\n".encode("cp1251")
    told = decision(read(tmp_path, body)[0], "encoding")
    assert told.matters
    assert told.runner_up == "cp1251"
    assert "cp1251 makes it \u043a\u0440\u0443\u0436\u043a\u0430" in told.evidence


def test_the_first_letter_that_tells_an_encoding_can_be_far_along_its_line(tmp_path):
    source, rows = read(tmp_path, b"1," + b"x" * 5_000 + b"\xe9,2\n")
    answers = {decision.question: decision.answer for decision in source.decisions}
    assert answers["encoding"] == "cp1252"
    assert rows[0][-2].endswith("x\u00e9")


def test_a_line_in_another_encoding_is_no_text(tmp_path):
    good = "1,caf\u00e9,2\n".encode()
    source, rows = read(tmp_path, good * 3 + b"4,caf\xe9,5\n")
    assert [row[2] for row in rows] == [None] * 3 + ["bytes_not_text"]
    assert rows[3][3] == r"4,caf\xe9,5"
    assert decision(source, "encoding").runner_up == "cp1252"
    # Half a character of UTF-16.
    body = "1,x,2\n".encode("utf-16-le") * 3 + b"3\0,\0\0\xd8,\0004\0\n\0"
    _, rows = read(tmp_path, body, header=b"\xff\xfe" + "a,b,c\n".encode("utf-16-le"))
    assert [row[2] for row in rows] == [None] * 3 + ["bytes_not_text"]


# Header ----------------------------------------------------------------------


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiter_is_that_of_header_and_lines(tmp_path, sign):
    header = f"\ufeffa{sign}b{sign}c\r\n".encode()
    body = sign.join(["1", '"x, y; z"', "2,5" if sign != "," else "2"]).encode()
    source, rows = read(tmp_path, body, header=header)
    assert names(source) == ["a", "b", "c"]
    assert rows[0][4:] == ("1", "x, y; z", "2,5" if sign != "," else "2")


@pytest.mark.parametrize(
    ("header", "line", "width"),
    [
        # More commas in the header than semicolons, and none below.
        ("id;price, net, in EUR, each;name", "1;2;x", 3),
        ("id,size|colour|shape|kind,price", "1,x,2", 3),
        ("id\tname, first, second, third\tprice", '1\t"a\tb"\t2', 3),
    ],
)
def test_lines_decide_on_the_delimiter_too(tmp_path, header, line, width):
    source, rows = read(tmp_path, f"{line}\n{line}\n".encode(), header=f"{header}\n".encode())
    assert len(source.columns) == width
    assert [row[2] for row in rows] == [None, None]


@pytest.mark.parametrize("sign", [":", "\u00a6", "~", "\x01"])
def test_other_delimiters_are_declared(tmp_path, sign):
    lines = [sign.join(["a", "b", "c"]), sign.join(["1", "x", "2"]), sign.join(["3", '"y"', "4"])]
    _, rows = read(tmp_path, b"", header="\n".join(lines).encode(), delimiter=sign)
    assert [row[4:] for row in rows] == [("1", "x", "2"), ("3", "y", "4")]


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("above", "sign", "matters"),
    [
        ("sep=;\n", ";", False),
        ('"sep=|"\n', "|", False),
        ("Sales report\n", ",", True),
        ("Sales report\nPeriod: 1 May, 2023 - 31 May, 2023\n\n", ",", True),
        ("Sales report;;;;\nShop;Berlin;;;\n;;;;\n", ";", True),
        ("\n\n", "\t", False),
        ("sep=;\nReport\n\n", ";", True),
    ],
)
def test_lines_above_the_header_are_told(tmp_path, above, sign, matters, slow):
    lines = [["id", "name", "price", "day", "customer"]]
    lines += [[str(number), "mug", "2", "2023-05-01", "c"] for number in range(5)]
    text = above + "\n".join(sign.join(line) for line in lines) + "\n"
    source, rows = read(tmp_path, b"", header=text.encode(), slow=slow)
    skipped = above.count("\n")
    assert names(source) == lines[0]
    assert [row[0] for row in rows] == list(range(skipped + 2, skipped + 7))
    assert [list(row[4:]) for row in rows] == lines[1:]
    assert source.lines == 5
    told = decision(source, "header line")
    assert told.answer == f"line {skipped + 1}"
    assert told.lines == skipped
    assert told.matters == matters
    for title in above.splitlines():
        assert title.strip() in told.evidence
    assert is_fast(source) == (not slow)


def test_a_declared_header_line_wins(tmp_path):
    body = b"first,second,third\n1,2,3\n4,5,6\n"
    source, rows = read(tmp_path, body, header_line=2)
    assert names(source) == ["first", "second", "third"]
    assert [row[0] for row in rows] == [3, 4]
    assert decision(source, "header line").found == "declared"


def test_lines_of_text_are_no_header(tmp_path):
    """More lines are broken than not; the first line is the header all the same."""
    body = b"1,2\n3,4\n5,6\n7,8,9\nx,y\n"
    source, rows = read(tmp_path, body)
    assert names(source) == ["a", "b", "c"]
    assert len(rows) == 5


@pytest.mark.parametrize("slow", [False, True])
def test_an_empty_last_field_without_a_name(tmp_path, slow):
    source, rows = read(tmp_path, b"1,2,3,\n" * 30, slow=slow)
    assert names(source) == ["a", "b", "c", ""]
    assert {row[4:] for row in rows} == {("1", "2", "3", None)}
    assert decision(source, "column without a name").answer == "last"
    source, rows = read(tmp_path, b"1,2,3,\n", header=b"a,b,c,\n", slow=slow)
    assert names(source) == ["a", "b", "c", ""]
    # A value that has moved there is none.
    source, rows = read(tmp_path, b"1,2,3,\n" * 30 + b"1,x,y,3\n", slow=slow)
    assert [row[2] for row in rows] == [None] * 30 + ["too_many_fields"]


@pytest.mark.parametrize("slow", [False, True])
def test_a_row_number_without_a_name(tmp_path, slow):
    lines = [f'"{number}",x,2,3\n' for number in range(1, 31)]
    source, rows = read(tmp_path, "".join(lines).encode(), slow=slow)
    assert names(source) == ["", "a", "b", "c"]
    assert rows[29][4:] == ("30", "x", "2", "3")
    assert decision(source, "column without a name").answer == "first"
    source, rows = read(tmp_path, "".join(lines).encode() + b"x,y,2,3\n", slow=slow)
    assert [row[2] for row in rows] == [None] * 30 + ["too_many_fields"]


def test_a_field_without_a_name_that_holds_something_is_refused(tmp_path):
    """Invoice numbers count up too: no value may move under the wrong name."""
    lines = "".join(f"{1000 + number},x,2,Spain\n" for number in range(30))
    refused(tmp_path, b"a,b,c\n" + lines.encode(), r"has 3 names, but 30 of 30 .* have 4 fields")
    refused(tmp_path, b"a,b,c\n" + b"1,2,3,4,5\n" * 9, "has 3 names, but 9 of 9 .* have 5 fields")


def test_names_of_a_header(tmp_path):
    header = b'\xef\xbb\xbf Order ,"Unit\r\nprice","a, b",,Order\r\n'
    for slow in (False, True):
        source, rows = read(tmp_path, b"1,2,3,4,5\r\n6,7,8,9,0\r\n", header=header, slow=slow)
        assert names(source) == ["Order", "Unit price", "a, b", "", "Order"]
        assert [row[0] for row in rows] == [3, 4]
        assert rows[0][4:] == ("1", "2", "3", "4", "5")


# Quotes ----------------------------------------------------------------------


def test_quotes_may_be_characters(tmp_path):
    """As in tab-delimited reports: a name that begins with a quote loses no line."""
    texts = ['"Deluxe" mug', 'pipe 12" wide', "plain", '5" nail', '"open', 'close"', "mug"] * 5
    body = "".join(f"{number}\t{text}\t2\n" for number, text in enumerate(texts))
    source, rows = read(tmp_path, body.encode(), header=b"a\tb\tc\n")
    assert [row[5] for row in rows] == texts
    told = decision(source, "quotes")
    assert told.answer.startswith("none")
    assert told.matters
    assert told.setting == "{invoice_format: {quotes: '\"'}}"
    assert sorted(path.name[-6:] for path in (tmp_path / "landing").iterdir()) == ["_2.csv"]
    _, rows = read(tmp_path, body.encode(), header=b"a\tb\tc\n", quotes='"')
    assert [row[2] for row in rows].count("unclosed_quote") == 10


def test_one_broken_line_does_not_turn_quotes_into_characters(tmp_path):
    body = b'"1","x","2"\n' * 20 + b'"3","a"b","4"\n'
    source, rows = read(tmp_path, body)
    assert rows[0][4:] == ("1", "x", "2")
    assert [row[2] for row in rows] == [None] * 20 + ["unclosed_quote"]
    assert decision(source, "quotes").answer.startswith('"')


def test_quotes_escaped_by_a_backslash(tmp_path):
    body = rb"""1,"a \"big\" mug, red",2
2,"plain, but quoted",3
3,"C:\\temp",4
4,unquoted \ here,5
5,"\"",6
"""
    source, rows = read(tmp_path, body)
    assert [row[5] for row in rows] == [
        'a "big" mug, red',
        "plain, but quoted",
        "C:\\temp",
        "unquoted \\ here",
        '"',
    ]
    assert decision(source, "quotes").answer.startswith("backslash")
    _, rows = read(tmp_path, b'1,"two\n\\"lines\\"",2\n' * 3)
    assert [row[:2] + row[5:6] for row in rows] == [
        (2, 2, 'two\n"lines"'),
        (4, 2, 'two\n"lines"'),
        (6, 2, 'two\n"lines"'),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"a\"b",c', (['a"b', "c"], False)),
        (r'"a""b",c', (['a"b', "c"], False)),
        (r'"",', (["", ""], False)),
        (r'"a\n",c', ([r"a\n", "c"], False)),
        (r'"a\\",c', (["a\\", "c"], False)),
        (r'a"b,c', (['a"b', "c"], False)),
        (r'"a"b,c', (None, False)),
        (r'"a\",c', (None, True)),
        ('"a\\', (None, True)),
        ('"a\nb",c', (["a\nb", "c"], False)),
        ("", ([""], False)),
    ],
)
def test_splitting_by_backslashes(text, expected):
    assert split(text, Dialect("utf-8", ",", "backslash")) == expected


def test_quotes_can_be_declared(tmp_path):
    for slow in (False, True):
        source, rows = read(tmp_path, b'1,"x",2\n3,y"z,4\n', quotes="none", slow=slow)
        assert [row[5] for row in rows] == ['"x"', 'y"z']
        assert decision(source, "quotes").found == "declared"
        assert is_fast(source) == (not slow)


# What is told, and what is refused -------------------------------------------


def test_many_malformed_lines_are_told(tmp_path):
    source, _ = read(tmp_path, b"1,2,3\n" * 98 + b"4,5\n" * 2)
    told = decision(source, "malformed lines")
    assert (told.answer, told.lines, told.matters) == ("too_few_fields", 2, True)
    assert told.evidence == "2 of 100 lines (2.0%), such as line 100: '4,5'"
    source, _ = read(tmp_path, b"1,2,3\n" * 998 + b"4,5\n" * 2)
    assert not [each for each in source.decisions if each.question == "malformed lines"]


def test_a_header_without_lines_is_told(tmp_path):
    for header in (b"a,b,c\n", b"a,b,c"):
        source, rows = read(tmp_path, b"", header=header)
        assert rows == []
        assert source.lines == 0
        assert decision(source, "lines").matters


def archive(*members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        for member in members:
            book.writestr(member, "x")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\n\n", "no header"),
        (b"one name\n1\n2\n", "no delimiter .* one column: 'one name'"),
        (archive("xl/workbook.xml"), "a workbook .XLSX.: name it .xlsx"),
        (archive("xl/workbook.bin"), "XLSB"),
        (archive("content.xml"), "OpenDocument"),
        (archive("orders.csv"), "ZIP archive: unpack it"),
        (gzip.compress(b"a,b,c\n1,2,3\n"), "let its name end in .gz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "XLS"),
        (b"%PDF-1.7\n%\xe2", "it is a PDF"),
        (b"PAR1\x15\x04", "name it .parquet"),
        (b"\r\n<!DOCTYPE html>\n<html><table>", "web page"),
        (b"<table border=1><tr><td>a</td>", "web page"),
        (b'<?xml version="1.0"?>\n<rows>', "it is XML"),
        (json.dumps([{"a": 1, "b": 2}]).encode(), "it is JSON"),
        (b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "it is JSON"),
        (json.dumps({"rows": []}, indent=2).encode("utf-16"), "it is JSON"),
        (bytes(range(256)) * 40, "it is no text"),
        (bytes(5000), "it is no text"),
    ],
    ids=lambda value: value.split()[-1] if isinstance(value, str) else "bytes",
)
def test_what_is_no_delimited_text_is_refused(tmp_path, content, message):
    refused(tmp_path, content, message)


@pytest.mark.parametrize(
    ("header", "declared", "message"),
    [
        (b"\xff\xfea,b\n", {"encoding": "utf-8"}, "byte order mark of UTF-16"),
        (b"a,b\n", {"encoding": "cp125"}, "encoding 'cp125' is not known.* Did you mean cp125"),
        (b"a,b\n", {"encoding": "base64"}, "encoding 'base64' is not known"),
        (b"a,b\n", {"encoding": "utf-16"}, "no header|no delimiter|no text"),
        (b"a,b\n", {"delimiter": "::"}, "one character"),
        (b"a,b\n", {"delimiter": '"'}, "one character, no quote"),
        (b"a,b\n", {"delimiter": "\n"}, "one character"),
        (b"a,b\n", {"delimiter": ";"}, "no semicolon as delimiter"),
        (b"a,b\n", {"quotes": "'"}, "quotes can be"),
        (b"a,b\n", {"header_line": 0}, "whole number from 1 on"),
        (b"a,b\n", {"header_line": 9}, "header_line is 9, but it has 2 lines"),
        (b"a,b\n", {"headerline": 9}, "headerline is no setting"),
        (b'a,"b\n', {"quotes": '"'}, "its header can't be read"),
    ],
)
def test_what_is_declared_wrongly_is_refused(tmp_path, header, declared, message):
    refused(tmp_path, header + b"1,2\n", message, **declared)


def test_a_damaged_file_is_told(tmp_path):
    chance = random.Random(1)
    lines = "".join(f"{number},{chance.random()},c\n" for number in range(10_000)).encode()
    packed = bytearray(gzip.compress(lines, mtime=0))
    refused(tmp_path, packed[:50_000], "it is damaged .*: copy it again", file="in.csv.gz")
    packed[10_000:10_100] = b"\xff" * 100
    refused(tmp_path, packed, "it is damaged .*Error -3 while", file="in.csv.gz")
    refused(tmp_path, b"a,b,c\n1,2,3\n", "it is not packed with gzip", file="in.csv.gz")
    with pytest.raises(UnreadableFile, match=r"can't be opened .No such file"):
        open_text(connect(), str(tmp_path / "no.csv"), "no", str(tmp_path), {})
