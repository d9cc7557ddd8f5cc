"""Between tables and arrays."""

import numpy as np
import pandas as pd

from prediction.backtest import (
    POOLED_CUTOFFS,
    TARGETS,
    choose_champions,
    group,
    predict_at,
    predict_past,
    score,
    spread_around,
    spread_known_at,
)
from prediction.customers import DAYS, FEATURES, YEAR, Observations
from prediction.metrics import group_predictions, score_probabilities

# Of the rows of int_customers_observed: sums are in a fixed order, whatever wrote them.
ORDER = "cutoff, customer_id"
# Of the figures, those that stand for all customers have this group.
EVERYBODY = 0
TESTED = {
    "target": "string",
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
    "churn_probability": "churn_90d",
    "expected_orders_90d": "orders_90d",
    "expected_spend_90d": "spend_90d",
    "expected_spend_365d": "spend_365d",
    "next_purchase_days": "next_purchase_date",
}
MODEL_COLUMNS = {
    "churn_model": "churn_90d",
    "orders_model": "orders_90d",
    "spend_model": "spend_90d",
    "spend_365d_model": "spend_365d",
    "next_purchase_model": "next_purchase_date",
}
CUSTOMERS = {
    "customer_id": "string",
    **dict.fromkeys(PREDICTED, "float64"),
    "expected_spend_90d_low": "float64",
    "expected_spend_90d_high": "float64",
    **dict.fromkeys(MODEL_COLUMNS, "string"),
}


def read_observations(table):
    """Read customers at cutoffs.

    Parameters
    ----------
    table : DataFrame
        Columns of int_customers_observed, by cutoff and customer.

    Returns
    -------
    Observations
    """
    waits = (table["next_purchase_at"] - table["cutoff"]) / pd.Timedelta(days=1)
    return Observations(
        cutoffs=table["cutoff"].to_numpy("datetime64[us]"),
        features=table[FEATURES].to_numpy("float64"),
        orders=table["orders_next_90d"].to_numpy("float64", na_value=np.nan),
        spend=table["spend_next_90d"].to_numpy("float64", na_value=np.nan),
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
    return read_observations(table[~table["is_current"]]), as_of


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
        for days in (DAYS, YEAR):
            past = predict_past(history, as_of, days)
            scored = score(history, past)
            champions = choose_champions(scored)
            rows += [
                (target, model, cutoff, EVERYBODY, metric, value, champions[target] == model)
                for target, model, cutoff, metric, value in scored
            ]
            for target, model, cutoff, *figures in group(history, past, champions):
                rows += group_rows(target, model, cutoff, figures)
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
        As from `backtest_frame`, of the target campaign_response.
    """
    target, cutoff = "campaign_response", pd.Timestamp(as_of_date)
    rows = []
    for (model, is_champion), customers in predicted.groupby(["model", "is_champion"]):
        outcomes = customers["is_accepted"].to_numpy(dtype="bool")
        probabilities = customers["probability"].to_numpy(dtype="float64")
        rows += [
            (target, model, cutoff, EVERYBODY, metric, value, is_champion)
            for metric, value in score_probabilities(outcomes, probabilities).items()
        ]
        if is_champion:
            for figures in group_predictions(probabilities, outcomes):
                rows += group_rows(target, model, cutoff, figures)
    return tested_frame(rows)


def group_rows(target, model, cutoff, figures):
    """Write the figures of a group, its number first, a row each."""
    number, *values = figures
    return [
        (target, model, cutoff, number, metric, float(value), True)
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
    columns = {"customer_id": now["customer_id"].to_numpy()}
    features = now[FEATURES].to_numpy("float64")
    predicted = {}
    for days in (DAYS, YEAR):
        if any(TARGETS[target].days == days for target in champions):
            predicted |= predict_at(history, as_of, features, days)
    for column, target in PREDICTED.items():
        columns[column] = predicted[target][champions[target]] if target in champions else np.nan
    for column, target in MODEL_COLUMNS.items():
        columns[column] = champions.get(target)
    waits = columns["next_purchase_days"]
    columns["next_purchase_days"] = np.where(waits < DAYS, waits, np.nan)
    low = high = np.nan
    if "spend_90d" in champions:
        past = predict_past(history, as_of, DAYS, most=POOLED_CUTOFFS)
        spread = spread_known_at(history, past, as_of, "spend_90d", champions["spend_90d"])
        low, high = spread_around(columns["expected_spend_90d"], spread)
    columns |= {"expected_spend_90d_low": low, "expected_spend_90d_high": high}
    return pd.DataFrame(columns)[list(CUSTOMERS)].astype(CUSTOMERS)
