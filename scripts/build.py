"""Build, publish and draw, with an output for people: what ``make build`` runs.

The work is ``dbt build`` itself; this sets its paths, shows how far it is, says what went wrong in
one line, and has the report drawn from what was published. The whole log is in logs/dbt.log.
"""

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
# The models that stand for a step, and what people are told when it begins.
STEPS = {
    "base_shop__invoice_lines": "reading invoices",
    "int_invoice_lines_classified": "classifying invoice lines",
    "int_customers_as_of": "measuring customers at every month end",
    "int_segmentations_fitted": "fitting segmentations",
    "segments": "writing and testing segments",
}


class Progress:
    """One line a step; on a terminal, a last line that says which node runs."""

    def __init__(self, stream):
        self.stream = stream
        self.live = stream.isatty()
        self.total = 0
        self.done = 0
        self.failed = False
        self.part = None
        self.started = time.monotonic()

    def on_event(self, event):
        """Take an event of dbt's."""
        name = event.info.name
        if name == "NodeStart":
            self.start(event.data.node_info.node_name)
        elif name == "NodeFinished":
            self.done += 1
            self.failed |= event.data.node_info.node_status in ("error", "fail")
        elif name == "ConcurrencyLine":
            self.total = event.data.node_count
        elif name == "Note" and event.data.msg.startswith("fitting "):
            self.detail(event.data.msg)
        elif name == "PrintEvent":
            self.clear()
            # Paths are easier to read, and to use, from where one is.
            print(event.data.msg.replace(f"{os.getcwd()}/", ""), file=self.stream, flush=True)

    def start(self, node):
        """Say what begins."""
        if node in STEPS and not self.failed:
            self.clear()
            elapsed = time.monotonic() - self.started
            print(f"{elapsed:6.1f} s  {STEPS[node]}", file=self.stream, flush=True)
        if self.live:
            line = f"          {self.done}/{self.total}  {node}"
            print(f"\r\x1b[K{line[:78]}", end="", file=self.stream, flush=True)

    def detail(self, message):
        """Say what a long step is doing: on a terminal in the last line, else each part once."""
        if self.live:
            print(f"\r\x1b[K          {message}"[:88], end="", file=self.stream, flush=True)
            return
        part = message.split(":")[0]
        if part != self.part:
            self.part = part
            print(f"          {part}", file=self.stream, flush=True)

    def clear(self):
        """Take the last line away."""
        if self.live:
            print("\r\x1b[K", end="", file=self.stream, flush=True)


def first_line(message):
    """Find the one line of a dbt message that says what is wrong.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if "Python model failed:" in lines or any(line.startswith("Traceback") for line in lines):
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b.*:", line)]
        return re.sub(r"^[\w.]*?(\w+): ", "", errors[-1]) if errors else lines[-1]
    telling = [
        line
        for line in lines
        if not re.match(r"(Compilation|Runtime|Database|Parsing|Encountered).*(Error|error)", line)
        and not line.startswith((">", "compiled code at", "raise "))
    ]
    return telling[0] if telling else " ".join(lines)


def explain(result):
    """Say what went wrong, a line each.

    Parameters
    ----------
    result : dbtRunnerResult

    Returns
    -------
    list of str
    """
    if result.exception is not None:
        return [explain_exception(str(result.exception))]
    complaints = []
    for run in getattr(result.result, "results", []):
        status = str(run.status)
        if status not in ("error", "fail", "runtime error"):
            continue
        where = getattr(run.node, "original_file_path", "")
        if status == "fail":
            count = f"{run.failures} row(s)" if run.failures else "the rows"
            complaints.append(
                f"test {run.node.name} failed: {count} not as promised, see {where} and the "
                f"query {getattr(run.node, 'compiled_path', None) or 'in logs/dbt.log'}"
            )
        else:
            line = first_line(run.message or "no message")
            # Our own messages name what they are about; others are about the node.
            ours = line.startswith(("invoices: ", "var ", "marts are "))
            complaints.append(line if ours else f"{run.node.name}: {line}")
    return complaints or ["dbt stopped without a word; see logs/dbt.log"]


def explain_exception(message):
    """Find one line for what stopped dbt before or after its nodes.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
    """
    lock = re.search(r'lock on file "([^"]+)".*?\(PID (\d+)\)', message, re.DOTALL)
    if lock:
        return (
            f"process {lock[2]} has {lock[1]} open. Another build? Wait for it. A query tool? "
            f"Let it open {Path(lock[1]).with_name('published.duckdb')} instead, which nobody locks"
        )
    return first_line(message)


def main(arguments=None):
    """Run the build; the exit code is dbt's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--invoices", help="path or glob of invoice lines; default: the demo's")
    parser.add_argument("--vars", default="{}", help="other dbt vars, as YAML")
    parser.add_argument(
        "--score",
        action="store_true",
        help="assign customers by the last fits, and do nothing else",
    )
    parser.add_argument(
        "--no-report", action="store_true", help="leave report/segments.html as it is"
    )
    options = parser.parse_args(arguments)

    os.environ["DBT_PROJECT_DIR"] = os.environ["DBT_PROFILES_DIR"] = str(PROJECT)
    # dbt is slow to import; by here, wrong arguments have been turned away.
    import yaml
    from dbt.cli.main import dbtRunner

    try:
        variables = yaml.safe_load(options.vars) or {}
    except yaml.YAMLError as error:
        return stop(f"VARS is not YAML: {' '.join(str(error).split())}")
    if not isinstance(variables, dict):
        return stop("VARS must map names to values, such as VARS='{as_of: 2011-12-01}'")
    if options.invoices:
        inside = options.invoices.startswith("relation:") or "://" in options.invoices
        variables["invoices"] = options.invoices if inside else os.path.abspath(options.invoices)

    progress = Progress(sys.stdout)
    source = options.invoices or variables.get("invoices", "the demo invoices")
    print(
        f"{'Scoring customers' if options.score else 'Building segments'} from {source}", flush=True
    )
    quiet = ["--log-level", "none", "--log-level-file", "info"]
    settings = ["--vars", json.dumps(variables, default=str)]
    # Parsed once, for the build and for the analyses that the report is drawn from.
    result = dbtRunner().invoke([*quiet, "parse", *settings])
    if result.success:
        manifest = result.result
        runner = dbtRunner(manifest=manifest, callbacks=[progress.on_event])
        # Unit tests say whether the SQL is right, whatever the data are: make test runs them.
        whole = ["--exclude-resource-type", "unit_test"]
        part = ["--selector", "score"] if options.score else whole
        result = runner.invoke([*quiet, "build", *part, *settings])
    progress.clear()
    if not result.success:
        for complaint in explain(result):
            stop(complaint)
        return 1
    if not (options.no_report or options.score):
        sys.path.insert(0, str(PROJECT))
        import duckdb

        from report import write_report

        try:
            path = write_report(manifest, settings[1])
        except (RuntimeError, OSError, duckdb.Error) as error:
            return stop(f"marts are published, but not drawn: {first_line(str(error))}")
        inside = path.is_relative_to(os.getcwd())
        print(f"Report: {os.path.relpath(path) if inside else path}", flush=True)
    print(f"Done in {time.monotonic() - progress.started:.1f} s.")
    return 0


def stop(message):
    """Print one line for the user and return the exit code that goes with it."""
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
