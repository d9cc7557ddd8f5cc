"""Predictions made at past month ends from what was known then, compared with what came."""

from prediction.tables import ORDER, test_table


def model(dbt, session):
    """Return one row per target, model, cutoff, group of customers and metric."""
    return test_table(dbt.ref("int_customers_observed").order(ORDER).df())
