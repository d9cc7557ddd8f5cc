"""Opens delimited text: finds its header, delimiter and quotes, and lands every line of it."""

import csv
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import duckdb

from reading.decisions import Column, Decision, Source, UnreadableFile
from reading.encoding import MOST_BYTES, as_bytes
from reading.records import Dialect, cut, decode, is_row_number, read_line, records

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
QUOTES = {
    '"': "written twice inside a value",
    "backslash": "escaped by a backslash",
    "none": "characters like others",
}
DECLARED = ("encoding", "delimiter", "quotes", "header_line")

# Lines among which the header is looked for, and those that delimiter and header are judged by.
HEADER_WITHIN = 30
SAMPLE_LINES = 1_000
SAMPLE_BYTES = 4 << 20
# Share of the lines that a rule about fields must hold for.
MOST = 0.95
# Share of malformed lines, for one reason, that is told without being asked.
FEW = 0.005

# Columns that go before those of the file in a landed copy.
LANDED = ("source_line", "line_span", "malformed_reason", "malformed_text")


def open_text(connection, path, name, folder, declared):
    """Open a delimited text file, and lose no line of it.

    A file that DuckDB provably reads right becomes a table, ``landing."text_..."``. Any other one
    is written again, line by line, in a form that leaves the reader no choice. In both, empty text
    is null, quoted or not.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Not within a transaction, which a file that DuckDB can't read would end.
    path : str
        Perhaps of a gzipped file, whose name ends in .gz.
    name : str
        For people.
    folder : str
        Where a landed copy goes; made if it is not there.
    declared : dict
        What not to recognise: ``encoding`` (of Python), ``delimiter`` (one character), ``quotes``
        (``"``, ``backslash`` or ``none``), ``header_line`` (from 1 on).

    Returns
    -------
    Source

    Raises
    ------
    UnreadableFile
        If it is no delimited text, is damaged, or a setting can't be.
    """
    declared = checked(declared or {})
    data = as_bytes(path, declared.get("encoding"), declared.get("delimiter"))
    source = fast_source(connection, data, declared) or slow_source(data, declared, folder)
    decisions = [*data.decisions, *source.decisions]
    if not source.lines:
        decisions.append(
            Decision("lines", "none", evidence="it has a header and nothing below", matters=True)
        )
    return replace(source, name=name, decisions=decisions)


def checked(declared):
    """Check what was declared.

    Raises
    ------
    UnreadableFile
        If a setting is not known, or can't have this value.
    """
    declared = {key: value for key, value in declared.items() if value is not None}
    for key in declared:
        if key not in DECLARED:
            raise UnreadableFile(f"{key} is no setting of text; it can be {', '.join(DECLARED)}")
    delimiter = declared.get("delimiter")
    if delimiter is not None:
        if delimiter in ("\\t", "tab"):
            declared["delimiter"] = delimiter = "\t"
        if len(str(delimiter)) != 1 or delimiter in '"\r\n\0\\':
            raise UnreadableFile(
                f"the delimiter must be one character, no quote and no backslash, got {delimiter!r}"
            )
    quotes = declared.get("quotes")
    if quotes is not None and quotes not in QUOTES:
        raise UnreadableFile(f"quotes can be {', '.join(QUOTES)}, got {quotes!r}")
    header_line = declared.get("header_line")
    if header_line is not None and (type(header_line) is not int or header_line < 1):
        raise UnreadableFile(f"header_line must be a whole number from 1 on, got {header_line!r}")
    return declared


@dataclass(frozen=True)
class Layout:
    """Where the header of a file is, and how its lines are split.

    Attributes
    ----------
    dialect : Dialect
    skipped : int
        The last line of the header: lines up to it are none of the source.
    columns : list of str
        Names, one for each field.
    header_text : str or None
        Of a header that can't be split, because of its quotes.
    too_long : str
        What is wrong where lines have more fields than the header has names; else empty.
    head : bytes
        The lines up to the end of the header.
    decisions : list of Decision
    """

    dialect: Dialect
    skipped: int
    columns: list
    header_text: str | None
    too_long: str
    head: bytes
    decisions: list


