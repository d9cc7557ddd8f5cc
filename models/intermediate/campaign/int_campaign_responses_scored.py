"""How good the predicted probabilities of a response are."""

import pandas as pd

from prediction.metrics import score_probabilities

TYPES = {"model": "string", "metric": "string", "value": "float64", "is_champion": "bool"}


def model(dbt, session):
    """Return one row per model and metric."""
    predicted = dbt.ref("int_campaign_responses_predicted").order("model, customer_id").df()
    rows = []
    for (name, is_champion), customers in predicted.groupby(["model", "is_champion"]):
        scores = score_probabilities(
            customers["is_accepted"].to_numpy(dtype="bool"),
            customers["probability"].to_numpy(dtype="float64"),
        )
        rows += [(name, metric, round(value, 9), is_champion) for metric, value in scores.items()]
    return pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)
