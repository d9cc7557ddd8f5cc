"""Out-of-fold probabilities that a customer accepts the last campaign's offer."""

import pandas as pd

from prediction.campaign import COLUMNS, OUTCOME, campaign_features, predict_responses
from prediction.metrics import choose_champion

TYPES = {
    "model": "string",
    "customer_id": "string",
    "is_accepted": "bool",
    "probability": "float64",
    "is_champion": "bool",
}


def model(dbt, session):
    """Return one row per model and customer."""
    seed = int(dbt.config.meta_get("seed"))
    customers = dbt.ref("int_campaign_customers").order("customer_id").df()
    outcomes = customers[OUTCOME].to_numpy(dtype="bool")
    predictions = {}
    if len(customers):
        predictions = predict_responses(campaign_features(customers[COLUMNS]), outcomes, seed=seed)
    champion = choose_champion(outcomes, predictions) if predictions else None
    tables = [pd.DataFrame({name: [] for name in TYPES}).astype(TYPES)]
    for name, probabilities in predictions.items():
        tables.append(
            pd.DataFrame(
                {
                    "model": name,
                    "customer_id": customers["customer_id"],
                    "is_accepted": outcomes,
                    "probability": probabilities,
                    "is_champion": name == champion,
                }
            ).astype(TYPES)
        )
    return pd.concat(tables, ignore_index=True)
