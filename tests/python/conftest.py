"""Builds of the whole project in warehouses of their own, shared by the tests that look at them."""

import csv
import fcntl
import importlib.util
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import pytest
import yaml
from forked import Forks

PROJECT = Path(__file__).resolve().parents[2]
DEMO = PROJECT / "data" / "demo"
REAL = PROJECT.parent / "shared" / "data" / "online_retail.parquet"
CAMPAIGN = REAL.with_name("ifood_df.csv")

# The vars of the build of real data: with the real campaign too, where it is there.
REAL_CAMPAIGN = f"{{campaign_customers: {CAMPAIGN}}}" if CAMPAIGN.exists() else None

# Comparisons and refits take longer than all else in a build and decide nothing in the demo shop,
# so builds go without them, but for the one of real data.
QUICK = {"compared_algorithms": [], "stability_refits": 0}

# Where it matters how a build runs, and not what it builds.
SMALL = """
campaign_customers: ""
segmentations:
  lifecycle:
    playbook: lifecycle
    features: {recency_days: log1p, frequency: log1p, monetary: log1p}
  value_tiers:
    playbook: value_tiers
    features: {recency_days: none, frequency: log1p, monetary: log1p}
    k: 3
"""

# Of the build of real data, which has the comparisons.
REFITS = 5

needs_real_data = pytest.mark.skipif(
    not REAL.exists(), reason=f"Online Retail is not at {REAL}; the README says where to get it"
)

needs_campaign_data = pytest.mark.skipif(
    not CAMPAIGN.exists(), reason=f"the encoded campaign data is not at {CAMPAIGN}"
)


