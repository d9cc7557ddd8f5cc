"""Opens XLSX workbooks: which sheets hold a table, where it begins, and what each cell means.

DuckDB's ``read_xlsx`` reads the values, but it leaves out what they mean. A date comes as a number
of days, TRUE as 1, and an empty cell that claims to be a shared text as the first text of the
workbook. So the XML of each sheet is walked once, without its values, and each column gets an
expression that knows which of its cells are dates, numbers, truth values or nothing.

Limits: dates before March 1900 are a day late, as Excel counts a 29 February 1900; numbers have 15
significant digits, as in Excel, and 20 decimals at most; a formula without a stored value is empty.
"""

import base64
import json
import posixpath
import re
import zipfile
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

import duckdb

from reading.decisions import Column, Decision, Source, UnreadableFile

# Rows among which the header is looked for, and rows below a header that must look like its table.
HEADER_ROWS = 30
ROWS_BELOW = 20
# A table of invoice lines has more columns than a list of notes.
LEAST_NAMES = 3
MOST_ROWS = 1 << 20
# A single cell far to the right would make DuckDB hold thousands of columns in memory.
MOST_COLUMNS = 1_000
BLOCK = 1 << 20
# Different rows are remembered up to this number, which real sheets never reach.
MOST_LAYOUTS = 20_000
# Excel's last day is 9999-12-31; workbooks of the 1904 calendar begin so many days later.
LAST_DAY = 2958465
DAYS_TO_1904 = 1462

# Built-in formats of dates and times, with those of East Asian calendars.
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
# Parts of a number format that are shown as they are, or choose a colour, currency or condition.
SHOWN_AS_IS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|General|Standard', re.I)

# What a cell is. Text needs no change; NO_TEXT is a shared text without a number, which is empty.
TEXT, NUMBER, DATE, TRUTH, ISO_DATE, NO_TEXT = range(6)

ROW = re.compile(rb'<row r="([0-9]{1,7})"[^>]*>')
CELL = re.compile(
    rb'<c r="([A-Z]{1,3})[0-9]+"([^>]*?)/?>'
    rb"(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?(<v(?: [^>]*)?>(?=[^<])|<is>)?"
)
TEXT_NUMBER = re.compile(rb't="s"[^>]*><v>([0-9]+)')
ATTRIBUTE = re.compile(rb' ([A-Za-z]+)="([^"]*)"')

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
SAVE_AS = "open it and save it as XLSX or CSV"


class Unusual(Exception):
    """The XML of a sheet is written in a way that only a full parser understands."""


@dataclass(frozen=True)
class Sheet:
    """A sheet as the workbook lists it.

    Attributes
    ----------
    name : str
    part : str or None
        Path of its XML inside the book; None where it has no cells, as a chart.
    hidden : bool
    """

    name: str
    part: str | None
    hidden: bool


@dataclass
class Layout:
    """What is in the cells of a sheet, without their values.

    Attributes
    ----------
    numbers : array of int
        Of the rows with a cell that has a value, ascending from 1.
    kinds : array of int
        For each of these rows, its place in ``rows``.
    rows : list of dict
        Each different row: what each of its cells is, by column from 0.
    counted : dict
        Counts that were asked for.
    """

    numbers: array
    kinds: array
    rows: list
    counted: dict = field(default_factory=dict)

    def add(self, kinds):
        """Add a different row; its place, or None where no cell of it has a value."""
        if all(kind == NO_TEXT for kind in kinds.values()):
            return None
        self.rows.append(kinds)
        return len(self.rows) - 1

    def row(self, number):
        """Tell what is in the row of this number, by column; empty where nothing is."""
        begin, end = self.between(number, number)
        return self.rows[self.kinds[begin]] if begin < end else {}

    def between(self, first, last):
        """Find the places of the rows from one number to another, the end exclusive."""
        return bisect_left(self.numbers, first), bisect_right(self.numbers, last)

    def count(self, begin, end):
        """Count the cells that are of each kind between two places, for each column."""
        if (begin, end) not in self.counted:
            counts = defaultdict(Counter)
            for kind, rows in Counter(self.kinds[begin:end]).items():
                for column, is_a in self.rows[kind].items():
                    counts[column][is_a] += rows
            self.counted[begin, end] = counts
        return self.counted[begin, end]

    def width(self):
        """Count the columns up to the last one with a value."""
        return max(map(max, self.rows)) + 1


