"""The plugin itself, which profiles.yml names."""

import json
import subprocess
import sys
from pathlib import Path

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Adds ``publish_file(source, target, kept)`` to dbt's connection."""

    def configure_connection(self, conn):
        """Register the function; called by dbt-duckdb when it has opened the warehouse."""
        conn.create_function(
            "publish_file",
            publish_file,
            ["VARCHAR", "VARCHAR", "VARCHAR"],
            "VARCHAR",
            side_effects=True,
        )


def publish_file(source, target, kept):
    """Run copying.py as a process of its own.

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
    script = Path(__file__).resolve().with_name("copying.py")
    finished = subprocess.run(
        [sys.executable, str(script), source, target, *json.loads(kept)],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode == 0:
        return ""
    return finished.stderr.strip().splitlines()[-1] if finished.stderr.strip() else "copying died"
