"""Put the sections together as one self-contained page."""

import json
import os
from collections import defaultdict
from datetime import date, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from report.queries import PROJECT, compile_analyses, run_analyses, warehouse_folder

HERE = Path(__file__).resolve().parent
MEGABYTES = 1.5


def report_path():
    """Say where the page is written."""
    return Path(os.environ.get("REPORT_DIR", PROJECT / "report")) / "segments.html"


def write_report(manifest, variables):
    """Write the page from what has been published.

    Parameters
    ----------
    manifest : Manifest
        Of the project, parsed with the same variables.
    variables : str
        dbt vars as JSON.

    Returns
    -------
    Path
        Where the page is.

    Raises
    ------
    RuntimeError
        If an analysis can't be compiled, or the page is too large to be sent about.
    duckdb.Error
        If an analysis can't be run.
    """
    results = run_analyses(
        compile_analyses(manifest, variables), warehouse_folder() / "published.duckdb"
    )
    page = render(results)
    if len(page.encode()) > MEGABYTES * 1_000_000:
        raise RuntimeError(f"report: the page is larger than {MEGABYTES} MB")
    path = report_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(page, encoding="utf-8")
    os.replace(unfinished, path)
    return path


def script_bundle():
    """Vega, Vega-Lite and vega-embed as one script; bundled once and kept."""
    kept = PROJECT / "target" / "report" / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists():
        import vl_convert

        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(vl_convert.javascript_bundle(), encoding="utf-8")
        os.replace(unfinished, kept)
    return kept.read_text(encoding="utf-8")


