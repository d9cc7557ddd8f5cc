from dataclasses import replace

import numpy as np
import pytest

from segmentation.customers import Customers
from segmentation.drift import (
    Drift,
    aged_shares,
    bin_shares,
    describe_reference,
    explained_share,
    fingerprint,
    judge_drift,
    measure_drift,
    sketch,
    stability_index,
)

FEATURES = ("recency_days", "monetary")


def customers(raw, ids=None):
    raw = np.asarray(raw, dtype="float64")
    ids = [str(number) for number in range(len(raw))] if ids is None else ids
    return Customers(np.array(ids, dtype=object), raw, raw, raw[:, 1])


def test_a_value_on_an_edge_lies_below_it_and_no_bin_is_empty():
    # Counts 2, 1, 0 and half a customer in each of three bins.
    shares = bin_shares(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0]))
    assert shares == pytest.approx([2.5 / 4.5, 1.5 / 4.5, 0.5 / 4.5])


def test_the_index_of_two_distributions_by_hand():
    expected, actual = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert stability_index(expected, actual) == pytest.approx(
        -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    )
    assert stability_index(expected, expected) == 0
    # It is the same in both directions.
    assert stability_index(actual, expected) == pytest.approx(stability_index(expected, actual))


def test_what_clusters_explain_by_hand():
    points = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0], [12.0, 0.0]])
    # Around the mean of 6: 36 + 16 + 16 + 36 = 104; around the own means: 4 times 1.
    assert explained_share(points, np.array([7, 7, 3, 3])) == pytest.approx(1 - 4 / 104)
    assert explained_share(points, np.array([1, 1, 1, 1])) == 0
    assert explained_share(np.ones((3, 2)), np.array([1, 2, 2])) == 1


def test_the_same_customers_have_not_drifted():
    of = customers(np.random.default_rng(1).exponential(10, size=(1000, 2)))
    drift = measure_drift(of, FEATURES, describe_reference(of, FEATURES))
    assert drift == Drift({"recency_days": 0, "monetary": 0}, 1.0)


def test_one_feature_shifts_alone():
    raw = np.random.default_rng(1).exponential(10, size=(1000, 2))
    reference = describe_reference(customers(raw), FEATURES)
    drift = measure_drift(customers(raw * [1, 3]), FEATURES, reference)
    assert drift.psi["recency_days"] == 0
    assert drift.psi["monetary"] > 0.25


# ---------------------------------------------------------------------- age


def test_what_age_may_have_added_by_hand():
    edges, expected = np.array([10.0, 20.0]), np.array([0.5, 0.25, 0.25])
    values = np.array([30.0, 12.0, 5.0, 90.0])
    # In the order 5, 12, 30, 90 the first two belong below 10, then one to 20, and one above.
    assert aged_shares(values, edges, expected, 1.0) == pytest.approx(bin_shares(values, edges))
    # 12 may have been 6, and 30 at least 15, so each is where it belongs.
    doubled = aged_shares(values, edges, expected, 2.0)
    assert doubled == pytest.approx(np.array([2.5, 1.5, 1.5]) / 5.5)
    # 12 may have been 10 at least, and 30 may not have been below 25.
    little = aged_shares(values, edges, expected, 1.2)
    assert little == pytest.approx(np.array([2.5, 0.5, 2.5]) / 5.5)


def test_nobody_is_taken_to_have_been_worth_more_before():
    edges, expected = np.array([10.0]), np.array([0.5, 0.5])
    assert aged_shares(np.array([1.0, 2.0]), edges, expected, 9.0) == pytest.approx(
        [2.5 / 3, 0.5 / 3]
    )


def test_what_is_negative_grows_downwards():
    edges, expected = np.array([-10.0]), np.array([0.5, 0.5])
    values = np.array([-30.0, -18.0])
    assert aged_shares(values, edges, expected, 1.5) == pytest.approx([2.5 / 3, 0.5 / 3])
    assert aged_shares(values, edges, expected, 2.0) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("then", "now", "ageing", "has_shifted"),
    [
        (365.0, 730.0, True, False),
        (365.0, 600.0, True, True),
        (365.0, 365.0, True, True),
        # Data of the last 365 days only, and data that reach less far back.
        (730.0, 365.0, True, True),
        (None, 730.0, True, True),
        (365.0, None, True, True),
        (365.0, 730.0, False, True),
    ],
)
def test_totals_twice_as_high_are_no_shift_in_data_twice_as_old(then, now, ageing, has_shifted):
    raw = np.random.default_rng(1).lognormal(3, 0.3, size=(1000, 2))
    reference = describe_reference(customers(raw), FEATURES, then)
    ageing = frozenset(["monetary"] if ageing else [])
    drift = measure_drift(customers(raw * [1, 2]), FEATURES, reference, days=now, ageing=ageing)
    assert (drift.psi["monetary"] > 0.25) == has_shifted
    assert has_shifted or drift.psi["monetary"] == pytest.approx(0, abs=0.001)


