"""The page's sections, in their order. A new one is an analysis and a function here."""

from collections import defaultdict

import altair as alt

from report import campaign, movement, predictions
from report.figures import (
    ACCENT,
    FEATURES,
    LINE_HEIGHT,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    SECTIONS,
    Figure,
    Table,
    chart,
    count,
    feature_in_words,
    ink,
    large_numbers,
    legend_on_top,
    lines,
    money,
    percent,
    principal_components,
    section,
    shaded,
    steps_that_multiply,
    tooltip,
    turning_point,
    words,
)

__all__ = ["SECTIONS"]

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
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
ALGORITHMS = {"kmeans": "K-Means"}


@section("Customers and revenue", "segments_in_use", per_segmentation=True)
def customers_and_revenue(segmentation, segments):
    """Draw each segment's share of customers beside that of revenue, and its size."""
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


@section("Revenue by month", "revenue_by_month", per_segmentation=True)
def revenue_by_month(segmentation, months):
    """Draw each month's revenue as a stack of segments."""
    totals = defaultdict(float)
    for row in months:
        totals[row["month"], row["is_partial"]] += row["revenue"]
    whole = {month: revenue for (month, partial), revenue in totals.items() if not partial}
    partial = [f"{month:%B %Y}" for month, is_partial in totals if is_partial]
    title = "Revenue of each segment, month by month"
    if whole:
        best = max(whole, key=whole.get)
        title = f"{best:%B %Y} was the best full month: {money(whole[best])}"
    note = f" Pale: {', '.join(partial)}, which is not complete." if partial else ""
    bars = (
        chart()
        .mark_bar()
        .encode(
            x=alt.X(
                "utcyearmonth(month):O",
                title="Month",
                axis=alt.Axis(
                    format="%b %y",
                    labelAngle=0,
                    labelOverlap="greedy",
                    labelSeparation=8,
                    ticks=False,
                    labelPadding=6,
                ),
            ),
            y=alt.Y("sum(revenue):Q", title="Revenue", axis=large_numbers()),
            color=segmentation.colour(),
            order=alt.Order("segment_order:Q"),
            opacity=alt.condition("datum.is_partial", alt.value(0.45), alt.value(1)),
            tooltip=[
                alt.Tooltip("utcyearmonth(month):T", title="Month", format="%B %Y"),
                tooltip("segment_name", "Segment"),
                tooltip("revenue:Q", "Revenue", ",.2f"),
                tooltip("orders:Q", "Orders", ",.0f"),
                tooltip("customers:Q", "Customers who bought", ",.0f"),
                tooltip("returned_amount:Q", "Returned", ",.2f"),
                tooltip("is_partial:N", "Partial month"),
            ],
        )
        .properties(height=300)
    )
    yield Figure(
        title,
        "Money for kept sales before returns, by the current segment of the customers." + note,
        bars,
        months,
    )


@section("Spread within segments", "spread_within_segments", per_segmentation=True)
def spread_within_segments(segmentation, profiles):
    """Draw a box for each segment and feature, from quantiles."""
    for feature in ("recency_days", "frequency", "monetary", "average_basket_value"):
        name, unit, form, is_log = FEATURES[feature]
        quantiles = ("p05", "p25", "median", "p75", "p95")
        # A logarithmic axis has no 0; a penny is the least that anyone can spend.
        rows = [
            row | {key: max(row[key], 0.01) for key in quantiles} if is_log else row
            for row in profiles
            if row["feature"] == feature
        ]
        if not rows:
            continue
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
            f"{name}: median from {low['median']:{form}} ({low['segment_name']}) to "
            f"{high['median']:{form}} ({high['segment_name']})",
            "Line: 5 % to 95 % of the segment's customers; box: the middle half; white mark: the "
            "median." + (" The axis is logarithmic." if is_log else ""),
            (whiskers + boxes + medians).properties(height=alt.Step(36)),
            rows,
            half=True,
        )


@section("Number of clusters", "numbers_of_clusters_tried", per_segmentation=True)
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


@section("Customers on a map", "customers_sampled", per_segmentation=True)
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