def open_workbook(connection, path, name, declared=None):
    """Open the sheets of a workbook that hold a table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Gets the extension that reads XLSX.
    path : str
    name : str
        Of the file, for people.
    declared : dict, optional
        ``sheet``: a name or a list of names, for sheets that are to be read whatever is in them.
        ``header_line``: the row with the names of the columns, from 1.

    Returns
    -------
    list of Source
        One for each sheet, in the order of the workbook; decisions about the whole workbook are
        with the first one. Every column is text: dates as ``YYYY-MM-DD HH:MM:SS``, times alone as
        ``HH:MM:SS``, numbers in digits, truth values as TRUE and FALSE, errors as Excel shows them.

    Raises
    ------
    UnreadableFile
        If it is no XLSX file, is damaged, has no such sheet, or no sheet with a table.
    OSError
        If the file can't be opened.
    """
    declared = declared or {}
    header_line = declared_line(declared.get("header_line"))
    load_extension(connection)
    with unpacked(path) as book:
        sheets, from_1904 = read_contents(book)
        chosen, decisions = choose_sheets(sheets, declared.get("sheet"))
        styles = date_styles(book)
        texts = count_texts(book)
        sources = []
        for sheet in chosen:
            layout = walk(book, sheet, styles, texts)
            if not layout.numbers:
                if declared.get("sheet"):
                    raise UnreadableFile(f"its sheet {sheet.name} is empty; name another one")
                continue
            reader = Reader(connection, path, sheet.name, layout, from_1904)
            header, why_not = find_header(reader, header_line, bool(declared.get("sheet")))
            if header and not declared.get("sheet") and is_pivot(book, sheet, header):
                header, why_not = None, "it has a pivot table"
            if header is None:
                decisions.append(left_out(sheet.name, why_not))
            else:
                sources.append(as_source(reader, name, header, header_line))
    if not sources:
        reasons = "; ".join(decision.answer for decision in decisions)
        raise UnreadableFile(
            "it has no sheet with a table"
            + (f" ({reasons})" if reasons else ": it is empty")
            + ". Say where one is: {invoice_format: {sheet: a name, header_line: a number}}"
        )
    if len(sources) > 1:
        names = [source.name.removeprefix(f"{name}, sheet ") for source in sources]
        answer = f"{', '.join(names)} are read"
        found = "declared" if declared.get("sheet") else "recognised"
        decisions.insert(0, Decision("sheets", answer, found, setting=setting(names)))
    sources[0].decisions.extend(decisions)
    return sources


def setting(names):
    """Write the setting that chooses sheets."""
    return f"{{invoice_format: {{sheet: {json.dumps(names, ensure_ascii=False)}}}}}"


def left_out(sheet, reason, *, matters=True):
    """Tell that a sheet is not read."""
    return Decision(
        "sheets", f"{sheet} is not read: {reason}", setting=setting(sheet), matters=matters
    )


def declared_line(line):
    """Check the number of the header's row, if one is declared."""
    if line is None:
        return None
    if isinstance(line, bool) or not re.fullmatch("[1-9][0-9]{0,6}", str(line)):
        raise UnreadableFile(f"header_line is {line!r}; it must be a row number, from 1")
    return int(line)


def load_extension(connection):
    """Load DuckDB's reader of XLSX, which a package brings.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection

    Raises
    ------
    UnreadableFile
        If the package is not installed.
    """
    package = find_spec("duckdb_extension_excel")
    found = package and sorted(Path(package.origin).parent.rglob("excel.duckdb_extension"))
    if not found:
        raise UnreadableFile("XLSX needs the package duckdb-extension-excel of requirements.txt")
    connection.execute(f"load {sql_text(found[-1])}")


