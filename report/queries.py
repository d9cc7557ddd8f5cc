"""Run the project's analyses against the published file."""

import os
from decimal import Decimal
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parent.parent


def warehouse_folder():
    """Find the folder that profiles.yml keeps the warehouse in."""
    return Path(os.environ.get("WAREHOUSE_DIR", PROJECT / "warehouse"))


def compile_analyses(manifest, variables):
    """Let dbt compile the analyses.

    Parameters
    ----------
    manifest : Manifest
        Parsed with the same variables, so that nothing is parsed again.
    variables : str
        dbt vars as JSON.

    Returns
    -------
    dict of str to tuple
        By name of the analysis: its SQL, and the relations (schema, name) that it reads.

    Raises
    ------
    RuntimeError
        If dbt can't compile them.
    """
    from dbt.cli.main import dbtRunner

    quiet = ["--log-level", "none", "--log-level-file", "none"]
    command = [*quiet, "compile", "--select", "resource_type:analysis", "--vars", variables]
    compiled = dbtRunner(manifest=manifest).invoke(command)
    if not compiled.success:
        raise RuntimeError(f"analyses: {compiled.exception or 'dbt could not compile them'}")
    return {
        result.node.name: (
            result.node.compiled_code,
            [
                (manifest.nodes[parent].schema, manifest.nodes[parent].name)
                for parent in result.node.depends_on.nodes
            ],
        )
        for result in compiled.result.results
    }


def run_analyses(analyses, published):
    """Run compiled analyses against a published file, read-only.

    Parameters
    ----------
    analyses : dict of str to tuple
        As from ``compile_analyses``.
    published : str or Path

    Returns
    -------
    dict of str to list of dict
        The rows of each analysis whose relations are all published; money as floats.
    """
    with duckdb.connect() as connection:
        # Compiled SQL names the database of dbt's own file.
        path = str(published).replace("'", "''")
        connection.execute(f"attach '{path}' as customers (read_only)")
        there = set(
            connection.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_catalog = 'customers'"
            ).fetchall()
        )
        return {
            name: rows_of(connection.execute(query))
            for name, (query, relations) in analyses.items()
            if there.issuperset(relations)
        }


def rows_of(result):
    """Fetch a result as dicts of numbers, text, booleans and dates."""
    names = [column[0] for column in result.description]
    return [dict(zip(names, map(plain, row), strict=True)) for row in result.fetchall()]


def plain(value):
    """Turn a decimal into a float or, where it is whole, an integer."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
