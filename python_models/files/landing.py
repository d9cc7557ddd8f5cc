"""Land text files without losing a line.

DuckDB's CSV reader is quick, but it numbers records instead of lines, skips blank ones, and lets
one unclosed quote swallow all lines up to the next. Here a file is read line by line; what is a
record goes on, with its line number, in a form that leaves the reader no choice, and what is none
goes on too, as text with a reason.
"""

import csv
import gzip
import hashlib
import posixpath
import zipfile
from collections import deque
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "latin-1", "cp1252")
# A quoted value may hold line breaks; one that is not closed within so many lines never will be.
MOST_LINES = 50
# Bytes of a line, or of a record of several. Landed as UTF-8, a record has at most three times as
# many, which fits into the longest line that DuckDB reads; and no line takes more memory than this.
MOST_BYTES = 1 << 19
# Characters that are kept of a line that is no record.
MOST_SHOWN = 2_000
# Columns that go before those of the file.
LANDED = ("source_line", "line_span", "malformed_reason", "malformed_text")

csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES))


def open_bytes(source):
    """Open a file for reading bytes, unpacked where its name ends in .gz."""
    return gzip.open(source, "rb") if str(source).endswith(".gz") else open(source, "rb")


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


def count_lines(source):
    """Count the lines of a text file, whatever is in them.

    Parameters
    ----------
    source : str

    Returns
    -------
    int
        Line ends, and one more where the last line has none.
    """
    lines, last = 0, b"\n"
    with open_bytes(source) as stream:
        while block := stream.read(1 << 20):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


def recognise_encoding(source):
    """Tell UTF-8 from CP1252 by the lines that are not plain ASCII.

    Parameters
    ----------
    source : str

    Returns
    -------
    str
        UTF-8 where at least half of these lines are, and where there are none.
    """
    good = bad = 0
    with open_bytes(source) as stream:
        for raw in iter(partial(stream.readline, MOST_BYTES), b""):
            if raw.isascii():
                continue
            try:
                raw.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad += 1
    return "utf-8" if good >= bad else "cp1252"


def recognise_delimiter(header):
    """Find the delimiter that parts a header into most names.

    Parameters
    ----------
    header : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If none of the known ones stands in it.
    """
    delimiter = max(DELIMITERS, key=header.count)
    if delimiter not in header:
        raise ValueError(
            f"its first line has no delimiter (comma, semicolon, tab or |): {header[:80]!r}"
        )
    return delimiter


def parse(text, delimiter):
    """Part one record into its fields.

    Parameters
    ----------
    text : str
        Without the line end.
    delimiter : str

    Returns
    -------
    list of str

    Raises
    ------
    csv.Error
        If a quote is not closed, or something stands behind a closed one.
    """
    rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    return rows[0] if rows else []


def land_text(source, folder, encoding=None, delimiter=None):
    """Write a text file again, so that DuckDB can't misread it.

    Parameters
    ----------
    source : str
        Delimited text with a header, perhaps gzipped.
    folder : str
        Where the landed file goes; made if it is not there.
    encoding : str, optional
        One of ``ENCODINGS``; recognised where it is not given.
    delimiter : str, optional
        One character; recognised from the header where it is not given.

    Returns
    -------
    dict
        ``file``: path of a CSV (UTF-8, the same delimiter, no header) with the columns ``LANDED``
        and then those of the source; a malformed line has a reason and its text, and empty fields.
        The text is cut after ``MOST_SHOWN`` characters.
        ``columns``: names of the source's columns. ``delimiter``, ``encoding``: as used.

    Raises
    ------
    ValueError
        If a setting is not known, or there is no header.
    OSError
        If a file can't be read or written.
    """
    if encoding and encoding not in ENCODINGS:
        raise ValueError(f"encoding is {encoding!r}; it can be {', '.join(ENCODINGS)}")
    encoding = encoding or recognise_encoding(source)
    target = Path(folder) / (hashlib.sha256(str(source).encode()).hexdigest()[:16] + ".csv")
    # Raw lines are nobody else's to read.
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_bytes(source) as stream, open(target, "w", encoding="utf-8", newline="") as landed:
        raw, length = read_line(stream)
        if length > len(raw):
            raise ValueError(f"its header has {length:,} bytes; it can have {MOST_BYTES:,}")
        header = decode(raw.removeprefix(b"\xef\xbb\xbf"), encoding)
        if not header or not header.strip():
            raise ValueError("it has no header, or one that is not text")
        delimiter = delimiter or recognise_delimiter(header)
        if len(delimiter) != 1 or delimiter in '"\r\n\0':
            raise ValueError(f"the delimiter must be one character, no quote, got {delimiter!r}")
        try:
            columns = [name.strip() for name in parse(header, delimiter)]
        except csv.Error as error:
            raise ValueError(f"its header can't be read ({error}): {header[:80]!r}") from None
        writer = csv.writer(landed, delimiter=delimiter, lineterminator="\n")
        nothing = [""] * len(columns)
        for number, span, reason, text, fields in records(
            stream, encoding, delimiter, len(columns)
        ):
            if fields is None and reason is None:
                # Most lines: no quote anywhere, so the text is the record.
                landed.write(f"{number}{delimiter}1{delimiter}{delimiter}{delimiter}{text}\n")
            else:
                writer.writerow([number, span, reason or "", text, *(fields or nothing)])
    return {
        "file": str(target),
        "columns": columns,
        "delimiter": delimiter,
        "encoding": encoding,
    }


