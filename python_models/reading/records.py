"""Reads delimited text line by line, so that no line is lost.

DuckDB's CSV reader is quick, but it numbers records instead of lines, skips blank ones, and lets
one unclosed quote swallow all lines up to the next. Here each line comes out once, with its number:
in a record, or as text with a reason.
"""

import csv
import re
from collections import deque
from dataclasses import dataclass
from functools import cache

from reading.file_bytes import MOST_BYTES

# A quoted value may hold line breaks; one that is not closed within so many lines never will be.
MOST_LINES = 50
# Characters that are kept of a line that is no record.
MOST_SHOWN = 2_000

csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES))


@dataclass(frozen=True)
class Dialect:
    r"""How lines are split into fields.

    Attributes
    ----------
    encoding : str
        One that keeps ASCII.
    delimiter : str
        One character.
    quotes : str
        ``"`` (written twice inside a value), ``backslash`` (written ``\"`` inside a value), or
        ``none``: quotes are characters like others.
    fields : int or None
        Of a record; None takes any number.
    extra : str or None
        A field that the header does not name: ``last``, which is empty, or ``first``, which is a
        row number.
    """

    encoding: str
    delimiter: str
    quotes: str = '"'
    fields: int | None = None
    extra: str | None = None


def read_line(stream):
    """Read one line, and of a line that is too long only the beginning.

    Parameters
    ----------
    stream : binary file

    Returns
    -------
    raw : bytes
        The line with its end, or its first ``MOST_BYTES``; empty at the end of the file.
    length : int
        Bytes of the whole line; more than ``raw`` has where it is too long.
    """
    raw = piece = stream.readline(MOST_BYTES)
    length = len(raw)
    if length == MOST_BYTES:
        while not piece.endswith(b"\n") and (piece := stream.readline(MOST_BYTES)):
            length += len(piece)
    return raw, length


def decode(raw, encoding):
    """Turn a line of bytes into text without its end, or into None where it is no text."""
    try:
        text = raw.rstrip(b"\r\n").decode(encoding)
    except UnicodeError:
        return None
    return None if "\0" in text or "\r" in text else text