section("Who moves", "moves_between_month_ends", per_segmentation=True)(movement.moves)
section("Sizes over time", "sizes_over_time", per_segmentation=True)(movement.sizes)


@section("Who comes back", "retention_by_cohort")
def who_comes_back(cells):
    """Draw the share of each cohort that buys again, as cells with numbers."""
    later = [row for row in cells if row["month_number"] > 0]
    if not later:
        return
    seen = [row for row in later if not row["is_partial"]] or later
    first = [row for row in seen if row["month_number"] == 1]
    largest = max(row["retention"] for row in later) or 1
    rows = [
        row
        | {
            "cohort": f"{row['cohort_month']:%b %Y} ({count(row['cohort_customers'])})",
            "label": f"{row['retention'] * 100:.0f}{'*' if row['is_partial'] else ''}",
        }
        for row in later
    ]
    cohorts = list(dict.fromkeys(row["cohort"] for row in rows))
    base = chart().encode(
        x=alt.X(
            "month_number:O",
            title="Months after the first purchase",
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False, labelPadding=6),
        ),
        y=alt.Y(
            "cohort:N",
            sort=cohorts,
            title="Month of the first purchase (customers)",
            axis=alt.Axis(ticks=False, domain=False, labelPadding=6),
        ),
        tooltip=[
            tooltip("cohort", "First purchase in (customers)"),
            alt.Tooltip("utcyearmonth(month):T", title="Month", format="%B %Y"),
            tooltip("active_customers:Q", "Bought in this month", ",.0f"),
            tooltip("retention:Q", "Share of the cohort", ".1%"),
            tooltip("is_partial:N", "Partial month"),
        ],
    )
    title = "Share of each month's new customers who buy again"
    if first:
        bought = sum(row["active_customers"] for row in first)
        share = bought / sum(row["cohort_customers"] for row in first)
        title = f"{percent(share)} of new customers buy again in the month after their first"
    yield Figure(
        title,
        "Of the customers who first bought in a month (row), the percentage who bought again that "
        "many months later (column). Empty cells are in the future; * marks a month that is not "
        "complete.",
        (
            base.mark_rect().encode(color=shaded("retention:Q", largest))
            + base.mark_text(fontSize=11).encode(text="label:N", color=ink("retention", largest))
        ).properties(height=alt.Step(24)),
        rows,
        least_width=150 + 30 * len({row["month_number"] for row in rows}),
    )