def render(results):
    """Draw all sections that have data.

    Parameters
    ----------
    results : dict of str to list of dict
        Rows by analysis.

    Returns
    -------
    str
        HTML.
    """
    from report.figures import Figure, Segmentation, count, money, percent
    from report.sections import SECTIONS

    segmentations = [
        Segmentation(name, rows) for name, rows in grouped(results["segments_in_use"]).items()
    ]
    specs = {}

    def drawn(section):
        rows = [results.get(name) for name in section.analyses]
        if not all(rows):
            return ""
        if not section.per_segmentation:
            return "".join(block(item, "") for item in section.draw(*rows))
        parts = []
        for segmentation in segmentations:
            own = [grouped(part).get(segmentation.name) for part in rows]
            if all(own):
                parts += [
                    block(item, segmentation.name) for item in section.draw(segmentation, *own)
                ]
        return "".join(parts)

    def block(item, segmentation):
        belongs = f' data-segmentation="{escape(segmentation)}"' if segmentation else ""
        heading = f"<h3>{escape(item.title)}</h3>"
        how = escape(item.how.replace(" %", "\N{NO-BREAK SPACE}%"))
        if not isinstance(item, Figure):
            return (
                f'<div class="sheet"{belongs}>{heading}<p class="how">{how}</p>{table(item)}</div>'
            )
        key = f"figure-{len(specs) + 1}"
        specs[key] = {
            "title": item.title,
            "how": item.how,
            "least_width": item.least_width,
            "spec": said_once(item.chart.to_dict()),
            "rows": packed(item.rows),
        }
        half = " half" if item.half else ""
        return (
            f'<figure class="sheet{half}" id="{key}"{belongs}>{heading}'
            f'<figcaption class="how">{how}</figcaption>'
            f'<div class="scroller"><div class="chart"></div></div></figure>'
        )

    parts, contents = [], []
    for section in SECTIONS:
        inside = drawn(section)
        if inside:
            parts.append(
                f'<section id="{section.slug}"><h2>{escape(section.name)}</h2>'
                f'<div class="sheets">{inside}</div></section>'
            )
            contents.append(f'<li><a href="#{section.slug}">{escape(section.name)}</a></li>')

    shop = results["shop_at_a_glance"][0]
    glance = [
        (count(shop["customers"]), "customers"),
        (money(shop["revenue"]), "revenue"),
        (count(shop["orders"]), "orders"),
        (money(shop["revenue_per_customer"]), "revenue a customer"),
        (money(shop["revenue_per_order"]), "revenue an order"),
    ]
    headlines = "".join(
        f'<p class="headline" data-segmentation="{escape(segmentation.name)}">'
        + escape(headline(segmentation.segments, count, percent))
        + "</p>"
        for segmentation in segmentations
    )
    versions = "; ".join(
        f"{segmentation.name} {segmentation.segments[0]['model_version']}"
        for segmentation in segmentations
    )
    facts = {
        "segmentations": {
            segmentation.name: {
                "title": segmentation.title,
                "segments": segmentation.segments,
                "centres": grouped(results["centres_for_scoring"]).get(segmentation.name, []),
            }
            for segmentation in segmentations
        },
        "features": feature_words(results["centres_for_scoring"]),
        "figures": specs,
        "as_of": f"{shop['as_of_at']:%Y-%m-%d %H:%M}",
    }
    filled = {
        "as_of": f"{shop['as_of_at']:%-d %B %Y, %H:%M} UTC",
        "versions": escape(versions),
        "headlines": headlines,
        "glance": "".join(f"<li><b>{escape(n)}</b> {escape(what)}</li>" for n, what in glance),
        "contents": "".join(contents),
        "sections": "".join(parts),
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "facts": in_script(facts),
        "bundle": script_bundle(),
        "script": (HERE / "page.js").read_text(encoding="utf-8"),
    }
    # One pass: what is put in is never looked at again, whatever it says.
    pieces = (HERE / "page.html").read_text(encoding="utf-8").split("{{")
    return pieces[0] + "".join(
        filled[name.strip()] + rest for name, rest in (piece.split("}}", 1) for piece in pieces[1:])
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


def feature_words(centres):
    """Name, unit and whether a slider multiplies, for the calculator."""
    from report.figures import feature_in_words

    found = {}
    for feature in dict.fromkeys(row["feature"] for row in centres):
        name, unit, _, is_log = feature_in_words(feature)
        found[feature] = {"name": name, "unit": unit, "is_log": is_log}
    return found


def grouped(rows):
    """Part rows by segmentation, in their order."""
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


def said_once(spec):
    """Write a chart's specification shorter, with the same meaning.

    Parameters
    ----------
    spec : dict
        Of Vega-Lite.

    Returns
    -------
    dict
        What all layers encode alike stands above them, from where each inherits it; what the page
        sets itself is left out.
    """
    spec = {key: value for key, value in spec.items() if key not in ("$schema", "config")}
    encodings = [layer.get("encoding", {}) for layer in spec.get("layer", [])]
    if len(encodings) > 1:
        first, *others = encodings
        alike = {
            channel: how
            for channel, how in first.items()
            if all(other.get(channel) == how for other in others)
        }
        spec["encoding"] = spec.get("encoding", {}) | alike
        spec["layer"] = [
            layer | {"encoding": {key: how for key, how in encoding.items() if key not in alike}}
            for layer, encoding in zip(spec["layer"], encodings, strict=True)
        ]
    return spec


def packed(rows):
    """Write rows as columns, so that names stand once; repeated texts too.

    Parameters
    ----------
    rows : list of dict

    Returns
    -------
    dict
        By column: a list of values, or ``{"texts": distinct values, "at": place of each row's}``.
    """
    columns = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [plain(row.get(name)) for row in rows]
        texts = list(dict.fromkeys(values))
        if len(texts) < len(values) / 2 and any(isinstance(text, str) for text in texts):
            place = {text: number for number, text in enumerate(texts)}
            columns[name] = {"texts": texts, "at": [place[value] for value in values]}
        else:
            columns[name] = values
    return columns


def plain(value):
    """Turn a value into what JSON can say."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return round(value, 6) if isinstance(value, float) else value


def in_script(value):
    """Write a value as JSON that can stand in a script element and never end it."""
    return json.dumps(value, default=plain, separators=(",", ":"), ensure_ascii=False).translate(
        {
            ord("<"): "\\u003c",
            ord(">"): "\\u003e",
            ord("&"): "\\u0026",
            0x2028: "\\u2028",
            0x2029: "\\u2029",
        }
    )
