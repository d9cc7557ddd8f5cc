"""What is sold, when, to whom, and who comes back."""

from collections import defaultdict

import altair as alt

from report.figures import (
    ACCENT,
    LINE_HEIGHT,
    Figure,
    chart,
    count,
    ink,
    large_numbers,
    money,
    percent,
    shaded,
    tooltip,
)

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


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
            tooltip("quantity:Q", "Pieces", ",.3~f"),
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
