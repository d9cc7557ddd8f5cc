"""Predicted probabilities: nothing leaks, plain rules stand beside, figures are right."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from prediction.campaign import COLUMNS, OUTCOME, campaign_features, predict_responses
from prediction.classifiers import (
    PRIOR_CUSTOMERS,
    base_rate,
    logistic_regression,
    one_feature_rule,
    predict_out_of_fold,
)
from prediction.folds import assign_folds
from prediction.frames import backtest_frame, response_frame
from prediction.metrics import (
    choose_champion,
    group_predictions,
    rate_at_the_top,
    score_probabilities,
)


def customers(size=600, seed=1):
    """Customers whose answer depends on their income and on the days since their last purchase."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.integers(0, 50, size) for name in COLUMNS})
    for number in range(1, 6):
        table[f"accepted_{number}"] = rng.random(size) < 0.1
    table["education"] = rng.choice(["PhD", "Basic", None], size)
    table["marital_status"] = rng.choice(["Single", "Married"], size)
    logit = 0.15 * (table["income"] - 25) - 0.1 * (table["recency_days"] - 25) - 1
    outcomes = (rng.random(size) < 1 / (1 + np.exp(-logit))).to_numpy()
    return table, outcomes


def test_no_feature_is_the_answer():
    table, outcomes = customers()
    assert OUTCOME not in COLUMNS
    with pytest.raises(ValueError, match="must not be a feature"):
        campaign_features(table.assign(**{OUTCOME: outcomes}))


def test_features_are_counts_logarithms_and_states():
    table, _ = customers(size=3)
    table["education"] = ["PhD", None, "Basic"]
    table["marital_status"] = ["Single", "Single", "Married"]
    table["wine_spend"] = [0, 1, 99]
    for number in range(1, 6):
        table[f"accepted_{number}"] = [False, number == 2, number > 2]
    features = campaign_features(table)
    assert features[:, 0].tolist() == [0, 1, 3]
    assert features[:, 1].tolist() == table["income"].tolist()
    assert features[:, 17] == pytest.approx(np.log([1, 2, 100]))
    # Education: none, Basic, PhD; then marital status: Married, Single.
    assert features[:, -5:].tolist() == [[0, 0, 1, 0, 1], [1, 0, 0, 0, 1], [0, 1, 0, 1, 0]]


def test_equal_customers_share_a_fold_and_folds_have_like_rates():
    rng = np.random.default_rng(5)
    features = np.repeat(rng.random((300, 2)), 2, axis=0)
    outcomes = rng.random(600) < 0.2
    folds = assign_folds(features, outcomes, seed=42)
    assert (folds[::2] == folds[1::2]).all()
    assert sorted(set(folds.tolist())) == list(range(10))
    rates = [outcomes[folds == fold].mean() for fold in range(10)]
    assert max(rates) - min(rates) < 0.1
    assert (folds == assign_folds(features, outcomes, seed=42)).all()


@pytest.mark.parametrize(
    ("positive", "expected"), [(0, set()), (1, set()), (2, {0, 1}), (7, set(range(7)))]
)
def test_folds_are_no_more_than_the_rarer_answer_can_fill(positive, expected):
    outcomes = np.arange(40) < positive
    folds = assign_folds(np.arange(40.0)[:, None], outcomes, seed=42)
    assert set(folds.tolist()) == expected


def test_copies_do_not_count_as_customers_that_differ():
    features = np.array([[1.0]] * 10 + [[float(place)] for place in range(2, 32)])
    assert len(assign_folds(features, np.arange(40) < 10, seed=42)) == 0


def test_a_rule_draws_rare_values_towards_the_base_rate():
    train = np.array([[0.0]] * 30 + [[1.0]] * 10)
    outcomes = np.array([False] * 24 + [True] * 6 + [True] * 10)
    rates = one_feature_rule(0)(train, outcomes, np.array([[0.0], [1.0], [7.0]]))
    base = 16 / 40
    assert rates == pytest.approx(
        [
            (6 + PRIOR_CUSTOMERS * base) / (30 + PRIOR_CUSTOMERS),
            (10 + PRIOR_CUSTOMERS * base) / (10 + PRIOR_CUSTOMERS),
            base,
        ]
    )


def test_each_customer_is_predicted_without_their_own_answer():
    """A model that remembers answers knows none; the base rate is that of the other folds."""
    table, outcomes = customers()
    features = np.column_stack([np.arange(len(table)), campaign_features(table)])
    folds = assign_folds(features, outcomes, seed=42)

    def remembering(train, answers, test):
        known = dict(zip(train[:, 0].tolist(), answers.tolist(), strict=True))
        return np.array([float(known.get(customer, 0.5)) for customer in test[:, 0].tolist()])

    assert set(predict_out_of_fold(remembering, features, outcomes, folds).tolist()) == {0.5}
    rates = predict_out_of_fold(base_rate, features, outcomes, folds)
    for fold in range(10):
        assert rates[folds == fold] == pytest.approx(outcomes[folds != fold].mean(), abs=1e-8)


def test_the_model_beats_plain_rules_where_there_is_something_to_learn():
    table, outcomes = customers()
    predictions = predict_responses(campaign_features(table), outcomes, seed=42)
    assert list(predictions) == ["base_rate", "earlier_accepted", "logistic_regression"]
    assert choose_champion(outcomes, predictions) == "logistic_regression"
    scores = {name: score_probabilities(outcomes, found) for name, found in predictions.items()}
    assert scores["logistic_regression"]["roc_auc"] > 0.85
    assert scores["base_rate"]["roc_auc"] == pytest.approx(0.5, abs=0.06)


