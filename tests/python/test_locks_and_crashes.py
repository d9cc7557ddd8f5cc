"""What happens when somebody else has the file, the process dies, or the disk is full."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import duckdb
import pytest
from conftest import (
    PROJECT,
    SMALL,
    build,
    build_arguments,
    build_command,
    differences,
    environment,
    run_forked,
)

HOLD = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
time.sleep(600)
"""


PUBLISHED = """
    select table_name from information_schema.tables
    where table_schema = 'marts' order by table_name
"""


@pytest.fixture
def warehouse(small, tmp_path):
    """A folder as a build leaves it."""
    shutil.copy(small.warehouse, tmp_path / "customers.duckdb")
    shutil.copy(small.published, tmp_path / "published.duckdb")
    return tmp_path


@pytest.fixture
def again(small_invoices):
    """What the same build is told."""
    return {"invoices": small_invoices, "variables": SMALL}


@pytest.fixture
def holder(warehouse):
    """Another process that has dbt's own file open."""
    command = [sys.executable, "-c", HOLD, str(warehouse / "customers.duckdb"), "read"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_who_holds_the_file_is_named(warehouse, holder, again):
    before = (warehouse / "published.duckdb").read_bytes()
    ran = build(warehouse, **again)
    assert ran.code != 0
    complaints = ran.errors.splitlines()
    assert len(complaints) == 1, ran.errors
    assert f"process {holder.pid} has " in complaints[0]
    assert "published.duckdb instead" in complaints[0]
    assert "Traceback" not in ran.output
    assert (warehouse / "published.duckdb").read_bytes() == before


def start_build(folder, **settings):
    return subprocess.Popen(
        build_command(**settings),
        env=environment(folder, PROJECT),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_of_two_builds_at_once_the_second_stops(warehouse, tmp_path, again):
    with start_build(warehouse, **again) as first:
        for line in first.stdout:
            if "reading invoices" in line:
                break
        second = build(warehouse, target=tmp_path / "second", **again)
        assert second.code != 0
        assert f"process {first.pid} has " in second.errors
        assert len(second.errors.splitlines()) == 1, second.errors
        first.stdout.read()
    assert first.returncode == 0


def check_whole(published):
    """Look whether all marts of a published file are of one build; its number of lines."""
    with duckdb.connect(str(published), read_only=True) as connection:
        customers, segmented, lines, accounted = connection.execute(
            """
            select
                (select count(*) from marts.customers),
                (select sum(customers) from marts.segments where segmentation = 'lifecycle'),
                (select count(*) from marts.invoice_lines)
                + (select count(*) from marts.rejected_lines),
                (select sum(lines) from marts.line_accounting)
            """
        ).fetchone()
    assert customers == segmented
    assert lines == accounted
    return lines


def test_killed_at_any_moment_the_next_build_is_as_if_nothing_had_been(small, warehouse, again):
    chance = random.Random(20)
    killed = 0
    lines = check_whole(small.published)

    def kill(process):
        time.sleep(chance.uniform(0.1, 5.0))
        with suppress(ProcessLookupError):  # it was done before
            os.kill(process, signal.SIGKILL)

    while killed < 4:
        ran = run_forked("build", build_arguments(**again), warehouse, meanwhile=kill)
        killed += ran.code == -signal.SIGKILL
        assert check_whole(warehouse / "published.duckdb") == lines
    # What a build leaves that is killed while it publishes, or while it reads.
    for leftover in (".published.duckdb.draft", ".scored.duckdb.draft", "landing"):
        (warehouse / leftover).mkdir(exist_ok=True)
        (warehouse / leftover / "half").write_bytes(b"half a file")
    ran = build(warehouse, **again)
    assert ran.code == 0, ran.errors
    marts = ["customers", "customer_segments", "invoice_lines", "line_accounting", "segments"]
    assert differences(small, ran, marts) == dict.fromkeys(marts, 0)
    left = {path.name for path in warehouse.iterdir()} - {"target", "logs"}
    assert left == {"customers.duckdb", "published.duckdb"}


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (signal.SIGINT, None),
        (signal.SIGTERM, "reading invoices"),
        (signal.SIGINT, "fitting segmentations"),
    ],
)
def test_stopped_at_any_moment_it_says_what_is_published(warehouse, again, number, step):
    before = (warehouse / "published.duckdb").read_bytes()
    with subprocess.Popen(
        build_command(quick=False, **again),
        env=environment(warehouse, PROJECT),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stdout:
            if step is None or step in line:
                break
        # As a terminal does: to all of the group.
        os.killpg(process.pid, number)
        # Who still has the pipes open would keep this waiting.
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert errors == "stopped; published marts are as they were\n"
    assert (warehouse / "published.duckdb").read_bytes() == before


def test_all_fits_of_a_build_are_kept_or_none(warehouse, again):
    before = (warehouse / "published.duckdb").read_bytes()
    with duckdb.connect(str(warehouse / "customers.duckdb")) as connection:
        connection.execute("delete from kept.fits")
        # Takes the first of the two and refuses the second.
        connection.execute(
            """
            create unique index no_tiers
            on kept.fits ((replace(segmentation, 'value_tiers', 'lifecycle')))
            """
        )
    ran = build(warehouse, **again)
    assert ran.code != 0
    assert len(ran.errors.splitlines()) == 1, ran.errors
    assert "no_tiers" in ran.errors or "onstraint" in ran.errors
    with duckdb.connect(str(warehouse / "customers.duckdb"), read_only=True) as connection:
        kept = connection.execute("select segmentation from kept.fits order by 1").fetchall()
    assert kept == []
    assert (warehouse / "published.duckdb").read_bytes() == before


def test_eight_readers_see_the_old_or_the_new_marts_whole(small, warehouse, small_invoices):
    half = warehouse / "half.csv"
    lines = small_invoices.read_text().splitlines(keepends=True)
    half.write_text("".join(lines[:2_001]))
    seen, errors = set(), []
    done = threading.Event()

    def read():
        while not done.is_set():
            try:
                seen.add(check_whole(warehouse / "published.duckdb"))
            except Exception as error:
                errors.append(repr(error))
            # Eight that never rest leave no core for what they watch.
            time.sleep(0.1)

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    try:
        ran = build(warehouse, invoices=half, variables=SMALL)
        assert ran.code == 0, ran.errors
        time.sleep(1)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert seen == {check_whole(small.published), 2_000}


def test_a_full_disk_leaves_the_published_file_as_it_was(warehouse, again):
    before = (warehouse / "published.duckdb").read_bytes()
    full = (warehouse / "customers.duckdb").stat().st_size // 2

    ran = build(
        warehouse,
        **again,
        meanwhile=lambda process: resource.prlimit(process, resource.RLIMIT_FSIZE, (full, full)),
    )
    assert ran.code != 0
    assert len(ran.errors.splitlines()) == 1, ran.errors
    assert "Traceback" not in ran.output
    assert (warehouse / "published.duckdb").read_bytes() == before


def test_what_cannot_be_published_ends_in_one_line(warehouse, again):
    (warehouse / "scored.duckdb").mkdir()
    ran = run_forked("build", ["score", *build_arguments(**again)], warehouse)
    assert ran.code != 0
    begin = f"error: marts are built but not published to {warehouse}/scored.duckdb: "
    assert ran.errors.startswith(begin)
    assert len(ran.errors.splitlines()) == 1, ran.errors
    assert "Is a directory" in ran.errors


def test_a_further_build_makes_the_same_marts_in_three_times_the_space_at_most(
    small, warehouse, again
):
    first = small.warehouse.stat().st_size
    ran = build(warehouse, **again)
    assert ran.code == 0, ran.errors
    assert (warehouse / "customers.duckdb").stat().st_size <= 3 * first
    marts = [mart for (mart,) in small.rows(PUBLISHED)]
    assert marts
    assert differences(small, ran, marts) == dict.fromkeys(marts, 0)
