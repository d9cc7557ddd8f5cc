"""How segments differ, and where their customers lie."""

from collections import defaultdict

import altair as alt

from report.figures import (
    ACCENT,
    Figure,
    Table,
    chart,
    count,
    ink,
    large_numbers,
    lines,
    percent,
    principal_components,
    read_features,
    shaded,
    steps_that_multiply,
    tooltip,
    words,
    written,
)

ALGORITHMS = {"kmeans": "K-Means"}


def customers_and_revenue(segmentation, segments):
    """Draw each segment's share of customers beside that of revenue, and its size."""
    segments = [row for row in segments if row["customers"]]
    best = max(segments, key=lambda row: row["revenue_share"])
    brought = "spend" if best["population"] == "campaign_customers" else "revenue"
    label = {"align": "left", "dx": 5, "baseline": "middle"}
    pairs = [
        {
            "segment_code": row["segment_code"],
            "segment_name": row["segment_name"],
            "share_of": share_of,
            "share": row[column],
            "amount": row[amount],
            "label": percent(row[column]),
        }
        for row in segments
        for share_of, amount, column in (
            ("customers", "customers", "customer_share"),
            (brought, "revenue", "revenue_share"),
        )
    ]
    base = chart().encode(
        y=segmentation.axis(),
        yOffset=alt.YOffset("share_of:N", sort=["customers", brought]),
        tooltip=[
            tooltip("segment_name", "Segment"),
            tooltip("share_of", "Share of"),
            tooltip("share:Q", "Share", ".1%"),
            tooltip("amount:Q", "Customers or money", ",.0f"),
        ],
    )
    shares = alt.Axis(format=".0%", tickCount=5)
    longest = max(pair["share"] for pair in pairs)
    scale = alt.Scale(domain=[0, longest * 1.15])
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("share:Q", title="Share of all", axis=shares, scale=scale),
        color=segmentation.colour(legend=False),
        opacity=alt.condition("datum.share_of == 'customers'", alt.value(0.5), alt.value(1)),
    )
    texts = base.mark_text(**label).encode(x="share:Q", text="label:N")
    yield Figure(
        f"{best['segment_name']} are {percent(best['customer_share'])} of customers and bring "
        f"{percent(best['revenue_share'])} of {brought}",
        "Two bars for each segment: the pale one is its share of customers, the solid one its "
        f"share of {brought}.",
        (bars + texts).properties(height=alt.Step(20)),
        pairs,
    )
    sizes = [
        {key: row[key] for key in ("segment_code", "segment_name", "customers", "customer_share")}
        | {"label": f"{count(row['customers'])} ({percent(row['customer_share'])})"}
        for row in segments
    ]
    base = chart().encode(
        y=segmentation.axis(),
        tooltip=[
            tooltip("segment_name", "Segment"),
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("customer_share:Q", "Share of customers", ".1%"),
        ],
    )
    scale = alt.Scale(domain=[0, max(row["customers"] for row in sizes) * 1.45])
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("customers:Q", title="Customers", scale=scale, axis=large_numbers()),
        color=segmentation.colour(legend=False),
    )
    largest = max(segments, key=lambda row: row["customers"])
    yield Figure(
        f"Largest segment: {largest['segment_name']}, {count(largest['customers'])} customers",
        "Number of customers, with the share of all customers in brackets.",
        (bars + base.mark_text(**label).encode(x="customers:Q", text="label:N")).properties(
            height=alt.Step(34)
        ),
        sizes,
    )


