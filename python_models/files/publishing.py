"""Write relations of the warehouse to a file of their own, which replaces the old one."""

import os
import shutil
from contextlib import closing, suppress

import duckdb


def publish(connection, target, relations):
    """Replace ``target`` with a new file that holds ``relations`` and nothing else.

    The rows are written again. It would be cheaper to copy the warehouse's file and to drop the
    other relations, but DuckDB leaves the bytes of dropped relations in the file. Readers that have
    the old file open keep it, whole, until they close it.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Of the warehouse, with no transaction open.
    target : Path
    relations : collection of str
        As ``schema.name``. Tables keep their types, comments and the order of their rows.
        Constraints are left out: nobody writes to the file. Views may read ``relations`` only.

    Raises
    ------
    ValueError
        If one of ``relations`` is not in the warehouse.
    duckdb.Error, OSError
        If the disk is full or a path can't be written. After any error ``target`` is as it was.
    """
    # DuckDB puts files of its own beside the one that it writes.
    folder = target.with_name(f".{target.name}.draft")
    shutil.rmtree(folder, ignore_errors=True)  # of a process that died
    folder.mkdir()
    draft = folder / target.name
    try:
        with closing(connection.cursor()) as cursor:
            write_relations(cursor, draft, set(relations))
        with open(draft, "rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_relations(cursor, path, relations):
    """Write relations of the warehouse to a new DuckDB file.

    Parameters
    ----------
    cursor : DuckDBPyConnection
        Of the warehouse, with no transaction open.
    path : Path
    relations : set of str
        As ``schema.name``.

    Raises
    ------
    ValueError
        If one of them is not in the warehouse.
    duckdb.Error
        If the file can't be written.
    """
    (warehouse,) = cursor.execute("select current_database()").fetchone()
    # A view is created after the views that it reads, as in the warehouse.
    found = cursor.execute(
        """
        select schema_name, table_name, null as definition, 0 as place
        from duckdb_tables()
        where database_name = current_database()
        union all
        select schema_name, view_name, sql, view_oid
        from duckdb_views()
        where database_name = current_database()
        order by place, schema_name, table_name
        """
    ).fetchall()
    chosen = [row[:3] for row in found if f"{row[0]}.{row[1]}" in relations]
    missing = relations - {f"{schema}.{name}" for schema, name, _ in chosen}
    if missing:
        raise ValueError(f"not in the warehouse: {', '.join(sorted(missing))}")
    comments = read_comments(cursor, relations)
    # Without this, rows may change places. dbt turns it off again for each cursor of its own.
    cursor.execute("set preserve_insertion_order = true")
    # No log: if something goes wrong, the whole file is thrown away.
    file = str(path).replace("'", "''")
    cursor.execute(f"attach '{file}' as draft (recovery_mode 'no_wal_writes')")
    try:
        # The definition of a view names no database, so it must be the current one.
        cursor.execute("use draft.main")
        cursor.execute("begin transaction")
        for schema in sorted({schema for schema, _, _ in chosen}):
            cursor.execute(f"create schema if not exists {quoted(schema)}")
        for schema, name, definition in chosen:
            relation = f"{quoted(schema)}.{quoted(name)}"
            rows = f"create table {relation} as from {quoted(warehouse)}.{relation}"
            cursor.execute(definition or rows)
        for statement in comments:
            cursor.execute(statement)
        cursor.execute("commit")
        cursor.execute("checkpoint draft")
    except BaseException:
        # The first error is the one to report; these may fail for the same reason.
        with suppress(duckdb.Error):
            cursor.execute("rollback")
        with suppress(duckdb.Error):
            detach(cursor, warehouse)
        raise
    detach(cursor, warehouse)


def detach(cursor, warehouse):
    """Close the draft."""
    cursor.execute(f"use {quoted(warehouse)}.main")
    cursor.execute("detach draft")


def read_comments(cursor, relations):
    """Read the comments on relations and their columns.

    Parameters
    ----------
    cursor : DuckDBPyConnection
        Of the warehouse.
    relations : set of str
        As ``schema.name``.

    Returns
    -------
    list of str
        Statements that make the same comments.
    """
    rows = cursor.execute(
        """
        select schema_name, table_name, 'table', null, comment from duckdb_tables()
        where database_name = current_database()
        union all
        select schema_name, view_name, 'view', null, comment from duckdb_views()
        where database_name = current_database()
        union all
        select schema_name, table_name, 'column', column_name, comment from duckdb_columns()
        where database_name = current_database()
        """
    ).fetchall()
    statements = []
    for schema, name, kind, column, comment in rows:
        if comment is not None and f"{schema}.{name}" in relations:
            place = ".".join(quoted(part) for part in (schema, name, column) if part)
            text = comment.replace("'", "''")
            statements.append(f"comment on {kind} {place} is '{text}'")
    return statements


def quoted(name):
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'
