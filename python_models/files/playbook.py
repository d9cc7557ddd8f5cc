"""Check the playbook, a file that people edit by hand, before a build begins."""

import csv
import re

NEEDED = ("playbook", "segment_code", "segment_name", "segment_order", "colour")
# How some are written, and how to say so.
WRITTEN = {
    "segment_order": ("[1-9][0-9]*", "a whole number from 1"),
    "colour": ("#[0-9A-Fa-f]{6}", "a colour such as #0072B2"),
}


def check_playbook(path):
    """Check that each segment of a playbook has a code, a name, a place and a colour of its own.

    Parameters
    ----------
    path : str or Path
        ``segment_playbook.csv``, UTF-8 with commas.

    Raises
    ------
    ValueError
        In one line: the first thing that is wrong, with its line.
    OSError
        If the file can't be read.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        header = rows.fieldnames or []
        lacking = [column for column in NEEDED if column not in header]
        if lacking:
            raise ValueError(f"no column {', '.join(lacking)}; there are {', '.join(header)}")
        seen = {}
        for row in rows:
            line = rows.line_num
            values = {column: (row[column] or "").strip() for column in NEEDED}
            for column, value in values.items():
                pattern, wanted = WRITTEN.get(column, ("(?s:.*)", ""))
                if not value:
                    raise ValueError(f"line {line}: {column} is empty")
                if not re.fullmatch(pattern, value):
                    raise ValueError(f"line {line}: {column} must be {wanted}, not {value}")
            playbook = values.pop("playbook")
            for column, value in values.items():
                key = (playbook, column, value.casefold())
                if key in seen:
                    raise ValueError(
                        f"playbook {playbook}: lines {seen[key]} and {line} have the same "
                        f"{column}, {value}; each segment needs its own"
                    )
                seen[key] = line