@contextmanager
def unpacked(path):
    """Open the archive that an XLSX file is.

    Parameters
    ----------
    path : str

    Yields
    ------
    zipfile.ZipFile

    Raises
    ------
    UnreadableFile
        If it is another kind of file, or damaged.
    """
    with open(path, "rb") as stream:
        start = stream.read(512)
        if start.startswith(OLE):
            raise UnreadableFile(name_ole(stream))
    if not start.startswith(b"PK"):
        raise UnreadableFile(name_other(start))
    try:
        with zipfile.ZipFile(path) as book:
            parts = set(book.namelist())
            if "xl/workbook.xml" not in parts:
                raise UnreadableFile(name_archive(book, parts))
            yield book
    except UnreadableFile:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UnreadableFile(f"it is a damaged XLSX file ({error}); get it again") from None
    except (ElementTree.ParseError, expat.ExpatError, KeyError, ValueError, duckdb.Error) as error:
        fault = str(error).partition("\n")[0]
        raise UnreadableFile(f"it is a damaged XLSX file ({fault}); {SAVE_AS}") from None
    except (RuntimeError, NotImplementedError) as error:
        # What zipfile raises for entries with a password or a rare compression.
        raise UnreadableFile(f"it can't be unpacked ({error}); {SAVE_AS}") from None


def name_ole(stream):
    """Name the kind of a file in Microsoft's container of before 2007, and what to do."""
    mark, rest = "EncryptedPackage".encode("utf-16-le"), b""
    while block := stream.read(BLOCK):
        if mark in rest + block:
            return "it is protected with a password; open it and save it without one"
        rest = block[-len(mark) :]
    return f"it is a workbook in the old format XLS; {SAVE_AS}"


def name_archive(book, parts):
    """Name the kind of an archive that is no XLSX file, and what to do."""
    if "xl/workbook.bin" in parts:
        return f"it is a binary workbook (XLSB); {SAVE_AS}"
    if "mimetype" in parts and b"opendocument.spreadsheet" in book.read("mimetype"):
        return f"it is an OpenDocument workbook (ODS); {SAVE_AS}"
    if any(part.endswith(".iwa") for part in parts):
        return "it is a workbook of Numbers; export it as XLSX or CSV"
    return f"it is an archive without a workbook in it; {SAVE_AS}"


def name_other(start):
    """Name the kind of a file that is no archive, by its beginning, and what to do."""
    if not start:
        return "it is empty; get it again"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return f"it is a page in HTML or XML, not an XLSX file; {SAVE_AS}"
    if b"\0" not in start:
        return "it is text, not an XLSX file; if it is CSV, rename it to .csv"
    return f"it is no XLSX file; {SAVE_AS}"


def read_contents(book):
    """Read which sheets a workbook has.

    Parameters
    ----------
    book : zipfile.ZipFile

    Returns
    -------
    sheets : list of Sheet
    from_1904 : bool
        Whether its days are counted from 1904 on.
    """
    targets = relations(book, "xl/workbook.xml")
    sheets, from_1904 = [], False
    for element in ElementTree.fromstring(book.read("xl/workbook.xml")).iter():
        if element.tag.endswith("}workbookPr"):
            from_1904 = element.get("date1904", "").lower() in ("1", "true", "on")
        elif element.tag.endswith("}sheet"):
            identifier = next((value for key, value in element.items() if key.endswith("}id")), "")
            kind, part = targets.get(identifier, ("", None))
            sheets.append(
                Sheet(
                    name=element.get("name", ""),
                    part=part if kind == "worksheet" else None,
                    hidden=element.get("state", "visible") != "visible",
                )
            )
    return sheets, from_1904


def relations(book, part):
    """Read what a part of a workbook refers to: kind and path, by the id of the relation."""
    folder, file = posixpath.split(part)
    path = f"{folder}/_rels/{file}.rels"
    if path not in book.namelist():
        return {}
    return {
        relation.get("Id"): (
            relation.get("Type", "").rsplit("/", 1)[-1],
            posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))[1:],
        )
        for relation in ElementTree.fromstring(book.read(path))
    }


