"""A process in which dbt is imported and has parsed the project; each run is a fork of it.

Starting Python, importing dbt and its first parse take seconds, in a suite with some hundred builds
most of its time. A fork has all that, and shares nothing with other runs.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# No run takes as long, unless it hangs.
MOST_SECONDS = 300
# Semaphores of forks go with them.
LEFT_TO_THE_SYSTEM = "ignore::UserWarning:multiprocessing.resource_tracker"


class Forks:
    """The process, begun with the first run."""

    def __init__(self):
        self.process = None

    def start(self, program, arguments, *, environment, folder, output, errors):
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
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            fulfil(*json.loads(line))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def warm_up():
    """Import what builds import, and parse once."""
    sys.path.insert(0, str(PROJECT / "scripts"))
    import build  # noqa: F401
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        places += ["--target-path", folder, "--log-path", folder]
        os.environ["DBT_PROJECT_DIR"] = str(PROJECT)
        # The static parser has threads, and threads do not survive a fork.
        dbtRunner().invoke(["--log-level", "none", "--no-static-parser", "parse", *places])


def fulfil(program, arguments, environment, folder, output, errors):
    """Be the run that was ordered; never returns."""
    code = 1
    try:
        for path, descriptor in ((os.devnull, 0), (output, 1), (errors, 2)):
            flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if descriptor else 0)
            os.dup2(os.open(path, flags), descriptor)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.alarm(MOST_SECONDS)
        code = build_here(arguments) if program == "build" else dbt_here(arguments)
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def build_here(arguments):
    """Run ``make build``'s program."""
    import build

    return build.main(arguments)


def dbt_here(arguments):
    """Run dbt's command line."""
    from dbt.cli.main import cli

    sys.argv = ["dbt", *arguments]
    return cli()


if __name__ == "__main__":
    serve()
