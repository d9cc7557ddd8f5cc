"""What customers will do: nothing leaks, plain rules stand beside, the best of them is in use."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import build_shop, predicted_by_sql

from prediction.backtest import (
    LATEST_CUTOFFS,
    LEAST_CUSTOMERS,
    TESTED_CUTOFFS,
    Predicted,
    choose_models,
    group,
    is_better,
    known_at,
    predict_at,
    predict_past,
    score,
    targets,
)
from prediction.frames import (
    TESTED,
    WEIGHTS,
    backtest_frame,
    read_history,
    weights_frame,
)
from prediction.intervals import COVERAGE, learn_spread, spread_around
from prediction.metrics import score_amounts, score_counts, score_waits
from prediction.models import geometric_mean, mean_of_logits, predict_window
from prediction.observations import FEATURES, YEAR, Observations
from prediction.regressions import HORIZONS, fit_horizons, logarithms, median_waits
from prediction.rules import (
    LEAST_SHARE,
    PRIOR_DAYS,
    even_waits,
    floored,
    mean_baskets,
    own_gaps,
    repeat_rate,
)

# Not a test, whatever its name begins with.
backtest_frame.__test__ = False
START = np.datetime64("2020-01-01", "us")
# The window of these shops, where nothing else is said.
DAYS = 90


def shop(months, *, customers=400, seed=1, days=DAYS):
    """Customers who come at their own rate until they stay away, as int_customers_observed says."""
    rng = np.random.default_rng(seed)
    as_of = START + np.timedelta64(round(months * 30.5), "D")
    length = months * 30.5
    purchases = []
    for number in range(customers):
        rate = rng.gamma(1.2, 1 / 60)
        moment = rng.uniform(0, length)
        end = moment + rng.exponential(300)
        basket = rng.lognormal(3, 0.6)
        while moment < min(end, length):
            purchases.append((f"c{number:04}", moment, round(basket * rng.lognormal(0, 0.4), 2)))
            moment += rng.exponential(1 / rate)
    bought = pd.DataFrame(purchases, columns=["customer_id", "day", "money"])
    cutoffs = pd.date_range(START, as_of, freq="MS", inclusive="neither")
    moments = [*((moment, False) for moment in cutoffs), (pd.Timestamp(as_of), True)]
    return pd.concat([observed(bought, *moment, length, days) for moment in moments])


def observed(bought, cutoff, is_current, length, days):
    """What was known at one cutoff and the outcome, counted anew."""
    day = (cutoff - pd.Timestamp(START)) / pd.Timedelta(days=1)
    before = bought[bought["day"] < day]
    known = before.groupby("customer_id")["day"].agg(["min", "max", "count"])
    table = pd.DataFrame(
        {
            "cutoff": cutoff,
            "is_current": is_current,
            "prediction_days": days,
            "recency_days": np.floor(day - known["max"]),
            "tenure_days": np.floor(day - known["min"]),
            "frequency": known["count"],
            "monetary": before.groupby("customer_id")["money"].sum(),
        },
        index=known.index,
    )
    for name, first, last in (
        ("last_window", day - days, day),
        ("last_365d", day - 365, day),
        ("next", day, day + days),
        ("next_365d", day, day + 365),
    ):
        inside = bought[(bought["day"] >= first) & (bought["day"] < last)].groupby("customer_id")
        is_known = last <= max(length, day)
        table[f"orders_{name}"] = inside.size().reindex(table.index, fill_value=0)
        table[f"spend_{name}"] = inside["money"].sum().reindex(table.index, fill_value=0)
        table[f"first_{name}"] = inside["day"].min().reindex(table.index)
        if not is_known:
            table[[f"orders_{name}", f"spend_{name}", f"first_{name}"]] = np.nan
    table["next_purchase_at"] = cutoff + pd.to_timedelta(table["first_next"] - day, unit="D")
    return table.reset_index()


def predicted(demo, table, champions):
    """Predict the customers of a table, by SQL, from what the champions have learnt."""
    return predicted_by_sql(demo, table, weights_frame(table, champions))


@pytest.fixture(scope="module")
def two_years():
    return shop(24)


@pytest.fixture(scope="module")
def history(two_years):
    return read_history(two_years)


def with_another_future(history, moment, days=DAYS):
    """The same history, had all that was not known yet at a moment come differently."""
    unknown = history.cutoffs + np.timedelta64(days, "D") > moment
    return replace(
        history,
        features=np.where((history.cutoffs > moment)[:, None], 7.0, history.features),
        orders=np.where(unknown, 9.0, history.orders),
        spend=np.where(unknown, 9_999.0, history.spend),
        waits=np.where(unknown, 1.0, history.waits),
        spend_year=np.where(unknown, 9_999.0, history.spend_year),
    )


def test_a_prediction_knows_only_what_was_known_then(history):
    seen, _ = history
    for moment in np.unique(seen.cutoffs)[8:14]:
        features = seen.at(moment).features
        predicted = predict_at(seen, moment, features, DAYS)
        other = predict_at(with_another_future(seen, moment), moment, features, DAYS)
        assert predicted.values.keys() == other.values.keys()
        assert predicted.values.keys() == targets(DAYS).keys() - {"spend_365d"}
        for target, models in predicted.values.items():
            for model, values in models.items():
                assert (values == other.values[target][model]).all(), (target, model)
        assert predicted.spreads.keys() == predicted.values["spend"].keys()
        for model, spread in predicted.spreads.items():
            assert all((a == b).all() for a, b in zip(spread, other.spreads[model], strict=True))


def test_scores_of_a_cutoff_know_only_what_was_known_then_but_for_what_came(history):
    """The spread too: a later future changes neither predictions, nor intervals, nor scores."""
    seen, as_of = history
    rows = score(seen, predict_past(seen, as_of, DAYS))
    cutoffs = sorted({row[2] for row in rows})
    over = np.unique(seen.cutoffs)
    over = over[over + np.timedelta64(DAYS, "D") <= as_of]
    assert (np.array(cutoffs) == over[-TESTED_CUTOFFS:]).all()
    for cutoff in cutoffs[:-1]:
        end = cutoff + np.timedelta64(DAYS, "D")
        other = with_another_future(seen, end)
        later = score(other, predict_past(other, as_of, DAYS))
        assert [row for row in rows if row[2] == cutoff] == [
            row for row in later if row[2] == cutoff
        ]


def test_the_spread_is_that_of_the_customers_learnt_from(history):
    seen, as_of = history
    train = known_at(seen, as_of, DAYS)
    now = seen.at(seen.cutoffs[-1]).features
    spread = predict_at(seen, as_of, now, DAYS).spreads["poisson_and_basket"]
    predicted = predict_window(train, now, train.features, DAYS).values["spend"][
        "poisson_and_basket"
    ]
    expected = learn_spread(predicted, train.spend)
    for one, other in zip(spread, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


def test_what_is_known_is_the_latest_of_what_is_over():
    cutoffs = START + np.arange(0, 300, 30).astype("timedelta64[D]")
    column = np.arange(10.0)
    seen = Observations(DAYS, cutoffs, np.ones((10, 7)), column, column, column, column)
    # The 90 days of the cutoff of day 90 end with day 180.
    assert known_at(seen, cutoffs[6], DAYS).orders.tolist() == [1, 2, 3]
    before = cutoffs[6] - np.timedelta64(1, "us")
    assert known_at(seen, before, DAYS).orders.tolist() == [0, 1, 2]
    assert len(known_at(seen, cutoffs[2], DAYS).orders) == 0
    assert len(known_at(seen, cutoffs[9], YEAR).orders) == 0
    assert LATEST_CUTOFFS == 3


def test_what_is_known_has_the_season_of_a_year_ago():
    cutoffs = START + np.arange(0, 900, 30).astype("timedelta64[D]")
    column = np.arange(30.0)
    seen = Observations(DAYS, cutoffs, np.ones((30, 7)), column, column, column, column)
    # A year before day 720 is day 355; 46 days around it lie days 330, 360 and 390.
    assert known_at(seen, cutoffs[24], DAYS).orders.tolist() == [11, 12, 13, 19, 20, 21]
    # A year before day 450 is day 85, around which lie days 60, 90 and 120.
    assert known_at(seen, cutoffs[15], DAYS).orders.tolist() == [2, 3, 4, 10, 11, 12]
    # One that is both is there once.
    assert known_at(seen, cutoffs[15], 310).orders.tolist() == [2, 3, 4]


def outcome_of(orders):
    """Customers at one cutoff who ordered so often."""
    orders = np.array(orders, dtype="float64")
    cutoffs = np.full(len(orders), START)
    return Observations(DAYS, cutoffs, np.ones((len(orders), 7)), orders, orders, orders, orders)


def chosen_of(losses, usable=None):
    """Choose among models that expect 1 + as many orders of everybody, who order once each time.

    losses: by model, of each cutoff, by how much it is off; None where it was not there.
    """
    length = max(map(len, losses.values()))
    cutoffs = START + np.arange(length).astype("timedelta64[D]")
    history = replace(outcome_of([1.0] * 40 * length), cutoffs=np.repeat(cutoffs, 40))
    rng = np.random.default_rng(5)
    noise = rng.uniform(-0.4, 0.4, 40)
    past = {
        cutoff: Predicted(
            {
                "orders": {
                    model: 1 + values[number] * (1 + noise)
                    for model, values in losses.items()
                    if values[number] is not None
                }
            },
            {},
            {},
        )
        for number, cutoff in enumerate(cutoffs)
    }
    return choose_models(history, past, usable or {"orders": list(losses)})


def test_the_preferred_model_is_in_use_unless_a_plainer_one_is_clearly_better():
    def chosen(**losses):
        return chosen_of(losses).get("orders")

    # Better now and then, and on average by little.
    assert chosen(rule=[0.1, 0.9, 0.5, 0.5], ensemble=[0.5, 0.5, 0.5, 0.5]) == "ensemble"
    # Better each time, though by little.
    assert chosen(rule=[0.4, 0.49, 0.49, 0.49], ensemble=[0.5, 0.5, 0.5, 0.5]) == "rule"
    # Equal is not better.
    assert chosen(rule=[0.5, 0.5], ensemble=[0.5, 0.5]) == "ensemble"
    # Once is no proof by itself, unless it is by far.
    assert chosen(rule=[0.5], model=[0.1], ensemble=[0.9]) == "model"
    # Of several the best, wherever it stands.
    assert chosen(rule=[0.2, 0.2], model=[0.3, 0.3], ensemble=[0.5, 0.5]) == "rule"
    assert chosen(rule=[0.3, 0.3], model=[0.2, 0.2], ensemble=[0.5, 0.5]) == "model"
    # Only where both were there is one compared with the other.
    assert chosen(rule=[0.1, 0.6], ensemble=[None, 0.5]) == "ensemble"


def test_only_models_that_can_predict_now_are_in_use():
    losses = {"rule": [0.5, 0.5], "bg_nbd": [0.4, 0.4], "ensemble": [0.1, 0.1]}
    assert chosen_of(losses, {"orders": ["rule", "bg_nbd"]}) == {"orders": "bg_nbd"}
    # The preferred one of now may be new; what was not tested is not in use.
    assert chosen_of(losses, {"orders": ["rule", "new"]}) == {"orders": "rule"}
    assert chosen_of(losses, {"orders": ["new"], "churn": ["rule"]}) == {}


def test_better_is_always_or_by_two_standard_errors():
    rng = np.random.default_rng(6)
    spread = rng.normal(0, 1, 100)
    spread = (spread - spread.mean()) / spread.std()
    # The standard error of each is 0.1, and so is that of their mean: customers are the same.
    assert is_better([spread + 0.25, spread + 0.19])
    assert not is_better([spread + 0.25, spread - 0.01])
    assert is_better([spread + 0.5, spread - 0.01])
    assert not is_better([spread + 0.15])
    assert is_better([spread + 0.21])
    assert not is_better([np.zeros(10), np.zeros(10)])


def test_what_depends_on_nothing_known_is_not_learnt(two_years):
    """Customers who stay away by chance: no rule and no model is better than the base rate."""
    rng = np.random.default_rng(3)
    chance = two_years.copy()
    known = chance["orders_next"].notna()
    chance.loc[known, "orders_next"] = (rng.random(known.sum()) < 0.4).astype(float)
    tested = backtest_frame(chance)
    losses = tested.query("group_number == 0 and metric == 'log_loss'")
    losses = losses.groupby("model")["value"].mean()
    assert losses["base_rate"] < losses.drop("base_rate").min()
    champions = tested[tested["is_champion"]].groupby("target")["model"].unique().to_dict()
    assert champions["churn"].tolist() == ["base_rate"]


def test_what_customers_do_is_learnt(two_years):
    tested = backtest_frame(two_years)
    means = tested[tested["group_number"] == 0].groupby(["target", "model", "metric"])["value"]
    means = means.mean()
    assert means["churn", "logistic_regression", "roc_auc"] > 0.75
    for target, metric, plain in (
        ("churn", "log_loss", "base_rate"),
        ("orders", "poisson_deviance", "last_window"),
        ("spend", "tweedie_deviance", "last_window"),
        ("next_purchase_date", "absolute_days", "own_gap"),
    ):
        champion = tested.query("is_champion and target == @target")["model"].iloc[0]
        assert means[target, champion, metric] < means[target, plain, metric]
    champion = tested.query("is_champion and target == 'spend'")["model"].iloc[0]
    # More than is meant, where an interval is widened to hold what is expected of rare buyers.
    assert COVERAGE - 0.05 < means["spend", champion, "coverage_80"] < COVERAGE + 0.12
    assert means["spend", champion, "total_ratio"] == pytest.approx(1, abs=0.25)
    champion = tested.query("is_champion and target == 'next_purchase_date'")["model"].iloc[0]
    assert means["next_purchase_date", champion, "bought_by_date"] == pytest.approx(0.5, abs=0.12)


def test_a_year_is_the_last_one_again_until_it_can_be_learnt(demo):
    # The first month ends with a year before them and a year after them are the last ones.
    assert "spend_365d" not in set(backtest_frame(shop(20))["target"])
    untested = predicted(demo, shop(20), {"churn": "ensemble"})
    assert set(untested["spend_365d_model"]) == {"last_365_days"}
    assert not untested["is_spend_365d_tested"].any()
    spent = shop(20).query("is_current")["spend_last_365d"].to_numpy()
    expected = untested["expected_spend_365d"].to_numpy()
    assert expected[spent > 1] == pytest.approx(spent[spent > 1])
    assert (expected[spent == 0] > 0).all()
    # A year ago it was not a year old.
    assert len(weights_frame(shop(11), {})) == 0
    tested = backtest_frame(shop(24.5, customers=1_500)).query(
        "target == 'spend_365d' and group_number == 0"
    )
    assert set(tested["model"]) == {"last_365_days"}
    assert set(tested["prediction_days"]) == {YEAR}
    assert tested["is_champion"].all()
    learnt = weights_frame(shop(24.5, customers=1_500), {"spend_365d": "last_365_days"})
    assert learnt["is_tested"].all()


def test_a_year_is_predicted_once_a_year_was_tested_on_another(demo):
    four_years = shop(46, customers=300)
    tested = backtest_frame(four_years)
    own = tested[(tested["target"] == "spend_365d") & (tested["group_number"] == 0)]
    as_of = four_years.loc[four_years["is_current"], "cutoff"].iloc[0]
    assert 1 <= own["cutoff"].nunique() <= TESTED_CUTOFFS
    assert (own["cutoff"] + pd.Timedelta(days=YEAR) <= as_of).all()
    champions = dict(tested[tested["is_champion"]][["target", "model"]].to_numpy().tolist())
    told = predicted(demo, four_years, champions)
    assert told["expected_spend_365d"].min() > 0
    assert set(told["spend_365d_model"]) == {champions["spend_365d"]}


def test_customers_are_predicted_by_the_champions(demo, two_years):
    champions = {"churn": "recency_bands", "spend": "rate_and_basket"}
    told = predicted(demo, two_years, champions)
    seen, as_of = read_history(two_years)
    now = two_years[two_years["is_current"]]
    features = now[FEATURES].to_numpy("float64")
    at_hand = predict_at(seen, as_of, features, DAYS)
    assert told["customer_id"].tolist() == now["customer_id"].tolist()
    for column, target in (("churn_probability", "churn"), ("expected_spend", "spend")):
        expected = at_hand.values[target][champions[target]]
        assert told[column].to_numpy() == pytest.approx(expected, rel=1e-9)
    money = told["expected_spend"]
    low, high = spread_around(money.to_numpy(), at_hand.spreads[champions["spend"]])
    assert told["expected_spend_low"].to_numpy() == pytest.approx(low, rel=1e-9)
    assert told["expected_spend_high"].to_numpy() == pytest.approx(high, rel=1e-9)
    assert (low <= money).all()
    assert (high >= money).all()
    for column in ("expected_orders", "next_purchase_days", "orders_model"):
        assert told[column].isna().all()
    dated = predicted(demo, two_years, {"next_purchase_date": "own_gap"})["next_purchase_days"]
    waits = at_hand.values["next_purchase_date"]["own_gap"]
    assert dated.isna().tolist() == (waits >= DAYS).tolist()


@pytest.mark.parametrize("kind", ["nothing", "young", "all stay away", "all come", "too few"])
def test_too_little_predicts_nothing(two_years, kind):
    table = two_years.copy()
    if kind == "nothing":
        table = table.head(0)
    elif kind == "young":
        table = shop(3)
    elif kind == "too few":
        table = table[table["customer_id"] < f"c{LEAST_CUSTOMERS:04}"]
    else:
        known = table["orders_next"].notna()
        table.loc[known, "orders_next"] = 0 if kind == "all stay away" else 1
    tested = backtest_frame(table)
    assert len(tested) == 0
    assert tested.columns.tolist() == list(TESTED)
    learnt = weights_frame(table, {})
    assert learnt.columns.tolist() == list(WEIGHTS)
    # A year's money is expected untested, where there is a year.
    a_year = set() if kind in ("nothing", "young") else {("spend_365d", False)}
    assert set(zip(learnt["target"], learnt["is_tested"], strict=True)) == a_year


@pytest.mark.parametrize(
    ("days", "counted"),
    [
        (90, ((0.5, 4), (1.2, 3), (2.9, 2), (4.2, None))),
        (30, ((0.5, 2), (1.2, 1), (2.9, None))),
        (180, ((0.5, 7), (1.2, 6), (4.2, 3), (6.8, 1))),
    ],
)
def test_months_until_a_test_are_counted(demo, days, counted):
    for months, missing in counted:
        table = shop(months, customers=100, days=days)
        told = predicted(demo, table, {})["months_until_tested"]
        assert set(told.dropna()) == ({missing} if missing else set()), months


@pytest.mark.parametrize("days", [30, 180])
def test_predictions_look_as_far_ahead_as_the_window(demo, days):
    table = shop(20, days=days)
    as_of = table.loc[table["is_current"], "cutoff"].iloc[0]
    tested = backtest_frame(table)
    assert set(tested["prediction_days"]) == {days}
    # Month ends are tested as soon as the window after them is over.
    last = tested["cutoff"].max()
    assert last + pd.Timedelta(days=days) <= as_of < last + pd.Timedelta(days=days + 31)
    came = table[table["cutoff"] == last]
    means = tested[(tested["cutoff"] == last) & (tested["group_number"] == 0)]
    means = means.set_index(["target", "model", "metric"])["value"]
    assert means["churn", "base_rate", "observed_rate"] == pytest.approx(
        (came["orders_next"] == 0).mean()
    )
    for target, models in (
        ("orders", ("bg_nbd", "poisson_regression", "ensemble")),
        ("spend", ("bg_nbd_gamma_gamma", "tweedie_regression", "ensemble")),
    ):
        for model in models:
            assert 0.6 < means[target, model, "total_ratio"] < 1.6, (target, model)
    dates = predicted(demo, table, {"next_purchase_date": "logistic_regressions"})
    assert days / 2 < dates["next_purchase_days"].max() < days


def test_features_of_the_oddest_customers_are_numbers(history):
    seen, as_of = history
    # Just now, long ago, once, always, and for more money than there is.
    odd = np.array(
        [
            [0, 0, 1, 0.01, 1, 0.01, 0.01],
            [0, 700, 9_999, 1e12, 9_999, 1e12, 1e12],
            [700, 700, 1, 1e12, 0, 0, 0],
            [0, 0, 50, 5, 50, 5, 5],
        ]
    )
    assert np.isfinite(logarithms(odd)).all()
    largest = known_at(seen, as_of, DAYS)
    for target, models in predict_at(seen, as_of, odd, DAYS).values.items():
        for model, values in models.items():
            if target != "next_purchase_date":
                assert np.isfinite(values).all() and (values > 0).all(), (target, model)
            if target == "churn":
                assert (values < 1).all()
            if model.endswith("_regression") and target == "spend":
                assert values.max() < 100 * largest.spend.max()


def test_features_are_logarithms_gaps_and_days():
    row = logarithms(np.array([[10.0, 100, 4, 80, 2, 30, 80], [5.0, 5, 1, 8, 1, 8, 8]]))
    assert row[0] == pytest.approx(
        [
            *np.log([11, 101, 4, 81, 3, 31, 4 / 130, 21]),
            # Three gaps of thirty days each; ten days have gone by.
            np.log(11 / 31),
            0,
            10,
        ]
    )
    assert row[1, -3:].tolist() == [0, 1, 5]


def test_rules_are_those_of_the_formulas():
    features = np.array([[10.0, 90, 3, 60, 1, 5, 60], [40.0, 40, 1, 8, 0, 0, 8]])
    outcomes = np.array([0.0, 2.0])
    # The first order is not counted; everybody's mean is one order in ninety days.
    assert repeat_rate(features, outcomes, features, DAYS) == pytest.approx(
        [(2 + 1) / (90 + PRIOR_DAYS) * 90, 1 / (40 + PRIOR_DAYS) * 90]
    )
    assert repeat_rate(features, outcomes, features, 30) == pytest.approx(
        [(2 + 3) / (90 + PRIOR_DAYS) * 30, 3 / (40 + PRIOR_DAYS) * 30]
    )
    # All orders cost 17 on average, which counts for two.
    assert mean_baskets(features, features) == pytest.approx([(60 + 34) / 5, (8 + 34) / 3])
    assert own_gaps(features).tolist() == [30, np.inf]
    assert own_gaps(np.array([[50.0, 90, 3, 1, 1, 1, 1]])).tolist() == [0]
    assert floored(np.array([0.0, 5.0]), 1).tolist() == [LEAST_SHARE, 5]
    assert even_waits(np.array([0.5, 0.25, np.sqrt(0.5)]), 90) == pytest.approx([90, 45, 180])
    assert even_waits(np.array([0.0, 1.0]), 90)[0] > 0
    assert even_waits(np.array([1.0]), 90)[0] == np.inf


def test_models_of_a_target_stand_the_plainest_first_and_the_preferred_one_last(history):
    seen, as_of = history
    now = seen.at(seen.cutoffs[-1]).features
    told = predict_window(known_at(seen, as_of, DAYS), now, now[:5], DAYS).values
    assert {
        target: (next(iter(models)), next(reversed(models))) for target, models in told.items()
    } == {
        "churn": ("base_rate", "ensemble"),
        "orders": ("last_window", "ensemble"),
        "spend": ("last_window", "ensemble"),
        "next_purchase_date": ("base_rate", "logistic_regressions"),
    }
    # Where nobody came again, no rates can be estimated.
    once = now.copy()
    once[:, 2] = 1
    told = predict_window(known_at(seen, as_of, DAYS), once, now[:5], DAYS).values
    assert [list(models)[-1] for models in told.values()] == [
        "logistic_regression",
        "poisson_regression",
        "ensemble",
        "logistic_regressions",
    ]


def test_without_outcomes_rates_alone_predict(demo, history):
    seen, _ = history
    now = seen.at(seen.cutoffs[-1]).features
    told = predict_window(None, now, now[:5], DAYS).values
    assert {target: list(models) for target, models in told.items()} == {
        "churn": ["bg_nbd"],
        "orders": ["bg_nbd"],
        "spend": ["bg_nbd_gamma_gamma"],
    }
    young = shop(5)
    tested = backtest_frame(young)
    assert set(tested["model"]) == {"bg_nbd", "bg_nbd_gamma_gamma"}
    champions = dict(tested[tested["is_champion"]][["target", "model"]].to_numpy().tolist())
    told = predicted(demo, young, champions)
    assert told["churn_probability"].notna().all()
    assert told["expected_spend_high"].notna().all()
    assert told["next_purchase_days"].isna().all()


def test_an_ensemble_is_between_its_models(history):
    seen, as_of = history
    now = seen.at(seen.cutoffs[-1]).features
    told = predict_window(known_at(seen, as_of, DAYS), now, now, DAYS).values
    churn, orders, spend = (told[name] for name in ("churn", "orders", "spend"))
    odds = {name: np.log(values / (1 - values)) for name, values in churn.items()}
    assert odds["ensemble"] == pytest.approx(
        (2 * odds["logistic_regression"] + odds["bg_nbd"]) / 3, rel=1e-6
    )
    assert orders["ensemble"] == pytest.approx(
        np.sqrt(orders["poisson_regression"] * orders["bg_nbd"])
    )
    assert spend["ensemble"] == pytest.approx(
        np.cbrt(
            spend["poisson_and_basket"] * spend["tweedie_regression"] * spend["bg_nbd_gamma_gamma"]
        )
    )
    assert mean_of_logits((1, np.array([0.0, 0.5])), (1, np.array([1.0, 0.5]))).tolist() == [
        pytest.approx(0.5),
        0.5,
    ]
    assert geometric_mean(np.array([1.0]), np.array([4.0]), np.array([2.0])) == pytest.approx(2)


def test_half_have_bought_between_two_horizons():
    rng = np.random.default_rng(9)
    # Two kinds of customers: one buys at any time within 40 days, the other mostly not at all.
    often = rng.random(8_000) < 0.5
    waits = np.where(often, rng.uniform(0, 40, 8_000), np.inf)
    waits[~often & (rng.random(8_000) < 0.2)] = 50
    features = often[:, None].astype("float64")
    found = median_waits(fit_horizons(features, waits, 90), np.array([[1.0], [0.0]]))
    assert found[0] == pytest.approx(20, abs=1.5)
    assert found[1] == np.inf
    # At once, for nearly all: between now and the first horizon.
    soon = np.where(rng.random(8_000) < 0.9, rng.uniform(0, 1, 8_000), np.inf)
    found = median_waits(fit_horizons(features, soon, 90), np.array([[1.0]]))
    assert found[0] == pytest.approx(HORIZONS[0] * 0.5 / 0.9, abs=0.1)
    # Half have bought between days 120 and 180, which only a window of 180 days holds.
    late = np.where(often, rng.uniform(100, 180, 8_000), np.inf)
    assert median_waits(fit_horizons(features, late, 180), np.array([[1.0]]))[0] == pytest.approx(
        140, abs=3
    )
    assert median_waits(fit_horizons(features, late, 90), np.array([[1.0]]))[0] == np.inf


def test_models_that_stand_on_one_another_agree(history):
    """Money is orders times baskets; a wait is that of the rate or of the probability."""
    seen, as_of = history
    train, features = known_at(seen, as_of, DAYS), seen.at(seen.cutoffs[-1]).features
    told = predict_window(train, features, features, DAYS).values
    orders, spend = told["orders"], told["spend"]
    baskets = mean_baskets(train.features, features)
    for money, rate in (
        ("rate_and_basket", "repeat_rate"),
        ("poisson_and_basket", "poisson_regression"),
    ):
        assert spend[money] == pytest.approx(floored(orders[rate] * baskets, train.spend.mean()))
    waits = told["next_purchase_date"]
    expected = DAYS * np.log(2) / orders["poisson_regression"]
    # Only the likeliest of all, whose probability is cut, differ.
    certain = orders["poisson_regression"] > 20
    assert waits["poisson_regression"][~certain] == pytest.approx(expected[~certain])
    likely = told["churn"]["logistic_regression"] < 0.5
    assert 0 < likely.sum() < len(likely)
    assert ((waits["logistic_regression"] < DAYS) == likely).all()


def test_figures_are_those_of_the_formulas():
    outcomes, expected = np.array([0.0, 1.0, 3.0]), np.array([0.5, 1.0, 2.0])
    counts = score_counts(outcomes, expected)
    deviances = [2 * 0.5, 0, 2 * (3 * np.log(3 / 2) - 1)]
    assert counts["poisson_deviance"] == pytest.approx(np.mean(deviances))
    assert counts["mae"] == pytest.approx(0.5)
    assert counts["rmse"] == pytest.approx(np.sqrt(1.25 / 3))
    assert counts["total_ratio"] == pytest.approx(3.5 / 4)
    amounts = score_amounts(outcomes, expected)
    units = 4 * (outcomes**0.5 - expected**0.5) ** 2 / expected**0.5
    assert amounts["tweedie_deviance"] == pytest.approx(units.mean())
    waits = score_waits(
        np.array([5.0, 10.2, np.inf, 3.0, 80.0]), np.array([5.5, 10.0, 20.0, 90.0, np.inf]), 90
    )
    # Bought on the day named is by that day; beyond 90 days nothing is known.
    assert waits["bought_by_date"] == pytest.approx(2 / 3)
    assert waits["dated_share"] == pytest.approx(3 / 5)
    assert waits["absolute_days"] == pytest.approx((0.5 + 0.2 + 70 + 87 + 10) / 5)
    assert "bought_by_date" not in score_waits(np.array([1.0]), np.array([90.0]), 90)
    longer = score_waits(np.array([100.0, np.inf]), np.array([150.0, 90.0]), 180)
    assert (longer["absolute_days"], longer["dated_share"]) == (70, 1)


def test_losses_have_the_figures_as_their_means():
    """Models are chosen by losses, and figures are what is shown of them."""
    rng = np.random.default_rng(2)
    counts, expected = rng.poisson(1.5, 500).astype("float64"), rng.gamma(2, 1, 500)
    stayed, probabilities = rng.random(500) < 0.5, rng.random(500)
    waits, days = rng.uniform(0, 150, 500), rng.uniform(0, 150, 500)
    for target, outcomes, predictions, figure in (
        ("churn", stayed, probabilities, "log_loss"),
        ("orders", counts, expected, "poisson_deviance"),
        ("spend", counts * 9, expected * 9, "tweedie_deviance"),
        ("next_purchase_date", waits, days, "absolute_days"),
    ):
        losses = targets(60)[target].losses(outcomes, predictions)
        scored = targets(60)[target].score(outcomes, predictions)
        assert losses.mean() == pytest.approx(scored[figure]), target
    # The last target's: what lies beyond the window counts as its end.
    assert losses.mean() == pytest.approx(
        np.abs(np.minimum(waits, 60) - np.minimum(days, 60)).mean()
    )
    # Who was certain and wrong can still be compared.
    certain = targets(DAYS)["churn"].losses(np.array([True, False]), np.array([0.0, 0.0]))
    assert 30 < certain[0] < 40
    assert certain[1] == pytest.approx(0)


def test_intervals_hold_four_fifths_of_outcomes():
    rng = np.random.default_rng(7)

    def draw():
        predictions = rng.lognormal(3, 1, 20_000)
        return predictions, predictions * rng.gamma(2, 0.5, 20_000)

    spread = learn_spread(*draw())
    predictions, outcomes = draw()
    low, high = spread_around(predictions, spread)
    assert ((low <= outcomes) & (outcomes <= high)).mean() == pytest.approx(0.8, abs=0.01)
    assert (outcomes < low).mean() == pytest.approx(0.1, abs=0.01)
    # Each tenth by itself, not only all of them together.
    tenths = np.searchsorted(np.quantile(predictions, np.arange(1, 10) / 10), predictions)
    for tenth in range(10):
        own = tenths == tenth
        held = (low[own] <= outcomes[own]) & (outcomes[own] <= high[own])
        assert held.mean() == pytest.approx(0.8, abs=0.04)


def test_intervals_where_many_buy_nothing_begin_at_nothing():
    rng = np.random.default_rng(8)
    predictions = np.full(5_000, 10.0)
    outcomes = np.where(rng.random(5_000) < 0.5, 0, rng.gamma(2, 10, 5_000))
    low, high = spread_around(predictions, learn_spread(predictions, outcomes))
    assert set(low) == {0}
    assert ((low <= outcomes) & (outcomes <= high)).mean() == pytest.approx(0.8, abs=0.005)
    # Nearly nobody buys: what is expected lies within all the same.
    rare = np.where(rng.random(5_000) < 0.02, 500.0, 0)
    low, high = spread_around(predictions, learn_spread(predictions, rare))
    assert set(low) == {0}
    assert set(high) == {10}


def test_groups_part_the_customers_and_compare_means(history):
    seen, as_of = history
    past = predict_past(seen, as_of, DAYS)
    champions = choose_models(seen, past, next(reversed(past.values())).values)
    rows = group(seen, past, champions | {"orders": "repeat_rate"})
    cutoff = list(past)[-1]
    own = [row for row in rows if row[0] == "churn" and row[2] == cutoff]
    predictions = past[cutoff].values["churn"][champions["churn"]]
    outcomes = seen.at(cutoff).orders == 0
    assert sum(row[4] for row in own) == len(predictions)
    assert sum(row[4] * row[7] for row in own) == pytest.approx(predictions.sum())
    assert sum(row[4] * row[8] for row in own) == pytest.approx(outcomes.sum())
    assert [row[3] for row in own] == list(range(1, len(own) + 1))
    assert all(one[6] < other[5] for one, other in pairwise(own))
    assert {row[1] for row in rows if row[0] == "orders"} == {"repeat_rate"}
    # Who all are alike are one group.
    alike = {cutoff: Predicted({"churn": {"base_rate": np.full(len(outcomes), 0.4)}}, {}, {})}
    (row,) = group(seen, alike, {"churn": "base_rate"})
    assert row[3:] == (
        1,
        len(outcomes),
        0.4,
        0.4,
        pytest.approx(0.4),
        pytest.approx(outcomes.mean()),
    )


CAME = """
    with sold as (
        select customer_id, invoice_id, min(invoiced_at) as invoiced_at, sum(line_amount) as money
        from marts.invoice_lines where line_type = 'sale' group by all
    ),
    cutoffs as (select distinct cutoff from marts.prediction_backtest where target = 'churn'),
    came as (
        select cutoff, customer_id,
            count(*) filter (where invoiced_at >= cutoff) as orders,
            coalesce(sum(money) filter (where invoiced_at >= cutoff), 0) as money
        from sold cross join cutoffs
        where invoiced_at < cutoff + interval 90 day
        group by all having min(invoiced_at) < cutoff
    )
