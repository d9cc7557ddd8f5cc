"""Lands invoice lines on a plain connection, as a build does, in milliseconds and without dbt."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from reading.lines import land_lines

PROJECT = Path(__file__).resolve().parents[2]
TEXTS = ("preset", "currency", "currency_rates", "customer_ids", "cancellation_prefix")
DEFAULTS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


@dataclass(frozen=True)
class Landed:
    """What a landing left in its connection; files has one mapping for each file or sheet."""

    connection: duckdb.DuckDBPyConnection
    files: list

    def rows(self, query):
        return self.connection.execute(query).fetchall()

    def decisions(self, *columns):
        """Columns of what was decided, by question; a question about several files has the last."""
        chosen = columns or ("answer",)
        rows = self.rows(f"select question, {', '.join(chosen)} from landing.readings order by all")
        return {question: said if columns[1:] else said[0] for question, *said in rows}

    def values(self, meaning):
        """Values as written that mean something, with their columns."""
        return self.rows(
            "select column_name, written from landing.decided_values "
            f"where meaning = '{meaning}' order by all"
        )

    def lines(self, *columns):
        """Columns of the lines, in the order of files and lines."""
        query = f"select {', '.join(columns)} from landing.invoice_lines"
        return self.rows(f"{query} order by file_number, source_line")


def land(path, **given):
    """Land a file, folder or glob with these settings, the others as they are by default."""
    settings = DEFAULTS | {"project": str(PROJECT), "invoices": str(path)} | given
    # As the macro setting() hands them over.
    settings |= {name: str(settings[name] or "") for name in TEXTS}
    connection = duckdb.connect(config={"threads": 1})
    # As dbt's connection has it: an order that nobody asks for is nobody's.
    connection.execute("set preserve_insertion_order = false")
    with tempfile.TemporaryDirectory() as folder:
        files = land_lines(connection, settings, folder)
    files = files.astype(object).where(files.notna(), None)
    return Landed(connection, files.to_dict("records"))