def find_layout(data, declared, quotes):
    """Find header, delimiter and the fields that the header does not name.

    Parameters
    ----------
    data : Bytes
    declared : dict
    quotes : str
        See ``Dialect``.

    Returns
    -------
    Layout

    Raises
    ------
    UnreadableFile
        If there is no header, no delimiter, or the header does not fit the lines.
    """
    sample = read_sample(data)
    decisions = []

    def headers_of(signs):
        return [
            best_header(sample, Dialect(data.encoding, sign, quotes), declared, bool(hint))
            for sign in signs
        ]

    delimiter = declared.get("delimiter")
    found = "declared" if delimiter else "recognised"
    hint = separator_line(sample, data.encoding)
    stated = delimiter or hint
    splits = headers_of([stated] if stated else DELIMITERS)
    if hint and not delimiter and splits[0].line is None:
        # A file that was saved again may keep the line and not the delimiter.
        splits = headers_of(DELIMITERS)
    best = max(splits, key=lambda each: (each.score, each.width))
    if best.line is None:
        refuse_without_header(data, sample, delimiter, declared)
    others = [each for each in splits if each.score > 0 and each is not best]
    runner_up = max(others, key=lambda each: each.score).delimiter if others else None
    if best.below:
        evidence = f"{best.fitting:,} of {best.below:,} lines have {best.width} fields"
    else:
        evidence = f"{best.width} names in the header"
    if hint and not delimiter and best.delimiter == hint:
        evidence = f"line 1 is sep={hint}; {evidence}"
    other = runner_up or next(sign for sign in ";," if sign != best.delimiter)
    decisions.append(
        Decision(
            "delimiter",
            NAMES.get(best.delimiter, best.delimiter),
            found,
            evidence=evidence,
            runner_up=runner_up and NAMES[runner_up],
            setting=f"{{invoice_format: {{delimiter: {json.dumps(other)}}}}}",
        )
    )
    if best.line > 1 or "header_line" in declared:
        decisions.append(told_header(sample, data, best, declared, bool(hint)))
    if best.extra:
        which = (
            "first of the {} fields is a row number"
            if best.extra == "first"
            else "last of the {} fields is empty"
        )
        decisions.append(
            Decision(
                "column without a name",
                best.extra,
                evidence=f"the header has {len(best.names)} names; the "
                f"{which.format(best.width)} in {best.fitting:,} of {best.below:,} lines",
            )
        )
    skipped = best.line + best.span - 1
    head = b"".join(BytesIO(sample).readlines()[:skipped])
    return Layout(
        Dialect(data.encoding, best.delimiter, quotes, best.width, best.extra),
        skipped,
        column_names(best.names, best.extra),
        best.broken,
        best.too_long,
        head,
        decisions,
    )


def read_sample(data):
    """Read the first lines of a file, whole.

    Returns
    -------
    bytes

    Raises
    ------
    UnreadableFile
        If its first line is too long to be a header.
    """
    lines, size = [], 0
    with data.open() as stream:
        while len(lines) < SAMPLE_LINES and size < SAMPLE_BYTES:
            raw, length = read_line(stream)
            if not raw:
                break
            if length > len(raw):
                if not lines:
                    raise UnreadableFile(
                        f"its header has {length:,} bytes; it can have {MOST_BYTES:,}"
                    )
                break
            lines.append(raw)
            size += length
    return b"".join(lines)


def separator_line(sample, encoding):
    """Find the delimiter that a first line ``sep=;`` tells spreadsheets; None without one."""
    text = decode(sample.split(b"\n", 1)[0], encoding) or ""
    found = re.fullmatch(r'"?sep=(.)"?[,;\t|]*', text.strip(" "), re.IGNORECASE)
    return found and found[1] not in '"\\' and found[1]


@dataclass(frozen=True)
class Header:
    """A line that may be the header, as one delimiter splits it.

    Attributes
    ----------
    delimiter : str
    score : float
        Higher where more lines below have more fields; below 0 where there is no header.
    line : int or None
    span : int
    names : list of str
    width, fitting, below : int
        Fields of a record; lines of the sample that have so many, and those that are not blank.
    extra : str or None
        See ``Dialect``.
    broken : str or None
        The line, where its quotes don't let it be split.
    too_long : str
        What is wrong where most lines have more fields than the header; else empty.
    """

    delimiter: str
    score: float = -1.0
    line: int | None = None
    span: int = 1
    names: tuple = ()
    width: int = 0
    fitting: int = 0
    below: int = 0
    extra: str | None = None
    broken: str | None = None
    too_long: str = ""


