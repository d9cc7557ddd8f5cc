"""Check the playbook, its claims and its other actions, which people edit by hand."""

import csv
import difflib
import math
import re

NEEDED = ("playbook", "segment_code", "segment_name", "segment_order", "colour")
# How some are written, and how to say so.
WRITTEN = {
    "segment_order": ("[1-9][0-9]*", "a whole number from 1"),
    "colour": ("#[0-9A-Fa-f]{6}", "a colour such as #0072B2"),
}
CONDITION = ("feature", "statistic", "comparison", "number", "times")
CLAIMED = ("playbook", "segment_code", *CONDITION)
TEXTS = ("key_characteristics", "action", "channel", "offer")
ACTED = ("playbook", "segment_code", "action_order", *CONDITION, *TEXTS)
# What some may be.
WORDS = {
    "statistic": ("mean", "median"),
    "comparison": (">=", ">", "<=", "<"),
    "times": ("", "shop_mean", "shop_median", "shop_gap"),
}
# The playbook whose segments stand in where no name of another is true.
FALLBACK = "fallback"


def check_playbook(path, features):
    """Check that each segment of a playbook has a code, a name, a place and a colour of its own.

    Parameters
    ----------
    path : str or Path
        ``segment_playbook.csv``, UTF-8 with commas.
    features : sequence of str
        Names of all features; a feature over a window has that of the whole too.

    Raises
    ------
    ValueError
        In one line: the first thing that is wrong, with its line.
    OSError
        If the file can't be read.
    """
    seen, best = {}, {}
    for line, row in read_rows(path, (*NEEDED, "outlier_features", "highest_in")):
        values = {column: (row[column] or "").strip() for column in NEEDED}
        for column, value in values.items():
            pattern, wanted = WRITTEN.get(column, ("(?s:.*)", ""))
            if not value:
                raise ValueError(f"line {line}: {column} is empty")
            if not re.fullmatch(pattern, value):
                raise ValueError(f"line {line}: {column} must be {wanted}, not {value}")
        playbook = values.pop("playbook")
        if highest_in := (row["highest_in"] or "").strip():
            check_feature(line, highest_in, features)
            if (row["outlier_features"] or "").strip():
                raise ValueError(f"line {line}: a segment of outliers can't have highest_in")
            if playbook in best:
                raise ValueError(
                    f"playbook {playbook}: lines {best[playbook]} and {line} have highest_in; one "
                    "segment can"
                )
            best[playbook] = line
        for column, value in values.items():
            key = (playbook, column, value.casefold())
            if key in seen:
                raise ValueError(
                    f"playbook {playbook}: lines {seen[key]} and {line} have the same "
                    f"{column}, {value}; each segment needs its own"
                )
            seen[key] = line


def check_claims(path, playbook_path, features):
    """Check that claims are about segments and features that there are, and leave a way out.

    Parameters
    ----------
    path : str or Path
        ``segment_claims.csv``, UTF-8 with commas.
    playbook_path : str or Path
        ``segment_playbook.csv``, already checked.
    features : sequence of str
        Names of all features; a feature over a window has that of the whole too.

    Raises
    ------
    ValueError
        In one line: the first thing that is wrong, with its line.
    OSError
        If a file can't be read.
    """
    segments = read_segments(playbook_path)
    claiming, has_claims = [], set()
    for line, row in read_rows(path, CLAIMED):
        values = {column: (row[column] or "").strip() for column in CLAIMED}
        playbook, code = values["playbook"], values["segment_code"]
        check_segment(line, playbook, code, segments)
        check_feature(line, values["feature"], features)
        check_condition(line, values, WORDS)
        has_claims.add((playbook, code))
        if playbook not in claiming:
            claiming.append(playbook)
    if claiming and all((FALLBACK, code) in has_claims for code in segments.get(FALLBACK, ())):
        raise ValueError(
            f"the playbook {FALLBACK} of segment_playbook.csv has no segment without claims, for "
            "customers for whom nothing else is true"
        )
    for playbook in claiming:
        if playbook != FALLBACK:
            check_apart(playbook, segments[playbook], segments[FALLBACK])