def choose_sheets(sheets, declared):
    """Choose the sheets to look into.

    Parameters
    ----------
    sheets : list of Sheet
    declared : str, list of str or None

    Returns
    -------
    chosen : list of Sheet
    decisions : list of Decision
        About the others.

    Raises
    ------
    UnreadableFile
        If a declared sheet is not there, or has no cells.
    """
    if declared:
        wanted = [str(one) for one in (declared if isinstance(declared, list) else [declared])]
        by_name = {sheet.name: sheet for sheet in sheets if sheet.part}
        for name in wanted:
            if name not in by_name:
                raise UnreadableFile(f"it has no sheet {name!r}; it has: {', '.join(by_name)}")
        return [sheet for sheet in by_name.values() if sheet.name in wanted], []
    hidden = [left_out(sheet.name, "it is hidden") for sheet in sheets if sheet.hidden]
    charts = [
        left_out(sheet.name, "it has no cells", matters=False)
        for sheet in sheets
        if not sheet.part and not sheet.hidden
    ]
    return [sheet for sheet in sheets if sheet.part and not sheet.hidden], hidden + charts


def date_styles(book):
    """Find the styles of cells that show a number as a date or a time.

    Parameters
    ----------
    book : zipfile.ZipFile

    Returns
    -------
    set of int
        Their numbers, as cells name them.
    """
    if "xl/styles.xml" not in book.namelist():
        return set()
    formats, styles = {}, set()
    for element in ElementTree.fromstring(book.read("xl/styles.xml")):
        if element.tag.endswith("}numFmts"):
            formats = {one.get("numFmtId"): one.get("formatCode", "") for one in element}
        elif element.tag.endswith("}cellXfs"):
            for number, style in enumerate(element):
                identifier = style.get("numFmtId", "0")
                code = formats.get(identifier)
                if int(identifier) in DATE_FORMATS if code is None else is_date_format(code):
                    styles.add(number)
    return styles


def is_date_format(code):
    """Whether a number format shows dates or times.

    Parameters
    ----------
    code : str
        Such as ``dd/mm/yyyy`` or ``[Red]0.00 "days"``.

    Returns
    -------
    bool
    """
    return bool(re.search("[ymdhs]", SHOWN_AS_IS.sub("", code).split(";")[0], re.I))


def count_texts(book):
    """Count the shared texts of a workbook."""
    part = next(
        (
            part
            for kind, part in relations(book, "xl/workbook.xml").values()
            if kind == "sharedStrings"
        ),
        None,
    )
    if part not in book.namelist():
        return 0
    count = 0

    def start(tag, _):
        nonlocal count
        count += tag.rsplit(":", 1)[-1] == "si"

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with book.open(part) as stream:
        while block := stream.read(BLOCK):
            parser.Parse(block)
    return count


def walk(book, sheet, styles, texts):
    """Walk through the cells of a sheet.

    Parameters
    ----------
    book : zipfile.ZipFile
    sheet : Sheet
    styles : set of int
        Styles of dates.
    texts : int
        Number of shared texts.

    Returns
    -------
    Layout

    Raises
    ------
    UnreadableFile
        If rows or cells are out of order, which would end DuckDB's reader.
    """
    with book.open(sheet.part) as stream:
        try:
            return lay_out(quick_rows(stream), styles, texts, sheet.name)
        except Unusual:
            pass
    with book.open(sheet.part) as stream:
        return lay_out(parsed_rows(stream), styles, texts, sheet.name)