def best_header(sample, dialect, declared, has_hint):
    """Find the line that names what the lines below it hold.

    Parameters
    ----------
    sample : bytes
    dialect : Dialect
    declared : dict
    has_hint : bool
        Whether the first line is ``sep=`` and no more.

    Returns
    -------
    Header
    """
    split_lines = [
        (
            number,
            span,
            # What can't be split as quoted text may be text with quotes as characters.
            text.split(dialect.delimiter) if reason == "unclosed_quote" else fields,
            text if reason == "unclosed_quote" else None,
        )
        for number, span, reason, text, _, fields in records(BytesIO(sample), dialect, 1)
        if reason != "blank_line" and not (has_hint and number == 1)
    ]
    header_line = declared.get("header_line")
    places = [
        place
        for place, (number, _, fields, _) in enumerate(split_lines)
        if fields is not None
        and len(fields) > 1
        and (number == header_line if header_line else number <= HEADER_WITHIN)
        and (header_line or is_header(fields, place == 0))
    ]
    headers = [judged(split_lines, place, dialect.delimiter) for place in places]
    if not headers:
        return Header(dialect.delimiter)
    for header in headers:
        # The first that fits: lines below may look like names too.
        if header.fitting * 2 >= header.below > 0 and header.fitting >= header.line - 1:
            return header
    return max(headers, key=lambda header: (header.score, header.width))


def is_header(fields, is_first):
    """Whether fields may be names: most are there, and none is a number or a date.

    The first line of a file may hold anything: if nothing fits better, it is the header.
    """
    present = [field for field in fields if field.strip()]
    if len(present) * 2 < len(fields) or not present:
        return False
    return is_first or all(re.search(r"[^\W\d_]", field) for field in present)


def judged(split_lines, place, delimiter):
    """Count the lines below a header that have as many fields as it has, or one more.

    Parameters
    ----------
    split_lines : list of (int, int, list of str or None, str or None)
        Line, span, fields, and the text where its quotes can't be read.
    place : int
        Of the header among them.
    delimiter : str

    Returns
    -------
    Header
    """
    number, span, names, broken = split_lines[place]
    below = [fields for _, _, fields, _ in split_lines[place + 1 :] if fields is not None]
    width = len(names)
    fitting = sum(len(fields) == width for fields in below)
    longer = [fields for fields in below if len(fields) == width + 1]
    extra = None
    if longer and len(longer) >= MOST * len(below):
        if sum(not fields[-1].strip() for fields in longer) >= MOST * len(below):
            extra = "last"
        elif counts_up([fields[0] for fields in longer]) >= MOST * len(below):
            extra = "first"
    if extra:
        width, fitting = width + 1, len(longer)
    most, count = Counter(map(len, below)).most_common(1)[0] if below else (width, 0)
    too_long = ""
    if most > width and count >= MOST * len(below):
        sample = next(fields for fields in below if len(fields) == most)
        too_long = (
            f"its header (line {number}) has {width} names, but {count:,} of {len(below):,} lines "
            f"below have {most} fields, such as {delimiter.join(sample)[:200]!r}: name each column"
        )
    # What stands above counts against it, or a line at the end would fit best.
    share = fitting / (len(below) + place) if below else float(place == 0)
    return Header(
        delimiter,
        share * (width - 1),
        number,
        span,
        tuple(names),
        width,
        fitting,
        len(below),
        extra,
        broken,
        too_long,
    )


def counts_up(fields):
    """Count the fields that are a row number: 0 or 1 in the first line, one more in each below."""
    if not is_row_number(fields[0]) or int(fields[0]) > 1:
        return 0
    first = int(fields[0])
    return sum(
        is_row_number(field) and int(field) == first + place for place, field in enumerate(fields)
    )


def refuse_without_header(data, sample, delimiter, declared):
    """Say why no line is a header.

    Raises
    ------
    UnreadableFile
    """
    lines = sample.split(b"\n")
    header_line = declared.get("header_line")
    if header_line and header_line > data.scan.lines:
        raise UnreadableFile(f"header_line is {header_line}, but it has {data.scan.lines:,} lines")
    texts = [decode(raw, data.encoding) for raw in lines[:HEADER_WITHIN]]
    if header_line:
        texts = [decode(lines[header_line - 1], data.encoding)] if header_line <= len(lines) else []
    if not any(text and text.strip() for text in texts):
        raise UnreadableFile(
            f"it has no header, or one that is not text in {data.encoding}: the first line with "
            "the names of the columns must stand within its first "
            f"{HEADER_WITHIN} lines"
        )
    first = next(text for text in texts if text and text.strip())
    what = (
        f"no {NAMES.get(delimiter, delimiter)} as delimiter"
        if delimiter
        else "no delimiter (comma, semicolon, tab or |)"
    )
    raise UnreadableFile(
        f"its header has {what}, so it has one column: {first.strip()[:80]!r}. "
        "Set invoice_format: {delimiter: ...} if it has another one"
    )