"""


@pytest.mark.parametrize("shop_name", ["demo", "real"])
def test_what_came_is_that_of_the_lines(request, shop_name):
    """Counted from the published lines, by a query that knows nothing of the models."""
    built = request.getfixturevalue(shop_name)
    counted = built.rows(
        CAME
        + """
        select cutoff, avg(cast(orders = 0 as integer)), count(*) from came group by cutoff
        order by cutoff
        """
    )
    stated = built.rows(
        """
        select cutoff, value, (
            select sum(customers) from marts.prediction_calibration as groups
            where groups.target = 'churn' and groups.cutoff = backtest.cutoff
        )
        from marts.prediction_backtest as backtest
        where target = 'churn' and model = 'base_rate' and metric = 'observed_rate'
        order by cutoff
        """
    )
    assert len(stated) == TESTED_CUTOFFS
    for (day, rate, customers), (cutoff, value, grouped) in zip(counted, stated, strict=True):
        assert (day, customers) == (cutoff, grouped)
        assert value == pytest.approx(rate, abs=1e-8)
    for target, outcome in (("orders", "orders"), ("spend", "money")):
        counted = built.rows(
            CAME + f"select cutoff, sum({outcome}) from came group by 1 order by 1"
        )
        stated = built.rows(
            f"""
            select cutoff, sum(customers * observed) from marts.prediction_calibration
            where target = '{target}' group by 1 order by 1
            """
        )
        for (_, total), (_, value) in zip(counted, stated, strict=True):
            # An invoice of two moments may lie on both sides of a cutoff.
            assert value == pytest.approx(float(total), rel=1e-4)


@pytest.mark.parametrize("shop_name", ["demo", "real"])
def test_churn_is_foretold_better_than_by_the_base_rate_each_time(request, shop_name):
    built = request.getfixturevalue(shop_name)
    rows = built.rows(
        """
        select cutoff,
            max(value) filter (where is_champion and metric = 'log_loss'),
            max(value) filter (where model = 'base_rate' and metric = 'log_loss'),
            max(value) filter (where is_champion and metric = 'roc_auc')
        from marts.prediction_backtest where target = 'churn' group by cutoff
        """
    )
    assert len(rows) == TESTED_CUTOFFS
    for _, loss, plain, area in rows:
        assert loss < 0.93 * plain
        assert area > 0.7


def test_every_customer_of_the_real_shop_is_predicted(real):
    assert real.one(
        """
        select count(*), count(churn_probability), count(expected_orders),
            count(expected_spend_high), count(expected_spend_365d)
        from marts.customer_predictions
        """
    ) == (4_338, 4_338, 4_338, 4_338, 4_338)
    assert real.one(
        "select distinct spend_365d_model, is_spend_365d_tested from marts.customer_predictions"
    ) == ("last_365_days", False)
    coverages = [
        value
        for (value,) in real.rows(
            "select value from marts.prediction_backtest"
            " where metric = 'coverage_80' and is_champion"
        )
    ]
    assert len(coverages) == TESTED_CUTOFFS
    assert 0.7 < min(coverages) < max(coverages) < 0.85
    assert np.mean(coverages) == pytest.approx(0.8, abs=0.01)
    # The ensemble is in use, and is no worse than it was when this was written.
    errors = dict(
        real.rows(
            """
            select metric, avg(value) from marts.prediction_backtest
            where is_champion and model = 'ensemble' and subject = 'customers' group by metric
            """
        )
    )
    assert errors["log_loss"] < 0.587
    assert errors["roc_auc"] > 0.75
    assert errors["poisson_deviance"] < 1.35
    assert errors["tweedie_deviance"] < 45.6
    totals = real.rows(
        "select value from marts.prediction_backtest where is_champion and metric = 'total_ratio'"
    )
    assert len(totals) == 2 * TESTED_CUTOFFS
    assert all(0.75 < ratio < 1.25 for (ratio,) in totals)
    # Who is likely to leave has been away for longer than others.
    assert (
        real.one("select corr(churn_probability, ln(1 + recency_days)) from marts.customers")[0]
        > 0.4
    )


def test_a_shop_of_three_months_has_no_predictions(tmp_path):
    lines = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    for number in range(120):
        day = f"2011-0{1 + number % 3}-{1 + number % 28:02} 10:00:00"
        lines += f"{number},A,mug,{1 + number % 7},{day},2.50,c{number % 40},UK\n"
    path = tmp_path / "young.csv"
    path.write_text(lines)
    built = build_shop(tmp_path / "built", invoices=path)
    assert built.code == 0, built.errors
    assert "No predictions yet: to test any on the past takes 2 more months of" in built.output
    assert built.one(
        """
        select count(*), count(churn_probability), count(next_purchase_date), count(churn_model)
        from marts.customer_predictions
        """
    ) == (40, 0, 0, 0)
    assert built.one("select count(*) from marts.prediction_backtest") == (0,)
    assert built.one("select count(*), count(expected_spend) from marts.customers") == (40, 0)
