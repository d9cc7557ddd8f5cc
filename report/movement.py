"""Who moves between segments, and how large these are and will be."""

import altair as alt

from report.figures import (
    Figure,
    Table,
    broken_labels,
    chart,
    count,
    ink,
    large_numbers,
    percent,
    shaded,
    tooltip,
)

MODEL_NAMES = {
    "everyone_stays": "Everyone stays",
    "last_month": "Last month again",
    "average_month": "Average month",
    "recent_months": "Recent months",
}


# Columns of the rows of sizes.
SHOWN = ("segment_code", "segment_name", "as_of_date", "customers", "low", "high")
# Shapes of their points.
KINDS = {"Month end": "circle", "Partial month": "diamond", "Expected": "circle"}


def day(date):
    """Write a date for people."""
    return f"{date:%-d %B %Y}"


def moves(segmentation, ways):
    """Draw how many went from where to where, as cells with numbers."""
    first, last, is_partial = (ways[0][key] for key in ("from_date", "to_date", "is_partial"))
    rows = [row | {"label": f"{count(row['customers'])}\n{percent(row['share'])}"} for row in ways]
    known = [row for row in rows if not row["is_new"]]
    moved = sum(
        row["customers"] for row in known if row["from_segment_code"] != row["segment_code"]
    )
    before = {row["from_segment_code"]: row["from_segment_name"] for row in rows}
    base = chart().encode(
        x=alt.X(
            "segment_code:N",
            title=f"Segment on {day(last)}",
            scale=alt.Scale(domain=list(segmentation.names)),
            axis=alt.Axis(labelAngle=0, **broken_labels(segmentation.names, 13, upright=False)),
        ),
        y=alt.Y(
            "from_segment_code:N",
            title=f"Segment on {day(first)}",
            sort=list(before),
            axis=alt.Axis(**broken_labels(before)),
        ),
        tooltip=[
            tooltip("from_segment_name", f"On {day(first)}"),
            tooltip("segment_name", f"On {day(last)}"),
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("share:Q", "Share of the row", ".1%"),
        ],
    )
    span = f"{day(first)} and {day(last)}"
    part = ", which is a partial month" if is_partial else ""
    yield Figure(
        f"{percent(moved / sum(row['customers'] for row in known))} of customers changed segment "
        f"between {span}{part}",
        "Row: segment before. Column: segment after, in percent of the row. An empty cell means "
        "that nobody moved that way.",
        (
            base.mark_rect().encode(color=shaded("share:Q", 1))
            + base.mark_text(lineBreak="\n", lineHeight=14, dy=-7).encode(
                text="label:N", color=ink("share", 1)
            )
        ).properties(height=alt.Step(46)),
        rows,
        least_width=160 + 86 * len(segmentation.names),
    )


