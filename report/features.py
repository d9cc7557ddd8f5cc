"""How features are distributed, and how they hang together."""

import altair as alt

from report.figures import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Figure,
    chart,
    large_numbers,
    read_features,
    steps_that_multiply,
    tooltip,
    turning_point,
)


def distributions(segmentation, bins, words_of_features):
    """Draw a histogram of each feature, as stacks of segments."""
    features = read_features(words_of_features)
    for feature in dict.fromkeys(row["feature"] for row in bins):
        told = features[feature]
        name, unit = told.name, told.unit
        rows = [
            row | {edge: round(row[edge], 4) for edge in ("bin_start", "bin_end")}
            for row in bins
            if row["feature"] == feature
        ]
        is_log = rows[0]["is_log"]
        scale, axis = alt.Scale(zero=False, nice=False), large_numbers()
        if told.number_format.endswith("%"):
            axis = alt.Axis(format=told.number_format, tickCount=5)
        if is_log:
            scale = alt.Scale(type="symlog", nice=False, zero=False)
            largest = max(row["bin_end"] for row in rows)
            axis = large_numbers(values=[0, *steps_that_multiply(1, max(largest, 2))])
        yield Figure(
            f"{name}: {unit}",
            "Number of customers in each of twenty bins"
            + (" on a logarithmic scale." if is_log else " of equal width."),
            chart()
            .mark_bar(orient="vertical", binSpacing=1)
            .encode(
                x=alt.X("bin_start:Q", title=f"{name}, {unit}", scale=scale, axis=axis),
                x2="bin_end:Q",
                y=alt.Y(
                    "customers:Q", title="Customers", stack="zero", axis=large_numbers(tickCount=4)
                ),
                color=segmentation.colour(legend=False),
                order=alt.Order("segment_order:Q"),
                tooltip=[
                    tooltip("segment_name", "Segment"),
                    tooltip("bin_start:Q", "From", ",.4~r"),
                    tooltip("bin_end:Q", "to below", ",.4~r"),
                    tooltip("customers:Q", "Customers", ",.0f"),
                ],
            )
            .properties(height=180),
            rows,
            half=True,
        )


def correlations(pairs, words_of_features):
    """Draw the correlation of each pair of features, as cells with numbers."""
    features = read_features(words_of_features)
    rows = [
        row
        | {
            "one": features[row["feature"]].name,
            "other": features[row["other_feature"]].name,
            "label": f"{row['correlation']:.2f}",
        }
        for row in pairs
    ]
    strongest = max(rows, key=lambda row: abs(row["correlation"]))
    base = chart().encode(
        x=alt.X(
            "other:N",
            sort=alt.EncodingSortField("other_number", op="min"),
            title=None,
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False, labelPadding=6),
        ),
        y=alt.Y(
            "one:N",
            sort=alt.EncodingSortField("feature_number", op="min"),
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=6),
        ),
        tooltip=[
            tooltip("one", "Feature"),
            tooltip("other", "and"),
            tooltip("correlation:Q", "Correlation", ".3f"),
        ],
    )
    colour = alt.Color(
        "correlation:Q",
        scale=alt.Scale(domain=[-1, 0, 1], range=[NEGATIVE, NEUTRAL, POSITIVE], interpolate="rgb"),
        legend=None,
    )
    yield Figure(
        f"The strongest correlation is between {strongest['one'].lower()} and "
        f"{strongest['other'].lower()}: {strongest['correlation']:.2f}",
        "1 (blue): the two rise together; -1 (brown): one falls when the other rises; 0: neither. "
        "Frequency, spend, basket, pieces and range are on a logarithmic scale.",
        (
            base.mark_rect().encode(color=colour)
            + base.mark_text().encode(
                text="label:N",
                color=alt.condition(
                    f"datum.correlation >= {turning_point(NEUTRAL, POSITIVE)}"
                    f" || datum.correlation <= -{turning_point(NEUTRAL, NEGATIVE)}",
                    alt.value("#ffffff"),
                    alt.value("#000000"),
                ),
            )
        ).properties(height=alt.Step(34)),
        rows,
        least_width=560,
    )
