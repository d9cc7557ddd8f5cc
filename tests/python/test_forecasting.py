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
    LATEST_ORIGINS,
    METHODS,
    Backtest,
    Movement,
    average_month,
    backtest,
    choose,
    everyone_stays,
    forecast,
    held,
    is_better,
    last_month,
    project,
    reach,
    recent_months,
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
    return Movement(np.array(moves, "float64"), np.array(came, "float64"))


def steady(months, **settings):
    return simulate([MATRIX] * months, [(40, 2, 0)] * months, **settings)


def backtests_of(movement):
    return {name: backtest(model, movement) for name, model in METHODS.items()}


# ---------------------------------------------------------------------- models


def test_one_customer_is_added_to_each_segment():
    movement = Movement(
        np.array([[[8.0, 1.0], [0.0, 0.0]], [[4.0, 5.0], [0.0, 0.0]]]),
        np.array([[3.0, 0.0], [9.0, 1.0]]),
    )
    latest = last_month(movement)
    assert latest.shares.tolist() == [[4.75 / 10, 5.25 / 10], [0.25, 0.75]]
    assert latest.arrivals.tolist() == [9.0, 1.0]
    average = average_month(movement)
    assert average.shares[0].tolist() == [12.75 / 19, 6.25 / 19]
    assert average.arrivals.tolist() == [6.0, 0.5]
    recent = recent_months(movement)
    # A month counts four times as much as the one before it.
    assert recent.shares[0].tolist() == pytest.approx([6.75 / 12.25, 5.5 / 12.25])
    assert recent.arrivals.tolist() == pytest.approx([7.8, 0.8])
    stays = everyone_stays(movement)
    assert stays.shares.tolist() == [[1, 0], [0, 1]]
    assert stays.chances[0].tolist() == pytest.approx([13 / 20, 7 / 20])
    assert stays.arrivals.tolist() == [0, 0]


def test_sizes_are_carried_on_and_newcomers_are_told_apart():
    movement = steady(6)
    step = average_month(movement)
    sizes = movement.sizes()
    assert sizes[0].sum() == 1_000
    assert sizes[-1].sum() == 1_000 + movement.arrivals.sum()
    expected = project(average_month, movement, sizes[-1])
    assert expected.new_customers[0] == pytest.approx(step.arrivals)
    assert expected.new_customers[1] == pytest.approx(step.arrivals @ step.shares + step.arrivals)
    assert expected.customers[1] == pytest.approx(
        (sizes[-1] @ step.shares + step.arrivals) @ step.shares + step.arrivals
    )
    everyone = sizes[-1].sum() + step.arrivals.sum() * np.arange(1, 4)
    assert expected.customers.sum(axis=1) == pytest.approx(everyone)


def test_months_are_counted_from_the_sizes_given():
    movement = steady(6)
    step = average_month(movement)
    sizes = movement.sizes()[-1] + np.array([7.0, 0.0, 3.0])
    expected = project(average_month, movement, sizes)
    assert expected.customers[0] == pytest.approx(sizes @ step.shares + step.arrivals)


# ---------------------------------------------------------------------- backtest


def test_a_backtest_knows_nothing_of_what_it_forecasts():
    movement = steady(12)
    other = steady(12, seed=1)
    changed = Movement(
        np.vstack([movement.moves[:8], other.moves[8:]]),
        np.vstack([movement.arrivals[:8], other.arrivals[8:]]),
    )
    for name, model in METHODS.items():
        one, two = backtest(model, movement), backtest(model, changed)
        # Of a forecast made after five months, the third month ends before what is changed.
        assert one.errors[:5].tolist() == two.errors[:5].tolist(), name
        assert one.log_losses[:7].tolist() == two.log_losses[:7].tolist(), name
        assert one.log_losses[7] != two.log_losses[7], name


def test_a_backtest_learns_from_months_as_old_as_those_of_today():
    movement, other = steady(12), steady(12, seed=1)
    # The sixth month moves as it did; only how it would be learnt from differs.
    changed = Movement(movement.moves.copy(), movement.arrivals.copy())
    changed.arrivals[5] = other.arrivals[5] + 500
    late, same = (backtest(last_month, shop, behind=1) for shop in (movement, changed))
    prompt = backtest(last_month, movement)
    assert late.errors.shape == (10, 3, 3)
    assert late.populations.tolist() == prompt.populations[1:].tolist()
    # From the end of the sixth month, the fifth is the last one that is learnt from.
    learnt = project(last_month, movement.until(5), movement.sizes()[6]).customers
    assert late.errors[4, 0] == pytest.approx(learnt[0] - movement.sizes()[7])
    assert late.log_losses[4] == same.log_losses[4]
    assert np.isnan(late.errors[9, 1:]).all()


