"""The plugin itself, which profiles.yml names."""

import csv
import json
import shutil
import zlib
from importlib.util import find_spec
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from files.landing import count_lines, land_text, sheet_names
from files.playbook import check_playbook
from files.publishing import publish


class Plugin(BasePlugin):
    """Adds functions to dbt's connection, each of which returns text; publishes the marts."""

    def configure_connection(self, conn):
        """Register the functions; called by dbt-duckdb when it has opened the warehouse."""
        self.connection = conn
        for function, parameters in (
            (land, 4),
            (lines_of, 1),
            (sheets_of, 1),
            (excel_extension, 0),
            (sweep, 1),
            (playbook_fault, 1),
        ):
            conn.create_function(
                function.__name__,
                function,
                ["VARCHAR"] * parameters,
                "VARCHAR",
                side_effects=True,
                null_handling="special",
            )

    def store(self, target_config):
        """Publish relations; called by way of ``adapter.store_relation``.

        This is no function for SQL, because a query that runs within another takes twice as long.

        Parameters
        ----------
        target_config : TargetConfig
            With the path of the file for readers, and the relations as ``schema.name``.

        Raises
        ------
        DbtRuntimeError
            If nothing was published, with one line that says why.
        """
        target = Path(target_config.location.path)
        try:
            publish(self.connection, target, target_config.config["relations"])
        except (OSError, ValueError, duckdb.Error) as error:
            reason = " ".join(str(error).split())
            raise DbtRuntimeError(
                f"marts are built but not published to {target}: {reason}"
            ) from error


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


def sweep(folder):
    """Remove what a run leaves beside the warehouse.

    Parameters
    ----------
    folder : str
        Of the warehouse, which this process holds: no other run has files there.

    Returns
    -------
    str
        Empty.
    """
    for leftover in ("landing", ".published.duckdb.draft", ".scored.duckdb.draft"):
        shutil.rmtree(Path(folder) / leftover, ignore_errors=True)
    return ""


def playbook_fault(path):
    """Say what ``playbook.check_playbook`` finds wrong in a file; empty text if nothing is."""
    try:
        check_playbook(path)
    except (OSError, ValueError, csv.Error) as error:
        return " ".join(str(error).split())
    return ""