def check_actions(path, playbook_path, features):
    """Check that other actions are of segments that there are, each under a condition.

    Parameters
    ----------
    path : str or Path
        ``segment_actions.csv``, UTF-8 with commas.
    playbook_path : str or Path
        ``segment_playbook.csv``, already checked.
    features : sequence of str
        Names of all features.

    Raises
    ------
    ValueError
        In one line: the first thing that is wrong, with its line.
    OSError
        If a file can't be read.
    """
    segments = read_segments(playbook_path)
    words = WORDS | {"times": tuple(word for word in WORDS["times"] if word != "shop_median")}
    seen = {}
    for line, row in read_rows(path, ACTED):
        values = {column: (row[column] or "").strip() for column in ACTED}
        playbook, code, order = (values[column] for column in ACTED[:3])
        check_segment(line, playbook, code, segments)
        if not re.fullmatch("[1-9][0-9]*", order):
            raise ValueError(f"line {line}: action_order must be a whole number from 1")
        check_known(line, "feature", values["feature"], features)
        check_condition(line, values, words)
        if not any(values[column] for column in TEXTS):
            raise ValueError(f"line {line}: one of {', '.join(TEXTS)} must be there")
        key = (playbook, code, int(order))
        if key in seen:
            raise ValueError(
                f"lines {seen[key]} and {line} have the same action_order, {order}, of {code}"
            )
        seen[key] = line


def read_segments(path):
    """Read the segments of each playbook, by code, with their lines."""
    segments = {}
    for line, row in read_rows(path, NEEDED):
        segments.setdefault(row["playbook"].strip(), {})[row["segment_code"].strip()] = (line, row)
    return segments


def check_segment(line, playbook, code, segments):
    """Check that a playbook has a segment."""
    check_known(line, "playbook", playbook, segments)
    check_known(line, f"segment of {playbook}", code, segments[playbook])


def check_feature(line, feature, features):
    """Check that there is a feature, or one that it is a window of."""
    if re.sub("_[0-9]+d$", "", feature) not in features:
        check_known(line, "feature", feature, features)


def check_condition(line, values, known):
    """Check that a condition can be true."""
    for column, words in known.items():
        if values[column] not in words:
            told = ", ".join(word or "empty" for word in words)
            raise ValueError(f"line {line}: {column} must be one of {told}")
    try:
        is_number = math.isfinite(float(values["number"]))
    except ValueError:
        is_number = False
    if not is_number:
        raise ValueError(f"line {line}: number must be a number, not {values['number']}")
    if values["times"] == "shop_gap" and not values["feature"].endswith("_days"):
        raise ValueError(f"line {line}: shop_gap is in days, and {values['feature']} is not")


def check_apart(playbook, own, fallbacks):
    """Check that no segment of a playbook can be taken for a fallback."""
    for column in NEEDED[1:]:
        taken = {row[column].strip().casefold(): line for line, row in fallbacks.values()}
        for line, row in own.values():
            value = row[column].strip()
            if value.casefold() in taken:
                raise ValueError(
                    f"segment_playbook.csv: lines {line} and {taken[value.casefold()]} have the "
                    f"same {column}, {value}; since {playbook} has claims, its segments must "
                    f"differ from those of the playbook {FALLBACK}"
                )


def check_known(line, kind, name, known):
    """Check that there is something of a name."""
    if name not in known:
        meant = difflib.get_close_matches(name, list(known), n=1)
        raise ValueError(
            f"line {line}: there is no {kind} {name}"
            + (f". Did you mean {meant[0]}?" if meant else "")
        )


def read_rows(path, needed):
    """Read the rows of a file with the lines that they end on.

    Parameters
    ----------
    path : str or Path
        UTF-8 with commas.
    needed : sequence of str
        Columns that must be there.

    Yields
    ------
    line : int
    row : dict of str to str
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        header = rows.fieldnames or []
        lacking = [column for column in needed if column not in header]
        if lacking:
            raise ValueError(f"no column {', '.join(lacking)}; there are {', '.join(header)}")
        for row in rows:
            yield rows.line_num, row