def cut(text, length):
    """Shorten the text of a line that has so many bytes, and say how many."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\u2026 ({length:,} bytes)"


def escaped(raw, encoding):
    """Turn a line of bytes into text without its end; what is no text is shown by its number."""
    text = raw.rstrip(b"\r\n").decode(encoding, "backslashreplace")
    return text.replace("\0", "\\x00").replace("\r", "\\r")


def records(stream, dialect, number):
    """Read records, and the lines that are none.

    Parameters
    ----------
    stream : binary file
        With line feeds as line ends.
    dialect : Dialect
    number : int
        Line of the file that the stream begins at.

    Yields
    ------
    number : int
        Line of the file.
    span : int
        Lines that the record covers; more than 1 where a quoted value holds line breaks.
    reason : str or None
        too_long_line, bytes_not_text, blank_line, too_few_fields, too_many_fields or
        unclosed_quote.
    text : str
        The line.
    length : int
        Its bytes.
    fields : list of str or None
        Of a record. None where the text is the record: no quote is in it, and it has as many
        fields as the dialect says.
    """
    waiting = deque()
    encoding, delimiter, n_fields = dialect.encoding, dialect.delimiter, dialect.fields
    plain = dialect.quotes == "none"
    while True:
        raw, length = waiting.popleft() if waiting else read_line(stream)
        if not raw:
            return
        span, reason, fields = 1, None, None
        text = decode(raw, encoding) if length == len(raw) else None
        if text is None:
            reason = "bytes_not_text" if length == len(raw) else "too_long_line"
            text = escaped(raw, encoding)
        elif '"' not in text:
            if text.count(delimiter) + 1 != n_fields:
                fields = text.split(delimiter)
                if not text.strip():
                    reason = "blank_line"
        elif plain:
            fields = text.split(delimiter)
        else:
            fields, span, reason = read_quoted(text, length, stream, waiting, dialect)
        if reason is None and n_fields:
            reason = field_fault(text, fields, dialect)
        if reason:
            # What follows is read again: only a record takes the lines that its values go on in.
            yield number, 1, reason, text, length, None
            number += 1
        else:
            for _ in range(span - 1):
                waiting.popleft()
            yield number, span, None, text, length, fields
            number += span


def field_fault(text, fields, dialect):
    """Name what is wrong with the number of fields, or with the one that has no name.

    Parameters
    ----------
    text : str
    fields : list of str or None
        None where the text has as many as it should.
    dialect : Dialect

    Returns
    -------
    str or None
    """
    if fields is not None and len(fields) != dialect.fields:
        return "too_few_fields" if len(fields) < dialect.fields else "too_many_fields"
    if dialect.extra == "last":
        last = fields[-1] if fields else text.rpartition(dialect.delimiter)[2]
        return "too_many_fields" if last.strip() else None
    if dialect.extra == "first":
        first = fields[0] if fields else text.partition(dialect.delimiter)[0]
        return None if is_row_number(first) else "too_many_fields"
    return None


def is_row_number(field):
    """Whether a field is a whole number from 0 on."""
    return field.isascii() and field.strip().isdigit()


def read_quoted(text, length, stream, waiting, dialect):
    """Read a record that has quotes, with the lines that its values go on in.

    Parameters
    ----------
    text : str
        Its first line.
    length : int
        Bytes of that line.
    stream : binary file
    waiting : deque
        Lines that were read ahead, as ``read_line`` returns them; more are added, none is taken.
    dialect : Dialect

    Returns
    -------
    fields : list of str
    span : int
        Lines of the record.
    reason : str or None
        unclosed_quote, where no line within reach closes the quote, or where one does only because
        it has a quote of its own: each of the lines has as many fields as the record.
    """
    lines = [text]
    while True:
        fields, is_open = split(text, dialect)
        if fields is not None:
            swallowed = len(lines) > 1 and all(
                line.count(dialect.delimiter) + 1 == len(fields) for line in lines
            )
            return ([], 1, "unclosed_quote") if swallowed else (fields, len(lines), None)
        # Anything else than an end too early is not mended by more lines.
        if not is_open or len(lines) == MOST_LINES:
            return [], 1, "unclosed_quote"
        ahead = len(lines) - 1
        if ahead == len(waiting):
            waiting.append(read_line(stream))
        raw, more = waiting[ahead]
        length += more
        following = decode(raw, dialect.encoding)
        if not raw or length > MOST_BYTES or following is None:
            return [], 1, "unclosed_quote"
        text += "\n" + following
        lines.append(following)


def split(text, dialect):
    """Split one record into its fields.

    Parameters
    ----------
    text : str
        Without the line end.
    dialect : Dialect

    Returns
    -------
    fields : list of str or None
        None if it can't be: a quote is not closed, or something stands behind a closed one.
    is_open : bool
        Whether it ends within quotes.
    """
    if dialect.quotes == "none":
        return text.split(dialect.delimiter), False
    if dialect.quotes == "backslash":
        return split_escaped(text, dialect.delimiter)
    try:
        rows = list(csv.reader([text], delimiter=dialect.delimiter, strict=True))
    except csv.Error as error:
        return None, "unexpected end of data" in str(error)
    return (rows[0] if rows else [""]), False


@cache
def escaped_field(delimiter):
    """Compile what a field looks like whose quotes are escaped by a backslash."""
    sign = re.escape(delimiter)
    quoted = r'"((?:[^"\\]|\\.|"")*+)'
    return re.compile(rf"(?:{quoted}(\"(?={sign}|\Z))?|([^{sign}]*))", re.DOTALL)


def split_escaped(text, delimiter):
    """Split a record whose quotes are escaped by a backslash; see ``split``."""
    fields, place = [], 0
    while True:
        found = escaped_field(delimiter).match(text, place)
        quoted, close, plain = found.groups()
        if quoted is None:
            fields.append(plain)
        elif close is None:
            # The rest is one value without an end, or the value ends before something else.
            return None, text[found.end() :] in ("", "\\")
        else:
            fields.append(re.sub(r'\\(["\\])|""', lambda mark: mark[1] or '"', quoted))
        place = found.end()
        if place == len(text):
            return fields, False
        place += len(delimiter)
