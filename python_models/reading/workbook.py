"""Opens XLSX workbooks: chooses the sheets that hold a table, and makes a source of each.

DuckDB's ``read_xlsx`` reads the values, but it leaves out what they mean. It gives a date as a
number of days, TRUE as 1, and an empty cell that claims to be a shared text as the first text of
the workbook. So the XML of each sheet is walked once, without its values, and each column gets an
expression that knows which of its cells are dates, numbers, truth values or empty.
"""

import json
from importlib.util import find_spec
from pathlib import Path

from reading.cell_text import SheetReader, date_styles
from reading.decisions import Decision, UnreadableFile
from reading.sheet_table import as_source, declared_line, find_header, is_pivot
from reading.sheet_xml import walk
from reading.sql import sql_text
from reading.workbook_parts import count_texts, read_contents, unpacked


def open_workbook(connection, path, name, declared=None):
    """Open the sheets of a workbook that hold a table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Gets the extension that reads XLSX.
    path : str
    name : str
        The file's name in messages.
    declared : dict, optional
        ``sheet``: a name or a list of names; these sheets are read whatever is in them.
        ``header_line``: the row with the names of the columns, from 1.

    Returns
    -------
    list of Source
        One for each sheet, in the order of the workbook. The first one also has the decisions
        about the whole workbook. Every column is text: dates as ``YYYY-MM-DD HH:MM:SS``, times
        alone as ``HH:MM:SS``, numbers in digits, truth values as TRUE and FALSE, errors as Excel
        shows them.

    Raises
    ------
    UnreadableFile
        If the file is no XLSX file, is damaged, lacks a declared sheet, or has no table.
    OSError
        If the file can't be opened.
    """
    declared = declared or {}
    wanted = declared.get("sheet")
    header_line = declared_line(declared.get("header_line"))
    load_extension(connection)
    with unpacked(path) as book:
        sheets, from_1904 = read_contents(book)
        chosen, decisions = choose_sheets(sheets, wanted)
        styles = date_styles(book)
        texts = count_texts(book)
        sources, names = [], []
        for sheet in chosen:
            layout = walk(book, sheet, styles, texts)
            if not layout.numbers:
                if wanted:
                    raise UnreadableFile(f"its sheet {sheet.name} is empty; name another one")
                continue
            reader = SheetReader(connection, path, sheet.name, layout, from_1904)
            header, why_not = find_header(reader, header_line, bool(wanted))
            if header and not wanted and is_pivot(book, sheet, header):
                header, why_not = None, "it has a pivot table"
            if header is None:
                decisions.append(left_out(sheet.name, why_not))
            else:
                sources.append(as_source(reader, name, header, header_line))
                names.append(sheet.name)
    if not sources:
        reasons = "; ".join(decision.answer for decision in decisions)
        raise UnreadableFile(
            "it has no sheet with a table"
            + (f" ({reasons})" if reasons else ": it is empty")
            + ". Say where one is: {invoice_format: {sheet: a name, header_line: a number}}"
        )
    if len(sources) > 1:
        answer = f"{', '.join(names)} are read"
        found = "declared" if wanted else "recognised"
        decisions.insert(0, Decision("sheets", answer, found, setting=setting(names)))
    sources[0].decisions.extend(decisions)
    return sources


def choose_sheets(sheets, declared):
    """Choose the sheets in which to look for a table.

    Parameters
    ----------
    sheets : list of Sheet
    declared : str, list of str or None

    Returns
    -------
    chosen : list of Sheet
    decisions : list of Decision
        About the sheets that are not chosen.

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


def left_out(sheet, reason, *, matters=True):
    """Record the decision not to read a sheet."""
    return Decision(
        "sheets", f"{sheet} is not read: {reason}", setting=setting(sheet), matters=matters
    )


def setting(names):
    """Write the setting that chooses sheets."""
    return f"{{invoice_format: {{sheet: {json.dumps(names, ensure_ascii=False)}}}}}"


def load_extension(connection):
    """Load DuckDB's XLSX reader, which comes with a Python package.

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
