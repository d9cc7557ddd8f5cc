"""Land the invoice lines of a shop: open its files, and decide and say how they are read."""

import re
from dataclasses import dataclass, field, replace

import pandas as pd

from reading.amounts import decide_money
from reading.columns import NAMES, compare_files, match_columns
from reading.decisions import Decision, Source, UnreadableFile
from reading.files import (
    LANDED_LINES,
    LANDING,
    find_paths,
    open_path,
    shared_folder,
    written_out,
)
from reading.formats import (
    DATES,
    TEXTS,
    date_heads,
    decide_dates,
    decide_decimal_mark,
    number_marks,
)
from reading.lookups import land_lookups
from reading.preset_sources import apply_presets
from reading.shop import decide_for_the_shop
from reading.sql import sql_name, sql_text

# A time of day with an offset from UTC, at the end of a moment.
OFFSET = re.compile(
    r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])? ?(Z|UTC|GMT|[-+]\d{2}(:?\d{2})?)$"
)


@dataclass(frozen=True)
class File:
    """How one source is read.

    Attributes
    ----------
    number : int
        From 1, in the order of names.
    source : Source
    columns : dict of str to Column
        The source's columns by our names.
    others : list of Column
        Columns that are not read.
    decisions : list of Decision
    dates : str
        A notation of ``formats.DATES``.
    decimal_mark : str
    is_line_amount_paid : bool
        Whether the amounts of lines count, and not price times quantity.
    discount_kind : str or None
        What discounts are: share, percent or money.
    """

    number: int
    source: Source
    columns: dict
    others: list
    decisions: list = field(default_factory=list)
    dates: str = "iso"
    decimal_mark: str = "."
    is_line_amount_paid: bool = False
    discount_kind: str | None = None


def land_lines(connection, settings, folder):
    """Land the invoice lines.

    The connection then has ``landing.invoice_lines``, a view: one row per line with its place and
    our columns as they are written; and ``landing.readings``: one row per file and question.

    Parameters
    ----------
    connection : DuckDBPyConnection
    settings : dict
        Settings of the project by name, and ``project``, its folder.
    folder : str
        Where text can be landed.

    Returns
    -------
    DataFrame
        One row per file or sheet: file_number, source_file, kind, lines, dates, decimal_mark,
        and what holds for the whole shop.

    Raises
    ------
    UnreadableFile
        With one line that says what is wrong and what to do.
    """
    connection.execute(f"create schema if not exists {LANDING}")
    drop_landed(connection)
    declared = {word: said for word, said in settings["invoice_format"].items() if said}
    check_settings(connection, settings, declared)
    paths = find_paths(
        settings["invoices"], settings["project"], "make build INVOICES=my_invoices.csv"
    )
    shared = shared_folder(paths)
    sources = [
        source
        for path in paths
        for source in open_path(connection, path, path[shared:], folder, declared)
    ]
    sources = [keep_rows(connection, source, n) for n, source in enumerate(sources, start=1)]
    sources = apply_presets(connection, sources, settings)
    files = [
        decide_money(
            connection, decide_formats(connection, file, declared), settings["invoice_columns"]
        )
        for file in match_sources(sources, settings)
    ]
    create_view(connection, files, settings["pass_through"])
    prefix, of_the_shop = decide_for_the_shop(connection, files, settings)
    of_the_shop += land_lookups(connection, settings, folder)
    create_readings(connection, files, of_the_shop)
    return list_files(connection, files, prefix)


def check_settings(connection, settings, declared):
    """Refuse what only the reader can tell to be wrong."""
    for word, allowed in (("dates", list(DATES)), ("decimal_mark", [".", ","])):
        if declared.get(word, allowed[0]) not in allowed:
            raise UnreadableFile(
                f"var invoice_format, {word}: got {declared[word]}; it can be " + ", ".join(allowed)
            )
    (known,) = connection.execute(
        "select count(*) from pg_timezone_names() where name = ?", [settings["time_zone"]]
    ).fetchone()
    if not known:
        raise UnreadableFile(
            f"var time_zone: {settings['time_zone']} is unknown; it is written like Europe/Berlin"
        )


