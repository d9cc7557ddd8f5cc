"""What customers are expected to do, and how good such predictions were."""

import altair as alt

from report.figures import (
    Figure,
    Table,
    chart,
    count,
    large_numbers,
    money,
    percent,
    predicted_and_observed,
    steps_that_multiply,
    tooltip,
)
from report.movement import day

# What is predicted, in the page's order, and the figure that decides.
TARGETS = {
    "churn": ("Stays away for {days} days", "log loss"),
    "orders": ("Orders in {days} days", "Poisson deviance"),
    "spend": ("Money in {days} days", "Tweedie deviance"),
    "spend_365d": ("Money in {days} days", "Tweedie deviance"),
    "next_purchase_date": ("Next purchase", "days of error"),
}
TITLES = {
    "churn": "staying away",
    "orders": "orders",
    "spend": "money",
    "spend_365d": "money of a year",
    "next_purchase_date": "the next purchase",
}
# Figures that don't decide, and how they are said.
ALSO = {
    "roc_auc": "area under ROC {:.3f}".format,
    "total_ratio": "predicted / actual {:.2f}".format,
    "coverage_80": lambda share: f"{percent(share)} within the interval",
    "bought_by_date": lambda share: f"{percent(share)} had bought by their date",
}
MODEL_NAMES = {
    "base_rate": "The same for everybody",
    "recency_bands": "Rate of customers with similar recency",
    "last_window": "The last {days} days again",
    "last_365_days": "The last {days} days again",
    "repeat_rate": "Own rate since the first order",
    "rate_and_basket": "Own rate, own basket",
    "own_gap": "Own gap after the last order",
    "logistic_regression": "Logistic regression",
    "poisson_regression": "Poisson regression",
    "poisson_and_basket": "Poisson regression, own basket",
    "tweedie_regression": "Tweedie regression",
    "bg_nbd": "BG/NBD",
    "bg_nbd_gamma_gamma": "BG/NBD with gamma-gamma baskets",
    "logistic_regressions": "Logistic regressions at several horizons",
    "ensemble": "Regressions and BG/NBD together",
}