def sizes(segmentation, ends):
    """Draw sizes at each month end, what is expected, and how good such forecasts were."""
    forecast = {row["months_ahead"]: row for row in ends if row["is_forecast"]}
    origin = max((row["as_of_date"] for row in ends if not row["is_forecast"]), default=None)
    rows = [
        {key: row[key] for key in SHOWN}
        | {
            "kind": "Expected"
            if row["is_forecast"]
            else "Partial month"
            if row["is_partial"]
            else "Month end",
            "starts_forecast": bool(forecast) and row["as_of_date"] == origin,
        }
        for row in ends
    ]
    # Day by day in UTC, so that the end of a month is its last day wherever the page is read.
    x = alt.X(
        "utcyearmonthdate(as_of_date):T",
        title="Month end",
        axis=alt.Axis(
            format="%b %y",
            values=[
                {"year": end.year, "month": end.month, "date": end.day, "utc": True}
                for end in sorted({row["as_of_date"] for row in ends if not row["is_partial"]})
            ],
            labelOverlap="greedy",
            labelSeparation=8,
            labelFlush=False,
        ),
    )
    y = alt.Y("customers:Q", title="Customers", axis=large_numbers())
    base = chart().encode(x=x, color=segmentation.colour())
    sized = base.encode(y=y)
    # The forecast is drawn from the last size that it knows.
    ahead = "datum.kind === 'Expected' || datum.starts_forecast"
    band = (
        base.transform_filter(ahead)
        .transform_calculate(
            from_low="datum.starts_forecast ? datum.customers : datum.low",
            to_high="datum.starts_forecast ? datum.customers : datum.high",
        )
        .transform_filter("isValid(datum.from_low)")
        .mark_area(opacity=0.22)
        .encode(y=alt.Y("from_low:Q"), y2="to_high:Q")
    )
    past = sized.transform_filter("datum.kind !== 'Expected'").mark_line()
    coming = sized.transform_filter(ahead).mark_line(strokeDash=[5, 4])
    points = sized.mark_point(filled=True, opacity=1).encode(
        shape=alt.Shape(
            "kind:N",
            scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
            legend=None,
        ),
        size=alt.condition("datum.kind === 'Partial month'", alt.value(90), alt.value(26)),
        tooltip=[
            tooltip("segment_name", "Segment"),
            alt.Tooltip("utcyearmonthdate(as_of_date):T", title="Day", format="%-d %B %Y"),
            tooltip("kind", "What it is"),
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("low:Q", "80 % interval from", ",.0f"),
            tooltip("high:Q", "to", ",.0f"),
        ],
    )
    title = "Customers of each segment at every month end"
    how = "All customers so far, by the segment that they were in on that day."
    if any(row["is_partial"] for row in ends):
        how += f" Diamonds: {day(max(row['as_of_date'] for row in ends if row['is_partial']))}, "
        how += "before the month was over."
    if forecast:
        how += f" Dashed: expected one, two and three months after {day(origin)}, with the 80 % "
        how += f"interval.{surprises(ends)}"
        # That nothing moves is a yardstick, and nothing to announce.
        told = [months for months, row in forecast.items() if row["model"] != "everyone_stays"]
        if told:
            expected = [row for row in ends if row["months_ahead"] == max(told)]
            now = {
                row["segment_code"]: row["customers"] for row in ends if row["as_of_date"] == origin
            }
            most = max(expected, key=lambda row: abs(row["customers"] - now[row["segment_code"]]))
            title = (
                f"{most['segment_name']}: {count(now[most['segment_code']])} on {day(origin)}, "
                f"{count(most['customers'])} expected by {day(most['as_of_date'])}"
            )
    yield Figure(title, how, (band + past + coming + points).properties(height=320), rows)
    if forecast:
        yield scores(list(forecast.values()))


def surprises(ends):
    """Say which sizes of the last whole month its forecast was wrong about; nothing if none."""
    checked = [
        row for row in ends if row["months_ahead"] == 1 and row["is_last_within"] is not None
    ]
    outside = [row["segment_name"] for row in checked if not row["is_last_within"]]
    if not outside:
        return ""
    last = max(row["as_of_date"] for row in ends if not (row["is_forecast"] or row["is_partial"]))
    return (
        f" On {day(last)}, {len(outside)} of {len(checked)} sizes lay outside the interval that "
        f"was forecast a month before: {', '.join(outside)}."
    )


def scores(forecasts):
    """List how wrong forecasts were on months held out, beside the naive ones."""
    shown = [row | {"model": MODEL_NAMES[row["model"]]} for row in forecasts]
    tested = [row for row in shown if row["backtest_months"]]
    if not tested:
        return Table(
            "The forecast has not been tested yet",
            "More months of data are needed before one can be held out.",
            {"months_ahead": "Months ahead", "model": "Forecast"},
            shown,
        )
    error, naive = (
        sum(row[column] for row in tested) for column in ("size_error", "size_error_last_month")
    )
    how = (
        "Mean absolute error of a segment's size in held-out months, for the forecast in use "
        "and for two naive ones. Recent months are in use where no other forecast was clearly "
        "better, in every one of four months or more or by two standard errors. "
    )
    if error >= naive:
        how += "Here the forecast is no better than the last month again. "
    if {row["model"] for row in tested} != {MODEL_NAMES["recent_months"]}:
        how += "A model that was chosen on these months looks a little too good. "
    how += "Intervals should cover 80 % of sizes."
    return Table(
        f"Forecasts one month ahead were off by {tested[0]['size_error']:,.0f} customers per "
        "segment",
        how,
        {
            "months_ahead": "Months ahead",
            "model": "Forecast",
            "backtest_months": "Months held out",
            "size_error": "Error",
            "size_error_last_month": "Last month again",
            "size_error_everyone_stays": "Everyone stays",
            "interval_coverage": "Within the interval",
            "interval_checks": "Sizes checked",
        },
        tested,
        dict.fromkeys(
            ("size_error", "size_error_last_month", "size_error_everyone_stays"),
            lambda error: f"{error:,.1f}",
        )
        | {"interval_coverage": percent},
    )
