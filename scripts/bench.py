"""Measure what a build costs, beside the least that it could cost: what ``make bench`` runs.

Every job is a process of its own, and what it used is what the operating system says when it ends.
docs/benchmarks.md, which this writes, says what the jobs are.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
CACHE = PROJECT / "target" / "bench"
GENERATOR = PROJECT / "data" / "demo" / "generate.py"
PAGE = PROJECT / "docs" / "benchmarks.md"
REAL = PROJECT.parent / "shared" / "data" / "online_retail.parquet"
LINES, FIXED_LINES = 5_400_000, 1_000  # the generator writes no fewer than the latter
SEED = 42
RATIO_TARGET, RATIO_AIM, MEMORY_TARGET_MB, REAL_TARGET_SECONDS = 2, 1.5, 1_000, 20
COMPARED_TARGET_SECONDS = 15
READING_TARGET = 1.5
# Customers of a campaign are not of these lines; comparisons have a job of their own.
COMPARED = {"campaign_customers": ""}
PLAIN = COMPARED | {"compared_algorithms": [], "stability_refits": 0}

# What any such project has to do at least, in one pass and one table.
FLOOR = """
    create table customers as
    with lines as (
        select
            *,
            Quantity > 0 and InvoiceNo not like 'C%' as is_sale,
            cast(Quantity * cast(UnitPrice as decimal(18, 4)) as decimal(18, 2)) as amount
        from (select distinct * from read_parquet(?))
        where CustomerID is not null and UnitPrice > 0
    ),
    totals as (
        select
            CustomerID as customer_id,
            arg_max(Country, InvoiceDate) filter (where is_sale) as country,
            min(InvoiceDate) filter (where is_sale) as first_purchase_at,
            max(InvoiceDate) filter (where is_sale) as last_purchase_at,
            count(distinct InvoiceNo) filter (where is_sale) as frequency,
            sum(amount) filter (where is_sale) as monetary,
            sum(amount) as net_monetary,
            sum(Quantity) filter (where is_sale) as quantity,
            count(distinct StockCode) filter (where is_sale) as distinct_products,
            count(*) filter (where is_sale) as lines,
            count(distinct date_trunc('month', InvoiceDate)) filter (where is_sale)
                as active_months,
            avg(UnitPrice) filter (where is_sale) as mean_price,
            max(amount) filter (where is_sale) as largest_line,
            coalesce(-sum(amount) filter (where not is_sale), 0) as returned_amount
        from lines
        group by CustomerID
        having count(*) filter (where is_sale) > 0
    ),
    features as (
        select
            *,
            max(last_purchase_at) over () + interval 1 day as as_of_at,
            datesub('day', last_purchase_at, as_of_at) as recency_days,
            datesub('day', first_purchase_at, as_of_at) as tenure_days,
            cast(monetary / frequency as decimal(18, 4)) as average_basket_value,
            returned_amount / nullif(monetary, 0) as return_share
        from totals
    )
    select
        * exclude (as_of_at),
        ntile(5) over (order by recency_days desc) as r_score,
        ntile(5) over (order by frequency) as f_score,
        ntile(5) over (order by monetary) as m_score
    from features
"""
TOTALS = "select count(*), sum(frequency), sum(monetary), max(last_purchase_at) from"


class Usage(NamedTuple):
    """What a process used: CPU and wall seconds, and MB (10^6 bytes) of memory at its peak."""

    cpu: float
    wall: float
    memory: float


def build_floor(settings, invoices, database):
    """Run the floor's statement on a Parquet file, in a new DuckDB file."""
    import duckdb

    with duckdb.connect(database, config=settings["config_options"]) as connection:
        for name, value in settings["settings"].items():
            connection.execute(f"set {name} = '{value}'")
        connection.execute(FLOOR, [invoices])


def read_as_text(settings, invoices, database):
    """Read a CSV file into a table of texts, in a new DuckDB file: the least that reading costs."""
    import duckdb

    with open(invoices, encoding="utf-8") as lines:
        names = lines.readline().strip().split(",")
    with duckdb.connect(database, config=settings["config_options"]) as connection:
        for name, value in settings["settings"].items():
            connection.execute(f"set {name} = '{value}'")
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        connection.execute(
            "create table lines as select * from read_csv(?, auto_detect = false, header = true, "
            f"delim = ',', quote = '\"', escape = '\"', columns = {{{columns}}})",
            [invoices],
        )


