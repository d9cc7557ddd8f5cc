"""Customers of a campaign: who accepts, what they buy and where."""

import altair as alt

from report.figures import (
    ACCENT,
    Figure,
    chart,
    coloured,
    count,
    grouped_axis,
    ink,
    percent,
    shaded,
    tooltip,
    words,
)

# What a dimension is called, and whether its values have an order of their own.
DIMENSIONS = {
    "segment": ("Segment", True),
    "income_band": ("Income a year", True),
    "age_band": ("Age", True),
    "household": ("Household", False),
    "marital_status": ("Marital status", False),
    "education": ("Education", False),
}
# Apart for colour-blind readers; white can be read on them, and they can be seen in the dark.
CHANNELS = {
    "web": ("Web", "#0072b2"),
    "store": ("Store", "#bf5300"),
    "catalog": ("Catalogue", "#00805a"),
}
EVERYBODY = "Everybody"
# What hovering shows of a share that accepted.
RATES = (
    tooltip("customers:Q", "Customers", ",.0f"),
    tooltip("accepted:Q", "Accepted", ",.0f"),
    tooltip("rate:Q", "Share", ".1%"),
    tooltip("rate_low:Q", "95 % interval from", ".1%"),
    tooltip("rate_high:Q", "to", ".1%"),
)


def by_line(rows, order=None):
    """Give rows of dimensions and values their lines on an axis.

    Parameters
    ----------
    rows : list of dict
        With dimension, value, value_order and customers; all of ``all`` is one line.
    order : callable, optional
        Key by which values without an order of their own are sorted.

    Returns
    -------
    rows : list of dict
        With ``line`` and ``group``, in order.
    axis : Y
    """
    groups, kept = {"": {}}, []
    for dimension, (heading, is_ordered) in {"all": ("", True), **DIMENSIONS}.items():
        own = [row for row in rows if row["dimension"] == dimension]
        key = order if order and not is_ordered else (lambda row: row["value_order"])
        for row in sorted(own, key=key):
            line = f"{dimension} {row['value']}"
            name = EVERYBODY if dimension == "all" else row["value"][:1].upper() + row["value"][1:]
            groups.setdefault(heading, {})[line] = f"{name} ({count(row['customers'])})"
            kept.append(row | {"line": line, "group": name})
    return kept, grouped_axis(groups)


def acceptance(rates):
    """Draw the share that accepted, with the interval in which the rate may lie."""
    last = max(row["campaign"] for row in rates)
    rows, line = by_line(
        [row for row in rates if row["campaign"] == last], order=lambda row: -row["rate"]
    )
    rows = [
        row | {"colour": row["colour"] or ACCENT, "label": percent(row["rate"])} for row in rows
    ]
    overall = next(row for row in rows if row["dimension"] == "all")
    sure = [row for row in rows if row["rate_low"] > overall["rate_high"]]
    best = max(sure or rows, key=lambda row: row["rate"])
    who = best["group"]
    if best["dimension"] not in ("all", "segment"):
        who = f"{DIMENSIONS[best['dimension']][0]}, {best['value']}"
    scale = alt.Scale(domain=[0, max(row["rate_high"] for row in rows) * 1.4])
    base = chart().encode(
        y=line,
        tooltip=[tooltip("group", "Group"), *RATES],
    )
    axis = alt.Axis(format=".0%", tickCount=6)
    x = alt.X("rate:Q", title="Share who accepted", scale=scale, axis=axis)
    colour = alt.Color("colour:N", scale=None)
    everybody = (
        chart()
        .transform_filter("datum.dimension === 'all'")
        .mark_rule(strokeDash=[4, 4], color="#808080")
        .encode(x=x)
    )
    yield Figure(
        f"{who}: {percent(best['rate'])} accepted the last offer, "
        f"{percent(overall['rate'])} of all customers",
        "Point: share who accepted, of the number of customers in brackets. Line: 95 % interval "
        "(Wilson). If intervals overlap widely, the difference may be chance. Dashed: everybody.",
        (
            everybody
            + base.mark_rule(strokeWidth=2).encode(
                x=alt.X("rate_low:Q", scale=scale, axis=axis), x2="rate_high:Q", color=colour
            )
            + base.mark_circle(size=70, opacity=1).encode(x=x, color=colour)
            + base.mark_text(align="right").encode(x=alt.value("width"), text="label:N")
        ).properties(height=alt.Step(20)),
        rows,
    )
    campaigns = [
        row
        | {"name": f"Campaign {row['campaign'].rpartition('_')[2]}", "label": percent(row["rate"])}
        for row in rates
        if row["dimension"] == "all"
    ]
    if len(campaigns) > 1:
        yield of_each_campaign(campaigns)


def of_each_campaign(rows):
    """Draw the share of everybody that accepted each offer."""
    best = max(rows, key=lambda row: row["rate"])
    scale = alt.Scale(domain=[0, best["rate_high"] * 1.15])
    base = chart().encode(
        y=alt.Y(
            "name:N",
            sort=[row["name"] for row in rows],
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=8),
        ),
        tooltip=[tooltip("name", "Offer"), *RATES],
    )
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=2).encode(
        x=alt.X(
            "rate:Q",
            title="Share who accepted",
            scale=scale,
            axis=alt.Axis(format=".0%", tickCount=5),
        )
    )
    return Figure(
        f"{best['name']} had the highest acceptance: {percent(best['rate'])}",
        "Share of all customers who accepted each offer.",
        (bars + base.mark_text(align="left", dx=5).encode(x="rate:Q", text="label:N")).properties(
            height=alt.Step(44)
        ),
        rows,
        half=True,
    )


