"""Write the page again from what is published, without a build: ``python -m report``."""

import argparse
import json
import os
import sys

import yaml

from report import write_report
from report.queries import PROJECT


def main():
    """Parse the project and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vars", default="{}", help="the build's dbt vars, as YAML")
    variables = json.dumps(yaml.safe_load(parser.parse_args().vars) or {}, default=str)
    os.environ["DBT_PROJECT_DIR"] = os.environ["DBT_PROFILES_DIR"] = str(PROJECT)
    from dbt.cli.main import dbtRunner

    parsed = dbtRunner().invoke(["--log-level", "none", "parse", "--vars", variables])
    if not parsed.success:
        raise parsed.exception
    try:
        print(f"Report: {write_report(parsed.result, variables)}")
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