@section("Concentration of revenue", "concentration_of_revenue")
def concentration(points):
    """Draw how much of the revenue the largest customers bring."""
    fifth = next(row for row in points if row["customer_share"] == 0.2)
    half = next((row for row in points if row["revenue_share"] >= 0.5), points[-1])
    rows = [{"customer_share": 0, "customers": 0, "revenue": 0, "revenue_share": 0}, *points]
    base = chart().encode(
        x=alt.X(
            "customer_share:Q",
            title="Share of customers, largest first",
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        y=alt.Y(
            "revenue_share:Q",
            title="Share of revenue",
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        tooltip=[
            tooltip("customer_share:Q", "Share of customers", ".0%"),
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("revenue_share:Q", "Share of revenue", ".1%"),
            tooltip("smallest_monetary:Q", "Smallest spend among them", ",.2f"),
        ],
    )
    equal = base.mark_line(strokeDash=[4, 4], color="#808080", strokeWidth=1).encode(
        y=alt.Y("customer_share:Q")
    )
    mark = base.transform_filter("datum.customer_share == 0.2").transform_calculate(
        label=f"'20 % of customers: {percent(fifth['revenue_share'])}'"
    )
    yield Figure(
        f"The top fifth of customers bring {percent(fifth['revenue_share'])} of revenue",
        "The curve shows what the largest customers bring together: half of the revenue comes from "
        f"{percent(half['customer_share'])} of customers ({count(half['customers'])}). On the "
        "dashed line, all customers would bring the same.",
        (
            base.mark_area(opacity=0.15, color=ACCENT)
            + equal
            + base.mark_line(color=ACCENT)
            + base.mark_circle(size=14, opacity=1, color=ACCENT)
            + mark.mark_circle(size=120, opacity=1, color=ACCENT)
            + mark.mark_text(align="left", dx=12, dy=10, fontWeight="bold").encode(text="label:N")
        ).properties(height=300),
        rows,
    )


@section("Distributions", "distributions_of_features", per_segmentation=True)
def distributions(segmentation, bins):
    """Draw a histogram of each feature, as stacks of segments."""
    features = list(dict.fromkeys(row["feature"] for row in bins))
    for feature in features:
        name, unit, _, _ = FEATURES[feature]
        rows = [
            row | {edge: round(row[edge], 4) for edge in ("bin_start", "bin_end")}
            for row in bins
            if row["feature"] == feature
        ]
        is_log = rows[0]["is_log"]
        scale, axis = alt.Scale(zero=False, nice=False), large_numbers()
        if feature == "return_share":
            axis = alt.Axis(format=".0%", tickCount=5)
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


@section("Correlations", "correlations_of_features")
def correlations(pairs):
    """Draw the correlation of each pair of features, as cells with numbers."""
    rows = [
        row
        | {
            "one": feature_in_words(row["feature"])[0],
            "other": feature_in_words(row["other_feature"])[0],
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


@section("When people buy", "times_of_purchase")
def when_people_buy(hours):
    """Draw orders by weekday and hour, as cells with numbers."""
    rows = [row | {"weekday": WEEKDAYS[row["weekday_number"] - 1]} for row in hours]
    largest = max(row["orders"] for row in rows)
    best = max(rows, key=lambda row: row["orders"])
    first, last = (pick(row["hour_of_day"] for row in rows) for pick in (min, max))
    base = chart().encode(
        x=alt.X(
            "hour_of_day:O",
            title="Hour of the day, as on the invoices",
            scale=alt.Scale(domain=list(range(first, last + 1))),
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False, labelPadding=6),
        ),
        y=alt.Y(
            "weekday:N",
            sort=WEEKDAYS,
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=6),
        ),
        tooltip=[
            tooltip("weekday", "Day"),
            tooltip("hour_of_day:O", "Hour"),
            tooltip("orders:Q", "Orders", ",.0f"),
        ],
    )
    yield Figure(
        f"Most orders come on {best['weekday']} between {best['hour_of_day']} and "
        f"{best['hour_of_day'] + 1} o'clock",
        "Number of orders by day of the week and hour. Empty cells had no orders.",
        (
            base.mark_rect().encode(color=shaded("orders:Q", largest))
            + base.mark_text(fontSize=11).encode(
                text=alt.Text("orders:Q", format=",d"), color=ink("orders", largest)
            )
        ).properties(height=alt.Step(28)),
        rows,
        least_width=70 + 40 * (last - first + 1),
    )


@section("Best-selling products", "best_selling_products")
def best_selling_products(products):
    """Draw the revenue of the products that bring most."""
    rows = [
        row
        | {"product": f"{row['description']} ({row['product_id']})", "label": money(row["revenue"])}
        for row in products
    ]
    together = sum(row["revenue_share"] for row in rows)
    base = chart().encode(
        y=alt.Y(
            "product:N",
            sort=[row["product"] for row in rows],
            title=None,
            axis=alt.Axis(labelLimit=360, ticks=False, domain=False, labelPadding=8),
        ),
        tooltip=[
            tooltip("description", "Product"),
            tooltip("product_id", "Code"),
            tooltip("revenue:Q", "Revenue", ",.2f"),
            tooltip("revenue_share:Q", "Share of product revenue", ".1%"),
            tooltip("quantity:Q", "Pieces", ",.0f"),
            tooltip("sale_lines:Q", "Sale lines", ",.0f"),
        ],
    )
    scale = alt.Scale(domain=[0, max(row["revenue"] for row in rows) * 1.15])
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=2).encode(
        x=alt.X("revenue:Q", title="Revenue", scale=scale, axis=large_numbers())
    )
    yield Figure(
        f"The {len(rows)} best-selling products bring {percent(together)} of product revenue",
        "Money for kept sales before returns; postage, fees and the like are left out.",
        (
            bars + base.mark_text(align="left", dx=5).encode(x="revenue:Q", text="label:N")
        ).properties(height=alt.Step(26)),
        rows,
        least_width=560,
    )


@section("Bought together", "products_bought_together")
def bought_together(pairs):
    """Draw how often a basket with one product holds its closest companion too."""
    rows = [
        row
        | {
            "pair": f"{row['product_id']} + {row['other_product_id']}",
            "description": one_line(row["description"]),
            "other_description": one_line(row["other_description"]),
            "label": f"{percent(row['confidence'])}, lift {row['lift']:,.1f}",
        }
        for row in pairs
    ]
    first = rows[0]
    base = chart().encode(
        y=alt.Y("pair:N", sort=[row["pair"] for row in rows], axis=None),
        tooltip=[
            tooltip("description", "Who buys"),
            tooltip("other_description", "Also buys"),
            tooltip("confidence:Q", "Share of the first's baskets with both", ".1%"),
            tooltip("other_confidence:Q", "Share of the second's", ".1%"),
            tooltip("baskets:Q", "Baskets with both", ",.0f"),
            tooltip("product_baskets:Q", "Baskets with the first", ",.0f"),
            tooltip("other_product_baskets:Q", "Baskets with the second", ",.0f"),
            tooltip("support:Q", "Share of all baskets with both", ".2%"),
            tooltip("lift:Q", "Lift: times as often as by chance", ",.1f"),
            tooltip("lift_low:Q", "At least (95 %)", ",.1f"),
        ],
    )
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=2, size=12, yOffset=12).encode(
        x=alt.X("confidence:Q", scale=alt.Scale(domain=[0, 1]), axis=None)
    )
    # Above its bar a name has the whole width, on a phone too.
    names = (
        base.transform_calculate(names="datum.description + '\\n+ ' + datum.other_description")
        .mark_text(
            align="left",
            baseline="top",
            dy=-22,
            limit=alt.ExprRef("containerSize()[0] - 10"),
            lineBreak="\n",
            lineHeight=LINE_HEIGHT,
        )
        .encode(x=alt.value(0), text="names:N")
    )
    labels = base.mark_text(align="left", dx=5, dy=12).encode(x="confidence:Q", text="label:N")
    one_in = first["sampled_one_in"]
    drawn = f", a sample of one in {one_in:,}" if one_in > 1 else ""
    large = first["left_out_baskets"]
    left_out = f", without {count(large)} with very many products" if large else ""
    yield Figure(
        f"{percent(first['confidence'])} of baskets with {first['description']} also contain "
        f"{first['other_description']}",
        "Bar: share of the baskets with the first product that also contain the second. Lift: how "
        "many times as often as by chance. Each product appears once, with its closest "
        f"companion. Counted: {count(first['counted_baskets'])} baskets{drawn}{left_out}.",
        (bars + names + labels).properties(height=alt.Step(50)),
        rows,
    )


