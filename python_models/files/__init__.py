"""Everything that touches files: a dbt-duckdb plugin that gives SQL functions for it.

SQL can't replace a file, count its lines without parsing them, or keep a line that no parser takes.
"""

from files.plugin import Plugin

__all__ = ["Plugin"]
