"""Between tables and arrays."""

import numpy as np
import pandas as pd

from prediction.backtest import (
    UNTESTED_YEAR,
    WITH_INTERVALS,
    choose_models,
    group,
    is_a_year_known,
    predict_at,
    predict_past,
    score,
    targets,
)
from prediction.intervals import spread_around
from prediction.metrics import group_predictions, score_probabilities
from prediction.observations import FEATURES, YEAR, Observations

# Of the rows of int_customers_observed: sums are in a fixed order, whatever wrote them.
ORDER = "cutoff, customer_id"
# Of the figures, those that stand for all customers have this group.
EVERYBODY = 0
TESTED = {
    "target": "string",
    "prediction_days": "Int32",
    "model": "string",
    "cutoff": "datetime64[us]",
    "group_number": "int32",
    "metric": "string",
    "value": "float64",
    "is_champion": "bool",
}
GROUP_METRICS = ("customers", "lowest_prediction", "highest_prediction", "predicted", "observed")
# Columns of the predictions, with the target that each is of.
PREDICTED = {
    "churn_probability": "churn",
    "expected_orders": "orders",
    "expected_spend": "spend",
    "expected_spend_365d": "spend_365d",
    "next_purchase_days": "next_purchase_date",
}
MODEL_COLUMNS = {
    "churn_model": "churn",
    "orders_model": "orders",
    "spend_model": "spend",
    "spend_365d_model": "spend_365d",
    "next_purchase_model": "next_purchase_date",
}
CUSTOMERS = {
    "customer_id": "string",
    **dict.fromkeys(PREDICTED, "float64"),
    "expected_spend_low": "float64",
    "expected_spend_high": "float64",
    **dict.fromkeys(MODEL_COLUMNS, "string"),
    "is_spend_365d_tested": "boolean",
    "months_until_tested": "Int32",
}
DAYS_A_MONTH = 30.4375


def read_observations(table, days):
    """Read customers at cutoffs.

    Parameters
    ----------
    table : DataFrame
        Columns of int_customers_observed, by cutoff and customer.
    days : int
        The window of the outcomes.

    Returns
    -------
    Observations
    """
    waits = (table["next_purchase_at"] - table["cutoff"]) / pd.Timedelta(days=1)
    return Observations(
        days=days,
        cutoffs=table["cutoff"].to_numpy("datetime64[us]"),
        features=table[FEATURES].to_numpy("float64"),
        orders=table["orders_next"].to_numpy("float64", na_value=np.nan),
        spend=table["spend_next"].to_numpy("float64", na_value=np.nan),
        waits=waits.fillna(np.inf).to_numpy("float64"),
        spend_year=table["spend_next_365d"].to_numpy("float64", na_value=np.nan),
    )


def read_history(table):
    """Read what is past, and the moment that is now.

    Parameters
    ----------
    table : DataFrame
        As for `read_observations`, with is_current.

    Returns
    -------
    history : Observations
    as_of : datetime64
    """
    as_of = table.loc[table["is_current"], "cutoff"].iloc[0].to_datetime64()
    days = int(table["prediction_days"].iloc[0])
    return read_observations(table[~table["is_current"]], days), as_of


def backtest_frame(table):
    """Predict the past, and score it.

    Parameters
    ----------
    table : DataFrame
        Columns of int_customers_observed, by cutoff and customer; perhaps empty.

    Returns
    -------
    DataFrame
        One row per target, model, cutoff, group of customers and metric, with ``TESTED``.
    """
    rows = []
    if len(table):
        history, as_of = read_history(table)
        now = table.loc[table["is_current"], FEATURES].to_numpy("float64")
        for days in (history.days, YEAR):
            past = predict_past(history, as_of, days)
            if not past:
                continue
            usable = predict_at(history, as_of, now, days).values
            champions = choose_models(history, past, usable)
            rows += [
                (
                    *(target, days, model, cutoff, EVERYBODY, metric, value),
                    champions.get(target) == model,
                )
                for target, model, cutoff, metric, value in score(history, past)
            ]
            for target, model, cutoff, *figures in group(history, past, champions):
                rows += group_rows(target, days, model, cutoff, figures)
    return tested_frame(rows)


