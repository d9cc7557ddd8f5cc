"""Copy the warehouse, keep the marts, and put the copy in the place of the published file."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import duckdb


def publish(source, target, kept):
    """Replace ``target`` with a copy of ``source`` that holds ``kept`` and nothing else.

    Copying bytes costs next to nothing; writing the same rows again costs as much as computing
    them. Readers that have the old file open keep it, whole, until they close it.

    Parameters
    ----------
    source : Path
        A checkpointed DuckDB file that nobody writes meanwhile. Relative paths start where the
        process runs.
    target : Path
    kept : collection of str
        Relations to keep, as ``schema.name``.

    Raises
    ------
    ValueError
        If one of ``kept`` is not in ``source``.
    OSError
        If the disk is full or a path can't be written; ``target`` is then as it was.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, draft)
        keep_only(draft, set(kept))
        with open(draft, "rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, target)
    finally:
        for leftover in (draft, draft.with_name(draft.name + ".wal")):
            with suppress(FileNotFoundError):
                leftover.unlink()


def keep_only(path, kept):
    """Drop every relation of a DuckDB file that is not to be kept, and every schema left empty.

    Parameters
    ----------
    path : Path
    kept : set of str
        Relations as ``schema.name``.

    Raises
    ------
    ValueError
        If one of them is not there.
    """
    with duckdb.connect(str(path)) as connection:
        relations = connection.execute(
            """
            select table_schema, table_name, table_type
            from information_schema.tables
            where table_catalog = current_database()
            order by table_type = 'BASE TABLE', table_schema, table_name
            """
        ).fetchall()
        missing = kept - {f"{schema}.{name}" for schema, name, _ in relations}
        if missing:
            raise ValueError(f"not in the warehouse: {', '.join(sorted(missing))}")
        for schema, name, kind in relations:
            if f"{schema}.{name}" not in kept:
                word = "view" if kind == "VIEW" else "table"
                connection.execute(f'drop {word} "{schema}"."{name}"')
        schemas = {schema for schema, _, _ in relations} - {name.split(".")[0] for name in kept}
        for schema in sorted(schemas - {"main"}):
            connection.execute(f'drop schema "{schema}"')
        connection.execute("checkpoint")


def main(arguments):
    """Command line: source, target, then the relations to keep."""
    source, target, *kept = arguments
    try:
        publish(Path(source), Path(target), kept)
    except (OSError, ValueError, duckdb.Error) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