def expectations(segmentation, segments):
    """Draw how likely customers of each segment are to stay away, and what they will spend."""
    days = segments[0]["prediction_days"]
    shown = [
        tooltip("segment_name", "Segment"),
        tooltip("customers:Q", "Customers", ",.0f"),
        tooltip("churn_risk:Q", "Mean probability to stay away", ".1%"),
        tooltip("likely_to_leave:Q", "More likely than not to stay away", ",.0f"),
        tooltip("expected_orders:Q", f"Orders in {days} days", ",.0f"),
        tooltip("expected_spend:Q", f"Money in {days} days", ",.0f"),
        tooltip("spend_at_risk:Q", "Money from those likely to stay away", ",.0f"),
    ]
    base = chart().encode(y=segmentation.axis(), tooltip=shown)

    def bars(column, title, axis, largest):
        x = alt.X(f"{column}:Q", title=title, axis=axis, scale=alt.Scale(domain=[0, largest * 1.3]))
        return (
            base.mark_bar(cornerRadiusEnd=2).encode(x=x, color=segmentation.colour(legend=False))
            + base.mark_text(align="left", dx=5).encode(x=x, text="label:N")
        ).properties(height=alt.Step(36))

    total = sum(row["customers"] for row in segments)
    leaving = sum(row["likely_to_leave"] for row in segments)
    yield Figure(
        f"{count(leaving)} of {count(total)} customers are more likely than not to stay away for "
        f"{days} days",
        f"Mean probability of each segment's customers to buy nothing in the {days} days after the "
        "as-of moment.",
        bars(
            "churn_risk",
            "Probability to stay away",
            # The label beside a long bar needs room, in which there is no probability.
            alt.Axis(format=".0%", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
            max(row["churn_risk"] for row in segments),
        ),
        [row | {"label": percent(row["churn_risk"])} for row in segments],
        half=True,
    )
    expected = sum(row["expected_spend"] for row in segments)
    most = max(segments, key=lambda row: row["expected_spend"])
    title, season = total_of_the_shop(segments[0], expected)
    yield Figure(
        f"{title}, {percent(most['expected_spend'] / expected)} of it from {most['segment_name']}",
        f"Money expected from today's customers. New customers are not included.{season}",
        bars(
            "expected_spend",
            f"Money in {days} days",
            large_numbers(tickCount=4),
            max(row["expected_spend"] for row in segments),
        ),
        [row | {"label": money(row["expected_spend"])} for row in segments],
        half=True,
    )


def total_of_the_shop(totals, expected):
    """Say what all customers are expected to spend, and what came in the same days of last year.

    Parameters
    ----------
    totals : dict
        Columns of the total; perhaps null.
    expected : Decimal
        Sum of what each customer is expected to spend.

    Returns
    -------
    title, season : str
    """
    days = totals["prediction_days"]
    if totals["total_low"] is None:
        return f"{money(expected)} expected in {days} days", ""
    title = f"{money(totals['total_low'])} to {money(totals['total_high'])} expected in {days} days"
    season = f" The models expect {money(expected)}; the range shows how far off totals were."
    if totals["a_year_before"] is not None:
        season += f" The same days of last year brought {money(totals['a_year_before'])}"
        if totals["growth"] is not None:
            grown = money(totals["expected_from_last_year"])
            season += f", or {grown} with the shop's growth"
        season += "."
    if totals["is_unlike_last_year"]:
        season += (
            " That is further off than the tests were, so the range includes it: a season may be "
            "about to turn"
        )
        season += "." if totals["growth"] is not None else ", or the shop has grown."
    return title, season


def proofs(groups, scored):
    """Draw the last predictions whose outcome is known beside it, and list the scores of all."""
    for target, draw in (("churn", churn), ("spend", spend)):
        own = [row for row in groups if row["target"] == target]
        if own:
            yield draw(own)
    yield scores(scored)


def churn(groups):
    """Draw predicted probabilities to stay away against the shares that did."""
    held = sum(row["observed_low"] <= row["predicted"] <= row["observed_high"] for row in groups)
    limit = min(max(max(row["observed_high"], row["predicted"]) for row in groups) * 1.05, 1)
    scale = alt.Scale(domain=[0, limit], nice=False)
    axis = alt.Axis(format=".0%", tickCount=4)
    base = chart().encode(
        x=alt.X("predicted:Q", title="Predicted share", scale=scale, axis=axis),
        tooltip=[
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("lowest_prediction:Q", "Predicted from", ".1%"),
            tooltip("highest_prediction:Q", "to", ".1%"),
            tooltip("predicted:Q", "Predicted on average", ".1%"),
            tooltip("stayed_away:Q", "Stayed away", ",.0f"),
            tooltip("observed:Q", "Share that stayed away", ".1%"),
            tooltip("observed_low:Q", "95 % interval from", ".1%"),
            tooltip("observed_high:Q", "to", ".1%"),
        ],
    )
    observed = alt.Y("observed:Q", title="Share that stayed away", scale=scale, axis=axis)
    customers = sum(row["customers"] for row in groups)
    together = [
        percent(sum(row[key] * row["customers"] for row in groups) / customers)
        for key in ("predicted", "observed")
    ]
    return Figure(
        f"{together[0]} were predicted to stay away, {together[1]} did; {held} of {len(groups)} "
        "groups within the interval",
        f"{count(customers)} customers in {len(groups)} groups by their probability to stay away, "
        f"predicted on {day(groups[0]['cutoff'])} from what was known then. On the dashed line, "
        "prediction and outcome are equal. Vertical lines are 95 % intervals (Wilson).",
        predicted_and_observed(base, observed, scale, (0, limit)),
        groups,
        half=True,
    )


def spend(groups):
    """Draw predicted money against what was spent."""
    rows = [row | {"shown": max(row["observed"], 0.01)} for row in groups]
    ends = [pick(row[key] for row in rows for key in ("predicted", "shown")) for pick in (min, max)]
    ends = ends[0] / 1.3, ends[1] * 1.3
    scale = alt.Scale(type="log", domain=list(ends), nice=False)
    steps = [step for step in steps_that_multiply(*ends) if ends[0] <= step <= ends[1]]
    axis = large_numbers(values=steps)
    base = chart().encode(
        x=alt.X("predicted:Q", title="Predicted, money per customer", scale=scale, axis=axis),
        tooltip=[
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("lowest_prediction:Q", "Predicted from", ",.2f"),
            tooltip("highest_prediction:Q", "to", ",.2f"),
            tooltip("predicted:Q", "Predicted on average", ",.2f"),
            tooltip("observed:Q", "Spent on average", ",.2f"),
        ],
    )
    observed = alt.Y("shown:Q", title="Spent, money per customer", scale=scale, axis=axis)
    predicted, came = (
        sum(row[key] * row["customers"] for row in rows) for key in ("predicted", "observed")
    )
    return Figure(
        f"{money(predicted)} predicted for {rows[0]['prediction_days']} days, {money(came)} spent",
        "The same customers on the same day, in groups by predicted money. The axes are "
        "logarithmic.",
        predicted_and_observed(base, observed, scale, ends, intervals=False),
        rows,
        half=True,
    )


def scores(scored):
    """List how good each model and rule was."""
    rows = []
    for target, (name, figure) in TARGETS.items():
        for row in scored:
            if row["target"] == target:
                days = row["prediction_days"]
                rows.append(
                    row
                    | {
                        "name": name.format(days=days) if row["is_champion"] else "",
                        "model_name": MODEL_NAMES[row["model"]].format(days=days),
                        "figure": figure,
                        # A part stays in one line, on a phone too.
                        "also": "; ".join(
                            write(row[metric]).replace(" ", "\N{NO-BREAK SPACE}")
                            for metric, write in ALSO.items()
                            if row[metric] is not None
                        ),
                    }
                )
    used = next(row for row in rows if row["is_champion"])
    title = f"In use for {TITLES[used['target']]}: {used['model_name'].lower()}"
    if used["top_tenth_rate"] is not None:
        title += (
            f"; of the tenth most likely to, {percent(used['top_tenth_rate'])} did, of all "
            f"customers {percent(used['observed_rate'])}"
        )
    return Table(
        title,
        f"Means over {max(row['cutoffs'] for row in rows)} month ends, each predicted from what "
        "was known then. A lower value of the figure that decides is better; the first model of "
        "each group is in use. An area under ROC of 0.5 is chance. 80 % should be within the "
        "interval of money, and 50 % should have bought by their date.",
        {
            "name": "Predicted",
            "model_name": "Model or rule",
            "deciding_value": "Value",
            "figure": "What decides",
            "also": "Also",
        },
        rows,
        {"deciding_value": lambda value: f"{value:,.3f}" if value < 10 else f"{value:,.1f}"},
    )
