"""Writes names, texts and paths in SQL."""

import re


def sql_name(name):
    """Write a name as an SQL identifier."""
    return '"' + str(name).replace('"', '""') + '"'


def sql_text(value):
    """Write a text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def sql_path(path):
    """Write a path as an SQL literal for DuckDB's readers, as a pattern for this path alone."""
    return sql_text(re.sub(r"([*?\[])", r"[\1]", str(path)))