def lay_out(rows, styles, texts, name):
    """Gather rows of cells into a layout, see ``walk``."""
    layout = Layout(array("L"), array("L"), [])
    known, before, last_cells, place = {}, 0, None, None
    for number, cells, highest in rows:
        if not before < number <= MOST_ROWS:
            raise damaged(name, number, "rows are out of order")
        if highest >= texts:
            raise damaged(name, number, "a shared text is missing")
        before = number
        # Most rows look like the one above.
        if cells != last_cells:
            if cells not in known:
                if len(known) == MOST_LAYOUTS:
                    known.clear()
                known[cells] = layout.add(kinds_of(cells, styles, name, number))
            last_cells, place = cells, known[cells]
        if place is not None:
            layout.numbers.append(number)
            layout.kinds.append(place)
    return layout


def damaged(name, number, fault):
    """Say that a sheet is damaged at a row."""
    return UnreadableFile(f"its sheet {name} is damaged at row {number}: {fault}; {SAVE_AS}")


def kinds_of(cells, styles, name, number):
    """Tell what the cells of a row are, by column, without those that have no value."""
    kinds, before = {}, -1
    for column, style, type_, tag in map(plain_cell, cells):
        if column <= before:
            raise damaged(name, number, "cells are out of order")
        before = column
        is_a = kind(style, type_, tag, styles)
        if is_a is not None:
            kinds[column] = is_a
    return kinds


def plain_cell(cell):
    """Give a cell of either way of reading as column from 0, style, type and value's tag."""
    if len(cell) == 4:
        return cell
    letters, attributes, tag = cell
    if b"'" in attributes:
        raise Unusual
    found = dict(ATTRIBUTE.findall(attributes))
    try:
        style = int(found.get(b"s", b"0"))
    except ValueError:
        raise Unusual from None
    return column_number(letters.decode()), style, found.get(b"t", b"n").decode(), tag[1:2].decode()


def kind(style, type_, tag, styles):
    """Tell what a cell is; None where it has no value and is read as such."""
    if type_ == "s":
        return TEXT if tag == "v" else NO_TEXT
    if not tag:
        return None
    if type_ in ("str", "inlineStr", "e") or tag == "i":
        return TEXT
    if type_ in ("b", "d"):
        return TRUTH if type_ == "b" else ISO_DATE
    return DATE if style in styles else NUMBER


def quick_rows(stream):
    """Read the rows of a sheet as nearly all programs write them, eight times as quickly.

    Parameters
    ----------
    stream : binary file

    Yields
    ------
    number : int
    cells : tuple of tuple
        Letters of the column, attributes and tag of the value, each as bytes.
    highest : int
        Highest number of a shared text.

    Raises
    ------
    Unusual
        If anything is written in another way.
    """
    rest, opened = b"", False
    while block := stream.read(BLOCK):
        data = rest + block
        *rows, rest = data.split(b"</row>")
        if b"<!" in data or not (rows or opened):
            raise Unusual
        for row in rows:
            begin = row.rfind(b"<row")
            found = ROW.match(row, begin) if begin >= 0 else None
            cells = tuple(CELL.findall(row, begin)) if found else ()
            if not found or len(cells) != row.count(b"<c", begin):
                raise Unusual
            texts = TEXT_NUMBER.findall(row, begin)
            yield int(found[1]), cells, max(map(int, texts), default=-1)
        opened = True
        if b"</sheetData>" in rest:
            break
    if CELL.search(rest.split(b"</sheetData>")[0]):
        raise Unusual


def parsed_rows(stream):
    """Read the rows of a sheet with a full parser; as ``quick_rows``, with plain cells.

    Parameters
    ----------
    stream : binary file

    Yields
    ------
    number : int
    cells : tuple of tuple
        Column from 0, style, type, and first letter of the value's tag, empty without a value.
    highest : int
        Highest number of a shared text.
    """
    handler = RowHandler()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    while block := stream.read(BLOCK):
        parser.Parse(block)
        yield from handler.rows
        handler.rows.clear()
    parser.Parse(b"", True)
    yield from handler.rows