def told_header(sample, data, best, declared, has_hint):
    """Tell which line is the header, and what stands above it.

    Returns
    -------
    Decision
    """
    skipped = [
        cut(decode(raw, data.encoding) or repr(raw)[2:-1], len(raw)).strip()
        for raw in sample.split(b"\n")[: best.line - 1]
    ]
    titles = [text for text in skipped[has_hint:] if text]
    evidence = "; ".join(repr(text[:100]) for text in skipped if text)
    blank = sum(not text for text in skipped)
    parts = [f"above it: {evidence}"] if evidence else []
    if blank:
        parts.append(f"{blank} blank line{'s' * (blank > 1)} above it")
    return Decision(
        "header line",
        f"line {best.line}",
        "declared" if "header_line" in declared else "recognised",
        evidence=", ".join(parts),
        lines=best.line - 1,
        setting="{invoice_format: {header_line: 1}}",
        matters=bool(titles),
    )


def column_names(names, extra):
    """Clean the names of a header, and add the one that it lacks."""
    names = [re.sub(r"\s*[\r\n]+\s*", " ", name.strip("\ufeff \t\r\n\xa0")) for name in names]
    if extra == "last":
        return [*names, ""]
    return ["", *names] if extra == "first" else names


def quotes_decision(answer, found, evidence, runner_up=None):
    """Say how quotes are read; loudly where it is not the usual way."""
    other = runner_up or ("none" if answer != "none" else '"')
    return Decision(
        "quotes",
        f"{answer}: {QUOTES[answer]}",
        found,
        evidence=evidence,
        runner_up=runner_up,
        setting=f"{{invoice_format: {{quotes: {other!r}}}}}",
        matters=answer != '"' and found != "declared",
    )


def fast_source(connection, data, declared):
    """Read a file by DuckDB alone, if it provably reads each line as one record.

    The reader must raise nothing when it is strict, find as many records as there are lines, and
    its values, delimiters, quotes and line ends must be all bytes of the file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    data : Bytes
    declared : dict

    Returns
    -------
    Source or None
        None if anything is in doubt.
    """
    quotes = declared.get("quotes", '"')
    facts = data.scan
    if (
        # Patterns of paths have no way to write a backslash.
        "\\" in data.path
        or data.encoding not in ("utf-8", "ascii")
        or data.rewrites
        or data.returns
        or not facts.is_utf8
        or (data.encoding == "ascii" and not facts.is_ascii)
        or facts.has_nul
        # One kind of line end, each whole.
        or facts.returns != facts.pairs
        or facts.pairs not in (0, facts.feeds)
        or quotes == "backslash"
    ):
        return None
    layout = find_layout(data, declared, quotes)
    dialect, head = layout.dialect, layout.head
    lines = facts.lines - layout.skipped
    if (
        layout.header_text is not None
        or head.count(b"\n") != layout.skipped
        or not lines
        or len(dialect.delimiter.encode()) > 1
    ):
        return None
    table = f'landing."text_{digest(data.path)}"'
    columns = [f"landed_{number}" for number in range(1, dialect.fields + 1)]
    mark = quoted('"' if quotes == '"' else "")
    types = ", ".join(f"{column}: 'VARCHAR'" for column in columns)
    packed = "gzip" if str(data.path).lower().endswith(".gz") else "none"
    reader = (
        f"read_csv({quoted(as_pattern(data.path))}, auto_detect = false, header = false, "
        f"compression = '{packed}', skip = {layout.skipped}, delim = {quoted(dialect.delimiter)}, "
        f"quote = {mark}, escape = {mark}, strict_mode = true, null_padding = false, "
        f"max_line_size = {MOST_BYTES}, columns = {{{types}}})"
    )
    (ordered,) = connection.execute("select current_setting('preserve_insertion_order')").fetchone()
    connection.execute("create schema if not exists landing")
    connection.execute("set preserve_insertion_order = true")
    try:
        connection.execute(
            f"create or replace table {table} as select {', '.join(columns)} from {reader}"
        )
    except (duckdb.InvalidInputException, duckdb.NotImplementedException):
        return None
    finally:
        connection.execute(f"set preserve_insertion_order = {str(ordered).lower()}")
    if not is_whole(connection, table, columns, data, layout, lines):
        connection.execute(f"drop table {table}")
        return None
    decisions = list(layout.decisions)
    if facts.quotes:
        found = "declared" if "quotes" in declared else "recognised"
        decisions.append(quotes_decision(quotes, found, "in all lines"))
    return Source(
        "",
        "text",
        table,
        source_columns(layout),
        # The rows of a table that was written in order are numbered from 0 in that order, so a
        # number of our own, which slows the ordered writing, is not needed.
        f"rowid + {layout.skipped + 1}",
        lines=lines,
        decisions=decisions,
    )