def read_as_we_do(settings, invoices, database):
    """Land the same file as a build does, with all that is decided about it."""
    import duckdb

    sys.path[:0] = [str(PROJECT / "scripts"), str(PROJECT / "python_models")]
    from settings import read_defaults

    from reading.lines import land_lines

    used = {name: "" if value is None else value for name, value in read_defaults().items()}
    used |= {"invoices": str(invoices), "project": str(PROJECT)}
    with duckdb.connect(database, config=settings["config_options"]) as connection:
        for name, value in settings["settings"].items():
            connection.execute(f"set {name} = '{value}'")
        land_lines(connection, used, str(Path(database).parent / "landing"))


# Jobs that are no builds, each a process of its own.
STATEMENTS = {"floor": build_floor, "text": read_as_text, "reading": read_as_we_do}


def duckdb_settings():
    """``config_options`` and ``settings`` of profiles.yml, their values as text."""
    import jinja2
    import yaml

    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())["customer_segments"]
    output = profile["outputs"][profile["target"]]
    return {
        part: {
            name: jinja2.Template(str(value)).render(env_var=os.environ.get)
            for name, value in output[part].items()
        }
        for part in ("config_options", "settings")
    }


def generated(lines):
    """Path of that many generated invoice lines; they are made if they are not there."""
    digest = hashlib.sha256(GENERATOR.read_bytes()).hexdigest()[:8]
    path = CACHE / f"lines-{lines}-seed-{SEED}-{digest}.parquet"
    if not path.exists():
        print(f"generating {lines:,} invoice lines", flush=True)
        command = [sys.executable, GENERATOR, "--seed", str(SEED), "--scale", str(lines)]
        made = subprocess.run([*command, "--out", path], stderr=subprocess.PIPE, text=True)
        if made.returncode:
            sys.exit(made.stderr.strip().splitlines()[-1])
    return path


def as_csv(parquet):
    """Path of the same lines as CSV; they are written if they are not there."""
    import duckdb

    path = parquet.with_suffix(".csv")
    if not path.exists():
        with duckdb.connect() as connection:
            connection.execute(f"copy (from read_parquet(?)) to '{path}' (header)", [str(parquet)])
    return path


def measure(job, invoices, folder, settings):
    """Run a job in an emptied folder, so that no former run helps it.

    Parameters
    ----------
    job : str
        One of ``STATEMENTS``, or any other name for a build.
    invoices, folder : Path
    settings : dict
        Of the floor, as `duckdb_settings` returns them.

    Returns
    -------
    Usage
        CPU with child processes; memory of the largest process.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    published, log = folder / "published.duckdb", folder / "output.log"
    if job in STATEMENTS:
        command = [__file__, "--statement", job, json.dumps(settings), invoices, published]
    else:
        variables = json.dumps(COMPARED if job == "compared" else PLAIN)
        command = [PROJECT / "scripts" / "build.py", "--no-report", "--vars", variables]
        command += ["--invoices", invoices]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("DBT_")}
    # Bytecode that can't be written makes every start of dbt twice as long.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["WAREHOUSE_DIR"] = environment["DBT_LOG_PATH"] = str(folder)
    environment["DBT_TARGET_PATH"] = str(folder / "target")
    os.sync()  # what earlier jobs have left to be written is not for this one to wait for
    with open(log, "wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=output, stderr=output
        )
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not published.exists():
        said = log.read_text(errors="replace").strip().splitlines()
        sys.exit("\n".join(["", *said[-20:], f"error: the job {job} failed, see above"]))
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * unit / 1e6)


def query(folder, sql):
    """Return the one row of a query on what a job published."""
    # Only here, after the last job: what a process starts with counts in its child's peak memory.
    import duckdb

    with duckdb.connect(str(folder / "published.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchone()


def node_times(folder):
    """Seconds and names of a build's nodes, slowest first."""
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    times = [(result["execution_time"], result["unique_id"].split(".", 2)) for result in results]
    return sorted(((seconds, name[2]) for seconds, name in times), reverse=True)