class RowHandler:
    """Gathers rows from what the parser of a sheet meets."""

    def __init__(self):
        self.rows = []
        self.number = 0
        self.cells = []
        self.column = -1
        self.highest = -1
        self.cell = None
        self.value = None

    def start(self, tag, attributes):
        """Begin a row, a cell or a value."""
        tag = tag.rsplit(":", 1)[-1]
        if tag == "row":
            self.number = int(attributes.get("r", self.number + 1))
            self.cells, self.column, self.highest = [], -1, -1
        elif tag == "c":
            place = attributes.get("r")
            self.column = column_number(place.rstrip("0123456789")) if place else self.column + 1
            style, type_ = int(attributes.get("s", 0)), attributes.get("t", "n")
            self.cell = [self.column, style, type_, ""]
        elif self.cell and tag == "v":
            self.value = ""
        elif self.cell and tag == "is":
            self.cell[3] = "i"

    def text(self, text):
        """Go on with a value."""
        if self.value is not None:
            self.value += text

    def end(self, tag):
        """End a row, a cell or a value."""
        tag = tag.rsplit(":", 1)[-1]
        if tag == "row":
            self.rows.append((self.number, tuple(self.cells), self.highest))
        elif tag == "c":
            self.cells.append(tuple(self.cell))
            self.cell = None
        elif tag == "v" and self.value is not None:
            if self.value:
                self.cell[3] = "v"
            if self.value.isdecimal() and self.cell[2] == "s":
                self.highest = max(self.highest, int(self.value))
            self.value = None


def column_number(letters):
    """Turn the letters of a column into its number, from 0."""
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise UnreadableFile(f"it is damaged: {letters[:10]!r} is no column of a sheet; {SAVE_AS}")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number):
    """Turn the number of a column, from 0, into its letters."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def is_pivot(book, sheet, header):
    """Whether the table that begins in a row is a pivot table.

    Parameters
    ----------
    book : zipfile.ZipFile
    sheet : Sheet
    header : int

    Returns
    -------
    bool
    """
    for type_, part in relations(book, sheet.part).values():
        if type_ == "pivotTable" and part in book.namelist():
            for element in ElementTree.fromstring(book.read(part)).iter():
                rows = re.findall("[0-9]+", element.get("ref", ""))
                if element.tag.endswith("}location") and rows:
                    if int(rows[0]) <= header <= int(rows[-1]):
                        return True
    return False


@dataclass(frozen=True)
class Reader:
    """Selects from a sheet, cell by cell as its layout says.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
    path, sheet : str
    layout : Layout
    from_1904 : bool
    """

    connection: duckdb.DuckDBPyConnection
    path: str
    sheet: str
    layout: Layout
    from_1904: bool

    def relation(self, first, last, columns):
        """Write what stands behind FROM: ``sheet_row`` and ``c0`` to the last of the columns.

        Parameters
        ----------
        first, last : int
            Rows; none is read where the last is before the first.
        columns : int

        Returns
        -------
        str
        """
        names = ", ".join(f"c{number}" for number in range(columns))
        cells = f"A{first}:{column_letters(columns - 1)}{max(first, last)}"
        # Its [ ] * and ? would be a pattern.
        path = re.sub(r"([*?\[])", r"[\1]", str(self.path))
        # The reader gives rows in order, one thread at a time, whatever the settings are.
        return (
            f"(select *, row_number() over () + {first - 1} as sheet_row from read_xlsx("
            f"{sql_text(path)}, sheet = {sql_text(self.sheet)}, range = '{cells}', header = false, "
            f"all_varchar = true, stop_at_empty = false) as cells ({names})"
            f"{' limit 0' if last < first else ''}) as sheet"
        )

    def rows(self, first, last, columns):
        """Read the values of some rows.

        Parameters
        ----------
        first, last, columns : int

        Returns
        -------
        list of tuple
            One for each row, even if nothing is in it.
        """
        filled = self.layout.count(*self.layout.between(first, last))
        values = ", ".join(
            self.expression(column, first, last) if column in filled else "null"
            for column in range(columns)
        )
        # A limit ends the reader early. The end of a range does not, nor would ORDER BY allow it.
        relation = self.relation(first, max(last, self.layout.numbers[-1]), columns)
        rows = self.connection.execute(
            f"select sheet_row, {values} from {relation} limit {last - first + 1}"
        ).fetchall()
        return [row[1:] for row in sorted(rows, key=lambda row: row[0])]

    def expression(self, column, first, last):
        """Write SQL for the plain text of a column in some rows.

        Parameters
        ----------
        column, first, last : int

        Returns
        -------
        str
        """
        raw = f"c{column}"
        begin, end = self.layout.between(first, last)
        count = self.layout.count(begin, end).get(column, Counter())
        usual = max(count, key=count.get, default=TEXT)
        cases = [
            f"when {self.is_a(other, column, first, begin, end)} then {self.plain(other, raw)}"
            for other in sorted(count)
            if other != usual
        ]
        plain = self.plain(usual, raw)
        return f"case {' '.join(cases)} else {plain} end" if cases else plain

    def is_a(self, wanted, column, first, begin, end):
        """Write SQL that tells whether a cell is of a kind: one bit for each row, as a text."""
        fitting = [row.get(column) == wanted for row in self.layout.rows]
        bits = bytearray((self.layout.numbers[end - 1] - first) // 8 + 1)
        for place in range(begin, end):
            if fitting[self.layout.kinds[place]]:
                offset = self.layout.numbers[place] - first
                bits[offset // 8] |= 128 >> offset % 8
        text = base64.b64encode(bits).decode()
        return f"get_bit(cast(from_base64('{text}') as bit), cast(sheet_row - {first} as int)) = 1"

    def plain(self, kind, raw):
        """Write SQL for the plain text of a cell whose kind is known."""
        if kind == NO_TEXT:
            return "cast(null as varchar)"
        if kind == NUMBER:
            return number_sql(raw)
        if kind == DATE:
            return date_sql(raw, self.from_1904)
        if kind == TRUTH:
            return f"case {raw} when '1' then 'TRUE' when '0' then 'FALSE' else upper({raw}) end"
        return iso_sql(raw) if kind == ISO_DATE else text_sql(raw)


def sql_text(text):
    """Quote a text for SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def text_sql(raw):
    """Write SQL for a text without Excel's escapes; null where it is empty."""
    # An escaped underscore is set apart first, so that it never begins another escape.
    apart = "'_' || chr(57344)"
    plain = f"replace({raw}, '_x005F_', {apart})"
    for escape, code in (("000D", 13), ("000A", 10), ("0009", 9)):
        plain = f"replace({plain}, '_x{escape}_', chr({code}))"
    plain = f"replace({plain}, {apart}, '_')"
    return f"nullif(case when contains({raw}, '_x00') then {plain} else {raw} end, '')"