def is_whole(connection, table, columns, data, layout, lines):
    """Whether a table holds each line of a file as one row, and all bytes of it.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    table : str
    columns : list of str
    data : Bytes
    layout : Layout
    lines : int
        Below the header.

    Returns
    -------
    bool
    """
    facts, head = data.scan, layout.head
    marks = (facts.quotes - head.count(b'"')) if layout.dialect.quotes == '"' else 0
    # Quotes are counted apart: those that mark a value are not in it.
    value = "replace({}, '\"', '')" if marks else "{}"
    size = " + ".join(f"coalesce(strlen({value.format(column)}), 0)" for column in columns)
    wrong = "false"
    if layout.dialect.extra == "last":
        wrong = f"trim(coalesce({columns[-1]}, '')) <> ''"
    elif layout.dialect.extra == "first":
        wrong = f"not regexp_full_match(coalesce({columns[0]}, ''), '\\s*[0-9]+\\s*')"
    rows, values, longest, unlike = connection.execute(
        f"select count(*), sum(size), max(size), count(*) filter (wrong) "
        f"from (select {size} as size, {wrong} as wrong from {table})"
    ).fetchone()
    delimiters = rows * (len(columns) - 1)
    ends = facts.feeds - layout.skipped + facts.pairs - head.count(b"\r\n")
    body = facts.size - data.mark - len(head)
    return (
        rows == lines
        and values + delimiters + marks + ends == body
        # A line that may be too long is told by reading it, not by its values.
        and longest * 2 < MOST_BYTES
        and not unlike
    )


def source_columns(layout):
    """Give the columns of a source, from the names in its header."""
    return [
        Column(name, "VARCHAR", f"landed_{number}") for number, name in enumerate(layout.columns, 1)
    ]


