"""Walks through the XML of a sheet once, and notes what each cell is, without its value."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from xml.parsers import expat

from reading.decisions import UnreadableFile
from reading.workbook_parts import BLOCK, SAVE_AS

MOST_ROWS = 1 << 20
# At most this many different rows are remembered; real sheets have fewer.
MOST_LAYOUTS = 20_000

# What a cell is. NO_TEXT is a shared text without a number, which means an empty cell.
TEXT, NUMBER, DATE, TRUTH, ISO_DATE, NO_TEXT = range(6)

ROW = re.compile(rb'<row r="([0-9]{1,7})"[^>]*>')
CELL = re.compile(
    rb'<c r="([A-Z]{1,3})[0-9]+"([^>]*?)/?>'
    rb"(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?(<v(?: [^>]*)?>(?=[^<])|<is>)?"
)
TEXT_NUMBER = re.compile(rb't="s"[^>]*><v>([0-9]+)')
ATTRIBUTE = re.compile(rb' ([A-Za-z]+)="([^"]*)"')


class Unusual(Exception):
    """The XML of a sheet is written in a way that only a full parser understands."""


@dataclass
class Layout:
    """What is in the cells of a sheet, without their values.

    Attributes
    ----------
    numbers : array of int
        Numbers of the rows in which a cell has a value, ascending from 1.
    kinds : array of int
        For each of these rows, its place in ``rows``.
    rows : list of dict
        Each different row: what each of its cells is, by column from 0.
    counted : dict
        Results of ``count``, by its arguments.
    """

    numbers: array
    kinds: array
    rows: list
    counted: dict = field(default_factory=dict)

    def add(self, kinds):
        """Add a different row, and return its place, or None if none of its cells has a value."""
        if all(kind == NO_TEXT for kind in kinds.values()):
            return None
        self.rows.append(kinds)
        return len(self.rows) - 1

    def row(self, number):
        """Return what each cell of a row is, by column; nothing for an empty row."""
        begin, end = self.between(number, number)
        return self.rows[self.kinds[begin]] if begin < end else {}

    def between(self, first, last):
        """Find the places in ``numbers`` of a range of rows; the end is exclusive."""
        return bisect_left(self.numbers, first), bisect_right(self.numbers, last)

    def count(self, begin, end):
        """Count the cells of each kind between two places, for each column."""
        if (begin, end) not in self.counted:
            counts = defaultdict(Counter)
            for kind, rows in Counter(self.kinds[begin:end]).items():
                for column, cell in self.rows[kind].items():
                    counts[column][cell] += rows
            self.counted[begin, end] = counts
        return self.counted[begin, end]

    def width(self):
        """Count the columns up to the last one with a value."""
        return max(map(max, self.rows)) + 1


def walk(book, sheet, styles, texts):
    """Walk through the cells of a sheet.

    Parameters
    ----------
    book : zipfile.ZipFile
    sheet : Sheet
    styles : set of int
        The styles that show dates.
    texts : int
        Number of shared texts.

    Returns
    -------
    Layout

    Raises
    ------
    UnreadableFile
        If rows or cells are out of order, which would end DuckDB's reader, or if a shared text is
        missing.
    """
    with suppress(Unusual), book.open(sheet.part) as stream:
        return lay_out(quick_rows(stream), styles, texts, sheet.name)
    with book.open(sheet.part) as stream:
        return lay_out(parsed_rows(stream), styles, texts, sheet.name)


def lay_out(rows, styles, texts, name):
    """Gather rows of cells into a layout, as ``walk`` does."""
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
    """Return the error that a sheet is damaged at a row."""
    return UnreadableFile(f"its sheet {name} is damaged at row {number}: {fault}; {SAVE_AS}")


def kinds_of(cells, styles, name, number):
    """Tell what each cell of a row is, by column. Cells without a value are left out."""
    kinds, before = {}, -1
    for column, style, type_, tag in map(plain_cell, cells):
        if column <= before:
            raise damaged(name, number, "cells are out of order")
        before = column
        kind = kind_of(style, type_, tag, styles)
        if kind is not None:
            kinds[column] = kind
    return kinds


def plain_cell(cell):
    """Give a cell as ``parsed_rows`` does, whichever of the two functions has read it."""
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


def kind_of(style, type_, tag, styles):
    """Tell what a cell is; None where it has no value and DuckDB reads none."""
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
    """Read the rows of a sheet in the form that nearly all programs write.

    This is eight times as fast as ``parsed_rows``.

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
        If anything is written in another form.
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
    """Read the rows of a sheet with a full parser.

    It yields what ``quick_rows`` does, except for the cells. Each of them is the column from 0, the
    style, the type, and the first letter of the value's tag, which is empty without a value.
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
    """Gathers the rows of a sheet from the calls of a parser."""

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
        """Add text to a value."""
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
