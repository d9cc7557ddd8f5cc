from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasting.frames import COLUMNS, forecast_frame, read_movement
from forecasting.methods import (
    HORIZONS,
    METHODS,
    Backtest,
    Movement,
    average_month,
    backtest,
    choose,
    coverage,
    everyone_stays,
    forecast,
    last_month,
    project,
    reach,
    recent_months,
    same_month,
)

repeatable = settings(derandomize=True, deadline=None, max_examples=50)
MATRIX = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.0, 0.1, 0.9]])


def simulate(matrices, arrivals, *, start=(500, 300, 200), seed=0):
    """A shop whose customers move at random, each month by its own chances."""
    rng = np.random.default_rng(seed)
    sizes, moves, came = np.array(start), [], []
    for matrix, new in zip(matrices, arrivals, strict=True):
        moved = np.array([rng.multinomial(*pair) for pair in zip(sizes, matrix, strict=True)])
        new = rng.poisson(new)
        sizes = moved.sum(axis=0) + new
        moves.append(moved)
        came.append(new)
    months = np.arange(len(moves)) % 12 + 1
    return Movement(months, np.array(moves, "float64"), np.array(came, "float64"))


def steady(months, **settings):
    return simulate([MATRIX] * months, [(40, 2, 0)] * months, **settings)


def backtests_of(movement):
    return {name: backtest(model, movement) for name, model in METHODS.items()}


# ---------------------------------------------------------------------- models


def test_one_customer_is_added_to_each_segment():
    movement = Movement(
        np.array([1, 2]),
        np.array([[[8.0, 1.0], [0.0, 0.0]], [[4.0, 5.0], [0.0, 0.0]]]),
        np.array([[3.0, 0.0], [9.0, 1.0]]),
    )
    latest = last_month(movement, 3)
    assert latest.shares.tolist() == [[4.75 / 10, 5.25 / 10], [0.25, 0.75]]
    assert latest.arrivals.tolist() == [9.0, 1.0]
    average = average_month(movement, 3)
    assert average.shares[0].tolist() == [12.75 / 19, 6.25 / 19]
    assert average.arrivals.tolist() == [6.0, 0.5]
    recent = recent_months(movement, 3)
    assert recent.shares[0].tolist() == pytest.approx([8.75 / 14.5, 5.75 / 14.5])
    assert recent.arrivals.tolist() == pytest.approx([7.0, 2 / 3])
    stays = everyone_stays(movement, 3)
    assert stays.shares.tolist() == [[1, 0], [0, 1]]
    assert stays.chances[0].tolist() == pytest.approx([13 / 20, 7 / 20])
    assert stays.arrivals.tolist() == [0, 0]


def test_the_same_month_counts_as_often_as_there_was_one():
    movement = steady(14)
    assert same_month(movement.until(11), 12).shares.tolist() == (
        recent_months(movement.until(11), 12).shares.tolist()
    )
    january = movement.moves[0] + movement.moves[12] + 0.5 * np.eye(3) + 0.5 / 3
    expected = 2 / 3 * january / january.sum(axis=1, keepdims=True)
    expected += 1 / 3 * recent_months(movement, 1).shares
    assert same_month(movement, 1).shares == pytest.approx(expected)
    arrivals = (movement.arrivals[0] + movement.arrivals[12]) / 3
    arrivals += recent_months(movement, 1).arrivals / 3
    assert same_month(movement, 1).arrivals == pytest.approx(arrivals)


def test_sizes_are_carried_on_and_newcomers_are_told_apart():
    movement = steady(6)
    step = average_month(movement, 7)
    sizes = movement.sizes()
    assert sizes[0].sum() == 1_000
    assert sizes[-1].sum() == 1_000 + movement.arrivals.sum()
    expected = project(average_month, movement)
    assert expected.new_customers[0] == pytest.approx(step.arrivals)
    assert expected.new_customers[1] == pytest.approx(step.arrivals @ step.shares + step.arrivals)
    assert expected.customers[1] == pytest.approx(
        (sizes[-1] @ step.shares + step.arrivals) @ step.shares + step.arrivals
    )
    everyone = sizes[-1].sum() + step.arrivals.sum() * np.arange(1, 4)
    assert expected.customers.sum(axis=1) == pytest.approx(everyone)