def decode(raw, encoding):
    """Turn a line of bytes into text without its end, or into None where it is no text."""
    try:
        text = raw.rstrip(b"\r\n").decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or "\r" in text else text


def cut(text, length):
    """Shorten the text of a line that has so many bytes, and say how many."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\u2026 ({length:,} bytes)"


def escaped(raw, encoding):
    """Turn a line of bytes into text without its end; what is no text is shown by its number."""
    text = raw.rstrip(b"\r\n").decode(encoding, "backslashreplace")
    return text.replace("\0", "\\x00").replace("\r", "\\r")


def records(stream, encoding, delimiter, n_columns):
    """Read the records behind the header, and the lines that are none.

    Parameters
    ----------
    stream : binary file
        Behind the header.
    encoding, delimiter : str
    n_columns : int
        Of the header.

    Yields
    ------
    number : int
        Line of the file; the header is 1.
    span : int
        Lines that the record covers; more than 1 where a quoted value holds line breaks.
    reason : str or None
        too_long_line, bytes_not_text, blank_line, too_few_fields, too_many_fields or
        unclosed_quote.
    text : str
        The line where it is no record, cut, or a record without quotes; else empty.
    fields : list of str or None
        Of a record with quotes.
    """
    waiting = deque()
    number = 1
    while True:
        raw, length = waiting.popleft() if waiting else read_line(stream)
        if not raw:
            return
        number += 1
        if length > len(raw):
            yield number, 1, "too_long_line", cut(escaped(raw, encoding), length), None
            continue
        text = decode(raw, encoding)
        if text is None:
            yield number, 1, "bytes_not_text", cut(escaped(raw, encoding), length), None
        elif '"' not in text:
            count = text.count(delimiter) + 1
            if count == n_columns:
                yield number, 1, None, text, None
            else:
                blank = not text.strip()
                reason = "blank_line" if blank else field_count_reason(count, n_columns)
                yield number, 1, reason, cut(text, length), None
        else:
            fields, span, reason = read_quoted(text, length, stream, waiting, encoding, delimiter)
            if reason is None and len(fields) != n_columns:
                reason = field_count_reason(len(fields), n_columns)
            if reason:
                yield number, 1, reason, cut(text, length), None
            else:
                for _ in range(span - 1):
                    waiting.popleft()
                yield number, span, None, "", fields
                number += span - 1


def field_count_reason(count, n_columns):
    """Name what is wrong with a number of fields."""
    return "too_few_fields" if count < n_columns else "too_many_fields"


def read_quoted(text, length, stream, waiting, encoding, delimiter):
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
    encoding, delimiter : str

    Returns
    -------
    fields : list of str
    span : int
        Lines of the record.
    reason : str or None
        unclosed_quote, where no line within reach closes the quote.
    """
    ahead = 0
    while True:
        try:
            return parse(text, delimiter), ahead + 1, None
        except csv.Error as error:
            # Anything else than an end too early is not mended by more lines.
            if "unexpected end of data" not in str(error) or ahead + 1 == MOST_LINES:
                return [], 1, "unclosed_quote"
        if ahead == len(waiting):
            waiting.append(read_line(stream))
        raw, more = waiting[ahead]
        length += more
        following = decode(raw, encoding)
        if not raw or length > MOST_BYTES or following is None:
            return [], 1, "unclosed_quote"
        text += "\n" + following
        ahead += 1


def sheet_names(source):
    """Names of the sheets of an XLSX file that hold something, in its order.

    Parameters
    ----------
    source : str

    Returns
    -------
    list of str
        Without empty sheets, and without those that are a chart.

    Raises
    ------
    ValueError
        If the file is no XLSX, or holds nothing.
    """
    try:
        with zipfile.ZipFile(source) as book:
            workbook = ElementTree.fromstring(book.read("xl/workbook.xml"))
            relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
            parts = {
                relation.get("Id"): posixpath.join("xl", relation.get("Target")).lstrip("/")
                for relation in relations
                if relation.get("Type").endswith("/worksheet")
            }
            names = [
                element.get("name")
                for element in workbook.iter()
                if element.tag.endswith("}sheet") and holds_values(book, parts, element)
            ]
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError) as error:
        raise ValueError(f"it is no XLSX file ({error})") from None
    if not names:
        raise ValueError("it has no sheet with anything in it")
    return names


def holds_values(book, parts, sheet):
    """Whether a sheet is one of cells, and at least one of them has a value.

    Parameters
    ----------
    book : zipfile.ZipFile
    parts : dict
        Path inside the book of each sheet of cells, by the id of its relation.
    sheet : Element
        The sheet, as the workbook lists it.

    Returns
    -------
    bool
    """
    relation = next(value for name, value in sheet.items() if name.endswith("}id"))
    if relation not in parts:
        return False
    with book.open(parts[relation]) as cells:
        for _, element in ElementTree.iterparse(cells):
            if element.tag.endswith(("}v", "}is")):
                return True
            element.clear()
    return False