def spend(means):
    """Draw what customers spend by category, as cells with numbers."""
    totals = {row["category"]: row["mean_spend"] for row in means if row["dimension"] == "all"}
    order = [words(name) for name in sorted(totals, key=totals.get, reverse=True)]
    rows, axis = by_line([row for row in means if row["customers"]])
    rows = [row | {"name": words(row["category"])} for row in rows]
    largest = max(row["mean_spend"] for row in rows)
    by_income = {}
    for row in rows:
        if row["dimension"] == "income_band":
            by_income[row["group"]] = by_income.get(row["group"], 0) + row["mean_spend"]
    title = f"{order[0]} is where most of the money goes"
    if len(by_income) > 1:
        low, *_, high = by_income
        title = (
            f"Customers with incomes of {high} spend {count(by_income[high])} each, those "
            f"{low.lower()} {count(by_income[low])}"
        )
    base = chart().encode(
        x=alt.X(
            "name:N",
            sort=order,
            title="Category",
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False, labelPadding=6),
        ),
        y=axis,
        tooltip=[
            tooltip("group", "Customers"),
            tooltip("customers:Q", "Number", ",.0f"),
            tooltip("name", "Category"),
            tooltip("mean_spend:Q", "Money per customer", ",.2f"),
            tooltip("spend_share:Q", "Share of what they spend", ".1%"),
        ],
    )
    return Figure(
        title,
        "Average money per customer on each category in two years. Darker means more.",
        (
            base.mark_rect().encode(color=shaded("mean_spend:Q", largest))
            + base.mark_text().encode(
                text=alt.Text("mean_spend:Q", format=",.0f"), color=ink("mean_spend", largest)
            )
        ).properties(height=alt.Step(34)),
        rows,
        least_width=420,
        half=True,
    )


def channels(shares):
    """Draw where customers buy, as stacks that make up all of their purchases."""
    rows, axis = by_line([row for row in shares if row["purchase_share"] is not None])
    order = list(CHANNELS)
    rows = [
        row
        | {
            "name": CHANNELS[row["channel"]][0],
            "channel_order": order.index(row["channel"]),
            "label": percent(row["purchase_share"]) if row["purchase_share"] >= 0.08 else "",
        }
        for row in rows
    ]
    rows = stacked(rows)
    best = max(
        (row for row in rows if row["dimension"] == "all"), key=lambda row: row["purchase_share"]
    )
    base = chart().encode(
        y=axis,
        tooltip=[
            tooltip("group", "Customers"),
            tooltip("customers:Q", "Number", ",.0f"),
            tooltip("name", "Channel"),
            tooltip("purchase_share:Q", "Share of their purchases", ".1%"),
            tooltip("mean_purchases:Q", "Purchases per customer", ",.1f"),
            tooltip("favourite_share:Q", "Use it most", ".1%"),
        ],
    )
    colour = coloured(CHANNELS)
    return Figure(
        f"{percent(best['purchase_share'])} of purchases are made {PLACES[best['channel']]}",
        "Share of each group's purchases by where they are made.",
        (
            base.mark_bar().encode(
                x=alt.X(
                    "begins:Q",
                    title="Share of purchases",
                    scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format=".0%", tickCount=5),
                ),
                x2="ends:Q",
                color=colour,
            )
            + base.mark_text(color="#ffffff").encode(x="middle:Q", text="label:N")
        ).properties(height=alt.Step(34)),
        rows,
        least_width=420,
        half=True,
    )


PLACES = {"web": "by web", "store": "in stores", "catalog": "by catalogue"}


def stacked(rows):
    """Say where each part of a stack begins and ends, from 0 to 1."""
    ends = {}
    placed = []
    for row in sorted(rows, key=lambda row: row["channel_order"]):
        begins = ends.get(row["line"], 0)
        ends[row["line"]] = begins + row["purchase_share"]
        placed.append(
            row
            | {
                "begins": begins,
                "ends": ends[row["line"]],
                "middle": (begins + ends[row["line"]]) / 2,
            }
        )
    return placed


def concentration(points):
    """Draw how few customers make most of the purchases in each channel."""
    fifths = {row["channel"]: row for row in points if row["customer_share"] == 0.2}
    most = max(fifths.values(), key=lambda row: row["purchase_share"])
    rows = [row | {"name": CHANNELS[row["channel"]][0]} for row in points]
    base = chart().encode(
        x=alt.X(
            "customer_share:Q",
            title="Share of customers, busiest first",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        y=alt.Y(
            "purchase_share:Q",
            title="Share of the channel's purchases",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        color=coloured(CHANNELS),
        tooltip=[
            tooltip("name", "Channel"),
            tooltip("customer_share:Q", "Share of customers", ".0%"),
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("purchase_share:Q", "Share of purchases", ".1%"),
            tooltip("purchases:Q", "Purchases", ",.0f"),
        ],
    )
    return Figure(
        f"A fifth of customers make {percent(most['purchase_share'])} of the purchases "
        f"{PLACES[most['channel']]}",
        "The further a curve bends to the upper left, the fewer customers the channel depends on.",
        (base.mark_line() + base.mark_circle(size=30, opacity=1)).properties(height=260),
        rows,
        half=True,
    )


def customers_of_the_campaign(rates, means, shares, points):
    """Draw who accepts, what they spend on, where they buy and how much hangs on how few."""
    yield from acceptance(rates)
    yield concentration(points)
    yield spend(means)
    if any(row["purchase_share"] for row in shares):
        yield channels(shares)