def layer_times(folder):
    """Seconds of a build's nodes, by folder of models; all tests are one."""
    target = folder / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    layers = {}
    for result in json.loads((target / "run_results.json").read_text())["results"]:
        node = nodes.get(result["unique_id"], {})
        if node.get("resource_type") in ("model", "test"):
            is_model = node["resource_type"] == "model"
            layer = os.path.dirname(node["original_file_path"]) if is_model else "tests"
            layers[layer] = layers.get(layer, 0) + result["execution_time"]
    return layers


def spread(values, digits=2):
    """Median, and the range in brackets where there is one, as text."""
    text = f"{median(values):,.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):,.{digits}f} to {max(values):,.{digits}f})"
    return text


def cost_ratio(floor, main, fixed):
    """CPU of the main job beyond its fixed cost, per CPU of the floor."""
    return (main - fixed) / floor


def verdict(value, target, aim=None):
    """Say whether a figure that should be small has met its target."""
    if value <= 0:
        return "too few lines to tell"
    if value > target:
        return "missed"
    return "met" if aim is None or value <= aim else f"met; aim of {aim} missed"


def page(usages, lines, nodes, layers, memory_limit, command):
    """Text of docs/benchmarks.md.

    Parameters
    ----------
    usages : dict of str to list of Usage
        By job: floor, main, text, reading, fixed and, where there is a file for them, real and
        compared.
    lines : dict of str to int
        Invoice lines, by job.
    nodes : int
        Of a build.
    layers : dict of str to float
        Seconds that each folder's models, and all tests, take in main beyond fixed.
    memory_limit, command : str
        DuckDB's limit, and what measures the same again.
    """
    cpu = {job: [usage.cpu for usage in runs] for job, runs in usages.items()}
    ratio = cost_ratio(*(median(cpu[job]) for job in ("floor", "main", "fixed")))
    turns = list(map(cost_ratio, cpu["floor"], cpu["main"], cpu["fixed"]))
    memory = max(usage.memory for usage in usages["main"])
    read = median(cpu["reading"]) / median(cpu["text"])
    read_turns = [ours / least for ours, least in zip(cpu["reading"], cpu["text"], strict=True)]
    rows = "\n".join(
        f"| {job} | {lines[job]:,} | {spread(cpu[job])} | {spread([run.wall for run in runs])} "
        f"| {spread([run.memory for run in runs], 0)} |"
        for job, runs in usages.items()
    )
    real = more = "not measured: no such file here; `--real PATH` names one | open"
    if "real" in usages:
        wall = median(usage.wall for usage in usages["real"])
        real = f"{wall:.1f} s | {verdict(wall, REAL_TARGET_SECONDS)}"
        added = median(usage.wall for usage in usages["compared"]) - wall
        more = f"{added:.1f} s | {verdict(added, COMPARED_TARGET_SECONDS)}"
    targets = f"""\
| (main - fixed) / floor, CPU: at most {RATIO_TARGET}, aim {RATIO_AIM} \
| {ratio:.2f}; turn by turn {spread(turns)} | {verdict(ratio, RATIO_TARGET, RATIO_AIM)} |
| reading / text, CPU: at most {READING_TARGET} \
| {read:.2f}; turn by turn {spread(read_turns)} | {verdict(read, READING_TARGET)} |
| peak memory of main, its largest run: at most {MEMORY_TARGET_MB:,} MB \
| {memory:,.0f} MB | {verdict(memory, MEMORY_TARGET_MB)} |
| wall time of real: at most {REAL_TARGET_SECONDS} s | {real} |
| wall time of compared beyond real: at most {COMPARED_TARGET_SECONDS} s | {more} |"""
    shown = sorted(((took, layer) for layer, took in layers.items() if took >= 0.1), reverse=True)
    parts = "\n".join(f"| {layer} | {took:.1f} |" for took, layer in shown)
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in ("dbt-core", "dbt-duckdb", "duckdb"))
    return f"""\
# Benchmarks

What a build costs beside the least that its customers table could cost. `scripts/bench.py` writes
this page; measure again with `{command}`.

- **floor**: one DuckDB statement reads the Parquet file, keeps one of equal lines, cleans, computes
  18 customer features and three scores, and writes one table.
- **main**: `scripts/build.py` on the same file: all {nodes} nodes of `dbt build`, with tests and
  publishing, without the report, a campaign, other algorithms and refits on resamples.
- **text**: DuckDB reads the same lines as CSV into a table of texts.
- **reading**: the same file landed as a build does it: proven whole, and all decisions made.
- **fixed**: the same as main on {FIXED_LINES:,} lines: starting, parsing, {nodes} nodes with little
  to do.
- **real**: the same on Online Retail, which is not part of this repository.
- **compared**: real, with all algorithms compared and their stability measured.

Floor and main agree on customers, invoices, revenue and last purchase, or this page is not written.
All run with the DuckDB settings of `profiles.yml` (memory limit {memory_limit}); lines come from
`data/demo/generate.py`, seed {SEED}. Each run is a process in an empty folder, nothing parsed yet;
jobs take turns, after a build that is not counted. CPU is user and system time, child processes
included; memory is that of the largest process.

| job | lines | CPU, s | wall, s | peak memory, MB |
|---|--:|--:|--:|--:|
{rows}

Runs of each job: {len(turns)}; medians, with the range where there are several.

| target | measured | |
|---|---|---|
{targets}

Where main spends its time beyond fixed, in its last run (folders that take less than 0.1 s are not
listed):

| models in, or all tests | wall, s |
|---|--:|
{parts}

{os.cpu_count()} cores, {gigabytes:.0f} GiB, {platform.system()} on {platform.machine()}; Python \
{platform.python_version()}, {versions}.
"""


