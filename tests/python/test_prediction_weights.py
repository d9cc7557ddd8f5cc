"""What models have learnt, as rows: SQL predicts every customer by them as Python does."""

import duckdb
import numpy as np
import pytest
from conftest import predicted_by_sql

from prediction.backtest import predict_at, targets
from prediction.frames import ORDER, WEIGHTS, read_history, weight_rows
from prediction.intervals import spread_around
from prediction.observations import FEATURES, YEAR
from prediction.weights import weigh_steps

COLUMNS = {
    "churn": "churn_probability",
    "orders": "expected_orders",
    "spend": "expected_spend",
    "spend_365d": "expected_spend_365d",
    "next_purchase_date": "next_purchase_days",
}


@pytest.mark.parametrize("shop_name", ["demo", "real"])
def test_sql_predicts_every_customer_as_python_does(request, shop_name):
    """By each model of each target, whichever is in use."""
    built = request.getfixturevalue(shop_name)
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        observed = connection.sql(f"from intermediate.int_customers_observed order by {ORDER}").df()
        (published,) = connection.sql("from marts.prediction_weights").df().groupby("source_key")
    history, as_of = read_history(observed)
    now = observed[observed["is_current"]].reset_index(drop=True)
    at_hand = {
        days: predict_at(history, as_of, now[FEATURES].to_numpy("float64"), days)
        for days in (history.days, YEAR)
    }
    values = at_hand[history.days].values | at_hand[YEAR].values
    weights = at_hand[history.days].weights | at_hand[YEAR].weights
    days_of = {target: kind.days for target, kind in targets(history.days).items()}
    most = max(len(models) for models in values.values())
    for number in range(most):
        in_use = {
            target: list(models)[min(number, len(models) - 1)] for target, models in values.items()
        }
        rows = weight_rows(weights, in_use, in_use, days_of)
        by_sql = predicted_by_sql(built, now, rows)
        assert by_sql["customer_id"].tolist() == now["customer_id"].tolist()
        for target, model in in_use.items():
            expected = values[target][model]
            found = by_sql[COLUMNS[target]].to_numpy("float64", na_value=np.nan)
            if target == "next_purchase_date":
                expected = np.where(expected < history.days, expected, np.nan)
            told = pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
            assert found == told, (target, model)
        spread = spread_around(
            values["spend"][in_use["spend"]], at_hand[history.days].spreads[in_use["spend"]]
        )
        for column, expected in zip(
            ("expected_spend_low", "expected_spend_high"), spread, strict=True
        ):
            assert by_sql[column].to_numpy() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    # What is published is learnt from these customers, by the same models.
    _, learnt = published
    rows = weight_rows(
        weights, dict(learnt[["target", "model"]].drop_duplicates().to_numpy()), in_use, days_of
    ).merge(learnt, on=["target", "part", "feature"], how="outer", suffixes=("", "_published"))
    assert rows["coefficient"].tolist() == rows["coefficient_published"].tolist()
    assert rows["model_version"].tolist() == rows["model_version_published"].tolist()


def test_without_weights_nothing_is_predicted(demo):
    nothing = weight_rows({}, {}, {}, {})
    assert nothing.columns.tolist() == list(WEIGHTS)
    with duckdb.connect(str(demo.warehouse), read_only=True) as connection:
        now = connection.sql("from intermediate.int_customers_observed where is_current").df()
    predicted = predicted_by_sql(demo, now, nothing)
    assert len(predicted) == len(now)
    said = ["customer_id", "is_spend_365d_tested", "months_until_tested"]
    assert predicted.drop(columns=said).isna().all().all()


def test_steps_have_an_end_in_common():
    rows = weigh_steps("bands", "band", [7, 14], [0.1, 0.2, 0.3])
    assert [(row.feature, row.lowest, row.highest, row.coefficient) for row in rows] == [
        ("band_1", None, 7, 0.1),
        ("band_2", 7, 14, 0.2),
        ("band_3", 14, None, 0.3),
    ]