def test_errors_and_log_losses_are_those_of_the_definition():
    movement = steady(5)
    found = backtest(average_month, movement)
    sizes = movement.sizes()
    for origin in range(1, 5):
        known = movement.until(origin)
        expected = project(average_month, known, sizes[origin]).customers
        for horizon in HORIZONS:
            error = found.errors[origin - 1, horizon - 1]
            if origin + horizon <= 5:
                assert error == pytest.approx(expected[horizon - 1] - sizes[origin + horizon])
            else:
                assert np.isnan(error).all()
        chances = average_month(known).chances
        loss = sum(
            -movement.moves[origin, i, j] * np.log(chances[i, j])
            for i in range(3)
            for j in range(3)
        )
        assert found.log_losses[origin - 1] == pytest.approx(loss)
    assert found.populations.tolist() == sizes[1:-1].sum(axis=1).tolist()
    assert found.log_loss() == pytest.approx(found.log_losses.sum() / found.populations.sum())
    assert [found.held_out(horizon) for horizon in HORIZONS] == [4, 3, 2]
    for place, horizon in enumerate(HORIZONS):
        by_hand = [np.abs(errors[place]).mean() for errors in found.errors[: 4 - place]]
        assert found.size_errors(horizon).tolist() == pytest.approx(by_hand)
        assert found.size_error(horizon) == pytest.approx(np.mean(by_hand))


def test_steady_chances_are_found_and_come_near_the_best_log_loss():
    movement = steady(40, start=(50_000, 30_000, 20_000))
    backtests = backtests_of(movement)
    held_out = movement.moves[1:]
    best = -(held_out * np.log(np.where(MATRIX > 0, MATRIX, 1))).sum() / held_out.sum()
    assert best <= backtests["average_month"].log_loss() < best + 0.001
    assert choose(backtests, 1) == "average_month"
    for name in ("everyone_stays", "last_month"):
        assert backtests[name].size_error(1) > 1.1 * backtests["average_month"].size_error(1)
    assert backtests["everyone_stays"].log_loss() > 1.05 * best


def test_chances_that_drift_are_followed():
    drift = [
        np.array([[1 - p, p, 0], [0, 1 - p, p], [p, 0, 1 - p]]) for p in np.linspace(0.02, 0.6, 24)
    ]
    movement = simulate(drift, [(5, 0, 0)] * 24, start=(9_000, 5_000, 1_000))
    for horizon in HORIZONS:
        assert choose(backtests_of(movement), horizon) in ("last_month", "recent_months")


def test_where_nobody_moves_everyone_stays_once_that_was_tested():
    movement = simulate([np.eye(3)] * 6, [(0, 0, 0)] * 6)
    backtests = backtests_of(movement)
    assert [choose(backtests, horizon) for horizon in HORIZONS] == [
        "everyone_stays",
        "everyone_stays",
        "recent_months",
    ]


@pytest.mark.parametrize(
    ("gains", "horizon", "better"),
    [
        ([1, 1, 1], 1, False),
        ([1, 9, 1, 9], 1, True),
        ([1, 9, 1, 0], 1, False),
        ([9, 8, 9, 8, 9, -4], 1, True),
        # Six that overlap tell as much as two that do not.
        ([9, 8, 9, 8, 9, -4], 3, False),
        ([-1, -1, -1, -1], 1, False),
        ([0, 0, 0, 0], 1, False),
    ],
)
def test_better_is_always_or_by_two_standard_errors(gains, horizon, better):
    assert is_better(np.array(gains, "float64"), horizon) is better


def test_the_best_of_those_that_are_better_is_used_so_far_ahead():
    same = backtest(average_month, steady(8))

    def scaled(*factors):
        return replace(same, errors=same.errors * np.array(factors)[:, None])

    def chosen(**backtests):
        return [choose(backtests | {"recent_months": same}, horizon) for horizon in HORIZONS]

    assert (
        chosen(last_month=scaled(0.5, 1, 2), average_month=scaled(0.4, 0.9, 0.9))
        == ["average_month"] * 3
    )
    assert chosen(last_month=scaled(0.5, 1, 2), average_month=scaled(0.6, 1, 0.9)) == [
        "last_month",
        "recent_months",
        "average_month",
    ]
    assert chosen(last_month=scaled(0.5, 1, 1), average_month=scaled(0.5, 1, 1))[0] == "last_month"


def test_what_was_better_more_than_a_year_ago_is_forgotten():
    same = backtest(average_month, steady(LATEST_ORIGINS + 5))
    errors = same.errors.copy()
    errors[-LATEST_ORIGINS:, 0] *= 0.5
    errors[:-LATEST_ORIGINS, 0] *= 100
    turned = {"last_month": replace(same, errors=errors), "recent_months": same}
    assert choose(turned, 1) == "last_month"
    errors[-LATEST_ORIGINS:, 0] *= 4
    errors[:-LATEST_ORIGINS, 0] = 0
    assert choose(turned, 1) == "recent_months"


