"""Finds how a text is laid out: the delimiter, the header, and the names of the columns."""

import json
import re
from dataclasses import dataclass
from io import BytesIO

from reading.decisions import Column, Decision, UnreadableFile
from reading.file_bytes import MOST_BYTES
from reading.records import Dialect, cut, decode, read_line
from reading.text_header import HEADER_WITHIN, best_header

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
# The ways in which quotes are read, with what they say about a quote.
QUOTES = {
    '"': "written twice inside a value",
    "backslash": "escaped by a backslash",
    "none": "characters like others",
}

# Delimiter and header are judged by the first lines of a file.
SAMPLE_LINES = 1_000
SAMPLE_BYTES = 4 << 20


@dataclass(frozen=True)
class Layout:
    """Where the header of a file is, and how its lines are split.

    Attributes
    ----------
    dialect : Dialect
    skipped : int
        The last line of the header: records begin on the next line.
    names : list of str
        Names of the columns, one for each field.
    broken_header : str or None
        The header, where it can't be split because of its quotes.
    too_long : str
        What is wrong where lines have more fields than the header has names; else empty.
    head : bytes
        The lines up to the end of the header.
    decisions : list of Decision
    """

    dialect: Dialect
    skipped: int
    names: list
    broken_header: str | None
    too_long: str
    head: bytes
    decisions: list

    def columns(self):
        """Give the columns of a source, whose fields are landed in the order of the file."""
        return [
            Column(name, "VARCHAR", f"landed_{number}") for number, name in enumerate(self.names, 1)
        ]


