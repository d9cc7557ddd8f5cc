"""The published file holds what it should and nothing else; after an error it is as it was."""

import re
import resource
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

import duckdb
import pytest

from files.publishing import publish

PUBLISHED = ["marts.prices", "marts.lines", "intermediate.lines"]


@pytest.fixture
def warehouse(tmp_path):
    with duckdb.connect(str(tmp_path / "customers.duckdb")) as connection:
        # Compressed text could not be found among the bytes.
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute(
            """
            create schema marts;
            create schema intermediate;
            create schema "raw data";
            create table "raw data".staff as
                select base64(unhex(sha256('p' || range))) as password from range(50_000);
            checkpoint;
            create table marts.prices as select
                cast(1.5 as decimal(18, 4)) as unit_price,
                timestamp '2011-12-09 12:50:00' as invoiced_at,
                map {'monetary': 0.25} as "feature psi",
                [1, 2] as knots,
                cast('low' as enum ('high', 'low')) as level,
                cast(null as varchar) as note;
            comment on table marts.prices is 'One row per shop''s price';
            comment on column marts.prices."feature psi" is 'Drift';
            create table intermediate.lines as
                select (range * 7919) % 200_003 as number from range(200_000);
            create view marts.lines as
                select number from intermediate.lines where number % 2 = 0;
            comment on view marts.lines is 'One row per line';
            create view marts.passwords as select password from "raw data".staff;
            create macro marts.twice(x) as 2 * x
            """
        )
        connection.execute("checkpoint")
        yield connection


def secrets(path):
    """Texts of the length of a password."""
    return set(re.findall(rb"[A-Za-z0-9+/]{43}=", path.read_bytes()))


def columns(connection):
    return connection.execute(
        """
        select schema_name, table_name, column_name, data_type, comment from duckdb_columns()
        where database_name = current_database() and schema_name in ('marts', 'intermediate')
            and table_name <> 'passwords'
        order by all
        """
    ).fetchall()


def test_relations_are_published_as_they_are(warehouse, tmp_path):
    target = tmp_path / "published.duckdb"
    publish(warehouse, target, PUBLISHED)
    with duckdb.connect(str(target), read_only=True) as published:
        assert published.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall() == [(name,) for name in sorted(PUBLISHED)]
        assert columns(published) == columns(warehouse)
        assert published.execute("from marts.prices").fetchall() == [
            (
                Decimal("1.5"),
                datetime(2011, 12, 9, 12, 50),
                {"monetary": Decimal("0.25")},
                [1, 2],
                "low",
                None,
            )
        ]
        for relations, comment in (
            ("duckdb_tables()", "One row per shop's price"),
            ("duckdb_views()", "One row per line"),
        ):
            query = f"select comment from {relations} where comment is not null"
            assert published.execute(query).fetchall() == [(comment,)]
        # The order is that of the warehouse, where rows are not sorted.
        rows = "select number from marts.lines"
        assert published.execute(rows).fetchall() == warehouse.execute(rows).fetchall()
    assert warehouse.execute("select current_database()").fetchone() == ("customers",)


def test_nothing_else_is_in_the_file(warehouse, tmp_path):
    target = tmp_path / "published.duckdb"
    publish(warehouse, target, PUBLISHED)
    assert len(secrets(tmp_path / "customers.duckdb")) > 45_000
    assert secrets(target) == set()
    for name in (b"staff", b"raw data", b"password", b"twice"):
        assert name in (tmp_path / "customers.duckdb").read_bytes()
        assert name not in target.read_bytes()


def test_the_old_file_is_replaced_and_readers_keep_what_they_have_open(warehouse, tmp_path):
    target = tmp_path / "published.duckdb"
    publish(warehouse, target, PUBLISHED)
    # A process that died has left this.
    (tmp_path / ".published.duckdb.draft").mkdir()
    (tmp_path / ".published.duckdb.draft" / "published.duckdb").write_text("half a file")
    with duckdb.connect(str(target), read_only=True) as reader:
        warehouse.execute("delete from intermediate.lines where number > 10")
        publish(warehouse, target, PUBLISHED)
        assert reader.execute("select count(*) from intermediate.lines").fetchone() == (200_000,)
    with duckdb.connect(str(target), read_only=True) as reader:
        assert reader.execute("select count(*) from intermediate.lines").fetchone() == (11,)
    assert {path.name for path in tmp_path.iterdir()} == {
        "customers.duckdb",
        "customers.duckdb.wal",
        "published.duckdb",
    }


@contextmanager
def largest_file(size):
    """A disk on which no file can grow beyond a size, in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 20_000, 300_000, 900_000])
def test_on_a_full_disk_the_old_file_stays(warehouse, tmp_path, size):
    target = tmp_path / "published.duckdb"
    target.write_text("the old one")
    with largest_file(size), pytest.raises(duckdb.Error, match="File too large"):
        publish(warehouse, target, PUBLISHED)
    assert target.read_text() == "the old one"
    assert not list(tmp_path.glob(".published*"))
    # The warehouse has not suffered.
    publish(warehouse, target, PUBLISHED)
    with duckdb.connect(str(target), read_only=True) as reader:
        assert reader.execute("select count(*) from marts.lines").fetchone() == (100_000,)


@pytest.mark.parametrize(
    ("relations", "error", "message"),
    [
        (["marts.prices", "marts.gone"], ValueError, "not in the warehouse: marts.gone"),
        (["marts.prices", "marts.lines"], duckdb.Error, "intermediate"),
    ],
)
def test_a_relation_that_cannot_be_written_leaves_the_old_file(
    warehouse, tmp_path, relations, error, message
):
    target = tmp_path / "published.duckdb"
    target.write_text("the old one")
    with pytest.raises(error, match=message):
        publish(warehouse, target, relations)
    assert target.read_text() == "the old one"
    assert not list(tmp_path.glob(".published*"))
    publish(warehouse, target, PUBLISHED)
