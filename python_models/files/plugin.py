"""The plugin itself, which profiles.yml names."""

import json
import shutil
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

from dbt.adapters.duckdb.plugins import BasePlugin

from files.landing import count_lines, land_text, sheet_names


class Plugin(BasePlugin):
    """Adds functions to dbt's connection; each answers in text, errors included."""

    def configure_connection(self, conn):
        """Register the functions; called by dbt-duckdb when it has opened the warehouse."""
        for function, parameters in (
            (land, 4),
            (publish, 3),
            (lines_of, 1),
            (sheets_of, 1),
            (excel_extension, 0),
            (clear_folder, 1),
        ):
            conn.create_function(
                function.__name__,
                function,
                ["VARCHAR"] * parameters,
                "VARCHAR",
                side_effects=True,
                null_handling="special",
            )


def answered(function, *arguments):
    """Call a function; its result, or what went wrong, as JSON.

    Parameters
    ----------
    function : callable
    *arguments
        Passed on.

    Returns
    -------
    str
        An object with ``answer`` or with ``error``, one line.
    """
    try:
        return json.dumps({"answer": function(*arguments)})
    except (OSError, EOFError, ValueError, zlib.error) as error:
        return json.dumps({"error": " ".join(str(error).split())})


def land(source, folder, encoding, delimiter):
    """Land a text file, see ``landing.land_text``; as JSON."""
    return answered(land_text, source, folder, encoding, delimiter)


def lines_of(source):
    """Count the lines of a text file; as JSON."""
    return answered(count_lines, source)


def sheets_of(source):
    """Names of the sheets of an XLSX file; as JSON."""
    return answered(sheet_names, source)


def excel_extension():
    """Path of the DuckDB extension that reads XLSX, which a package brings; as JSON."""
    return answered(find_excel_extension)


def find_excel_extension():
    """Find the extension's file among the installed packages.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the package is not installed.
    """
    package = find_spec("duckdb_extension_excel")
    found = package and sorted(Path(package.origin).parent.rglob("excel.duckdb_extension"))
    if not found:
        raise ValueError("XLSX needs the package duckdb-extension-excel of requirements.txt")
    return str(found[-1])


def clear_folder(folder):
    """Remove a folder of landed files; empty text."""
    shutil.rmtree(folder, ignore_errors=True)
    return ""


def publish(source, target, kept):
    """Run publishing.py as a process of its own.

    Closing a file releases every lock that the process holds on it, so a copy made here would
    unlock the warehouse while dbt has it open.

    Parameters
    ----------
    source, target : str
        Paths of the warehouse and of the file for readers.
    kept : str
        JSON list of the relations to keep, as ``schema.name``.

    Returns
    -------
    str
        Empty, or why nothing was published.
    """
    # By its path: as a module it would import this package, and with it dbt, once more.
    script = Path(__file__).resolve().with_name("publishing.py")
    finished = subprocess.run(
        [sys.executable, str(script), source, target, *json.loads(kept)],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode == 0:
        return ""
    return finished.stderr.strip().splitlines()[-1] if finished.stderr.strip() else "copying died"
