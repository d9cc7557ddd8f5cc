"""Between tables and arrays."""

import hashlib
import json
from dataclasses import astuple

import numpy as np
import pandas as pd

from prediction.backtest import (
    UNTESTED_YEAR,
    choose_models,
    group,
    is_a_year_known,
    predict_at,
    predict_past,
    score,
    targets,
)
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
WEIGHTS = {
    "target": "string",
    "prediction_days": "int32",
    "model": "string",
    "is_tested": "bool",
    "model_version": "string",
    "part": "string",
    "feature_number": "int32",
    "feature": "string",
    **dict.fromkeys(("lowest", "highest", "mean", "scale", "coefficient"), "float64"),
}


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


def weights_frame(table, champions):
    """Fit the champions at the as-of moment, and write what they have learnt.

    Parameters
    ----------
    table : DataFrame
        Columns of int_customers_observed, by cutoff and customer; perhaps empty.
    champions : dict of str to str
        Model by target; a target without one is left out, but for the money of a year.

    Returns
    -------
    DataFrame
        One row per target, part of its model and feature, with ``WEIGHTS``.
    """
    weights, in_use, days_of = {}, dict(champions), {}
    if len(table):
        history, as_of = read_history(table)
        features = table.loc[table["is_current"], FEATURES].to_numpy("float64")
        if "spend_365d" not in champions and is_a_year_known(features):
            in_use["spend_365d"] = UNTESTED_YEAR
        days_of = {target: kind.days for target, kind in targets(history.days).items()}
        for days in sorted({days_of[target] for target in in_use}):
            weights |= predict_at(history, as_of, features, days).weights
    return weight_rows(weights, in_use, champions, days_of)


def weight_rows(weights, in_use, tested, days_of):
    """Write what the models in use have learnt.

    Parameters
    ----------
    weights : dict of str to dict of str to list of Weight
        By target and model, as from `predict_at`.
    in_use : dict of str to str
        Model by target.
    tested : container of str
        Targets whose model has passed a test.
    days_of : dict of str to int
        By target, how far it looks ahead.

    Returns
    -------
    DataFrame
        As from `weights_frame`.
    """
    rows = []
    for target, model in in_use.items():
        learnt = [astuple(weight) for weight in weights[target][model]]
        head = (target, days_of[target], model, target in tested, version_of(learnt))
        rows += [
            (*head, part, number, feature, *figures, coefficient)
            for number, (part, feature, coefficient, *figures) in enumerate(learnt, 1)
        ]
    return pd.DataFrame(rows, columns=list(WEIGHTS)).astype(WEIGHTS)


def version_of(learnt):
    """Name a model after all that it has learnt."""
    return hashlib.sha256(json.dumps(learnt).encode()).hexdigest()[:12]