def main(arguments=None):
    """Run all jobs in turn, print what they used, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=LINES, help="default: %(default)s")
    parser.add_argument("--runs", type=int, default=3, help="of each job; default: %(default)s")
    parser.add_argument("--real", type=Path, help="where Online Retail is; default: beside us")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md alone")
    # The process of a job that is no build.
    parser.add_argument("--statement", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.statement:
        job, settings, invoices, database = options.statement
        return STATEMENTS[job](json.loads(settings), invoices, database)
    if options.runs < 1:
        parser.error("--runs must be 1 or more")
    if options.real and not options.real.is_file():
        parser.error(f"--real: there is no file '{options.real}'")
    if os.getloadavg()[0] > 0.5:
        print("the machine is busy with other work: figures will be too high", flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    settings = duckdb_settings()
    files = {"floor": generated(options.lines), "main": generated(options.lines)}
    files["text"] = files["reading"] = as_csv(files["main"])
    files["fixed"] = generated(FIXED_LINES)
    if options.real or REAL.is_file():
        files["real"] = files["compared"] = options.real or REAL
    usages = {job: [] for job in files}
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as made:
        folders = {job: Path(made) / job for job in files}
        print("a build that is not counted", flush=True)
        measure("fixed", files["fixed"], folders["fixed"], settings)
        for turn in range(1, options.runs + 1):
            for job, invoices in files.items():
                print(f"turn {turn} of {options.runs}, {job:8} ", end="", flush=True)
                usages[job].append(measure(job, invoices, folders[job], settings))
                print("CPU {:6.2f} s, wall {:6.2f} s, {:5,.0f} MB".format(*usages[job][-1]))
        floor = query(folders["floor"], f"{TOTALS} customers")
        built = query(folders["main"], f"{TOTALS} marts.customers")
        if floor != built:
            sys.exit(f"error: not the same work: the floor found {floor}, the build {built}")
        lines = dict.fromkeys(("floor", "main", "text", "reading"), options.lines)
        lines["fixed"] = FIXED_LINES
        if "real" in files:
            counted = query(folders["real"], "select sum(lines) from marts.line_accounting")
            lines["real"] = lines["compared"] = counted[0]
        times = node_times(folders["main"])
        fixed = layer_times(folders["fixed"])
        layers = {
            layer: seconds - fixed.get(layer, 0)
            for layer, seconds in layer_times(folders["main"]).items()
        }
    print(f"nodes of main: {len(times)}, {sum(seconds for seconds, _ in times):.2f} s; slowest:")
    for seconds, name in times[:12]:
        print(f"{seconds:8.2f} s  {name}")
    command = "make bench"
    if (options.lines, options.runs) != (LINES, 3):
        command = f"python scripts/bench.py --lines {options.lines} --runs {options.runs}"
    limit = settings["settings"]["memory_limit"]
    text = page(usages, lines, len(times), layers, limit, command)
    print(text[text.index("| target") :])
    if not options.no_write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