def spread_within_segments(segmentation, profiles, words_of_features):
    """Draw a box for each segment and feature, from quantiles."""
    profiled = {row["feature"] for row in profiles}
    for feature, told in read_features(words_of_features).items():
        if feature not in profiled:
            continue
        name, unit, form, is_log = told.name, told.unit, told.number_format, told.is_skewed
        quantiles = ("p05", "p25", "median", "p75", "p95")
        # A logarithmic axis has no 0; a penny is the least that anyone can spend.
        rows = [
            row | {key: max(row[key], 0.01) for key in quantiles} if is_log else row
            for row in profiles
            if row["feature"] == feature
        ]
        low, high = (pick(rows, key=lambda row: row["median"]) for pick in (min, max))
        scale, axis = alt.Scale(zero=True), large_numbers()
        if is_log:
            ends = min(row["p05"] for row in rows), max(row["p95"] for row in rows)
            scale = alt.Scale(type="log", nice=False, padding=10)
            axis = large_numbers(values=steps_that_multiply(*ends))
        base = chart().encode(
            y=segmentation.axis(),
            tooltip=[
                tooltip("segment_name", "Segment"),
                tooltip("p05:Q", "5 % lie below", form),
                tooltip("p25:Q", "25 % lie below", form),
                tooltip("median:Q", "Half lie below (median)", form),
                tooltip("p75:Q", "75 % lie below", form),
                tooltip("p95:Q", "95 % lie below", form),
                tooltip("mean:Q", "Mean", form),
            ],
        )
        whiskers = base.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("p05:Q", title=f"{name}, {unit}", scale=scale, axis=axis),
            x2="p95:Q",
            color=segmentation.colour(legend=False),
        )
        boxes = base.mark_bar(size=18, cornerRadius=2).encode(
            x=alt.X("p25:Q", scale=scale), x2="p75:Q", color=segmentation.colour(legend=False)
        )
        medians = base.mark_tick(color="#ffffff", thickness=2, size=18).encode(
            x=alt.X("median:Q", scale=scale)
        )
        yield Figure(
            f"{name}: median from {written(low['median'], form)} ({low['segment_name']}) to "
            f"{written(high['median'], form)} ({high['segment_name']})",
            "Line: 5 % to 95 % of the segment's customers; box: the middle half; white mark: the "
            "median." + (" The axis is logarithmic." if is_log else ""),
            (whiskers + boxes + medians).properties(height=alt.Step(36)),
            rows,
            half=True,
        )


def number_of_clusters(segmentation, tried):
    """Draw elbow and silhouette over k, with the one in use."""
    chosen = next(row for row in tried if row["is_selected"])
    reason = f"In use: {chosen['k']}, because {chosen['selection_reason']}."
    for segment in segmentation.segments:
        if segment["clusters"] > 1:
            reason += f" {segment['clusters']} clusters share the name {segment['segment_name']}."
    method = ALGORITHMS.get(chosen["algorithm"], words(chosen["algorithm"]))
    for column, title, axis_title, how in (
        (
            "inertia",
            f"Elbow: variation left within {chosen['k']} clusters",
            "Inertia, squared scaled units",
            f"Sum of squared distances to the nearest centroid, by {method}. It always falls; "
            "after a bend, more clusters bring little.",
        ),
        (
            "silhouette",
            f"Silhouette: {chosen['silhouette']:.2f} with {chosen['k']} clusters",
            "Mean silhouette, -1 to 1",
            "How much closer customers are to their own cluster than to the next. High is good.",
        ),
    ):
        rows = [row for row in tried if row[column] is not None]
        if not rows:
            continue
        base = chart().encode(
            x=alt.X("k:O", title="Clusters (k)", axis=alt.Axis(labelAngle=0)),
            y=alt.Y(
                f"{column}:Q",
                title=axis_title,
                scale=alt.Scale(zero=False),
                axis=large_numbers()
                if column == "inertia"
                else alt.Axis(format=".3~f", tickCount=5),
            ),
            tooltip=[
                tooltip("k:O", "Clusters"),
                tooltip("inertia:Q", "Inertia", ",.0f"),
                tooltip("silhouette:Q", "Silhouette", ".3f"),
                tooltip("smallest_cluster_share:Q", "Smallest cluster", ".1%"),
                tooltip("is_selected:N", "In use"),
            ],
        )
        points = base.mark_point(filled=True, opacity=1, color=ACCENT).encode(
            size=alt.condition("datum.is_selected", alt.value(220), alt.value(50))
        )
        label = (
            base.transform_filter("datum.is_selected")
            .transform_calculate(label="'k = ' + datum.k")
            .mark_text(align="left", dx=10, dy=-9, fontWeight="bold")
            .encode(text="label:N")
        )
        yield Figure(
            title,
            f"{how} {reason}",
            (base.mark_line(color=ACCENT) + points + label).properties(height=230),
            rows,
            half=True,
        )