def digest(path):
    """Name what is landed from a file."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:16]


def quoted(text):
    """Write a text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def as_pattern(path):
    """Write a path as a pattern that fits this path alone."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


@dataclass(frozen=True)
class Landed:
    """A file that was written again.

    Attributes
    ----------
    layout : Layout
    file : Path
    reasons : Counter
        Lines that are no record, by their reason.
    examples : dict
        The first of them, by reason: number and text.
    faults : int
        Lines with a quote that are no record.
    marks : int
        Records in which a quote begins a value.
    """

    layout: Layout
    file: Path
    reasons: Counter
    examples: dict
    faults: int
    marks: int


def slow_source(data, declared, folder):
    """Read a file line by line, and write it again so that DuckDB can't misread it.

    Where quotes can be read in several ways, the whole file is read in each, and its lines say
    which is right.

    Parameters
    ----------
    data : Bytes
    declared : dict
    folder : str

    Returns
    -------
    Source

    Raises
    ------
    UnreadableFile
        If the header can't be read, or lines have more fields than it has names.
    """
    usual = declared.get("quotes", '"')
    landed = land(data, find_layout(data, declared, usual), folder)
    lines = data.scan.lines - landed.layout.skipped
    found, evidence = "declared", ""
    if "quotes" not in declared:
        found, evidence, landed = better_quotes(data, declared, folder, landed)
    layout = landed.layout
    if layout.header_text is not None:
        raise UnreadableFile(
            "its header can't be read (a quote is not closed, or something stands behind a "
            f"closed one): {layout.header_text[:80]!r}"
        )
    if layout.too_long:
        raise UnreadableFile(layout.too_long)
    decisions = list(layout.decisions)
    if data.scan.quotes:
        decisions.append(quotes_decision(layout.dialect.quotes, found, evidence))
    lines = data.scan.lines - layout.skipped
    decisions += malformed_decisions(landed, lines)
    types = ", ".join(f"'landed_{name}': 'VARCHAR'" for name in LANDED) + "".join(
        f", 'landed_{number}': 'VARCHAR'" for number in range(1, layout.dialect.fields + 1)
    )
    return Source(
        "",
        "text",
        # Options are stated, not sniffed: the sniffer looks at the first lines only and takes
        # 01/12/2010 for a date without asking.
        f"read_csv({quoted(as_pattern(landed.file))}, auto_detect = false, header = false, "
        f"delim = {quoted(layout.dialect.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{types}}})",
        source_columns(layout),
        "cast(landed_source_line as bigint)",
        span="cast(landed_line_span as integer)",
        reason="landed_malformed_reason",
        text="landed_malformed_text",
        lines=lines,
        decisions=decisions,
    )


def better_quotes(data, declared, folder, usual):
    """Find the way of reading quotes that fits a whole file.

    Parameters
    ----------
    data : Bytes
    declared : dict
    folder : str
    usual : Landed
        As read with quotes that are written twice inside a value.

    Returns
    -------
    found, evidence : str
    landed : Landed
    """
    best, count = usual, malformed(usual)
    found = "recognised" if usual.marks else "default"
    if not usual.faults and usual.layout.header_text is None:
        return found, f"{usual.marks:,} records have quoted values", usual
    for quotes in ("backslash", "none"):
        # Quotes that mark more values than they break are marks.
        if quotes == "none" and usual.marks >= usual.faults and usual.layout.header_text is None:
            continue
        other = land(data, find_layout(data, declared, quotes), folder)
        if malformed(other) < malformed(best):
            best.file.unlink()
            best, found = other, "recognised"
        else:
            other.file.unlink()
    evidence = (
        f"{count:,} lines are no record if they are {QUOTES[chr(34)]}, {malformed(best):,} so"
        if best is not usual
        else f"{usual.marks:,} records have quoted values, {usual.faults:,} lines can't be split"
    )
    return found, evidence, best


def malformed(landed):
    """Count lines that are no record; all, and one more, where the header is none."""
    broken = landed.layout.header_text is not None
    return float("inf") if broken else sum(landed.reasons.values())


def land(data, layout, folder):
    """Write each line of a file again.

    Parameters
    ----------
    data : Bytes
    layout : Layout
    folder : str

    Returns
    -------
    Landed
        ``file``: a CSV (UTF-8, the delimiter of the source, no header) with the columns ``LANDED``
        and then those of the source; a malformed line has a reason and its text, cut after
        ``MOST_SHOWN`` characters, and empty fields.
    """
    dialect = layout.dialect
    target = Path(folder) / f"{digest(data.path)}_{list(QUOTES).index(dialect.quotes)}.csv"
    # Raw lines are nobody else's to read.
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sign, begins = dialect.delimiter, dialect.delimiter + '"'
    reasons, examples = Counter(), {}
    faults = marks = 0
    with data.open() as stream, open(target, "w", encoding="utf-8", newline="") as file:
        for _ in range(layout.skipped):
            read_line(stream)
        writer = csv.writer(file, delimiter=sign, lineterminator="\n")
        nothing = [""] * dialect.fields
        for number, span, reason, text, length, fields in records(
            stream, dialect, layout.skipped + 1
        ):
            if reason:
                reasons[reason] += 1
                shown = cut(text, length)
                examples.setdefault(reason, (number, shown))
                faults += '"' in text and reason not in ("bytes_not_text", "too_long_line")
                writer.writerow([number, 1, reason, shown, *nothing])
            elif fields is None:
                # Most lines: no quote anywhere, so the text is the record.
                file.write(f"{number}{sign}1{sign}{sign}{sign}{text}\n")
            else:
                marks += begins in text or text.startswith('"')
                writer.writerow([number, span, "", "", *fields])
    return Landed(layout, target, reasons, examples, faults, marks)


def malformed_decisions(landed, lines):
    """Tell the reasons for which more than a few lines are no record.

    Parameters
    ----------
    landed : Landed
    lines : int
        Of the source.

    Returns
    -------
    list of Decision
    """
    settings = {
        "bytes_not_text": "{invoice_format: {encoding: cp1252}}",
        "unclosed_quote": "{invoice_format: {quotes: none}}",
    }
    return [
        Decision(
            "malformed lines",
            reason,
            evidence=f"{count:,} of {lines:,} lines ({count / lines:.1%}), such as line "
            f"{landed.examples[reason][0]:,}: {landed.examples[reason][1][:200]!r}",
            lines=count,
            setting=settings.get(reason),
            matters=True,
        )
        for reason, count in sorted(landed.reasons.items())
        if count > FEW * lines
    ]
