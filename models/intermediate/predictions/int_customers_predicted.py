"""What each customer is expected to do, by the models that tests at past month ends chose."""

from prediction.frames import ORDER, prediction_frame


def model(dbt, session):
    """Return one row per customer."""
    tested = dbt.ref("int_predictions_tested").filter("is_champion")
    champions = dict(tested.project("target, model").distinct().fetchall())
    return prediction_frame(dbt.ref("int_customers_observed").order(ORDER).df(), champions)
