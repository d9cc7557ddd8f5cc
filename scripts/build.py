"""Build, score or draw, with an output for people: what ``make`` runs.

The work is ``dbt build`` itself; this sets its paths, shows how far it is, says what went wrong in
one line, and has the report drawn from what was published. The whole log is in logs/dbt.log.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TRACKERS = ("multiprocessing.resource_tracker", "joblib.externals.loky.backend.resource_tracker")
VERBS = {
    "build": "Building segments from",
    "check": "Checking how to read",
    "score": "Scoring customers from",
}


def main(arguments=None):
    """Run what is asked for; the exit code is 0, dbt's 1, or 2 for wrong input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "verb",
        nargs="?",
        choices=["build", "check", "score", "report"],
        default="build",
        help="build everything; check: tell how invoice lines are read, and build nothing; "
        "score: assign customers by the last fits, and nothing else; "
        "report: draw the published marts again",
    )
    parser.add_argument(
        "--invoices",
        default=os.environ.get("INVOICES"),
        help="path or glob of invoice lines; default: INVOICES, or the demo",
    )
    parser.add_argument(
        "--vars", default=os.environ.get("VARS"), help="settings, as YAML; default: VARS"
    )
    parser.add_argument(
        "--no-report", action="store_true", help="leave report/segments.html as it is"
    )
    options = parser.parse_args(arguments)
    from messages import explain
    from progress import Progress
    from settings import as_dbt_vars, printable, read_defaults, read_settings

    started, before = time.monotonic(), identity(published())
    try:
        settings = read_settings(options.invoices, options.vars)
    except ValueError as error:
        return stop(str(error))
    variables = as_dbt_vars(settings)
    if options.verb != "report":
        source = options.invoices or settings.get("invoices") or "the demo invoices"
        verb = VERBS[options.verb]
        print(f"{verb} {printable(str(source))}", flush=True)
    if options.verb == "check" and not str(settings.get("invoices", "")).startswith("relation:"):
        # Nothing that was built is touched.
        scratch = tempfile.TemporaryDirectory()
        os.environ["WAREHOUSE_DIR"] = scratch.name

    os.environ["DBT_PROJECT_DIR"] = os.environ["DBT_PROFILES_DIR"] = str(PROJECT)
    # dbt is slow to import; by here, wrong settings have been turned away.
    from dbt.cli.main import dbtRunner

    progress = Progress(sys.stdout)
    # dbt's own variable can ask for more or less in the file.
    logged = os.environ.get("DBT_LOG_LEVEL_FILE", "info")
    quiet = ["--log-level", "none", "--log-level-file", logged]
    # Parsed once, for the build and for the analyses that the report is drawn from.
    result = dbtRunner().invoke([*quiet, "parse", "--vars", variables])
    manifest = result.result
    if result.success and options.verb != "report":
        runner = dbtRunner(manifest=manifest, callbacks=[progress.on_event])
        # Unit tests say whether the SQL is right, whatever the data are: make test runs them.
        whole = ["--exclude-resource-type", "unit_test"]
        part = whole if options.verb == "build" else ["--selector", options.verb]
        result = runner.invoke([*quiet, "build", *part, "--vars", variables])
    progress.clear()
    if not result.success:
        for complaint in explain(result):
            stop(complaint)
        return 1
    if options.verb == "check":
        import duckdb
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from readings import tell_check

        used = read_defaults() | settings
        # Only one connection can have the file of the warehouse open.
        DuckDBConnectionManager.close_all_connections()
        with duckdb.connect(str(published().with_name("customers.duckdb")), read_only=True) as made:
            told = tell_check(made, used["rejected_limit"], used["accepted_reasons"])
        print("", *told, "", sep="\n", flush=True)
    elif options.verb == "score" or identity(published()) != before:
        from summary import summarise_build, summarise_score

        used = read_defaults() | settings
        primary = str(used["primary_segmentation"]).strip()
        if options.verb == "score":
            scored = published().with_name("scored.duckdb")
            told = summarise_score(scored, published(), primary)
        else:
            of_campaign = (
                name
                for name, declaration in used["segmentations"].items()
                if declaration.get("population") == "campaign_customers"
            )
            told = summarise_build(published(), primary, next(of_campaign, None))
        print("", *told, "", sep="\n", flush=True)
    if options.verb == "report" or (options.verb == "build" and not options.no_report):
        code = draw(manifest, variables)
        if code:
            return code
    if options.verb != "report":
        print(f"Done in {time.monotonic() - started:.1f} s.")
    return 0


def end_at_signals():
    """Let Ctrl-C or a scheduler end the run, with one line that says what is published.

    dbt's own way to stop waits for what runs, and can wait for ever. The warehouse survives an end
    at any moment, and publishing is one step that either happens or does not.
    """
    import multiprocessing

    before = identity(published())

    def end(number, _):
        # Processes that share the fits would wait for ever.
        for child in multiprocessing.active_children():
            os.kill(child.pid, signal.SIGKILL)
        is_new = identity(published()) != before
        clear = "\r\x1b[K" if sys.stdout.isatty() else ""
        found = "are the new ones; make report draws them" if is_new else "are as they were"
        with suppress(OSError, RuntimeError):
            sys.stdout.flush()
            os.write(2, f"{clear}stopped; published marts {found}\n".encode())
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    # What such an end leaves, the trackers of semaphores take away, and need not tell.
    quiet = ",".join(f"ignore::UserWarning:{tracker}" for tracker in TRACKERS)
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.getenv("PYTHONWARNINGS"), quiet]))


def published():
    """Say where marts are published."""
    return Path(os.environ.get("WAREHOUSE_DIR", PROJECT / "warehouse")) / "published.duckdb"


def identity(path):
    """Tell one file from another that took its place; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def draw(manifest, variables):
    """Draw the report from what is published; an exit code."""
    sys.path.insert(0, str(PROJECT))
    from messages import first_line

    from report import write_report

    try:
        path = write_report(manifest, variables)
    except RuntimeError as error:
        return stop(f"marts are published, but not drawn: {first_line(str(error))}")
    inside = path.is_relative_to(os.getcwd())
    print(f"Report: {os.path.relpath(path) if inside else path}", flush=True)
    return 0


def stop(message):
    """Print one line for the user and return the exit code that goes with it."""
    from settings import printable

    print(f"error: {printable(message)}", file=sys.stderr)
    return 2


# Imports of more than the standard library's smallest modules wait until signals are heard.
if __name__ == "__main__":
    end_at_signals()
    sys.exit(main())
