"""What a user gives is data: from make to SQL, no file name and no setting is ever run."""

import json
import os
import shlex
import subprocess

import pytest
import yaml
from conftest import DEMO, PROJECT, build, build_shop, environment, run
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import explain
from settings import as_dbt_vars, printable, read_settings

NASTY = [
    "a$b",
    "$(touch ran)",
    "`touch ran`",
    '";touch ran;"',
    "';touch ran;'",
    "$(shell touch ran)",
    "${HOME}",
    "{{ 7*7 }}",
    "{{ run_query('create table ran as select 1') }}",
    "{% if true %}49{% endif %}",
    "{# a comment #}",
    "'; drop schema marts; --",
    '"; drop schema marts; --',
    "back\\slash",
    "a b",
    "\N{WRAPPED PRESENT}\N{RIGHT-TO-LEFT OVERRIDE}",
    "\x1b[31mred",
    "two\nlines",
    "%s %(x)s {0} {x}",
]

DECLARED = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
# Without making .venv.
MAKE = ("make", "-o", ".venv/installed")


@pytest.fixture
def listening(tmp_path):
    """A folder with a program that make takes for Python: it writes down what it is given."""
    program = tmp_path / "python"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, pathlib, sys\n"
        f"pathlib.Path({str(tmp_path / 'given')!r}).write_text(json.dumps("
        '[sys.argv[1:], os.environ.get("INVOICES"), os.environ.get("VARS")]))\n'
    )
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("text", [*NASTY, ""])
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_make_hands_over_what_it_is_given(listening, text, by):
    given_by_name = {"INVOICES": text, "VARS": f"{{source_name: {text}}}"}
    arguments = [f"{name}={value}" for name, value in given_by_name.items()]
    finished = subprocess.run(
        [*MAKE, f"BIN={listening}", "build", *(arguments if by == "argument" else [])],
        cwd=PROJECT,
        env=os.environ | (given_by_name if by == "environment" else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads((listening / "given").read_text()) == [
        ["scripts/build.py", "build"],
        *given_by_name.values(),
    ]
    assert not (PROJECT / "ran").exists()


def test_make_gives_nothing_where_nothing_is_given(listening):
    bare = {key: value for key, value in os.environ.items() if key not in ("INVOICES", "VARS")}
    command = [*MAKE, f"BIN={listening}", "score"]
    subprocess.run(command, cwd=PROJECT, env=bare, check=True, capture_output=True)
    assert json.loads((listening / "given").read_text()) == [
        ["scripts/build.py", "score"],
        None,
        None,
    ]


@settings(deadline=None)
@given(st.text())
def test_dbt_reads_every_text_as_it_was_given(text):
    from dbt.clients.jinja import get_rendered

    written = yaml.safe_load(
        as_dbt_vars({"source_name": text, "invoice_columns": {"country": text}})
    )
    # What dbt does when a var is read: a text is rendered, texts inside a mapping are not.
    assert get_rendered(written["source_name"], {}) == text
    assert written["invoice_columns"] == {"country": text}


@pytest.mark.parametrize(
    ("invoices", "variables", "message"),
    [
        (None, "{as_of: 2011-02-30}", "VARS: day is out of range for month"),
        ("", None, "INVOICES is given but empty"),
        ("  ", None, "INVOICES is given but empty"),
        (None, "", "VARS is given but empty"),
        (None, "{as_off: 2024-12-01}", "no setting as_off. Did you mean as_of? The settings are"),
        (None, "{As-Of: 2024-12-01}", "Did you mean as_of?"),
        (None, "{colour: red}", "no setting colour. The settings are invoices, invoice_columns"),
        (None, "[as_of]", "VARS must map settings to values"),
        (None, "as_of", "VARS must map settings to values"),
        (None, "{1: 2}", "VARS must map settings to values"),
        (None, "{as_of: [}", "VARS is not YAML: "),
        ("a.csv", "{invoices: b.csv}", "give the invoices once"),
        ("\udcff.csv", None, "bytes that are not UTF-8"),
    ],
)
def test_what_is_no_setting_is_said_before_dbt_starts(invoices, variables, message):
    with pytest.raises(ValueError) as caught:
        read_settings(invoices, variables)
    assert message in str(caught.value)
    assert len(printable(str(caught.value)).splitlines()) == 1


def test_a_path_means_the_same_in_any_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/of somebody")
    assert read_settings("a b.csv", None) == {"invoices": f"{tmp_path}/a b.csv"}
    assert read_settings("~/a.csv", None) == {"invoices": "/home/of somebody/a.csv"}
    for elsewhere in ("relation:raw.lines", "s3://bucket/lines.parquet"):
        assert read_settings(elsewhere, None) == {"invoices": elsewhere}


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """What the check that dbt runs first says of settings; the project is parsed once."""
    from dbt.cli.main import dbtRunner

    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder, PROJECT).items():
            patch.setenv(name, value)
        quiet = ["--log-level", "none", "--log-level-file", "none"]
        parsed = dbtRunner().invoke([*quiet, "parse"])
        assert parsed.success, parsed.exception

        def check(variables):
            command = [*quiet, "run-operation", "check_settings", "--vars", variables]
            ran = dbtRunner(manifest=parsed.result).invoke(command)
            return None if ran.success else "\n".join(explain(ran))

        yield check


def test_settings_are_known_by_the_same_names_everywhere(check):
    assert check("{}") is None
    assert check("{as_off: 1}") == (
        f"there is no setting as_off. Did you mean as_of? The settings are {', '.join(DECLARED)}"
    )


# Free text: whatever it is, it is right.
FREE = ("source_name", "cancellation_prefix", "campaign_customers", "invoices", "preset")
FREE += ("time_zone", "currency", "currency_rates", "customer_ids")


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_no_setting_is_run(check, name):
    said = check(as_dbt_vars({name: " ".join(NASTY)}))
    assert (said is None) == (name in FREE), said
    if said:
        assert said.startswith(f"var {name} (in dbt_project.yml or VARS): ")
        # Told as it was given, not as Jinja would have it.
        assert "{{ 7*7 }}" in said
    assert not (PROJECT / "ran").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("longest_pause_days: two years", "must be a whole number from 1 on, got two years"),
        ("longest_pause_days: 0", "must be a whole number from 1 on, got 0"),
        ("longest_pause_days: true", "must be a whole number from 1 on, got True"),
        ("drop_exact_duplicates: 'no'", "must be true or false, got no"),
        ("cancellation_prefix: NO", "must be text, got False"),
        ("invoice_columns: UnitPrice", "must map names to values"),
        ("invoice_format: utf-8", "must map names to values"),
        ("invoice_columns: {unit_prize: a}", "Did you mean unit_price?"),
        ("invoice_columns: {country: [a]}", "must be text, got ['a']"),
        ("invoice_format: {encodin: utf-8}", "Did you mean encoding?"),
        ("guests: guest", "must be a list of texts, perhaps empty: [], got guest"),
        ("null_words: [no]", "must hold texts, got False"),
        ("pass_through: {till: shop}", "must be a list of texts"),
        ("order_status: complete", "must be a list of texts, perhaps empty: [], got complete"),
        ("upper_case_products: 1", "must be true or false, got 1"),
        ("rejected_limit: 5", "must be a share, 0 to 1, got 5"),
        ("accepted_reasons: missing_price", "must be a list of texts"),
        ("time_zone: ''", "is empty"),
        ("currency: [EUR]", "must be text, got ['EUR']"),
        ("compared_algorithms: ward", "must be a list of kmeans,"),
        ("stability_refits: 2.5", "must be a whole number from 0 on, got 2.5"),
        ("refit: alway", "Did you mean always?"),
        ("primary_segmentation: life", "life is unknown; there are lifecycle"),
        ("pairs_least_support: 2", "must be a share, 0 to 1, got 2"),
        ("as_of: '2011-02-30'", "is no day of the calendar"),
        ("as_of: \u0661\u0662\u0663\u0664-01-01", "must look like 2011-12-10"),
        ("segmentations: {1: {playbook: lifecycle}}", "a name has small letters"),
        (
            "segmentations: {mine: {playbook: [x], features: {monetary: none}}}",
            "must be the name of a playbook",
        ),
    ],
)
def test_a_setting_that_is_none_is_told_with_its_value(check, setting, message):
    variables = as_dbt_vars(read_settings(None, f"{{{setting}}}"))
    assert message in check(variables)


