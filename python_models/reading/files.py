"""Open files and relations of the warehouse as sources, whatever their format."""

import glob
import os
import re
import zlib
from pathlib import Path

import duckdb

from reading.decisions import Column, Source, UnreadableFile
from reading.sql import sql_name, sql_path
from reading.text import TEXT_SETTINGS, open_text
from reading.workbook import open_workbook

TEXT_ENDS = (".csv", ".tsv", ".txt", ".tab")
READABLE = "CSV, TSV, TXT (each perhaps .gz), Parquet or XLSX"
# What the user can say about a file of a kind; the rest is about values.
DECLARED = {
    "text": TEXT_SETTINGS,
    "xlsx": ("sheet", "header_line"),
}
# The schema in which sources are landed.
LANDING = "landing"
# One row per line of all sources.
LANDED_LINES = f"{LANDING}.invoice_lines"


def kind_of(path):
    """Tell text, parquet, xlsx and relation apart by the name; None for what is not read."""
    name = path.lower().removesuffix(".gz")
    if path.startswith("relation:"):
        return "relation"
    if name.endswith(TEXT_ENDS):
        return "text"
    if path.lower().endswith((".parquet", ".pq")):
        return "parquet"
    if path.lower().endswith((".xlsx", ".xlsm")):
        return "xlsx"
    return None


def find_paths(stated, project, example):
    """Find what a setting stands for.

    Parameters
    ----------
    stated : str
        A path, a folder, a glob, or ``relation:schema.table``. Relative paths start at the project.
    project : str
    example : str
        How to give a path, for the message.

    Returns
    -------
    list of str
        In order of their names.

    Raises
    ------
    UnreadableFile
        If there is none, or none that can be read.
    """
    if kind_of(stated) == "relation" or re.match(r"[a-z0-9]+://", stated):
        return [stated]
    path = str(Path(project) / Path(stated).expanduser())
    # A file or folder of this very name first: its [ ] * and ? are part of the name.
    exact = glob.escape(path)
    for pattern in (exact, f"{exact}/*", path, f"{path}/*"):
        found = sorted(file for file in glob.glob(pattern) if os.path.isfile(file))
        if found:
            break
    else:
        raise UnreadableFile(f"there is no file {path}. Give a path, a folder or a glob: {example}")
    readable = [file for file in found if kind_of(file)]
    if not readable:
        raise UnreadableFile(f"{path} is no file that can be read: it can be {READABLE}")
    return readable


def shared_folder(paths):
    """Length of the folder that all paths share: files are named by what follows it."""
    if len(paths) == 1:
        return paths[0].rfind("/") + 1
    return len(os.path.commonpath([os.path.dirname(path) for path in paths])) + 1


def open_path(connection, path, name, folder, declared):
    """Open a file or a relation as one source, or a workbook as one for each sheet.

    Parameters
    ----------
    connection : DuckDBPyConnection
    path, name : str
    folder : str
        Where text can be landed.
    declared : dict
        What the user says about how it is written.

    Returns
    -------
    list of Source

    Raises
    ------
    UnreadableFile
        With one line that says which file it is.
    """
    try:
        return open_kind(connection, path, name, folder, declared)
    except (OSError, EOFError, UnreadableFile, zlib.error, duckdb.Error) as error:
        message = " ".join(str(error).split())
        named = message if name in message else f"{name}: {message}"
        raise UnreadableFile(named) from error


def open_kind(connection, path, name, folder, declared):
    """Open a path by what its name says it is; see ``open_path``."""
    kind = kind_of(path)
    known = {word: said for word, said in declared.items() if word in DECLARED.get(kind, ())}
    if kind == "text":
        return [open_text(connection, path, name, folder, known)]
    if kind == "xlsx":
        return open_workbook(connection, path, name, known)
    if kind == "parquet":
        return [open_parquet(connection, path, name)]
    return [open_relation(connection, path)]


def described(connection, query, prefix=""):
    """Columns of a query, in order."""
    return [
        Column(name, str(kind).upper(), prefix + sql_name(name))
        for name, kind, *_ in connection.execute(f"describe {query}").fetchall()
    ]


def open_parquet(connection, path, name):
    """Open a Parquet file; see ``open_path``."""
    exact = sql_path(path)
    columns = described(connection, f"from read_parquet({exact})")
    if any(column.name.lower() == "file_row_number" for column in columns):
        raise UnreadableFile(
            f"{name} has a column file_row_number, a name that the reader needs for itself: "
            "rename it"
        )
    (lines,) = connection.execute(
        f"select sum(num_rows) from parquet_file_metadata({exact})"
    ).fetchone()
    return Source(
        name,
        "parquet",
        f"read_parquet({exact}, file_row_number = true)",
        columns,
        line="file_row_number + 1",
        lines=int(lines),
    )


def open_relation(connection, stated):
    """Open a relation of the warehouse; see ``open_path``."""
    relation = stated.removeprefix("relation:").strip()
    if not re.fullmatch(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*){0,2}", relation):
        raise UnreadableFile(f"{stated} must look like relation:schema.table")
    *schema, table = (part.lower() for part in relation.split("."))
    (there,) = connection.execute(
        "select count(*) from information_schema.tables where lower(table_name) = ? "
        "and (? is null or lower(table_schema) = ?)",
        [table, schema[-1] if schema else None, schema[-1] if schema else None],
    ).fetchone()
    if not there:
        raise UnreadableFile(f"the warehouse has no relation {relation}")
    return Source(
        stated,
        "relation",
        relation,
        described(connection, f"from {relation}"),
        line="row_number() over ()",
    )


def written_out(column):
    """Write an expression for a value as text; numbers never as 1E-3."""
    text = f"cast({column.sql} as varchar)"
    if column.type == "VARCHAR" or "INT" in column.type:
        return text
    return f"coalesce(cast(try_cast({text} as decimal(38, 12)) as varchar), {text})"