def double_sql(raw):
    """Write SQL for a number in digits; a cast alone would take 1_000 for a thousand."""
    return f"try_cast(replace({raw}, '_', 'x') as double)"


def number_sql(raw):
    """Write SQL for a number in digits: fifteen, as in Excel; all of them where it is whole."""
    whole = f"regexp_replace(trim({raw}), '[.]0+$', '')"
    short = f"format('{{:.15g}}', {double_sql(raw)})"
    # Zeros behind the point mean nothing; a number without a point keeps its own.
    wide = f"rtrim(rtrim(cast(try_cast({short} as decimal(38, 20)) as varchar), '0'), '.')"
    huge = f"cast(try_cast({short} as decimal(38, 0)) as varchar)"
    return (
        f"case when regexp_full_match({whole}, '-?[0-9]+') then {whole} "
        f"when regexp_matches({short}, '^-?[0-9]+([.][0-9]+)?$') then {short} "
        f"else coalesce({wide}, {huge}, {raw}) end"
    )


def date_sql(raw, from_1904):
    """Write SQL for the moment of a number of days, the time alone where there is no day."""
    first_day = "1904-01-01" if from_1904 else "1899-12-30"
    last_day = LAST_DAY - (DAYS_TO_1904 if from_1904 else 0)
    days = double_sql(raw)
    moment = f"timestamp '{first_day}' + to_seconds(cast(round({days} * 86400) as bigint))"
    return (
        f"case when {days} >= 0 and round({days} * 86400) < 86400 "
        f"then strftime({moment}, '%H:%M:%S') "
        f"when {days} > 0 and round({days} * 86400) < {(last_day + 1) * 86400} "
        f"then cast({moment} as varchar) else {number_sql(raw)} end"
    )


