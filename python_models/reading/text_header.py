"""Finds the line of a text that is its header, for one delimiter."""

import re
from collections import Counter
from dataclasses import dataclass
from io import BytesIO

from reading.records import is_row_number, records

# The header is looked for among the first lines.
HEADER_WITHIN = 30
# Share of the lines that a rule about fields must hold for.
MOST = 0.95


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
    names : tuple of str
    width, fitting, below : int
        Fields of a record; lines of the sample with that many fields; lines of the sample below
        the header, without blank ones.
    extra : str or None
        See ``Dialect``.
    broken : str or None
        The line, where it can't be split because of its quotes.
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


def best_header(sample, dialect, header_line, has_hint):
    """Find the line that names the fields of the lines below it.

    Parameters
    ----------
    sample : bytes
    dialect : Dialect
    header_line : int or None
        The header line that the user states.
    has_hint : bool
        Whether the first line only states the delimiter, as ``sep=``.

    Returns
    -------
    Header
    """
    split_lines = [
        (
            number,
            span,
            # Where quotes can't be read, they may be characters like others.
            text.split(dialect.delimiter) if reason == "unclosed_quote" else fields,
            text if reason == "unclosed_quote" else None,
        )
        for number, span, reason, text, _, fields in records(BytesIO(sample), dialect, 1)
        if reason != "blank_line" and not (has_hint and number == 1)
    ]
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
        # The first one that fits is taken: lines below it may look like names too.
        if header.fitting * 2 >= header.below > 0 and header.fitting >= header.line - 1:
            return header
    return max(headers, key=lambda header: (header.score, header.width))


def is_header(fields, is_first):
    """Whether fields may be names: at least half are not empty, and each of those has a letter.

    The first line needs no letters: it is the header if no other line fits better.
    """
    present = [field for field in fields if field.strip()]
    if len(present) * 2 < len(fields) or not present:
        return False
    return is_first or all(re.search(r"[^\W\d_]", field) for field in present)


def judged(split_lines, place, delimiter):
    """Judge a header by how many lines below have as many fields as it has, or one more.

    Parameters
    ----------
    split_lines : list of (int, int, list of str or None, str or None)
        Line, span, fields, and the text where its quotes can't be read.
    place : int
        The index of the header in the list.
    delimiter : str

    Returns
    -------
    Header
    """
    number, span, names, broken = split_lines[place]
    below = [fields for _, _, fields, _ in split_lines[place + 1 :] if fields is not None]
    most = MOST * len(below)
    width = len(names)
    fitting = sum(len(fields) == width for fields in below)
    extra = None
    longer = [fields for fields in below if len(fields) == width + 1]
    if longer and len(longer) >= most:
        if sum(not fields[-1].strip() for fields in longer) >= most:
            extra = "last"
        elif counts_up([fields[0] for fields in longer]) >= most:
            extra = "first"
    if extra:
        width, fitting = width + 1, len(longer)
    too_long = ""
    usual, count = Counter(map(len, below)).most_common(1)[0] if below else (width, 0)
    if usual > width and count >= most:
        sample = next(fields for fields in below if len(fields) == usual)
        too_long = (
            f"its header (line {number}) has {width} names, but {count:,} of {len(below):,} lines "
            f"below have {usual} fields, such as {delimiter.join(sample)[:200]!r}: name each column"
        )
    # Lines above count against a header, or a line at the end would fit best.
    share = fitting / (len(below) + place) if below else float(place == 0)
    return Header(
        delimiter,
        score=share * (width - 1),
        line=number,
        span=span,
        names=tuple(names),
        width=width,
        fitting=fitting,
        below=len(below),
        extra=extra,
        broken=broken,
        too_long=too_long,
    )


def counts_up(fields):
    """Count the fields that are row numbers: the first is 0 or 1, each next one is one more."""
    if not is_row_number(fields[0]) or int(fields[0]) > 1:
        return 0
    first = int(fields[0])
    return sum(
        is_row_number(field) and int(field) == first + place for place, field in enumerate(fields)
    )
