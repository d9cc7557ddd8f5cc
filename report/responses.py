"""Whether responses to a campaign can be predicted, and what asking by them earns."""

import altair as alt

from report.figures import (
    ACCENT,
    Figure,
    Table,
    chart,
    coloured,
    count,
    large_numbers,
    percent,
    predicted_and_observed,
    tooltip,
)

TARGETS = {"campaign_response": "accepting the last campaign's offer"}
MODEL_NAMES = {
    "base_rate": "Base rate: the same for everybody",
    "earlier_accepted": "One feature: offers accepted before",
    "logistic_regression": "Logistic regression on all features",
}


def predictions(scored, groups, asked):
    """Draw calibration and profit of the probabilities, and their scores beside plain rules."""
    champion = next(row for row in scored if row["is_champion"])
    target = TARGETS[champion["target"]]
    yield calibration(groups, target)
    yield profit(asked)
    yield Table(
        f"In use: {MODEL_NAMES[champion['model']].partition(':')[0].lower()}; the tenth asked "
        f"first accepts in {percent(champion['top_tenth_rate'])} of cases, all "
        f"customers in {percent(champion['observed_rate'])}",
        f"Probabilities of {target}, each made by a fit that had not seen the customer. Lower "
        "is better for log loss, which decides, and for the Brier score; higher is better for the "
        "others. An area of 0.5 is chance.",
        {
            "name": "Model",
            "log_loss": "Log loss",
            "brier_score": "Brier score",
            "roc_auc": "Area under ROC",
            "average_precision": "Average precision",
            "top_tenth_rate": "Rate in the first tenth",
        },
        [row | {"name": MODEL_NAMES[row["model"]]} for row in scored],
        dict.fromkeys(
            ("log_loss", "brier_score", "roc_auc", "average_precision"),
            lambda score: f"{score:.3f}",
        )
        | {"top_tenth_rate": percent},
    )


def calibration(groups, target):
    """Draw what was predicted against the outcome, with intervals."""
    held = sum(
        row["observed_low"] <= row["predicted_rate"] <= row["observed_high"] for row in groups
    )
    limit = max(max(row["observed_high"], row["predicted_rate"]) for row in groups) * 1.05
    # Most customers are unlikely to accept; so stretched, they don't lie on one another.
    scale = alt.Scale(type="sqrt", domain=[0, limit], nice=False)
    steps = (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
    axis = alt.Axis(format=".0%", values=[step for step in steps if step <= limit])
    base = chart().encode(
        x=alt.X("predicted_rate:Q", title="Predicted share", scale=scale, axis=axis),
        tooltip=[
            tooltip("customers:Q", "Customers", ",.0f"),
            tooltip("lowest_probability:Q", "Predicted from", ".1%"),
            tooltip("highest_probability:Q", "to", ".1%"),
            tooltip("predicted_rate:Q", "Predicted on average", ".1%"),
            tooltip("positive:Q", "Accepted", ",.0f"),
            tooltip("observed_rate:Q", "Share that accepted", ".1%"),
            tooltip("observed_low:Q", "95 % interval from", ".1%"),
            tooltip("observed_high:Q", "to", ".1%"),
        ],
    )
    observed = alt.Y("observed_rate:Q", title="Share that accepted", scale=scale, axis=axis)
    return Figure(
        f"Probabilities are well calibrated: {held} of {len(groups)} groups within the interval"
        if held >= 0.8 * len(groups)
        else f"Probabilities are off: only {held} of {len(groups)} groups within the interval",
        f"Customers in {len(groups)} groups of about {count(groups[0]['customers'])}, by their "
        f"probability of {target}. On the dashed line, prediction and outcome are equal. Vertical "
        "lines are 95 % intervals (Wilson). The axes stretch low shares.",
        predicted_and_observed(base, observed, scale, (0, limit)),
        groups,
        half=True,
    )


def profit(points):
    """Draw what asking a share of customers earns, expected and actual."""
    best = next(row for row in points if row["is_best"])
    everybody = points[-1]
    series = {
        "expected_profit": ("Expected", ACCENT),
        "profit": ("Actual", "#bf5300"),
        "random_profit": ("At random", "#808080"),
    }
    start = {"customer_share": 0, "customers": 0, "is_best": False}
    rows = [
        {"name": name, "amount": row.get(column, 0)}
        | {key: row[key] for key in ("customer_share", "customers", "is_best")}
        for column, (name, _) in series.items()
        for row in [start, *points]
    ]
    base = chart().encode(
        x=alt.X(
            "customer_share:Q",
            title="Share asked, the most likely first",
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        y=alt.Y("amount:Q", title="Profit, money", axis=large_numbers()),
        color=coloured(series),
        tooltip=[
            tooltip("name", "Profit"),
            tooltip("customer_share:Q", "Share asked", ".0%"),
            tooltip("customers:Q", "Customers asked", ",.0f"),
            tooltip("amount:Q", "Profit", ",.2f"),
        ],
    )
    mark = base.transform_filter("datum.is_best && datum.name === 'Expected'").mark_circle(
        size=130, opacity=1
    )
    result = "a gain" if everybody["profit"] >= 0 else "a loss"
    return Figure(
        f"Asking the best {percent(best['customer_share'])} would have earned "
        f"{count(best['profit'])}; asking everybody, {result} of {count(abs(everybody['profit']))}",
        "Revenue from acceptances minus the cost of asking, both as given in the data. The dot "
        "marks the highest expected profit.",
        (base.mark_line() + base.mark_circle(size=60, opacity=0) + mark).properties(height=300),
        rows,
        half=True,
    )