def iso_sql(raw):
    """Write SQL for a date that is written as one."""
    return f"coalesce(cast(try_cast({raw} as timestamp) as varchar), {raw})"


def find_header(reader, declared, chosen):
    """Find the row with the names of the columns.

    It is the first one with at least ``LEAST_NAMES`` texts, at least half of it texts, whose rows
    below are about as wide: one of them at least half as wide, and most of them not much wider.

    Parameters
    ----------
    reader : Reader
    declared : int or None
        Row that is declared.
    chosen : bool
        Whether the sheet is declared: then it has a table, whatever it looks like.

    Returns
    -------
    header : int or None
    reason : str
        Why there is none.
    """
    layout = reader.layout
    if declared:
        there = bool(layout.row(declared))
        if chosen and not there:
            raise UnreadableFile(
                f"its sheet {reader.sheet} has nothing in row {declared}, which header_line names"
            )
        return (declared, "") if there else (None, f"its row {declared} is empty")
    last = min(HEADER_ROWS, layout.numbers[-1])
    top = reader.rows(1, last, min(layout.width(), MOST_COLUMNS))
    for place, number in enumerate(layout.numbers):
        if number > last:
            break
        row = layout.rows[layout.kinds[place]]
        values = {column: value for column, value in enumerate(top[number - 1]) if value}
        texts = sum(row.get(column) == TEXT for column in values)
        below = sorted(
            len(layout.rows[kind]) for kind in layout.kinds[place + 1 : place + 1 + ROWS_BELOW]
        )
        fits = not below or (
            below[-1] >= len(values) / 2 and below[len(below) // 2] <= len(values) * 1.5
        )
        if texts >= max(LEAST_NAMES, len(values) / 2) and fits:
            return number, ""
    return (layout.numbers[0], "") if chosen else (None, "it has no table")


def as_source(reader, name, header, declared):
    """Make a source of a sheet.

    Parameters
    ----------
    reader : Reader
    name : str
        Of the file.
    header : int
        Row with the names of the columns.
    declared : int or None

    Returns
    -------
    Source
    """
    layout = reader.layout
    first, last, width = header + 1, layout.numbers[-1], min(layout.width(), MOST_COLUMNS)
    begin, end = layout.between(first, last)
    columns, decisions = [], []
    for column, value in enumerate(reader.rows(header, header, width)[0]):
        count = layout.count(begin, end).get(column, Counter())
        title = " ".join((value or "").split())
        if title or count:
            columns.append(Column(title, "VARCHAR", reader.expression(column, first, last)))
        if count[DATE] and count[NUMBER]:
            decisions.append(
                Decision(
                    "dates in a column",
                    f"numbers in {title or column_letters(column)} that are not shown as dates "
                    "stay numbers",
                    evidence=f"{count[DATE]:,} shown as dates, {count[NUMBER]:,} as numbers",
                    lines=count[NUMBER],
                    matters=True,
                )
            )
    if layout.width() > width:
        decisions.append(
            Decision(
                "columns",
                f"columns after {column_letters(width - 1)} are not read",
                evidence=f"the last cell with a value is in {column_letters(layout.width() - 1)}",
                matters=True,
            )
        )
    if declared or header != layout.numbers[0]:
        decisions.append(
            Decision(
                "header line",
                f"row {header}",
                "declared" if declared else "recognised",
                evidence="" if declared else "the rows above are not as wide as the table",
                setting=f"{{invoice_format: {{header_line: {header}}}}}",
            )
        )
    return Source(
        name=f"{name}, sheet {reader.sheet}",
        kind="sheet",
        relation=reader.relation(first, last, width),
        columns=columns,
        line="sheet_row",
        lines=last - header,
        decisions=decisions,
    )