def drop_landed(connection):
    """Remove what an earlier run landed."""
    rows = connection.execute(
        "select table_name, table_type from information_schema.tables where table_schema = ? "
        "and table_catalog = current_database()",
        [LANDING],
    ).fetchall()
    for name, kind in sorted(rows, key=lambda row: row[1], reverse=True):
        if name == "campaign_customers":
            continue
        connection.execute(
            f"drop {'view' if kind == 'VIEW' else 'table'} {LANDING}.{sql_name(name)}"
        )


def match_sources(sources, settings):
    """Find our columns in each source; sheets of a workbook that lack them are left out.

    Parameters
    ----------
    sources : list of Source
    settings : dict

    Returns
    -------
    list of File
        Without formats.
    """
    files, left_out, complaint = [], [], None
    for source in sources:
        try:
            stated = {} if source.preset else settings["invoice_columns"]
            matched = match_columns(source, stated, settings["pass_through"])
        except UnreadableFile as error:
            if source.kind != "sheet":
                raise
            complaint = complaint or error
            left_out.append(source.name)
            continue
        files.append(
            File(
                len(files) + 1,
                source,
                matched.columns,
                matched.others,
                [*source.decisions, *matched.decisions],
            )
        )
    if not files:
        raise complaint
    if left_out:
        files[0].decisions.append(
            Decision(
                "sheets",
                f"not read: {', '.join(left_out)}",
                evidence=str(complaint).partition(". ")[0],
                setting="{invoice_columns: {our name: your name}}",
                matters=True,
            )
        )
    known = {name for file in files for name in (c.name for c in file.source.columns)}
    for name in settings["pass_through"]:
        if name not in known:
            raise UnreadableFile(f"no file has a column {name}, which pass_through names")
    for name, decisions in compare_files({file.source.name: file for file in files}).items():
        next(file for file in files if file.source.name == name).decisions.extend(decisions)
    return files


def keep_rows(connection, source, number):
    """Keep the rows of a source in a table, but for Parquet, which is cheap to read again.

    Parameters
    ----------
    connection : DuckDBPyConnection
    source : Source
    number : int
        That no other source has.

    Returns
    -------
    Source
    """
    if source.kind == "parquet" or source.relation.startswith(f"{LANDING}."):
        return source
    table = f"{LANDING}.source_{number}"
    kept = ", ".join(f"{c.sql} as column_{place}" for place, c in enumerate(source.columns))
    connection.execute("set preserve_insertion_order = true")
    try:
        connection.execute(
            f"""
            create table {table} as
            select
                cast({source.line} as bigint) as source_line,
                cast({source.span} as integer) as line_span,
                {source.reason} as malformed_reason,
                {source.text} as malformed_text,
                {kept}
            from {source.relation}
            """
        )
    finally:
        connection.execute("set preserve_insertion_order = false")
    return replace(
        source,
        relation=table,
        columns=[replace(c, sql=f"column_{place}") for place, c in enumerate(source.columns)],
        line="source_line",
        span="line_span",
        reason="malformed_reason",
        text="malformed_text",
    )


def decide_formats(connection, file, declared):
    """Decide how dates and numbers of a source are written.

    Parameters
    ----------
    connection : DuckDBPyConnection
    file : File
    declared : dict

    Returns
    -------
    File
    """
    name, relation = file.source.name, file.source.relation
    decisions = list(file.decisions)
    dates, moment = "iso", file.columns["invoiced_at"]
    if not moment.type.startswith(("TIMESTAMP", "DATE")):
        heads = date_heads(connection, relation, f"cast({moment.sql} as varchar)")
        dates, decision = decide_dates(name, heads, declared.get("dates"))
        decisions.append(decision)
        decisions += say_offsets(heads)
    mark = "."
    texts = [
        file.columns[ours].sql
        for ours in TEXTS
        if ours in file.columns and file.columns[ours].type == "VARCHAR"
    ]
    if texts:
        marks = number_marks(connection, relation, texts)
        mark, decision = decide_decimal_mark(name, marks, declared.get("decimal_mark"))
        decisions.append(decision)
    return replace(file, dates=dates, decimal_mark=mark, decisions=decisions)


def say_offsets(heads):
    """Say what happens to moments with an offset."""
    lines = sum(head.lines for head in heads if OFFSET.search(head.example))
    if not lines:
        return []
    return [
        Decision(
            "offsets from UTC",
            "moments are put on the clock of the setting time_zone",
            evidence=f"about {lines:,} lines are written with an offset",
            lines=lines,
            setting="{time_zone: America/New_York}",
            matters=True,
        )
    ]