def find_layout(data, declared, quotes):
    """Find the delimiter, the header, and fields that the header does not name.

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
        If there is no header or no delimiter.
    """
    sample = read_sample(data)
    header_line, delimiter = declared.get("header_line"), declared.get("delimiter")
    hint = separator_line(sample, data.encoding)

    def headers_of(signs):
        return [
            best_header(sample, Dialect(data.encoding, sign, quotes), header_line, bool(hint))
            for sign in signs
        ]

    stated = delimiter or hint
    headers = headers_of([stated] if stated else DELIMITERS)
    if hint and not delimiter and headers[0].line is None:
        # A file that was saved again may keep the sep= line but have another delimiter.
        headers = headers_of(DELIMITERS)
    best = max(headers, key=lambda each: (each.score, each.width))
    if best.line is None:
        refuse_without_header(data, sample, delimiter, header_line)
    others = [each for each in headers if each.score > 0 and each is not best]
    runner_up = max(others, key=lambda each: each.score).delimiter if others else None
    decisions = [delimiter_decision(best, runner_up, delimiter, hint)]
    if best.line > 1 or header_line:
        decisions.append(header_decision(best, sample, data.encoding, header_line, bool(hint)))
    if best.extra:
        decisions.append(extra_decision(best))
    skipped = best.line + best.span - 1
    return Layout(
        Dialect(data.encoding, best.delimiter, quotes, best.width, best.extra),
        skipped,
        column_names(best.names, best.extra),
        best.broken,
        best.too_long,
        b"".join(BytesIO(sample).readlines()[:skipped]),
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
    """Find the delimiter that a first line such as ``sep=;`` states; None without one."""
    text = decode(sample.split(b"\n", 1)[0], encoding) or ""
    found = re.fullmatch(r'"?sep=([^"\\])"?[,;\t|]*', text.strip(" "), re.IGNORECASE)
    return found and found[1]


def refuse_without_header(data, sample, delimiter, header_line):
    """Say why no line is a header.

    Raises
    ------
    UnreadableFile
    """
    lines = sample.split(b"\n")
    if header_line and header_line > data.scan.lines:
        raise UnreadableFile(f"header_line is {header_line}, but it has {data.scan.lines:,} lines")
    tried = lines[header_line - 1 : header_line] if header_line else lines[:HEADER_WITHIN]
    texts = [text.strip() for raw in tried if (text := decode(raw, data.encoding))]
    first = next(filter(None, texts), None)
    if first is None:
        raise UnreadableFile(
            f"it has no header, or one that is not text in {data.encoding}: the first line with "
            "the names of the columns must stand within its first "
            f"{HEADER_WITHIN} lines"
        )
    what = (
        f"no {NAMES.get(delimiter, delimiter)} as delimiter"
        if delimiter
        else "no delimiter (comma, semicolon, tab or |)"
    )
    raise UnreadableFile(
        f"its header has {what}, so it has one column: {first[:80]!r}. "
        "Set invoice_format: {delimiter: ...} if it has another one"
    )


def delimiter_decision(best, runner_up, declared, hint):
    """Say which character is the delimiter, and why.

    Parameters
    ----------
    best : Header
    runner_up, declared, hint : str or None
        The next best delimiter, the one that the user states, and that of a line ``sep=``.

    Returns
    -------
    Decision
    """
    if best.below:
        evidence = f"{best.fitting:,} of {best.below:,} lines have {best.width} fields"
    else:
        evidence = f"{best.width} names in the header"
    if hint and not declared and best.delimiter == hint:
        evidence = f"line 1 is sep={hint}; {evidence}"
    other = runner_up or next(sign for sign in ";," if sign != best.delimiter)
    return Decision(
        "delimiter",
        NAMES.get(best.delimiter, best.delimiter),
        "declared" if declared else "recognised",
        evidence=evidence,
        runner_up=runner_up and NAMES[runner_up],
        setting=f"{{invoice_format: {{delimiter: {json.dumps(other)}}}}}",
    )


def header_decision(best, sample, encoding, declared, has_hint):
    """Say which line is the header, and what stands above it.

    Parameters
    ----------
    best : Header
    sample : bytes
    encoding : str
    declared : int or None
        The header line that the user states.
    has_hint : bool
        Whether the first line only states the delimiter, as ``sep=``.

    Returns
    -------
    Decision
        It matters where text above the header is left out.
    """
    above = [
        cut(decode(raw, encoding) or repr(raw)[2:-1], len(raw)).strip()
        for raw in sample.split(b"\n")[: best.line - 1]
    ]
    evidence = "; ".join(repr(text[:100]) for text in above if text)
    blank = above.count("")
    parts = [f"above it: {evidence}"] if evidence else []
    if blank:
        parts.append(f"{blank} blank line{'s' * (blank > 1)} above it")
    return Decision(
        "header line",
        f"line {best.line}",
        "declared" if declared else "recognised",
        evidence=", ".join(parts),
        lines=best.line - 1,
        setting="{invoice_format: {header_line: 1}}",
        matters=any(above[has_hint:]),
    )


def extra_decision(best):
    """Say which field has no name in the header, and what it holds."""
    which = (
        "first of the {} fields is a row number"
        if best.extra == "first"
        else "last of the {} fields is empty"
    )
    return Decision(
        "column without a name",
        best.extra,
        evidence=f"the header has {len(best.names)} names; the "
        f"{which.format(best.width)} in {best.fitting:,} of {best.below:,} lines",
    )


def quotes_decision(answer, found, evidence):
    """Say how quotes are read; it matters where that is not the usual way."""
    other = "none" if answer != "none" else '"'
    return Decision(
        "quotes",
        f"{answer}: {QUOTES[answer]}",
        found,
        evidence=evidence,
        setting=f"{{invoice_format: {{quotes: {other!r}}}}}",
        matters=answer != '"' and found != "declared",
    )


def column_names(names, extra):
    """Clean the names of a header, and add an empty one for a field that it does not name."""
    names = [re.sub(r"\s*[\r\n]+\s*", " ", name.strip("\ufeff \t\r\n\xa0")) for name in names]
    if extra == "last":
        return [*names, ""]
    return ["", *names] if extra == "first" else names
