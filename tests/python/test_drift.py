from dataclasses import replace

import numpy as np
import pytest

from segmentation.customers import Customers
from segmentation.drift import (
    Drift,
    bin_shares,
    describe_reference,
    distances_to_own,
    explained_share,
    fingerprint,
    judge_drift,
    measure_drift,
    sketch,
    stability_index,
)
from segmentation.scaling import Preparation
from segmentation.stored_fit import StoredFit

FEATURES = ("recency_days", "monetary")


def customers(raw, ids=None):
    raw = np.asarray(raw, dtype="float64")
    ids = [str(number) for number in range(len(raw))] if ids is None else ids
    return Customers(np.array(ids, dtype=object), raw, raw, raw[:, 1])


def fit(centers, *, offsets=(0.0, 0.0), scales=(1.0, 1.0), fence=np.inf):
    n_features = 2
    return StoredFit(
        preparation=Preparation(
            knots=(None,) * n_features,
            lows=np.full(n_features, -np.inf),
            highs=np.full(n_features, np.inf),
            offsets=np.array(offsets),
            scales=np.array(scales),
            fence_lows=np.full(n_features, -np.inf),
            fence_highs=np.array([np.inf, fence]),
        ),
        centers=np.array(centers, dtype="float64"),
        codes=["one", "two", "far"],
        outliers=[] if np.isinf(fence) else [np.array([False, True])],
    )


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


def test_distances_are_to_the_own_centre_in_scaled_units_and_outliers_have_none():
    of = customers([[2, 0], [8, 6], [0, 100]])
    clusters, distances = distances_to_own(
        of, fit([[0, 0], [3, 3]], offsets=(2.0, 0.0), scales=(2.0, 2.0), fence=50)
    )
    assert clusters.tolist() == [1, 2, 3]
    assert distances[:2].tolist() == [0, 0]
    assert np.isnan(distances[2])


def test_the_same_customers_have_not_drifted():
    rng = np.random.default_rng(1)
    of = customers(rng.exponential(10, size=(1000, 2)))
    chosen = fit([[5, 5], [20, 20]])
    drift = measure_drift(of, FEATURES, chosen, describe_reference(of, FEATURES, chosen))
    assert drift.psi == {"recency_days": 0, "monetary": 0}
    assert 0.005 <= drift.far_share <= 0.012
    assert drift.known_share == 1


def test_one_feature_shifts_alone_and_customers_go_beyond_reach():
    rng = np.random.default_rng(1)
    raw = rng.exponential(10, size=(1000, 2))
    chosen = fit([[5, 5], [20, 20]])
    reference = describe_reference(customers(raw), FEATURES, chosen)
    drift = measure_drift(customers(raw * [1, 3]), FEATURES, chosen, reference)
    assert drift.psi["recency_days"] == 0
    assert drift.psi["monetary"] > 0.25
    assert drift.far_share > 0.1


def test_customers_set_apart_are_beyond_no_reach():
    of = customers([[0, 0], [1, 0], [0, 100], [0, 200]])
    chosen = fit([[0, 0], [3, 3]], fence=50)
    reference = describe_reference(of, FEATURES, chosen)
    # The second cluster has nobody, and so no reach.
    assert reference.reaches.tolist() == [pytest.approx(0.99), 0]
    moved = customers([[0, 0], [0.9, 0], [9, 999], [0, 999]])
    assert measure_drift(moved, FEATURES, chosen, reference).far_share == 0


def test_a_feature_of_few_values_has_as_many_bins():
    of = customers([[1, 0]] * 95 + [[2, 0]] * 5)
    reference = describe_reference(of, FEATURES, fit([[0, 0]]))
    assert reference.edges["recency_days"].tolist() == [1]
    assert reference.shares["recency_days"] == pytest.approx([95.5 / 101, 5.5 / 101])


def test_how_many_of_the_fitted_customers_are_still_there():
    ids = [f"c{number}" for number in range(2000)]
    rng = np.random.default_rng(3)
    raw = rng.exponential(10, size=(2000, 2))
    chosen = fit([[5, 5], [20, 20]])
    reference = describe_reference(customers(raw, ids), FEATURES, chosen)
    half = measure_drift(customers(raw[:1000], ids[:1000]), FEATURES, chosen, reference)
    assert 0.35 < half.known_share < 0.65
    others = [f"d{number}" for number in range(2000)]
    assert measure_drift(customers(raw, others), FEATURES, chosen, reference).known_share == 0
    # Newcomers take nobody's place.
    more = customers(np.vstack([raw, raw]), ids + others)
    assert measure_drift(more, FEATURES, chosen, reference).known_share == 1


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

CALM = Drift({"recency_days": 0.1, "monetary": 0.1}, 0.01, 1.0)


def test_what_is_near_its_fit_is_kept():
    is_due, reason = judge_drift(CALM, 0.70, 0.71)
    assert not is_due
    assert reason == (
        "no feature has shifted, and a refit explains 71.0% of the variation instead of 70.0%"
    )


def test_days_move_with_the_calendar_and_money_does_not():
    season = replace(CALM, psi={"recency_days": 0.63, "monetary": 0.08})
    is_due, reason = judge_drift(season, 0.66, 0.72, frozenset(["recency_days"]))
    assert not is_due
    assert reason.endswith("days counted move with the calendar (recency_days 0.63)")
    shift = replace(CALM, psi={"recency_days": 0.1, "monetary": 0.26})
    assert judge_drift(shift, 0.70, 0.71) == (True, "monetary has shifted (index 0.26, above 0.25)")
    assert not judge_drift(replace(CALM, psi={"monetary": 0.25}), 0.7, 0.7)[0]


def test_a_refit_is_due_where_it_explains_much_more_or_many_are_far():
    assert judge_drift(CALM, 0.57, 0.74)[0]
    assert "a refit explains 74% of the variation, this fit 57%" in judge_drift(CALM, 0.57, 0.74)[1]
    assert not judge_drift(CALM, 0.65, 0.74)[0]
    is_due, reason = judge_drift(replace(CALM, far_share=0.11), 0.7, 0.7)
    assert is_due
    assert reason == "11% of customers are beyond the reach of their cluster"
    assert not judge_drift(replace(CALM, far_share=0.10), 0.7, 0.7)[0]