def create_view(connection, files, pass_through):
    """Create ``landing.invoice_lines``, one row per line of all sources.

    Parameters
    ----------
    connection : DuckDBPyConnection
    files : list of File
    pass_through : list of str
        Names of columns that are kept as they are.
    """
    mixed = {
        ours
        for ours in NAMES
        if len({file.columns[ours].type for file in files if ours in file.columns}) > 1
    }
    selects = [select_lines(file, mixed, pass_through) for file in files]
    connection.execute(f"create view {LANDED_LINES} as " + "\nunion all\n".join(selects))


def select_lines(file, mixed, pass_through):
    """Write the query of one source's lines."""
    source = file.source
    is_record = f"{source.reason} is null"
    columns = []
    for ours in NAMES:
        column = file.columns.get(ours)
        if column is not None:
            value = written_out(column) if ours in mixed else column.sql
        elif ours == "invoice_id":
            moment, customer = (file.columns[name].sql for name in ("invoiced_at", "customer_id"))
            value = (
                f"case when {is_record} then "
                f"concat(cast({moment} as varchar), ' ', cast({customer} as varchar)) end"
            )
        elif ours == "quantity":
            value = f"case when {is_record} then '1' end"
        else:
            value = "cast(null as varchar)"
        columns.append(f"{value} as {ours}")
    others = ", ".join(f"cast({column.sql} as varchar)" for column in file.others)
    kept = {column.name: column.sql for column in source.columns if column.name in pass_through}
    passed = (
        "map {" + ", ".join(f"{sql_text(n)}: cast({s} as varchar)" for n, s in kept.items()) + "}"
        if kept
        else "cast(null as map(varchar, varchar))"
    )
    return f"""
        select
            cast({file.number} as integer) as file_number,
            cast({source.line} as bigint) as source_line,
            cast({source.span} as integer) as line_span,
            {source.reason} as malformed_reason,
            {source.text} as malformed_text,
            {", ".join(columns)},
            {passed} as passed_through,
            {f"hash({others})" if others else "cast(0 as ubigint)"} as other_columns
        from {source.relation}
    """


def create_readings(connection, files, of_the_shop):
    """Create ``landing.readings``: what was decided, one row per file and question.

    Parameters
    ----------
    connection : DuckDBPyConnection
    files : list of File
    of_the_shop : list of Decision
        About lines of all files.
    """
    connection.execute(
        f"""
        create table {LANDING}.readings (
            file_number integer, position integer, question varchar, answer varchar, found varchar,
            evidence varchar, lines bigint, runner_up varchar, setting varchar, matters boolean,
            reject_reason varchar
        )
        """
    )
    decided = [(file.number, decision) for file in files for decision in file.decisions]
    decided += [(None, decision) for decision in of_the_shop]
    rows, seen = [], {}
    for position, (number, decision) in enumerate(decided, start=1):
        # One row answers a question about a file; a second answer is another question.
        question = decision.question
        times = seen[number, question] = seen.get((number, question), 0) + 1
        rows.append(
            [
                number,
                position,
                question if times == 1 else f"{question} ({times})",
                decision.answer,
                decision.found,
                decision.evidence or None,
                decision.lines,
                decision.runner_up,
                decision.setting,
                decision.matters,
                decision.reject_reason,
            ]
        )
    if rows:
        connection.executemany(
            f"insert into {LANDING}.readings values ({', '.join('?' * 11)})", rows
        )


def list_files(connection, files, prefix):
    """Say how each source is read, as ``land_lines`` returns it."""
    rows = []
    for file in files:
        lines = file.source.lines
        if lines is None:
            (lines,) = connection.execute(f"select count(*) from {file.source.relation}").fetchone()
        rows.append(
            {
                "file_number": file.number,
                "source_file": file.source.name,
                "kind": file.source.kind,
                "lines": lines,
                "dates": file.dates,
                "decimal_mark": file.decimal_mark,
                "has_invoice_id": "invoice_id" in file.columns,
                "is_line_amount_paid": file.is_line_amount_paid,
                "discount_kind": file.discount_kind,
                "cancellation_prefix": prefix,
            }
        )
    return pd.DataFrame(rows)