def test_a_file_of_any_name_is_read_and_none_other(tmp_path):
    # As a pattern, the folder's name fits the other folder only.
    for folder in ("in [1]", "in 1"):
        (tmp_path / folder).mkdir()
    (tmp_path / "in 1" / "49.csv").write_text("no shop")
    name = "{{ 7*7 }} [a-z]* $b $(touch ran) `touch ran` '\" ; {% %} \\ \N{WRAPPED PRESENT}.csv"
    lines = (DEMO / "invoices.csv").read_text().splitlines(keepends=True)[:401]
    (tmp_path / "in [1]" / name).write_text("".join(lines))
    settings = yaml.safe_dump({"source_name": "{{ 7*7 }}'", "cancellation_prefix": "C"})
    built = build_shop(tmp_path / "built", invoices=tmp_path / "in [1]", variables=settings)
    assert built.code == 0, built.errors
    assert built.one("select sum(lines) from marts.line_accounting") == (400,)
    assert built.one("select distinct source_file from marts.rejected_lines") == (name,)
    assert not (PROJECT / "ran").exists()


def test_the_demo_campaign_is_of_the_demo_alone(demo, tmp_path):
    assert "Campaign: 2,000 lines" in demo.output
    lines = tmp_path / "shop.csv"
    lines.write_text("".join((DEMO / "invoices.csv").read_text().splitlines(keepends=True)[:3_000]))
    built = build(tmp_path / "built", invoices=lines)
    assert built.code == 0, built.errors
    assert "Campaign" not in built.output
    tables = "select count(*) from information_schema.tables where table_name like 'campaign%'"
    assert built.one(tables) == (0,)
    assert built.one(
        "select count(*) from marts.segments where population <> 'invoice_customers'"
    ) == (0,)