# ---------------------------------------------------------------------- intervals


def test_reach_is_that_of_students_t():
    errors, populations = np.array([[10.0], [-20.0], [40.0]]), np.array([100.0, 100.0, 400.0])
    # t of 0.9 with 3 degrees of freedom, by table: 1.638; mean square 3 for each customer.
    assert reach(errors, populations, 1_000)[0] == pytest.approx(1.6377 * 3_000**0.5, rel=1e-4)
    assert np.isnan(reach(errors[:2], populations[:2], 1_000)).all()


def test_intervals_hold_as_often_as_they_say_where_months_differ_by_chance():
    shares = {}
    for horizon in HORIZONS:
        inside = [
            held(backtest(average_month, steady(40, seed=seed)), horizon) for seed in range(12)
        ]
        first = 3 + horizon - 1
        assert all(np.isnan(each[:first]).all() for each in inside)
        assert all(each.shape == (39 - horizon + 1, 3) for each in inside)
        shares[horizon] = np.mean([each[first:].mean() for each in inside])
    assert shares[1] == pytest.approx(0.8, abs=0.04)
    # Forecasts that overlap share their errors.
    assert all(0.7 < share < 0.9 for share in shares.values())


def test_intervals_use_only_errors_that_were_known():
    errors = np.zeros((7, 3, 1))
    errors[:, 1, 0] = [1, 1, 1, 1, 50, 1, np.nan]
    made = Backtest(errors, np.full(7, 100.0), np.zeros(7))
    # Two months ahead, the fifth forecast knows three errors; its own, of 50, is first known to
    # the seventh, which is not over yet.
    assert held(made, 2)[4:].tolist() == [[0.0], [1.0]]


# ---------------------------------------------------------------------- forecasts


@pytest.mark.parametrize("behind", [0, 1])
@pytest.mark.parametrize("months", range(1, 8))
def test_what_a_short_history_can_not_tell_is_none(months, behind):
    movement = steady(months)
    rows = forecast(movement, movement.sizes()[-1], behind)
    assert [(row["months_ahead"], row["segment"]) for row in rows] == [
        (horizon, segment) for horizon in HORIZONS for segment in range(3)
    ]
    for row in rows:
        held_out = max(months - row["months_ahead"] - behind, 0)
        assert row["backtest_months"] == held_out
        assert (row["size_error"] is None) == (held_out == 0)
        assert (row["log_loss_last_month"] is None) == (months <= 1 + behind)
        assert (row["low"] is None) == (row["high"] is None) == (held_out < 3)
        checks = max(held_out - 3 - row["months_ahead"] + 1, 0)
        assert row["interval_checks"] == checks * 3
        assert (row["interval_coverage"] is None) == (checks == 0)
        assert (row["is_last_within"] is None) == (checks == 0)
        if held_out < 4:
            assert row["model"] == "recent_months"


def test_a_forecast_has_the_scores_and_the_interval_of_its_model():
    movement = steady(12)
    backtests = backtests_of(movement)
    now = movement.sizes()[-1] + np.array([5.0, 0.0, 2.0])
    within = set()
    for row in forecast(movement, now):
        horizon, segment = row["months_ahead"], row["segment"]
        chosen = backtests[row["model"]]
        assert row["model"] == choose(backtests, horizon)
        assert row["customers"] == now[segment]
        expected = project(METHODS[row["model"]], movement, now).customers
        assert row["expected_customers"] == expected[horizon - 1, segment]
        assert row["size_error"] == chosen.size_error(horizon)
        assert row["log_loss"] == chosen.log_loss()
        for naive in ("everyone_stays", "last_month"):
            assert row[f"size_error_{naive}"] == backtests[naive].size_error(horizon)
            assert row[f"log_loss_{naive}"] == backtests[naive].log_loss()
        held_out = 12 - horizon
        errors = chosen.errors[:held_out, horizon - 1]
        half = reach(errors, chosen.populations[:held_out], now.sum())[segment]
        assert row["high"] == pytest.approx(row["expected_customers"] + half)
        assert row["low"] == pytest.approx(max(row["expected_customers"] - half, 0))
        inside = held(chosen, horizon)
        assert row["is_last_within"] == inside[-1, segment]
        assert row["interval_coverage"] == pytest.approx(np.nanmean(inside))
        assert row["interval_checks"] == (~np.isnan(inside)).sum()
        within.add(row["is_last_within"])
    assert within == {True, False}