def test_the_base_rate_wins_where_answers_are_chance():
    table, _ = customers()
    outcomes = np.random.default_rng(9).random(len(table)) < 0.15
    predictions = predict_responses(campaign_features(table), outcomes, seed=42)
    assert choose_champion(outcomes, predictions) == "base_rate"


def test_too_few_answers_of_one_kind_predict_nothing():
    table, _ = customers(size=50)
    assert predict_responses(campaign_features(table), np.zeros(50, bool), seed=42) == {}


def test_scores_are_those_of_the_formulas():
    outcomes = np.array([True, False, False, True])
    probabilities = np.array([0.8, 0.4, 0.1, 0.4])
    scores = score_probabilities(outcomes, probabilities)
    logs = np.log([0.8, 0.6, 0.9, 0.4])
    assert scores["log_loss"] == pytest.approx(-logs.mean())
    assert scores["brier_score"] == pytest.approx((0.04 + 0.16 + 0.01 + 0.36) / 4)
    # Of the four pairs the positive customer is ahead in three and ties in one.
    assert scores["roc_auc"] == pytest.approx(3.5 / 4)
    assert scores["predicted_rate"] == pytest.approx(0.425)
    assert scores["observed_rate"] == 0.5


def test_ties_at_the_border_count_with_their_mean():
    outcomes = np.array([True, True, False, False, False])
    probabilities = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    assert rate_at_the_top(outcomes, probabilities, 0.2) == pytest.approx(1)
    assert rate_at_the_top(outcomes, probabilities, 0.4) == pytest.approx((1 + 1 / 3) / 2)
    assert rate_at_the_top(outcomes, np.full(5, 0.4), 0.1) == pytest.approx(0.4)
    assert rate_at_the_top(outcomes, probabilities, 1) == pytest.approx(0.4)


def test_probabilities_do_not_depend_on_the_scale_of_features():
    table, outcomes = customers()
    features = campaign_features(table)
    folds = assign_folds(features, outcomes, seed=42)
    plain = predict_out_of_fold(logistic_regression, features, outcomes, folds)
    scaled = predict_out_of_fold(logistic_regression, features * 1_000 + 7, outcomes, folds)
    assert scaled == pytest.approx(plain, abs=1e-6)


def test_demo_answers_are_predicted(demo):
    """The demo's answers depend on earlier ones, recency, days, partner and teenagers."""
    scores = {
        (model, metric): value
        for model, metric, value in demo.rows(
            "select model, metric, value from marts.prediction_backtest"
            " where target = 'campaign_response'"
        )
    }
    assert scores["logistic_regression", "log_loss"] < scores["earlier_accepted", "log_loss"]
    assert scores["earlier_accepted", "log_loss"] < scores["base_rate", "log_loss"]
    assert scores["logistic_regression", "roc_auc"] > 0.78
    champion, cutoff = demo.one(
        "select distinct model, cutoff from marts.prediction_backtest"
        " where is_champion and target = 'campaign_response'"
    )
    assert champion == "logistic_regression"
    assert str(cutoff) == "2025-06-29 00:00:00"
    profits = "select profit, random_profit from marts.campaign_profit where is_best"
    profit, random_profit = demo.one(profits)
    assert profit > 0 > random_profit


# ---------------------------------------------------------------------- as a table


def predicted_responses():
    """Twenty customers under two models; the champion tells the answers apart."""
    ids = [f"{number:02}" for number in range(20)]
    accepted = [number >= 15 for number in range(20)]
    return pd.concat(
        pd.DataFrame(
            {
                "model": model,
                "customer_id": ids,
                "is_accepted": accepted,
                "probability": probabilities,
                "is_champion": is_champion,
            }
        )
        for model, probabilities, is_champion in (
            ("base_rate", [0.25] * 20, False),
            ("logistic_regression", [0.1] * 10 + [0.3] * 5 + [0.9] * 5, True),
        )
    )


def test_responses_are_tested_as_predictions_of_the_shop_are():
    found = response_frame(predicted_responses(), date(2014, 6, 29))
    assert dict(found.dtypes) == dict(backtest_frame(pd.DataFrame()).dtypes)
    assert set(found["target"]) == {"campaign_response"}
    assert set(found["cutoff"]) == {pd.Timestamp("2014-06-29")}
    whole = found[found["group_number"] == 0].set_index(["model", "metric"])
    assert whole.loc[("base_rate", "observed_rate"), "value"] == 0.25
    assert whole.loc[("logistic_regression", "roc_auc"), "value"] == 1
    assert whole["is_champion"].groupby("model").first().to_dict() == {
        "base_rate": False,
        "logistic_regression": True,
    }
    groups = found[found["group_number"] > 0].pivot(
        index="group_number", columns="metric", values="value"
    )
    assert set(found.loc[found["group_number"] > 0, "model"]) == {"logistic_regression"}
    assert groups["customers"].tolist() == [10, 5, 5]
    assert groups["predicted"].tolist() == pytest.approx([0.1, 0.3, 0.9])
    assert groups["observed"].tolist() == [0, 0, 1]


def test_responses_without_a_date_or_without_predictions_are_no_error():
    undated = response_frame(predicted_responses(), None)
    assert undated["cutoff"].isna().all()
    nothing = response_frame(predicted_responses().iloc[:0], None)
    assert dict(nothing.dtypes) == dict(undated.dtypes)
    assert nothing.empty


def test_customers_with_equal_predictions_share_a_group():
    predictions = np.array([0.5, 0.1, 0.5, 0.5, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5])
    outcomes = np.array([1.0, 0, 3, 2, 5, 1, 1, 1, 1, 1])
    assert group_predictions(predictions, outcomes) == [
        (1, 1, 0.1, 0.1, 0.1, 0.0),
        (2, 1, 0.2, 0.2, 0.2, 5.0),
        (3, 8, 0.5, 0.5, 0.5, 11 / 8),
    ]
