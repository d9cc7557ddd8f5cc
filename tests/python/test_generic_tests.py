"""The test of keys itself: what it finds, and that it finds nothing else."""

import re

import duckdb
import jinja2
import pytest
from conftest import PROJECT


def broken_keys(rows, **settings):
    """Run the test on rows of two columns that should be a key."""
    source = (PROJECT / "tests" / "generic" / "primary_key.sql").read_text()
    body = re.search(r"{% test .*? %}(.*){% endtest %}", source, re.DOTALL)[1]
    query = jinja2.Template(body).render(
        model="keyed",
        columns=["one", "other"],
        row_hash=lambda columns: f"hash({', '.join(columns)})",
        **settings,
    )
    with duckdb.connect() as connection:
        connection.execute("create table keyed (one varchar, other integer)")
        for row in rows:
            connection.execute("insert into keyed values (?, ?)", row)
        return sorted(connection.execute(query).fetchall())


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("a", 1), ("a", 2), ("b", 1)], []),
        ([("a", 1), ("a", 1), ("b", 1)], [2]),
        ([("a", 1), ("a", 1), ("a", 1), ("b", 2), ("b", 2)], [2, 3]),
        ([(None, 1), ("b", 1)], [1]),
        ([("a", None), ("b", 1)], [1]),
        ([("a", None), ("a", None), ("b", 1), ("b", 1)], [2, 2]),
    ],
)
def test_a_key_is_there_and_once(rows, found):
    assert broken_keys(rows) == [("repeated or missing", number) for number in found]


def test_no_rows_are_no_key_unless_they_may_be():
    assert broken_keys([]) == [("empty", 0)]
    assert broken_keys([], allow_empty=True) == []
    assert broken_keys([("a", 1)], allow_empty=False) == []
