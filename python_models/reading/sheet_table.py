"""Finds the table of a sheet: the row of its header, and the source that it becomes."""

import re
from collections import Counter
from xml.etree import ElementTree

from reading.decisions import Column, Decision, Source, UnreadableFile
from reading.sheet_xml import DATE, NUMBER, TEXT, column_letters
from reading.workbook_parts import related

# The header is looked for in this many rows. This many rows below it must look like its table.
HEADER_ROWS = 30
ROWS_BELOW = 20
# A table of invoice lines has more columns than a list of notes.
LEAST_NAMES = 3


def declared_line(line):
    """Return the declared number of the header's row, or None; stop if it is no row number."""
    if line is None:
        return None
    if isinstance(line, bool) or not re.fullmatch("[1-9][0-9]{0,6}", str(line)):
        raise UnreadableFile(f"header_line is {line!r}; it must be a row number, from 1")
    return int(line)


def find_header(reader, declared, chosen):
    """Find the row with the names of the columns.

    It is the first row in which at least ``LEAST_NAMES`` cells, and at least half of the cells, are
    texts, if the rows below are about as wide: one of them is at least half as wide, and most of
    them are not much wider.

    Parameters
    ----------
    reader : SheetReader
    declared : int or None
        The declared row.
    chosen : bool
        Whether the sheet is declared; then it has a table, whatever it looks like.

    Returns
    -------
    header : int or None
    reason : str
        Why there is none.

    Raises
    ------
    UnreadableFile
        If the sheet is declared, and the declared row is empty.
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
    top = reader.rows(1, last)
    for place in range(*layout.between(1, last)):
        number, row = layout.numbers[place], layout.rows[layout.kinds[place]]
        filled = [column for column, value in enumerate(top[number - 1]) if value]
        texts = sum(row.get(column) == TEXT for column in filled)
        below = layout.kinds[place + 1 : place + 1 + ROWS_BELOW]
        widths = sorted(len(layout.rows[kind]) for kind in below)
        fits = not widths or (
            widths[-1] >= len(filled) / 2 and widths[len(widths) // 2] <= len(filled) * 1.5
        )
        if texts >= max(LEAST_NAMES, len(filled) / 2) and fits:
            return number, ""
    return (layout.numbers[0], "") if chosen else (None, "it has no table")


def is_pivot(book, sheet, header):
    """Tell whether the table that begins in a row is a pivot table.

    Parameters
    ----------
    book : zipfile.ZipFile
    sheet : Sheet
    header : int

    Returns
    -------
    bool
    """
    for part in related(book, sheet.part, "pivotTable"):
        if part in book.namelist():
            for element in ElementTree.fromstring(book.read(part)).iter():
                rows = re.findall("[0-9]+", element.get("ref", ""))
                if element.tag.endswith("}location") and rows:
                    if int(rows[0]) <= header <= int(rows[-1]):
                        return True
    return False


def as_source(reader, name, header, declared):
    """Make a source of a sheet.

    Parameters
    ----------
    reader : SheetReader
    name : str
        The file's name.
    header : int
        Row with the names of the columns.
    declared : int or None
        The declared row.

    Returns
    -------
    Source
    """
    layout = reader.layout
    first, last = header + 1, layout.numbers[-1]
    counts = layout.count(*layout.between(first, last))
    columns, decisions = [], []
    for column, value in enumerate(reader.rows(header, header)[0]):
        count = counts.get(column, Counter())
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
    if layout.width() > reader.width:
        decisions.append(
            Decision(
                "columns",
                f"columns after {column_letters(reader.width - 1)} are not read",
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
        relation=reader.relation(first, last),
        columns=columns,
        line="sheet_row",
        lines=last - header,
        decisions=decisions,
    )
