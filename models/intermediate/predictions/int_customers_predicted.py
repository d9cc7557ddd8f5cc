"""What each customer is expected to do, by the models that were best on past month ends."""

from prediction.tables import ORDER, prediction_table


def model(dbt, session):
    """Return one row per customer."""
    tested = dbt.ref("int_predictions_tested").filter("is_champion")
    champions = dict(tested.project("target, model").distinct().fetchall())
    return prediction_table(dbt.ref("int_customers_observed").order(ORDER).df(), champions)