def test_months_of_the_calendar_go_on_after_december():
    asked = []

    def model(movement, month):
        asked.append(int(month))
        return everyone_stays(movement, month)

    project(model, steady(11))
    assert asked == [12, 1, 2]


# ---------------------------------------------------------------------- backtest


def test_a_backtest_knows_nothing_of_what_it_forecasts():
    movement = steady(12)
    other = steady(12, seed=1)
    changed = Movement(
        movement.months,
        np.vstack([movement.moves[:8], other.moves[8:]]),
        np.vstack([movement.arrivals[:8], other.arrivals[8:]]),
    )
    for name, model in METHODS.items():
        one, two = backtest(model, movement), backtest(model, changed)
        # Of a forecast made after five months, the third month ends before what is changed.
        assert one.errors[:5].tolist() == two.errors[:5].tolist(), name
        assert one.log_losses[:7].tolist() == two.log_losses[:7].tolist(), name
        assert one.log_losses[7] != two.log_losses[7], name


def test_errors_and_log_losses_are_those_of_the_definition():
    movement = steady(5)
    found = backtest(average_month, movement)
    sizes = movement.sizes()
    for origin in range(1, 5):
        known = movement.until(origin)
        expected = project(average_month, known).customers
        for horizon in HORIZONS:
            error = found.errors[origin - 1, horizon - 1]
            if origin + horizon <= 5:
                assert error == pytest.approx(expected[horizon - 1] - sizes[origin + horizon])
            else:
                assert np.isnan(error).all()
        chances = average_month(known, 0).chances
        loss = sum(
            -movement.moves[origin, i, j] * np.log(chances[i, j])
            for i in range(3)
            for j in range(3)
        )
        assert found.log_losses[origin - 1] == pytest.approx(loss)
    assert found.populations.tolist() == sizes[1:-1].sum(axis=1).tolist()
    assert found.log_loss() == pytest.approx(found.log_losses.sum() / found.populations.sum())
    assert [found.held_out(horizon) for horizon in HORIZONS] == [4, 3, 2]
    assert found.size_error() == pytest.approx(
        np.average([found.size_error(h) for h in HORIZONS], weights=[4, 3, 2])
    )


def test_steady_chances_are_found_and_come_near_the_best_log_loss():
    movement = steady(40, start=(50_000, 30_000, 20_000))
    backtests = backtests_of(movement)
    held_out = movement.moves[1:]
    best = -(held_out * np.log(np.where(MATRIX > 0, MATRIX, 1))).sum() / held_out.sum()
    assert best <= backtests["average_month"].log_loss() < best + 0.001
    assert choose(backtests) == "average_month"
    for name in ("everyone_stays", "last_month"):
        assert backtests[name].size_error() > 1.1 * backtests["average_month"].size_error()
    assert backtests["everyone_stays"].log_loss() > 1.05 * best


def test_a_planted_season_is_found():
    calm, busy = MATRIX, np.array([[0.2, 0.6, 0.2], [0.1, 0.3, 0.6], [0.0, 0.0, 1.0]])
    back = np.array([[1.0, 0.0, 0.0], [0.6, 0.4, 0.0], [0.3, 0.3, 0.4]])
    year = [calm] * 9 + [busy, busy, back]
    movement = simulate(year * 4, [(40, 2, 0)] * 48)
    assert choose(backtests_of(movement)) == "same_month"
    # The first months of a shop have no season to go by.
    assert choose(backtests_of(movement.until(9))) != "same_month"