@repeatable
@given(
    arrays("float64", (4, 2, 2), elements=st.integers(0, 50).map(float)),
    arrays("float64", (4, 2), elements=st.integers(0, 50).map(float)),
)
def test_any_counts_make_a_forecast(moves, arrivals):
    moves[:, 0, 0] += 1
    rows = forecast(Movement(moves, arrivals), moves[-1].sum(axis=0))
    for row in rows:
        assert 0 <= row["expected_new_customers"] <= row["expected_customers"] + 1e-9
        if row["low"] is not None:
            assert 0 <= row["low"] <= row["expected_customers"] <= row["high"]
        assert row["size_error"] is None or row["size_error"] >= 0


def transitions(*rows):
    columns = ["segmentation", "to_date", "from_segment_code", "to_segment_code", "customers"]
    return pd.DataFrame(rows, columns=columns).assign(
        to_date=lambda table: pd.to_datetime(table["to_date"]),
        is_partial=lambda table: ~table["to_date"].dt.is_month_end,
    )


def test_transitions_become_arrays_whatever_their_order():
    table = transitions(
        ("s", "2012-02-10", "x", "z", 4),
        ("s", "2012-01-31", "y", "x", 7),
        ("s", "2011-12-31", "x", "y", 2),
        ("s", "2011-12-31", "new", "x", 3),
        ("s", "2012-01-31", "x", "x", 5),
        ("s", "2012-01-31", "new", "y", 1),
        ("s", "2012-02-10", "new", "x", 2),
    )
    codes, movement, sizes = read_movement(table)
    assert codes == ["x", "y", "z"]
    assert movement.moves[:, :2, :2].tolist() == [[[0, 2], [0, 0]], [[5, 0], [7, 0]]]
    assert movement.arrivals[:, :2].tolist() == [[3, 0], [0, 1]]
    assert sizes.tolist() == [2, 0, 4]
    codes, movement, sizes = read_movement(table[~table["is_partial"]])
    assert codes == ["x", "y"]
    assert len(movement) == 2
    assert sizes.tolist() == [12, 1]


def test_each_segmentation_has_its_own_forecast():
    table = forecast_frame(
        transitions(
            ("t", "2011-10-31", "a", "a", 2),
            ("t", "2011-10-31", "new", "a", 4),
            ("t", "2011-11-30", "a", "a", 6),
            ("t", "2011-11-30", "new", "a", 4),
            ("s", "2011-12-31", "x", "y", 2),
            ("only a part of a month", "2011-12-10", "x", "y", 2),
        )
    )
    assert list(table.columns) == list(COLUMNS)
    dates = table.groupby("segmentation")["forecast_date"].unique()
    assert [f"{date:%Y-%m-%d}" for date in dates["t"]] == ["2011-12-31", "2012-01-31", "2012-02-29"]
    assert [f"{date:%Y-%m-%d}" for date in dates["s"]] == ["2012-01-31", "2012-02-29", "2012-03-31"]
    assert len(dates) == 2
    ten = table[table["segmentation"] == "t"]
    assert ten["customers"].tolist() == [10] * 3
    assert ten["expected_customers"].tolist() == [14, 18, 22]
    assert ten["expected_new_customers"].tolist() == [4, 8, 12]
    assert table["low"].isna().all()


@pytest.mark.parametrize(
    ("day", "dates", "held_out"),
    [
        ("2011-11-15", ["2011-12-15", "2012-01-15", "2012-02-15"], 2),
        ("2011-11-16", ["2011-12-16", "2012-01-16", "2012-02-16"], 1),
        # The as-of moment was within the last day of the month.
        ("2011-11-30", ["2011-12-30", "2012-01-30", "2012-02-29"], 1),
    ],
)
def test_months_are_counted_from_the_middle_of_a_month(day, dates, held_out):
    months = ["2011-08-31", "2011-09-30", "2011-10-31"]
    moves = transitions(*(("s", end, "a", "a", 6) for end in months), ("s", day, "new", "a", 9))
    moves["is_partial"] = moves["to_date"] == day
    table = forecast_frame(moves)
    assert table["from_date"].astype(str).tolist() == [day] * 3
    assert table["forecast_date"].astype(str).tolist() == dates
    assert table["customers"].tolist() == [9] * 3
    # The part of a month is nothing to learn from: nobody new is expected.
    assert table["expected_customers"].tolist() == [9] * 3
    assert table["backtest_months"].tolist()[0] == held_out


def test_nothing_to_forecast_is_an_empty_table():
    table = forecast_frame(transitions())
    assert table.empty
    assert table.dtypes.astype(str).to_dict() == {
        name: kind if kind != "string" else str(pd.StringDtype()) for name, kind in COLUMNS.items()
    }