def test_a_moment_before_the_first_sale_is_told(tmp_path):
    ran = build_shop(tmp_path, variables="{as_of: 2001-01-01}")
    assert ran.code != 0
    assert "2001-01-01 is not after the first sale, 2023-12-01 08:43:00" in ran.errors
    assert len(ran.errors.splitlines()) == 1


@pytest.mark.parametrize("content", ["garbage", "half", "empty"])
def test_a_damaged_warehouse_is_told_with_the_way_out(demo, tmp_path, content):
    whole = demo.warehouse.read_bytes()
    broken = {"garbage": b"\x07" * 100_000, "half": whole[: len(whole) // 3], "empty": b""}[content]
    (tmp_path / "customers.duckdb").write_bytes(broken)
    ran = build_shop(tmp_path)
    assert ran.code != 0
    assert len(ran.errors.splitlines()) == 1, ran.errors
    assert "customers.duckdb is damaged or no DuckDB file. Move it away" in ran.errors


def test_make_runs_no_python_that_is_missing(tmp_path):
    ran = run(
        ["make", f"VENV={tmp_path / 'venv'}", "PYTHON=python9", "build"], tmp_path, project=PROJECT
    )
    assert ran.code != 0
    assert "'python9' is missing. Name another: make build PYTHON=python3.12" in ran.errors
    assert "not found" not in ran.errors
    assert shlex.split(ran.errors.splitlines()[0])[0] == "Python"
