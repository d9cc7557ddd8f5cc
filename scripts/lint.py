"""Lint the SQL with sqlfluff: ``make lint``.

python scripts/lint.py models analyses
"""

import gc
import sys

from sqlfluff.cli.commands import cli

# sqlfluff makes and keeps millions of small objects, and half of its time went to looking for
# garbage among them. Its workers import this file, so this holds for them too.
gc.disable()

if __name__ == "__main__":
    cli(["lint", "--disable-progress-bar", "--processes", "0", *sys.argv[1:]])