def customers_on_a_map(segmentation, sampled):
    """Draw sampled customers on the two directions in which they differ most."""
    import numpy as np

    customers = defaultdict(list)
    for row in sampled:
        customers[row["customer_id"], row["segment_code"]].append(row["scaled_value"])
    points = np.array(list(customers.values()))
    if points.shape[0] < 3 or points.shape[1] < 2:
        return
    places, shares = principal_components(points)
    rows = [
        {
            "segment_code": code,
            "segment_name": segmentation.names[code],
            "x": round(float(x), 2),
            "y": round(float(y), 2),
        }
        for (_, code), (x, y) in zip(customers, places, strict=True)
    ]
    axis = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    dots = (
        chart()
        .mark_circle(size=26, opacity=0.85)
        .encode(
            x=alt.X(
                "x:Q", title=f"First direction, {percent(shares[0])} of the differences", axis=axis
            ),
            y=alt.Y("y:Q", title=f"Second direction, {percent(shares[1])}", axis=axis),
            color=segmentation.colour(),
            tooltip=[tooltip("segment_name", "Segment")],
        )
        .properties(height=420)
    )
    yield Figure(
        f"Two directions show {percent(shares.sum())} of the differences between customers",
        f"Each dot is a customer ({count(len(rows))} sampled). Dots close together are similar in "
        "the features of this segmentation. The directions are its first two principal "
        "components, which have no unit.",
        dots,
        rows,
    )


def action_plan(segmentation, segments):
    """List what to do for whom, and how many with the same name bought again in the past."""
    measured = [row for row in segments if row["bought_next_share"] is not None]
    shares, told = {}, ""
    if measured:
        days = measured[0]["bought_next_days"]
        ends = max(row["measured_month_ends"] for row in measured)
        last = "last" if ends == 1 else f"last {ends}"
        shares = {"bought_next_share": f"Bought within {days} days"}
        told = (
            f"Bought within {days} days: of the customers who had this name at a month end (the "
            f"{last} whose {days} days are over), the share that bought in these days. "
        )
    yield Table(
        "What to do for each segment",
        f"{told}Edit seeds/segment_playbook.csv and segment_actions.csv to make this plan yours.",
        {
            "segment_name": "Segment",
            "key_characteristics": "Who they are",
            **shares,
            "action": "What to do",
            "channel": "Where",
            "offer": "What to offer",
        },
        [row for row in segments if row["customers"]],
        {"bought_next_share": percent},
    )


def rfm_grid(cells):
    """Draw the customary grid of scores, as cells with names and numbers."""
    rows = [
        row | {"label": "\n".join([*lines(row["rfm_segment"], 11), count(row["customers"])])}
        for row in cells
    ]
    largest = max(row["customers"] for row in rows)
    best = next((row for row in rows if row["rfm_segment"] == "Champions"), None)
    champions = sum(row["customers"] for row in rows if row["rfm_segment"] == "Champions")
    base = chart().encode(
        x=alt.X(
            "r_score:O",
            title="Recency score: 1 long ago, 5 just now",
            scale=alt.Scale(domain=[1, 2, 3, 4, 5]),
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False, labelPadding=6),
        ),
        y=alt.Y(
            "fm_score:O",
            title="Frequency and spend score",
            scale=alt.Scale(domain=[5, 4, 3, 2, 1]),
            axis=alt.Axis(ticks=False, domain=False, labelPadding=6),
        ),
        tooltip=[
            tooltip("rfm_segment", "RFM segment"),
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("revenue:Q", "Revenue", ",.2f"),
        ],
    )
    yield Figure(
        f"{count(champions)} customers are champions: recent, frequent and generous"
        if best
        else "Customers by recency, frequency and spend",
        "Customers by quintiles: recency across, the mean of frequency and spend upwards.",
        (
            base.mark_rect().encode(color=shaded("customers:Q", largest))
            + base.mark_text(fontSize=11, lineBreak="\n", lineHeight=13, dy=-13).encode(
                text="label:N", color=ink("customers", largest)
            )
        ).properties(height=alt.Step(62)),
        rows,
        least_width=520,
    )
