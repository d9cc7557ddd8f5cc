"""Draw the sections from what is published, and write the page."""

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path

from report.composing import LARGEST, Drawn, compose, grouped, replace, size
from report.packing import packed
from report.queries import PROJECT, compile_analyses, run_analyses, warehouse_folder

# Sections that are left out of a page that is too large, the first one first. Action plan and
# data profile are mere text and stay.
LEAST_IMPORTANT = (
    "Customers on a map",
    "Distributions",
    "Correlations",
    "Number of clusters",
    "Spread within segments",
    "When people buy",
    "RFM grid",
    "Bought together",
    "Best-selling products",
    "Concentration of revenue",
    "Predictions and outcomes",
    "Predicted answers",
    "Customers of the campaign",
    "Who comes back",
    "Sizes over time",
    "Who moves",
    "What to expect",
    "Revenue by month",
    "Where the lines went",
    "Customers and revenue",
)
# Before the map itself, most of its dots are.
FEWER_DOTS = 500
WAIT = (
    "Reload this page in a moment. If nothing changes, drawing was stopped: make report draws the "
    "page again."
)


@dataclass(frozen=True)
class Page:
    """A page, and what had to be left out of it, in words."""

    html: str
    left_out: list


def report_path():
    """Say where the page is written."""
    return Path(os.environ.get("REPORT_DIR", PROJECT / "report")) / "segments.html"


def write_report(manifest, variables, say=print):
    """Write the page from what has been published.

    A page that is there already shows other tables, perhaps of another shop. It is replaced before
    anything can fail: by a notice, then by the page or by what went wrong.

    Parameters
    ----------
    manifest : Manifest
        Of the project, parsed with the same variables.
    variables : str
        dbt vars as JSON.
    say : callable
        Told in a line what was left out of the page.

    Returns
    -------
    Path
        Where the page is.

    Raises
    ------
    RuntimeError
        If it could not be drawn or written; its place then says so.
    """
    path = report_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, notice("The report is being drawn", WAIT))
        results = run_analyses(
            compile_analyses(manifest, variables), warehouse_folder() / "published.duckdb"
        )
        page = render(results)
        replace(path, page.html)
    except BaseException as error:
        complaint = str(error) or "it was stopped"
        if not isinstance(error, RuntimeError | KeyboardInterrupt):
            complaint = f"{type(error).__name__}: {complaint}"
        give_up(path, complaint)
        if isinstance(error, Exception):
            raise RuntimeError(f"report: {complaint}") from error
        raise
    if page.left_out:
        say(f"Report: left out, to stay below {size(LARGEST)}: {', '.join(page.left_out)}")
    if len(page.html.encode()) > LARGEST:
        say(f"Report: {size(len(page.html.encode()))} with nothing more to leave out")
    return path


def give_up(path, complaint):
    """Leave no page of other tables behind: say what went wrong in its place, or remove it.

    Parameters
    ----------
    path : Path
    complaint : str

    Raises
    ------
    RuntimeError
        If neither is possible.
    """
    try:
        replace(
            path,
            notice(
                "The report could not be drawn",
                "The tables are published; only this page is missing. make report draws it again.",
                complaint,
            ),
        )
    except OSError:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RuntimeError(
                f"report: {complaint}; and {path}, which shows other tables, cannot be removed: "
                f"{error}"
            ) from error


def notice(title, text, details=""):
    """Write a short page that stands where the report would."""
    details = f"<pre>{escape(details)}</pre>" if details else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(title)}</title>\n"
        '<link rel="icon" href="data:,">\n'
        "<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; "
        "padding: 0 1em; color-scheme: light dark; } pre { white-space: pre-wrap; }</style>\n"
        f"</head>\n<body>\n<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n{details}\n"
        "</body>\n</html>\n"
    )


def render(results, largest=LARGEST):
    """Draw all sections that have data, or as many as the page has room for.

    Parameters
    ----------
    results : dict of str to list of dict
        Rows by analysis.
    largest : int
        Bytes that the page may have. It has more where it would be larger with no chart at all.

    Returns
    -------
    Page
    """
    from report.figures import Segmentation
    from report.sections import SECTIONS

    segmentations = [
        Segmentation(name, rows) for name, rows in grouped(results["segments_in_use"]).items()
    ]
    drawn = {section.name: draw(section, results, segmentations) for section in SECTIONS}
    left_out = []
    html = compose(drawn, results, segmentations, left_out)
    for name in LEAST_IMPORTANT:
        if len(html.encode()) <= largest:
            break
        if not drawn[name]:
            continue
        if name == LEAST_IMPORTANT[0]:
            fewer = results | {"customers_sampled": thinned(results["customers_sampled"])}
            section = next(section for section in SECTIONS if section.name == name)
            drawn[name] = draw(section, fewer, segmentations)
            html = compose(drawn, results, segmentations, ["most dots of the map"])
            if len(html.encode()) <= largest:
                left_out = ["most dots of the map"]
                break
        drawn[name] = []
        left_out.append(name)
        html = compose(drawn, results, segmentations, left_out)
    return Page(html, left_out)


def thinned(sampled):
    """Take some customers of each segmentation, at equal distances in their order.

    Parameters
    ----------
    sampled : list of dict
        Rows of customers_sampled: several for each customer.

    Returns
    -------
    list of dict
        Those of about FEWER_DOTS customers of each segmentation.
    """
    kept = []
    for rows in grouped(sampled).values():
        customers = list(dict.fromkeys(row["customer_id"] for row in rows))
        some = set(customers[:: -(-len(customers) // FEWER_DOTS)])
        kept += [row for row in rows if row["customer_id"] in some]
    return kept


def draw(section, results, segmentations):
    """Draw a section, for each segmentation that it has rows of.

    Parameters
    ----------
    section : Section
    results : dict of str to list of dict
    segmentations : list of Segmentation

    Returns
    -------
    list of Drawn
        Empty where one of its analyses has no rows.
    """
    rows = [results.get(name) for name in section.analyses]
    if not all(rows):
        return []
    if not section.per_segmentation:
        return [drawn_item(item, "") for item in section.draw(*rows)]
    drawn = []
    for segmentation in segmentations:
        own = [
            grouped(part).get(segmentation.name) if "segmentation" in part[0] else part
            for part in rows
        ]
        if all(own):
            drawn += [
                drawn_item(item, segmentation.name) for item in section.draw(segmentation, *own)
            ]
    return drawn


def drawn_item(item, segmentation):
    """Take what the script needs from a figure; a table needs nothing."""
    from report.figures import Figure

    if not isinstance(item, Figure):
        return Drawn(item, segmentation, None)
    spec = item.chart.to_dict(validate=False)
    # The page has a look of its own.
    spec = {key: value for key, value in spec.items() if key not in ("$schema", "config")}
    facts = {
        "title": item.title,
        "how": item.how,
        "least_width": item.least_width,
        "spec": spec,
        "rows": packed(item.rows),
    }
    return Drawn(item, segmentation, facts)
