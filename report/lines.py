"""Where the invoice lines went, and what stands in them."""

import altair as alt

from report.figures import (
    Figure,
    Table,
    chart,
    count,
    large_numbers,
    legend_on_top,
    money,
    percent,
    tooltip,
    words,
    written,
)

FATES = {
    "kept_sale": "Kept as sale",
    "matched_return": "Return of a known sale",
    "unmatched_return": "Return without a known sale",
    "rejected": "Rejected",
}
SHORT_FATES = {
    "kept_sale": "Kept",
    "matched_return": "Return",
    "unmatched_return": "Return",
    "rejected": "Rejected",
}


def where_the_lines_went(reasons):
    """Draw and list what became of the source's lines."""
    total = sum(row["lines"] for row in reasons)
    kept = sum(row["lines"] for row in reasons if row["status"] == "kept_sale")
    rows = [
        row
        | {
            "fate": FATES[row["status"]],
            "because": f"{SHORT_FATES[row['status']]}: {words(row['reason']).lower()}",
            "label": f"{count(row['lines'])} ({percent(row['lines'] / total)})",
            "share": row["lines"] / total,
        }
        for row in reasons
    ]
    base = chart().encode(
        y=alt.Y(
            "because:N",
            sort=[row["because"] for row in rows],
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelLimit=180, labelPadding=8),
        ),
        tooltip=[
            tooltip("fate", "Outcome"),
            tooltip("because", "Why"),
            tooltip("lines:Q", "Lines", ",.0f"),
            tooltip("share:Q", "Share of lines", ".2%"),
            tooltip("amount:Q", "Amount", ",.2f"),
        ],
    )
    colour = alt.Color(
        "fate:N",
        scale=alt.Scale(
            domain=list(FATES.values()), range=["#009E73", "#56B4E9", "#0072B2", "#999999"]
        ),
        legend=legend_on_top(),
    )
    scale = alt.Scale(domain=[0, max(row["lines"] for row in rows) * 1.35])
    yield Figure(
        f"{percent(kept / total)} of {count(total)} lines are kept sales; every other line has a "
        "reason",
        "Lines of the source by outcome. They add up to the number of lines in the file.",
        (
            base.mark_bar(cornerRadiusEnd=2).encode(
                x=alt.X("lines:Q", title="Lines", scale=scale, axis=large_numbers()),
                color=colour,
            )
            + base.mark_text(align="left", dx=5).encode(x="lines:Q", text="label:N")
        ).properties(height=alt.Step(26)),
        rows,
        least_width=480,
    )


def how_the_lines_were_read(decisions):
    """List the decisions about the source that can change figures."""
    shown = f"{count(len(decisions))} decisions"
    if decisions[0]["decisions"] > len(decisions):
        shown = f"The first {count(len(decisions))} of {count(decisions[0]['decisions'])} decisions"
    elif len(decisions) == 1:
        shown = "A decision"
    yield Table(
        f"{shown} about the source that can change these figures",
        "Money is that of the lines which the decision touches, where it is known. Settings are "
        "given as make build VARS='…'. make check tells all decisions.",
        {
            "question": "Question",
            "answer": "Answer",
            "how_found": "How it was found",
            "source_file": "File",
            "lines": "Lines",
            "amount": "Money",
            "setting": "How to change it",
        },
        decisions,
        {"amount": money},
        dense=True,
    )


def rounded(number):
    """Write a figure of any column in as few digits as tell it."""
    if abs(number) < 1:
        return written(number, ",.3~f")
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:,.2f}".removesuffix(".00")


def data_profile(columns):
    """List what values came in."""
    figures = {
        "mean": "Mean",
        "standard_deviation": "SD",
        "p25": "25 %",
        "median": "Median",
        "p75": "75 %",
        "skewness": "Skewness",
        "outlier_share": "Outliers",
    }
    for table, title in (
        ("source_lines", "Columns of the source"),
        ("customers", "Features of the customers"),
        ("customer_windows", "Features of the customers over trailing windows"),
        ("campaign_customers", "Features of the campaign's customers"),
    ):
        rows = [
            row
            | {
                end: rounded(float(row[end]))
                for end in ("minimum", "maximum")
                if row[end] is not None and row["mean"] is not None
            }
            for row in columns
            if row["table_name"] == table
        ]
        if rows:
            yield Table(
                f"{title}: {count(rows[0]['row_count'])} rows",
                "An outlier is outside the quartiles (25 % and 75 %) by more than 1.5 times the "
                "distance between them.",
                {
                    "column_name": "Column",
                    "column_type": "Type",
                    "null_share": "Missing",
                    "distinct_values": "Distinct",
                    "minimum": "Smallest",
                    "maximum": "Largest",
                    **figures,
                },
                rows,
                {
                    "column_type": lambda kind: kind.split("(")[0].lower(),
                    "null_share": percent,
                    "outlier_share": percent,
                }
                | dict.fromkeys(("mean", "standard_deviation", "p25", "median", "p75"), rounded),
                dense=True,
            )
