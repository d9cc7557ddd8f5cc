"""Put what is drawn together as one self-contained page."""

import os
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path

from report.packing import as_json, zipped
from report.queries import PROJECT

HERE = Path(__file__).resolve().parent
# The page is sent by mail. What makes it larger than this many bytes is left out.
LARGEST = 1_000_000


@dataclass(frozen=True)
class Drawn:
    """A figure or table of a section, with what the page's script needs to draw it."""

    item: object
    segmentation: str
    facts: dict | None


def replace(path, html):
    """Write a file in one step, so that nobody reads a part of it."""
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        unfinished.write_text(html, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def size(number):
    """Write a number of bytes in megabytes."""
    return f"{number / 1_000_000:.2f}".rstrip("0").rstrip(".") + " MB"


def script_bundle():
    """Vega, Vega-Lite and vega-embed as one script; bundled once and kept."""
    kept = PROJECT / "target" / "report" / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists():
        import vl_convert

        kept.parent.mkdir(parents=True, exist_ok=True)
        replace(kept, vl_convert.javascript_bundle())
    return kept.read_text(encoding="utf-8")


@cache
def zipped_bundle():
    """Compress the bundle, in a function so that its names are not the page's."""
    return zipped(f"(() => {{ {script_bundle()} }})();")


def compose(drawn, results, segmentations, left_out):
    """Put what is drawn together.

    Parameters
    ----------
    drawn : dict of str to list of Drawn
        By name of the section, in the page's order.
    results : dict of str to list of dict
    segmentations : list of Segmentation
    left_out : list of str
        What the page says that it lacks.

    Returns
    -------
    str
        HTML.
    """
    from report.figures import count, money, percent, slug

    figures, parts, contents = {}, [], []
    first = segmentations[0].name if segmentations else ""
    for name, items in drawn.items():
        blocks = []
        for one in items:
            key = ""
            if one.facts:
                key = f"figure-{len(figures) + 1}"
                figures[key] = one.facts
            blocks.append(block(one, key, first))
        if blocks:
            parts.append(
                f'<section id="{slug(name)}"><h2>{escape(name)}</h2>'
                f'<div class="sheets">{"".join(blocks)}</div></section>'
            )
            contents.append(f'<li><a href="#{slug(name)}">{escape(name)}</a></li>')
    shop = results["shop_at_a_glance"][0]
    glance = [
        (count(shop["customers"]), "customers"),
        (money(shop["revenue"]), "revenue"),
        (count(shop["orders"]), "orders"),
        (money(shop["revenue_per_customer"]), "revenue per customer"),
        (money(shop["revenue_per_order"]), "revenue per order"),
    ]
    headlines = "".join(
        f'<p class="headline"{belonging(segmentation.name, first)}>'
        + escape(headline(segmentation.segments, count, percent))
        + "</p>"
        for segmentation in segmentations
    )
    versions = "; ".join(
        f"{segmentation.name} {segmentation.segments[0]['model_version']}"
        for segmentation in segmentations
    )
    centres = results["centres_for_scoring"]
    facts = {
        "segmentations": {
            segmentation.name: {
                "title": segmentation.title,
                "segments": segmentation.segments,
                "centres": grouped(centres).get(segmentation.name, []),
            }
            for segmentation in segmentations
        },
        "features": feature_words(results["features_in_words"]),
        "figures": figures,
        "as_of": f"{shop['as_of_at']:%Y-%m-%d %H:%M}",
    }
    missing = f"Left out, to stay below {size(LARGEST)}: {', '.join(left_out)}."
    filled = {
        "as_of": f"{shop['as_of_at']:%-d %B %Y, %H:%M}",
        "versions": escape(versions),
        "left_out": f'<p class="as-of left-out">{escape(missing)}</p>' if left_out else "",
        "headlines": headlines,
        "glance": "".join(f"<li><b>{escape(n)}</b> {escape(what)}</li>" for n, what in glance),
        "contents": "".join(contents),
        "sections": "".join(parts),
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "facts": zipped(as_json(facts)),
        "bundle": zipped_bundle() if figures else "",
        "script": (HERE / "page.js").read_text(encoding="utf-8"),
    }
    # One pass: what is put in is never looked at again, whatever it says.
    pieces = (HERE / "page.html").read_text(encoding="utf-8").split("{{")
    return pieces[0] + "".join(
        filled[name.strip()] + rest for name, rest in (piece.split("}}", 1) for piece in pieces[1:])
    )


def belonging(segmentation, first):
    """Say which segmentation an element is of; the script shows one at a time."""
    if not segmentation:
        return ""
    hidden = "" if segmentation == first else " hidden"
    return f' data-segmentation="{escape(segmentation)}"{hidden}'


def block(drawn, key, first):
    """Write a figure, still empty, or a table as HTML."""
    item = drawn.item
    belongs = belonging(drawn.segmentation, first)
    heading = f"<h3>{escape(item.title)}</h3>"
    how = escape(item.how.replace(" %", "\N{NO-BREAK SPACE}%"))
    if not key:
        return f'<div class="sheet"{belongs}>{heading}<p class="how">{how}</p>{table(item)}</div>'
    half = " half" if item.half else ""
    return (
        f'<figure class="sheet{half}" id="{key}"{belongs}>{heading}'
        f'<figcaption class="how">{how}</figcaption>'
        f'<div class="scroller"><div class="chart"></div></div></figure>'
    )


def headline(segments, count, percent):
    """Say the most important thing in one sentence."""
    best = max(segments, key=lambda row: row["revenue_share"])
    everybody, money = "all", "revenue"
    if best["population"] == "campaign_customers":
        everybody, money = "the campaign's customers", "their spend"
    return (
        f"{count(best['customers'])} {best['segment_name']}, "
        f"{percent(best['customer_share'])} of {everybody}, "
        f"bring {percent(best['revenue_share'])} of {money}"
    )


def feature_words(features):
    """Name, unit and whether a slider multiplies, for the calculator."""
    from report.figures import read_features

    return {
        feature: {"name": told.name, "unit": told.unit, "is_log": told.is_skewed}
        for feature, told in read_features(features).items()
    }


def grouped(rows):
    """Group rows by segmentation, in their order."""
    parts = defaultdict(list)
    for row in rows or []:
        parts[row["segmentation"]].append(row)
    return dict(parts)


def table(item):
    """Write a table as HTML; rows of a segment say which."""
    numbers = {
        column
        for column in item.columns
        if any(isinstance(row[column], int | float) for row in item.rows)
    }
    of = {column: ' class="number"' if column in numbers else "" for column in item.columns}
    heads = "".join(
        f'<th scope="col"{of[column]}>{escape(head)}</th>' for column, head in item.columns.items()
    )
    body = []
    for row in item.rows:
        cells = [
            escape(cell(row[column], item.formats.get(column, plain_text)))
            for column in item.columns
        ]
        tags = ['th scope="row"'] + ["td"] * (len(cells) - 1)
        own = f' data-segment="{escape(row["segment_code"])}"' if "segment_code" in row else ""
        body.append(
            f"<tr{own}>"
            + "".join(
                f"<{tag}{of[column]}>{text}</{tag.split()[0]}>"
                for tag, column, text in zip(tags, item.columns, cells, strict=True)
            )
            + "</tr>"
        )
    kind = ' class="dense"' if item.dense else ""
    return (
        f'<div class="scroller" tabindex="0" role="region" aria-label="{escape(item.title)}">'
        f"<table{kind}><thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def cell(value, write):
    """Write a value, or that there is none."""
    return "\N{EN DASH}" if value is None else write(value)


def plain_text(value):
    """Write a value for people."""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