def response_frame(predicted, as_of_date):
    """Score predicted responses, each made by a fit that had not seen the customer.

    Parameters
    ----------
    predicted : DataFrame
        Columns of int_campaign_responses_predicted, by model and customer; perhaps empty.
    as_of_date : date or None
        The last day that the campaign's data knows; None where it has no dates.

    Returns
    -------
    DataFrame
        As from `backtest_frame`, of the target campaign_response, which has no window.
    """
    target, cutoff = "campaign_response", pd.Timestamp(as_of_date)
    rows = []
    for (model, is_champion), customers in predicted.groupby(["model", "is_champion"]):
        outcomes = customers["is_accepted"].to_numpy(dtype="bool")
        probabilities = customers["probability"].to_numpy(dtype="float64")
        rows += [
            (target, None, model, cutoff, EVERYBODY, metric, value, is_champion)
            for metric, value in score_probabilities(outcomes, probabilities).items()
        ]
        if is_champion:
            for figures in group_predictions(probabilities, outcomes):
                rows += group_rows(target, None, model, cutoff, figures)
    return tested_frame(rows)


def group_rows(target, days, model, cutoff, figures):
    """Write the figures of a group, its number first, a row each."""
    number, *values = figures
    return [
        (target, days, model, cutoff, number, metric, float(value), True)
        for metric, value in zip(GROUP_METRICS, values, strict=True)
    ]


def tested_frame(rows):
    """Give rows the columns of ``TESTED``."""
    return pd.DataFrame(rows, columns=list(TESTED)).astype(TESTED).round({"value": 9})


def prediction_frame(table, champions):
    """Predict every customer at the as-of moment by the champions.

    Parameters
    ----------
    table : DataFrame
        Columns of int_customers_observed, by cutoff and customer; perhaps empty.
    champions : dict of str to str
        Model by target; predictions of a target without one are missing.

    Returns
    -------
    DataFrame
        One row per customer, with ``CUSTOMERS``.
    """
    if not len(table):
        return pd.DataFrame(columns=list(CUSTOMERS)).astype(CUSTOMERS)
    history, as_of = read_history(table)
    now = table[table["is_current"]]
    features = now[FEATURES].to_numpy("float64")
    in_use = dict(champions)
    if "spend_365d" not in champions and is_a_year_known(features):
        in_use["spend_365d"] = UNTESTED_YEAR
    values, spreads = {}, {}
    kinds = targets(history.days)
    for days in (history.days, YEAR):
        if any(kinds[target].days == days for target in in_use):
            predicted = predict_at(history, as_of, features, days)
            values |= predicted.values
            spreads |= predicted.spreads
    columns = {"customer_id": now["customer_id"].to_numpy()}
    for column, target in PREDICTED.items():
        columns[column] = values[target][in_use[target]] if target in in_use else np.nan
    for column, target in MODEL_COLUMNS.items():
        columns[column] = in_use.get(target)
    waits = columns["next_purchase_days"]
    columns["next_purchase_days"] = np.where(waits < history.days, waits, np.nan)
    low = high = np.nan
    if in_use.get(WITH_INTERVALS) in spreads:
        low, high = spread_around(columns["expected_spend"], spreads[in_use[WITH_INTERVALS]])
    columns |= {"expected_spend_low": low, "expected_spend_high": high}
    columns["is_spend_365d_tested"] = "spend_365d" in champions
    columns["months_until_tested"] = months_until_tested(history, as_of, champions)
    return pd.DataFrame(columns)[list(CUSTOMERS)].astype(CUSTOMERS)


def months_until_tested(history, as_of, champions):
    """Count the months until the first prediction can have passed a test.

    Parameters
    ----------
    history : Observations
    as_of : datetime64
    champions : dict of str to str

    Returns
    -------
    int or None
        None where predictions are tested, and where too few customers are all that is missing.
    """
    if champions:
        return None
    next_month = (as_of.astype("datetime64[M]") + 1).astype("datetime64[D]")
    first_cutoff = history.cutoffs.min() if len(history.cutoffs) else next_month
    missing = (first_cutoff + np.timedelta64(history.days, "D") - as_of) / np.timedelta64(1, "D")
    return int(np.ceil(missing / DAYS_A_MONTH)) if missing > 0 else None