# Tests that share a costly build run in one process, so that it is made once.
TOGETHER = {
    "test_campaign": "real",
    "test_customer_predictions": "real",
    "test_prediction_weights": "real",
    "test_promise_over_months": "real",
    "test_real_build": "real",
    "test_report": "real",
    "test_demo_generator": "generator",
    "test_docs": "docs",
    "test_recipe": "recipe",
    "test_versions_build": "versions",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        group = TOGETHER.get(item.path.stem)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


@dataclass(frozen=True)
class Built:
    """What a build left behind."""

    folder: Path
    code: int
    output: str
    errors: str

    @property
    def published(self):
        return self.folder / "published.duckdb"

    @property
    def report(self):
        return self.folder / "segments.html"

    @property
    def warehouse(self):
        return self.folder / "customers.duckdb"

    def rows(self, query, *, file=None):
        with duckdb.connect(str(file or self.published), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def one(self, query, *, file=None):
        return self.rows(query, file=file)[0]


def environment(folder, project, target=None):
    """Variables that keep all files of a run in ``folder``."""
    variables = dict(os.environ)
    for name in ("PYTHONDONTWRITEBYTECODE", "INVOICES", "VARS"):
        variables.pop(name, None)
    return variables | {
        "WAREHOUSE_DIR": str(folder),
        "REPORT_DIR": str(folder),
        "DBT_TARGET_PATH": str((target or folder) / "target"),
        "DBT_LOG_PATH": str((target or folder) / "logs"),
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
        "DBT_LOG_LEVEL_FILE": "none",
    }


FORKS = Forks()


def pytest_sessionfinish():
    FORKS.close()


def run_forked(
    program, arguments, folder, *, target=None, cwd=PROJECT, meanwhile=None, parsed_with=None
):
    """Run ``build`` or ``dbt`` with their files in ``folder``, without the time to start.

    ``meanwhile`` is called with the process id while it runs; ``parsed_with`` is that of
    `Forks.start`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as said:
        output, errors = Path(said, "output"), Path(said, "errors")
        process = FORKS.start(
            program,
            arguments,
            environment=environment(folder, PROJECT, target),
            folder=cwd,
            output=output,
            errors=errors,
            parsed_with=parsed_with,
        )
        if meanwhile:
            meanwhile(process)
        code = FORKS.wait()
        return Built(folder, code, *(p.read_text() if p.exists() else "" for p in (output, errors)))


def run(command, folder, *, project=PROJECT, target=None, **settings):
    """Run a command of the project's with its files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    finished = subprocess.run(
        command,
        env=environment(folder, project, target),
        capture_output=True,
        text=True,
        check=False,
        **{"cwd": project, **settings},
    )
    return Built(folder, finished.returncode, finished.stdout, finished.stderr)


def python_model(name):
    """The function that dbt calls for a Python model."""
    (path,) = (PROJECT / "models").rglob(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.model


def copy_project(folder):
    """A copy of the project's own files, to change; its path."""
    leave = shutil.ignore_patterns(".venv", ".git", "target", "logs", "*.duckdb*", "shared")
    return Path(shutil.copytree(PROJECT, folder / "project", ignore=leave))


def build(
    folder,
    *,
    invoices=None,
    variables=None,
    quick=True,
    campaign=True,
    report=False,
    project=PROJECT,
    **settings,
):
    """Run what ``make build`` runs, by default without its report and its comparisons."""
    if not campaign:
        variables = in_addition({"campaign_customers": ""}, variables)
    wanted = {"invoices": invoices, "variables": variables, "quick": quick, "report": report}
    if project == PROJECT and not settings.keys() - {"target", "meanwhile"}:
        return run_forked("build", build_arguments(**wanted), folder, **settings)
    return run(build_command(project, **wanted), folder, project=project, **settings)


# Where a campaign plays no part.
build_shop = partial(build, campaign=False)


def build_command(project=PROJECT, **wanted):
    """What ``make build`` runs."""
    return [sys.executable, str(project / "scripts" / "build.py"), *build_arguments(**wanted)]


def build_arguments(*, invoices=None, variables=None, quick=True, report=False):
    """What it is told."""
    arguments = [] if report else ["--no-report"]
    if invoices:
        arguments += ["--invoices", str(invoices)]
    if quick:
        variables = in_addition(QUICK, variables)
    if variables:
        arguments += ["--vars", variables]
    return arguments


def in_addition(defaults, variables):
    """Vars as YAML, with more of them; what is no YAML of vars stays as it is."""
    try:
        given = yaml.safe_load(variables or "{}")
    except yaml.YAMLError:
        return variables
    if not isinstance(given, dict):
        return variables
    return yaml.safe_dump(defaults | given, sort_keys=False)


def dbt(folder, *arguments, **settings):
    """Run dbt itself."""
    return run_forked("dbt", dbt_arguments(*arguments), folder, **settings)


def dbt_arguments(*arguments):
    """What dbt is told."""
    own = [] if "--vars" in arguments else ["--vars", yaml.safe_dump(QUICK)]
    return ["--quiet", *arguments, *own]


def differences(one, other, relations):
    """Rows of each relation that only one of two published files holds."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one.published}' as one (read_only)")
        connection.execute(f"attach '{other.published}' as other (read_only)")
        return {
            relation: connection.execute(
                f"""
                select count(*) from (
                    (from one.marts.{relation} except all from other.marts.{relation})
                    union all
                    (from other.marts.{relation} except all from one.marts.{relation})
                )
                """
            ).fetchone()[0]
            for relation in relations
        }


def predicted_by_sql(built, observed, weights):
    """Run int_customers_predicted, as dbt has compiled it for a build, on other rows."""
    models = built.folder / "target" / "compiled" / "customer_segments" / "models"
    query = (models / "intermediate" / "predictions" / "int_customers_predicted.sql").read_text()
    for relation, name in (
        ("prediction_weights", "given_weights"),
        ("int_customers_observed", "given_customers"),
    ):
        query, found = re.subn(rf'"\w+"\."\w+"\."{relation}"', name, query)
        assert found
    with duckdb.connect() as connection:
        connection.register("given_weights", weights)
        connection.register("given_customers", observed)
        return connection.execute(f"{query} order by customer_id").df()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def demo(shared):
    """The build of the demo, made once for all workers; tests that write work on a copy."""
    built = built_once(shared / "shared_demo", lambda place: build(place, report=True))
    assert built.code == 0, built.errors
    return built


@pytest.fixture(scope="session")
def small_invoices(shared):
    """The lines of a tenth of the demo's customers."""
    path = shared / "small.csv"
    with (DEMO / "invoices.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    customer = header.index("CustomerID")
    kept = [row for row in rows if row[customer].endswith("7")]
    # Whichever of the workers writes last, readers see the same whole file.
    draft = path.with_suffix(f".{os.getpid()}")
    with draft.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *kept])
    draft.replace(path)
    return path


@pytest.fixture(scope="session")
def small(shared, small_invoices):
    """The build of these lines, for tests of how builds run.

    It has two segmentations and no campaign; ``SMALL`` has its settings.
    """
    built = built_once(
        shared / "shared_small",
        lambda place: build(place, invoices=small_invoices, variables=SMALL),
    )
    assert built.code == 0, built.errors
    return built


def built_once(folder, make):
    """What ``make`` built in a folder; of several processes the first to ask builds.

    Parameters
    ----------
    folder : Path
    make : callable
        Builds in the folder it is given and returns a `Built`.

    Returns
    -------
    Built
    """
    folder.mkdir(exist_ok=True)
    record = folder.with_suffix(".built")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            record.write_bytes(pickle.dumps(make(folder)))
        return pickle.loads(record.read_bytes())


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    if not REAL.exists():
        pytest.skip(f"Online Retail is not at {REAL}; the README says where to get it")
    built = build(
        tmp_path_factory.mktemp("real"),
        invoices=REAL,
        # More refits on resamples say the same at five times the cost.
        variables=in_addition({"stability_refits": REFITS}, REAL_CAMPAIGN),
        quick=False,
        report=True,
    )
    assert built.code == 0, built.errors
    return built
