"""Predictions made at past month ends from what was known then, compared with the outcome."""

from prediction.frames import ORDER, backtest_frame


def model(dbt, session):
    """Return one row per target, model, cutoff, group of customers and metric."""
    return backtest_frame(dbt.ref("int_customers_observed").order(ORDER).df())