def test_totals_half_as_high_are_a_shift_in_data_half_as_old():
    raw = np.random.default_rng(1).lognormal(3, 0.3, size=(1000, 2))
    reference = describe_reference(customers(raw), FEATURES, 730.0)
    halved = customers(raw / [1, 2])
    drift = measure_drift(halved, FEATURES, reference, days=365.0, ageing=frozenset(FEATURES))
    assert drift.psi["monetary"] > 0.25


@pytest.mark.parametrize("factors", [[3, 3], [1, 4]])
def test_a_real_change_is_seen_in_data_that_are_older_too(factors):
    """All prices are three times as high, or half of the customers buy four times as often."""
    rng = np.random.default_rng(1)
    raw = np.column_stack([rng.exponential(50, size=2000), rng.geometric(0.3, size=2000)])
    reference = describe_reference(customers(raw), FEATURES, 300)
    raw[:, 1] *= np.tile(factors, 1000)
    ageing = frozenset(FEATURES)
    drift = measure_drift(customers(raw), FEATURES, reference, days=390, ageing=ageing)
    assert drift.psi["recency_days"] == pytest.approx(0, abs=0.01)
    assert drift.psi["monetary"] > 0.25


def test_a_feature_of_few_values_has_as_many_bins():
    of = customers([[1, 0]] * 95 + [[2, 0]] * 5)
    reference = describe_reference(of, FEATURES)
    assert reference.edges["recency_days"].tolist() == [1]
    assert reference.shares["recency_days"] == pytest.approx([95.5 / 101, 5.5 / 101])


def test_how_many_of_the_fitted_customers_are_still_there():
    ids = [f"c{number}" for number in range(2000)]
    rng = np.random.default_rng(3)
    raw = rng.exponential(10, size=(2000, 2))
    reference = describe_reference(customers(raw, ids), FEATURES)
    half = measure_drift(customers(raw[:1000], ids[:1000]), FEATURES, reference)
    assert 0.35 < half.known_share < 0.65
    others = [f"d{number}" for number in range(2000)]
    assert measure_drift(customers(raw, others), FEATURES, reference).known_share == 0
    # Newcomers take nobody's place.
    more = customers(np.vstack([raw, raw]), ids + others)
    assert measure_drift(more, FEATURES, reference).known_share == 1


def test_a_sketch_does_not_depend_on_order_nor_on_the_machine():
    ids = np.array(["12346", "12347", "x"], dtype=object)
    assert sketch(ids).tolist() == sketch(ids[::-1]).tolist()
    assert len(sketch(np.array([str(n) for n in range(300)], dtype=object))) == 100
    # Written down once: a fit that was kept must be known again elsewhere.
    assert sketch(ids).tolist() == [
        4217798598091355925,
        7869353157402288317,
        12216476691245958657,
    ]


def test_any_change_changes_the_fingerprint():
    of = customers([[1, 2], [3, 4]])
    same = customers([[1, 2], [3, 4]])
    assert fingerprint(of) == fingerprint(same)
    changed = [
        replace(of, ids=np.array(["0", "2"], dtype=object)),
        replace(of, ids=np.array(["01", ""], dtype=object)),
        replace(of, raw=of.raw + np.array([[0, 1e-12], [0, 0]])),
        replace(of, transformed=of.transformed * 2),
        replace(of, revenue=of.revenue + 1),
    ]
    assert len({fingerprint(each) for each in [of, *changed]}) == 6


# ---------------------------------------------------------------------- judging

CALM = Drift({"recency_days": 0.1, "monetary": 0.1}, 1.0)
DAYS = frozenset(["recency_days"])


def test_what_is_near_its_fit_is_kept():
    is_due, reason = judge_drift(CALM, 0.70, 0.71)
    assert not is_due
    assert reason == (
        "no feature has shifted, and a refit explains 71.0% of the variation instead of 70.0%"
    )


def test_days_move_with_the_calendar_and_money_does_not():
    season = replace(CALM, psi={"recency_days": 1.75, "monetary": 0.08})
    is_due, reason = judge_drift(season, 0.66, 0.72, DAYS)
    assert not is_due
    assert reason.endswith("days counted move with the calendar (recency_days 1.75)")
    shift = replace(CALM, psi={"recency_days": 0.1, "monetary": 0.26})
    assert judge_drift(shift, 0.70, 0.71) == (True, "monetary has shifted (index 0.26, above 0.25)")
    assert not judge_drift(replace(CALM, psi={"monetary": 0.25}), 0.7, 0.7)[0]


def test_no_calendar_moves_days_as_far_as_a_shop_that_sells_nothing_for_long():
    pause = replace(CALM, psi={"recency_days": 3.16, "monetary": 0.0})
    told = (True, "recency_days has shifted (index 3.16, above 1.75)")
    assert judge_drift(pause, 0.58, 0.74, DAYS) == told


def test_what_a_refit_explains_is_told_and_decides_nothing():
    is_due, reason = judge_drift(CALM, 0.57, 0.74)
    assert not is_due
    assert reason.endswith(
        "a refit explains 74.0% of the variation instead of 57.0%; this fit is of a younger shop; "
        "to make the refit: VARS='{refit: always}'"
    )
    assert "younger" not in judge_drift(CALM, 0.65, 0.74)[1]