def test_chances_that_drift_are_followed():
    drift = [
        np.array([[1 - p, p, 0], [0, 1 - p, p], [p, 0, 1 - p]]) for p in np.linspace(0.02, 0.6, 24)
    ]
    movement = simulate(drift, [(5, 0, 0)] * 24, start=(9_000, 5_000, 1_000))
    assert choose(backtests_of(movement)) in ("last_month", "recent_months")


def test_where_nobody_moves_everyone_stays():
    movement = simulate([np.eye(3)] * 6, [(0, 0, 0)] * 6)
    assert choose(backtests_of(movement)) == "everyone_stays"


def test_the_simplest_of_equals_is_used():
    same = backtest(average_month, steady(4))
    assert choose({"last_month": same, "average_month": same}) == "last_month"
    worse = replace(same, errors=same.errors * 2)
    assert choose({"last_month": worse, "average_month": same}) == "average_month"


# ---------------------------------------------------------------------- intervals


def test_reach_is_that_of_students_t():
    errors, populations = np.array([[10.0], [-20.0], [40.0]]), np.array([100.0, 100.0, 400.0])
    # t of 0.9 with 3 degrees of freedom, by table: 1.638; mean square 3 for each customer.
    assert reach(errors, populations, 1_000)[0] == pytest.approx(1.6377 * 3_000**0.5, rel=1e-4)
    assert np.isnan(reach(errors[:2], populations[:2], 1_000)).all()


def test_intervals_hold_as_often_as_they_say_where_months_differ_by_chance():
    shares = {}
    for horizon in HORIZONS:
        held = [
            coverage(backtest(average_month, steady(40, seed=seed)), horizon) for seed in range(12)
        ]
        assert all(checks == (39 - horizon + 1 - 3 - horizon + 1) * 3 for _, checks in held)
        shares[horizon] = np.mean([share for share, _ in held])
    assert shares[1] == pytest.approx(0.8, abs=0.04)
    # Forecasts that overlap share their errors.
    assert all(0.7 < share < 0.9 for share in shares.values())


def test_coverage_uses_only_errors_that_were_known():
    errors = np.zeros((7, 3, 1))
    errors[:, 1, 0] = [1, 1, 1, 1, 50, 1, np.nan]
    made = Backtest(errors, np.full(7, 100.0), np.zeros(7))
    # Two months ahead, the fifth forecast knows three errors; its own, of 50, is first known to
    # the seventh, which is not over yet.
    assert coverage(made, 2) == (0.5, 2)


# ---------------------------------------------------------------------- forecasts


@pytest.mark.parametrize("months", range(1, 8))
def test_what_a_short_history_can_not_tell_is_none(months):
    movement = steady(months)
    rows = forecast(movement)
    assert [(row["months_ahead"], row["segment"]) for row in rows] == [
        (horizon, segment) for horizon in HORIZONS for segment in range(3)
    ]
    for row in rows:
        held_out = max(months - row["months_ahead"], 0)
        assert row["backtest_months"] == held_out
        assert (row["size_error"] is None) == (held_out == 0)
        assert (row["log_loss_last_month"] is None) == (months == 1)
        assert (row["low"] is None) == (row["high"] is None) == (held_out < 3)
        checks = max(held_out - 3 - row["months_ahead"] + 1, 0)
        assert row["interval_checks"] == checks * 3
        assert (row["interval_coverage"] is None) == (checks == 0)
    if months == 1:
        assert {row["model"] for row in rows} == {"average_month"}