def one_line(text):
    """Take needless spaces out of a name."""
    return " ".join(text.split())


section("What to expect", "expectations_by_segment", per_segmentation=True)(
    predictions.expectations
)
section(
    "Predictions and outcomes",
    "calibration_of_customer_predictions",
    "scores_of_customer_predictions",
)(predictions.proofs)
section(
    "Predicted answers",
    "scores_of_predictions",
    "calibration_of_predictions",
    "profit_by_share_asked",
)(campaign.predictions)
section(
    "Customers of the campaign",
    "acceptance_of_offers",
    "spend_by_category",
    "purchases_by_channel",
    "concentration_of_purchases",
)(campaign.customers_of_the_campaign)


@section("Action plan", "segments_in_use", per_segmentation=True)
def action_plan(segmentation, segments):
    """List what to do for whom."""
    yield Table(
        "What to do for each segment",
        "Edit seeds/segment_playbook.csv to make this plan yours.",
        {
            "segment_name": "Segment",
            "key_characteristics": "Who they are",
            "action": "What to do",
            "channel": "Where",
            "offer": "What to offer",
        },
        segments,
    )


@section("RFM grid", "rfm_grid")
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


@section("Where the lines went", "accounting_of_lines")
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


def rounded(number):
    """Write a figure of any column in as few digits as tell it."""
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:,.2f}".removesuffix(".00")


@section("Data profile", "profile_of_columns")
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
