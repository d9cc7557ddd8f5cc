"""How good the predicted probabilities of a response are, in the form of int_predictions_tested."""

from prediction.frames import response_frame


def model(dbt, session):
    """Return one row per model, group of customers and metric."""
    (as_of_date,) = dbt.ref("int_campaign_customers").aggregate("max(as_of_date)").fetchone()
    predicted = dbt.ref("int_campaign_responses_predicted").order("model, customer_id").df()
    return response_frame(predicted, as_of_date)
