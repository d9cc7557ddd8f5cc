"""Reads a text with DuckDB's own reader, and proves that it read every line right."""

import duckdb

from reading.decisions import Source
from reading.file_bytes import MOST_BYTES, is_packed
from reading.sql import sql_path, sql_text
from reading.text_layout import find_layout, quotes_decision


def fast_source(connection, data, declared):
    """Read a file by DuckDB alone, if it provably reads each line as one record.

    The strict reader must raise no error, and must find as many records as there are lines. Its
    values, delimiters, quotes and line ends must add up to all bytes of the file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    data : Bytes
    declared : dict

    Returns
    -------
    Source or None
        None where there is any doubt.
    """
    quotes = declared.get("quotes", '"')
    if quotes == "backslash" or not is_plain(data):
        return None
    layout = find_layout(data, declared, quotes)
    dialect = layout.dialect
    lines = data.scan.lines - layout.skipped
    if (
        layout.broken_header is not None
        or layout.head.count(b"\n") != layout.skipped
        or not lines
        or len(dialect.delimiter.encode()) > 1
    ):
        return None
    table = f'landing."text_{data.digest}"'
    columns = [f"landed_{number}" for number in range(1, dialect.fields + 1)]
    mark = sql_text('"' if quotes == '"' else "")
    types = ", ".join(f"{column}: 'VARCHAR'" for column in columns)
    packed = "gzip" if is_packed(data.path) else "none"
    reader = (
        f"read_csv({sql_path(data.path)}, auto_detect = false, header = false, "
        f"compression = '{packed}', skip = {layout.skipped}, "
        f"delim = {sql_text(dialect.delimiter)}, "
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
    if not is_whole(connection, table, columns, data, layout):
        connection.execute(f"drop table {table}")
        return None
    decisions = list(layout.decisions)
    if data.scan.quotes:
        found = "declared" if "quotes" in declared else "recognised"
        decisions.append(quotes_decision(quotes, found, "in all lines"))
    return Source(
        "",
        "text",
        table,
        layout.columns(),
        # A table that was written in order numbers its rows from 0 in that order. A number of our
        # own would slow the ordered writing.
        f"rowid + {layout.skipped + 1}",
        lines=lines,
        decisions=decisions,
    )


def is_plain(data):
    """Whether DuckDB can read the bytes of a file as they are, by their counts."""
    facts = data.scan
    return (
        # DuckDB takes a path as a pattern, and a pattern can't hold a backslash.
        "\\" not in data.path
        and data.encoding in ("utf-8", "ascii")
        and not data.rewrites
        and not data.returns
        and facts.is_utf8
        and (data.encoding != "ascii" or facts.is_ascii)
        and not facts.has_nul
        # All line ends are of one kind, and no carriage return is anywhere else.
        and facts.returns == facts.pairs
        and facts.pairs in (0, facts.feeds)
    )


def is_whole(connection, table, columns, data, layout):
    """Whether a table holds each line of a file as one row, and all bytes of it.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    table : str
    columns : list of str
    data : Bytes
    layout : Layout

    Returns
    -------
    bool
    """
    facts, head = data.scan, layout.head
    marks = (facts.quotes - head.count(b'"')) if layout.dialect.quotes == '"' else 0
    # Quotes are counted in the file: those around a value are not in the table.
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
        rows == facts.lines - layout.skipped
        and values + delimiters + marks + ends == body
        # Values alone don't tell whether a line is too long: such a file is read line by line.
        and longest * 2 < MOST_BYTES
        and not unlike
    )
