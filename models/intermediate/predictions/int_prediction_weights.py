"""What the models in use have learnt at the as-of moment, from which SQL predicts each customer."""

from prediction.frames import ORDER, weights_frame


def model(dbt, session):
    """Return one row per target, part of its model and feature."""
    tested = dbt.ref("int_predictions_tested").filter("is_champion")
    champions = dict(tested.project("target, model").distinct().order("target").fetchall())
    return weights_frame(dbt.ref("int_customers_observed").order(ORDER).df(), champions)
