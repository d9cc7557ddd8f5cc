"""A process in which dbt is imported and has parsed the project; each run is a fork of it.

Starting Python, importing dbt and parsing take seconds, in a suite with some hundred builds most
of its time. A fork has all that, and shares nothing with other runs. The project is parsed once
for all runs in whose settings parsing sees no difference.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "scripts"))
# No run takes as long, unless it hangs.
MOST_SECONDS = 300
# What each build would import again.
IMPORTED = (
    "build",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.mixture",
    "sklearn.model_selection",
    "sklearn.neighbors",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.tree",
)
# Settings that are read while a build runs and not while the project is parsed.
UNSEEN = {
    "invoices",
    "invoice_columns",
    "invoice_format",
    "preset",
    "pass_through",
    "time_zone",
    "null_words",
    "guests",
    "order_status",
    "currency",
    "upper_case_products",
    "rejected_limit",
    "accepted_reasons",
    "longest_pause_days",
    "drop_exact_duplicates",
    "cancellation_prefix",
    "as_of",
    "source_name",
    "pairs_least_baskets",
    "pairs_least_support",
    "pairs_largest_basket",
    "pairs_sampled_baskets",
}
# Semaphores of forks go with them.
LEFT_TO_THE_SYSTEM = "ignore::UserWarning:multiprocessing.resource_tracker"


class Forks:
    """The process, begun with the first run."""

    def __init__(self):
        self.process = None

    def start(self, program, arguments, *, environment, folder, output, errors, parsed_with=None):
        """Begin to run a program in a fork; one at a time.

        Parameters
        ----------
        program : str
            ``build`` (scripts/build.py) or ``dbt``.
        arguments : list of str
        environment : dict of str to str
        folder : Path
            Where it runs.
        output, errors : Path
            Files for what it prints.
        parsed_with : list of str, optional
            Arguments that the project is parsed with in place of its own: where it is known that
            parsing would say nothing of the difference.

        Returns
        -------
        int
            Its process id.
        """
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=PROJECT,
                env=os.environ | {"PYTHONWARNINGS": LEFT_TO_THE_SYSTEM},
            )
        order = [program, arguments, environment, str(folder), str(output), str(errors)]
        order = [arguments if parsed_with is None else parsed_with, order]
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self):
        """Wait for what was started; its exit code."""
        return int(self.process.stdout.readline())

    def close(self):
        """End the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def serve():
    """Fork for each order, and answer with the process id and, when it ends, its exit code."""
    for module in IMPORTED:
        import_module(module)
    for line in sys.stdin:
        parsed_with, order = json.loads(line)
        parsed = None if "parse" in parsed_with else parse(parsed_with)
        child = os.fork()
        if not child:
            fulfil(parsed, *order)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


@lru_cache(maxsize=12)
def parse_with(variables):
    """Parse with these vars, as YAML; what dbt says of it."""
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        places += ["--target-path", folder, "--log-path", folder, "--vars", variables]
        os.environ["DBT_PROJECT_DIR"] = str(PROJECT)
        # The static parser has threads, and threads do not survive a fork.
        return dbtRunner().invoke(["--log-level", "none", "--no-static-parser", "parse", *places])


def parse(arguments):
    """Parse as a build would, once for each of the settings that parsing sees.

    Parameters
    ----------
    arguments : list of str
        Of a build, or of dbt.

    Returns
    -------
    dbtRunnerResult or None
        None where settings are wrong, which the build says itself.
    """
    from settings import as_dbt_vars, read_settings

    options = dict(pairwise(arguments))
    try:
        settings = read_settings(options.get("--invoices"), options.get("--vars"))
    except ValueError:
        return None
    if "campaign_customers" not in settings and "invoices" in settings:
        is_demo = str(settings["invoices"]).endswith("data/demo/invoices.csv")
        settings["campaign_customers"] = None if is_demo else ""
    seen = {name: value for name, value in settings.items() if name not in UNSEEN}
    return parse_with(as_dbt_vars(dict(sorted(seen.items()))))


def fulfil(parsed, program, arguments, environment, folder, output, errors):
    """Be the run that was ordered; never returns."""
    code = 1
    # What dbt has parsed is many objects; a search for garbage among them finds none.
    gc.disable()
    try:
        for path, descriptor in ((os.devnull, 0), (output, 1), (errors, 2)):
            flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if descriptor else 0)
            os.dup2(os.open(path, flags), descriptor)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.alarm(MOST_SECONDS)
        code = {"build": build_here, "dbt": dbt_here}[program](parsed, arguments)
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def build_here(parsed, arguments):
    """Run ``make build``'s program, with the project parsed if it could be."""
    import build
    from dbt.cli.main import dbtRunner

    invoke = dbtRunner.invoke

    def invoke_unless_parsed(self, arguments, **settings):
        return parsed if parsed and "parse" in arguments else invoke(self, arguments, **settings)

    dbtRunner.invoke = invoke_unless_parsed
    return build.main(arguments)


def dbt_here(parsed, arguments):
    """Run a command of dbt's, with the project parsed if it could be."""
    from dbt.cli.main import dbtRunner

    manifest = parsed.result if parsed and parsed.success else None
    ran = dbtRunner(manifest=manifest).invoke(arguments)
    if ran.exception:
        print(ran.exception)
    return 0 if ran.success else 1


if __name__ == "__main__":
    serve()