def test_a_forecast_has_the_scores_and_the_interval_of_its_model():
    movement = steady(12)
    backtests = backtests_of(movement)
    for row in forecast(movement):
        horizon, segment = row["months_ahead"], row["segment"]
        chosen = backtests[row["model"]]
        assert row["size_error"] == chosen.size_error(horizon)
        assert row["log_loss"] == chosen.log_loss()
        for naive in ("everyone_stays", "last_month"):
            assert row[f"size_error_{naive}"] == backtests[naive].size_error(horizon)
            assert row[f"log_loss_{naive}"] == backtests[naive].log_loss()
        held_out = 12 - horizon
        errors = chosen.errors[:held_out, horizon - 1]
        half = reach(errors, chosen.populations[:held_out], movement.sizes()[-1].sum())[segment]
        assert row["high"] == pytest.approx(row["expected_customers"] + half)
        assert row["low"] == pytest.approx(max(row["expected_customers"] - half, 0))


@repeatable
@given(
    arrays("float64", (4, 2, 2), elements=st.integers(0, 50).map(float)),
    arrays("float64", (4, 2), elements=st.integers(0, 50).map(float)),
)
def test_any_counts_make_a_forecast(moves, arrivals):
    moves[:, 0, 0] += 1
    rows = forecast(Movement(np.array([11, 12, 1, 2]), moves, arrivals))
    for row in rows:
        assert 0 <= row["expected_new_customers"] <= row["expected_customers"] + 1e-9
        if row["low"] is not None:
            assert 0 <= row["low"] <= row["expected_customers"] <= row["high"]
        assert row["size_error"] is None or row["size_error"] >= 0


def transitions(*rows):
    columns = ["segmentation", "to_date", "from_segment_code", "to_segment_code", "customers"]
    return pd.DataFrame(rows, columns=columns).assign(
        to_date=lambda table: pd.to_datetime(table["to_date"])
    )


def test_transitions_become_arrays_whatever_their_order():
    table = transitions(
        ("s", "2012-01-31", "y", "x", 7),
        ("s", "2011-12-31", "x", "y", 2),
        ("s", "2011-12-31", "new", "x", 3),
        ("s", "2012-01-31", "x", "x", 5),
        ("s", "2012-01-31", "new", "y", 1),
    )
    codes, dates, movement = read_movement(table)
    assert codes == ["x", "y"]
    assert dates.astype(str).tolist() == ["2011-12-31", "2012-01-31"]
    assert movement.months.tolist() == [12, 1]
    assert movement.moves.tolist() == [[[0, 2], [0, 0]], [[5, 0], [7, 0]]]
    assert movement.arrivals.tolist() == [[3, 0], [0, 1]]
    months = pd.date_range("2010-01-31", periods=24, freq="ME")[::-1]
    long = transitions(*(("s", month, "x", "x", 1) for month in months))
    assert read_movement(long)[2].months.tolist() == [*range(1, 13)] * 2


def test_each_segmentation_has_its_own_forecast():
    table = forecast_frame(
        transitions(
            ("t", "2011-10-31", "a", "a", 2),
            ("t", "2011-10-31", "new", "a", 4),
            ("t", "2011-11-30", "a", "a", 6),
            ("t", "2011-11-30", "new", "a", 4),
            ("s", "2011-12-31", "x", "y", 2),
        )
    )
    assert list(table.columns) == list(COLUMNS)
    dates = table.groupby("segmentation")["forecast_date"].unique()
    assert [f"{date:%Y-%m-%d}" for date in dates["t"]] == ["2011-12-31", "2012-01-31", "2012-02-29"]
    assert [f"{date:%Y-%m-%d}" for date in dates["s"]] == ["2012-01-31", "2012-02-29", "2012-03-31"]
    ten = table[table["segmentation"] == "t"]
    assert ten["customers"].tolist() == [10] * 3
    assert ten["expected_customers"].tolist() == [14, 18, 22]
    assert ten["expected_new_customers"].tolist() == [4, 8, 12]
    assert table["low"].isna().all()


def test_nothing_to_forecast_is_an_empty_table():
    table = forecast_frame(transitions())
    assert table.empty
    assert table.dtypes.astype(str).to_dict() == {
        name: kind if kind != "string" else str(pd.StringDtype()) for name, kind in COLUMNS.items()
    }
