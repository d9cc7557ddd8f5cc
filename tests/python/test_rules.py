import re

import duckdb
import numpy as np
import pytest
from conftest import python_model
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segmentation import rules
from segmentation.rules import (
    LEVELS,
    Leaf,
    apply_leaves,
    fence_leaves,
    fit_rules,
    grow_leaves,
    shorten,
    write_sql,
)
from segmentation.scaling import Preparation, find_outliers
from segmentation.stored_fit import StoredFit

repeatable = settings(derandomize=True, deadline=None)
NAMES = ("recency_days", "monetary")
OUTLIERS = {"both": [True, True], "spend": [False, True], "recency": [True, False]}
INF = np.inf


def stored(lows=(-INF, -INF), highs=(INF, INF), kinds=None):
    """A fit of two clusters with these fences."""
    free, one = np.full(2, INF), np.ones(2)
    kinds = OUTLIERS if kinds is None else kinds
    return StoredFit(
        preparation=Preparation(
            (None, None), -free, free, 0 * one, one, np.array(lows), np.array(highs)
        ),
        centers=np.array([[0.0, 0.0], [5.0, 5.0]]),
        codes=["near", "far", *kinds],
        outliers=[np.array(pattern) for pattern in kinds.values()],
    )


def segments_of(features, fit):
    return np.array(fit.codes, dtype=object)[fit.assign(features, features) - 1]


def draw_customers(n_rows, seed, decimals=4):
    rng = np.random.default_rng(seed)
    usual = rng.normal(scale=4, size=(n_rows, 2)).round(decimals)
    usual[::9] = usual[0]
    usual[::10, 1] = (rng.normal(size=len(usual[::10])) * 1_000).round(decimals)
    usual[::11, 0] = (rng.normal(size=len(usual[::11])) * 1_000).round(decimals)
    return usual


def named_by_sql(rule, features, names=NAMES):
    """Which customers DuckDB finds by a rule."""
    columns = ", ".join(
        f"unnest($x{place}::double[])::decimal(18, 6) as {name}" for place, name in enumerate(names)
    )
    values = {f"x{place}": column.tolist() for place, column in enumerate(features.T)}
    found = duckdb.execute(f"select ({rule}) as is_named from (select {columns})", values)
    return found.fetchnumpy()["is_named"].astype(bool)


# ---------------------------------------------------------------------- trees


@repeatable
@given(
    seed=st.integers(0, 999),
    n_rows=st.integers(1, 60),
    n_features=st.integers(1, 3),
    n_segments=st.integers(1, 5),
    decimals=st.integers(0, 4),
)
def test_every_customer_is_in_exactly_one_leaf(seed, n_rows, n_features, n_segments, decimals):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_rows, n_features)).round(decimals)
    segments = rng.choice(list("abcde")[:n_segments], size=n_rows).astype(object)
    leaves = grow_leaves(features, segments, seed)
    others = np.vstack([features, rng.normal(scale=9, size=(40, n_features)), features + 1e-4])
    counts = sum(
        ((others > leaf.lows) & (others <= leaf.highs)).all(axis=1).astype(int) for leaf in leaves
    )
    assert counts.tolist() == [1] * len(others)
    assert {leaf.segment for leaf in leaves} <= set(segments.tolist())


def test_a_leaf_has_the_segment_of_most_of_its_customers():
    features = np.array([[1.0], [1], [1], [2], [2], [2]])
    segments = np.array(list("aabbba"), dtype=object)
    low, high = grow_leaves(features, segments, 0)
    assert (low.segment, high.segment) == ("a", "b")
    assert low.highs == high.lows
    assert 1 <= low.highs[0] < 2


def test_a_tree_has_four_levels_at_most():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2_000, 6)).round(4)
    parity = (features > 0).sum(axis=1) % 2
    leaves = grow_leaves(features, np.where(parity, "odd", "even").astype(object), 0)
    questions = [np.isfinite([*leaf.lows, *leaf.highs]).sum() for leaf in leaves]
    assert max(questions) == LEVELS == 4
    assert len(leaves) <= 2**4


def test_neighbours_of_one_segment_are_one_leaf():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 2)).round(4)
    assert grow_leaves(features, np.full(400, "all", dtype=object), 0) == [
        Leaf((-INF, -INF), (INF, INF), "all")
    ]
    # In every cell of ten customers up to four are of the other segment, which the tree parts by.
    place, cell, number = (axis.ravel() for axis in np.meshgrid([0, 1], range(20), range(10)))
    strangers = number < cell % 5
    segments = np.where((place == 1) ^ strangers, "right", "left").astype(object)
    assert grow_leaves(np.column_stack([place, cell]) * 1.0, segments, 0) == [
        Leaf((-INF, -INF), (0.0, INF), "left"),
        Leaf((0.0, -INF), (INF, INF), "right"),
    ]


def test_a_leaf_holds_at_least_one_customer_in_two_hundred():
    features = np.arange(1_000.0)[:, None]
    segments = np.array(["few"] * 4 + ["many"] * 996, dtype=object)
    leaf = grow_leaves(features, segments, 0)[0]
    assert leaf.highs[0] >= 4
    assert grow_leaves(features[:1], segments[:1], 0)[0].segment == "few"


# ---------------------------------------------------------------------- thresholds


@pytest.mark.parametrize(
    ("values", "threshold", "short"),
    [
        ([1, 2], 1.5, 1.5),
        ([1, 4], 2.5, 2),
        ([1.25, 1.75], 1.5, 1.5),
        ([0, 1_000_000], 500_000, 0),
        ([1_200, 1_900], 1_550, 1_600),
        ([12.34, 12.35], 12.345, 12.34),
        ([0.000001, 0.000002], 0.0000015, 0.000001),
        ([-3, -1], -2, -2),
    ],
)
def test_thresholds_are_as_short_as_can_be(values, threshold, short):
    assert shorten(np.array(values, dtype="float64"), threshold) == short


@repeatable
@given(
    st.lists(st.integers(-(10**8), 10**8).map(lambda n: n / 10**4), min_size=2, max_size=20),
    st.floats(0, 1),
)
@example([1.0, 1.0], 0.5)
@example([123456.7891, 123456.7892], 0.5)
def test_a_shorter_threshold_moves_nobody_across(values, share):
    values = np.array(values)
    threshold = float(values.min() + share * (values.max() - values.min()))
    short = shorten(values, threshold)
    assert (values <= short).tolist() == (values <= threshold).tolist()
    assert float(f"{short:.6f}") == short


def test_a_threshold_beyond_all_values_is_kept_to_six_decimals():
    assert shorten(np.array([1.0, 2.0]), 3.12345678) == 3.123457
    assert shorten(np.array([1.0, 2.0]), 0.5) == 0.5


# ---------------------------------------------------------------------- fences


def test_boxes_of_outliers_are_those_beyond_the_fences():
    fit = stored(lows=(-INF, -10.0), highs=(20.0, 30.0))
    features = np.array([[0.0, 0], [21, 0], [0, 31], [0, -11]])
    inside, leaves = fence_leaves(features, fit)
    assert (inside.lows, inside.highs) == ((-INF, -10.000001), (20, 30))
    assert leaves == [
        Leaf((20, -INF), (INF, -10.000001), "both"),
        Leaf((20, 30), (INF, INF), "both"),
        Leaf((-INF, -INF), (20, -10.000001), "spend"),
        Leaf((-INF, 30), (20, INF), "spend"),
        Leaf((20, -10.000001), (INF, 30), "recency"),
    ]


def test_fences_that_nobody_lies_beyond_are_not_spoken_of():
    fit = stored(lows=(-50.0, -10.0), highs=(20.0, 30.0))
    inside, leaves = fence_leaves(np.array([[20.0, -10.0], [-50.0, 31.0]]), fit)
    assert (inside.lows, inside.highs) == ((-INF, -INF), (INF, 30))
    assert leaves == [Leaf((-INF, 30), (INF, INF), "spend")]


@repeatable
@given(
    fences=st.tuples(st.integers(-(10**7), 0), st.integers(0, 10**7)),
    places=st.integers(0, 4),
    steps=st.lists(st.integers(-3, 3), min_size=1, max_size=6),
)
# In floating point their product with 1,000,000 is not the whole number it should be.
@example((-201, 201), 2, [-1, 0, 1])
def test_boxes_part_customers_where_fences_do_to_the_last_decimal(fences, places, steps):
    low, high = (float(f"{fence}e-{places}") for fence in fences)
    around = sorted({float(f"{fence + step}e-{places}") for fence in fences for step in steps})
    features = np.column_stack([np.zeros(len(around)), around])
    fit = stored(lows=(-INF, low), highs=(INF, high))
    _, leaves = fence_leaves(features, fit)
    outliers = find_outliers(features, fit.preparation)[:, 1]
    said = apply_leaves([leaf for leaf in leaves if leaf.segment == "spend"], features)
    assert (said == "spend").tolist() == outliers.tolist()


def test_fences_with_more_decimals_than_values_have_part_them_too():
    fit = stored(lows=(-INF, -0.12345678), highs=(INF, 0.87654321))
    values = [-0.123457, -0.123456, 0.876543, 0.876544]
    features = np.column_stack([np.zeros(4), values])
    _, leaves = fence_leaves(features, fit)
    assert (apply_leaves(leaves, features) == "spend").tolist() == [True, False, False, True]


# ---------------------------------------------------------------------- SQL


def test_rules_read_like_sql_written_by_hand():
    box = Leaf((-INF, 10.0), (20.5, INF), "a")
    other = Leaf((1_000_000.0, -INF), (INF, -0.000001), "a")
    assert write_sql([box], NAMES) == "recency_days <= 20.5 and monetary > 10"
    assert write_sql([box, other], NAMES) == (
        "(recency_days <= 20.5 and monetary > 10)"
        " or (recency_days > 1000000 and monetary <= -0.000001)"
    )
    assert write_sql([Leaf((0.0, -INF), (1.0, INF), "a")], NAMES) == (
        "recency_days > 0 and recency_days <= 1"
    )


def test_a_segment_of_everybody_is_true_and_one_without_a_leaf_false():
    assert write_sql([Leaf((-INF, -INF), (INF, INF), "a")], NAMES) == "true"
    assert write_sql([], NAMES) == "false"


def test_features_over_a_window_are_looked_up_in_their_own_table():
    names = ("frequency_90d", "recency_days", "monetary_365d", "net_monetary_90d")
    box = Leaf((1.0, 20.5, -INF, -INF), (INF, INF, 0.0, 3.5), "a")
    of_90 = (
        "customer_id in (select customer_id from marts.customer_windows"
        " where window_days = 90 and frequency > 1 and net_monetary <= 3.5)"
    )
    of_365 = (
        "customer_id in (select customer_id from marts.customer_windows"
        " where window_days = 365 and monetary <= 0)"
    )
    assert write_sql([box], names) == f"recency_days > 20.5 and {of_90} and {of_365}"
    free = Leaf((-INF,) * 4, (INF, 7.0, INF, INF), "a")
    assert write_sql([free, box], names) == (
        f"(recency_days <= 7) or (recency_days > 20.5 and {of_90} and {of_365})"
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("lows", "highs"),
    [
        ((-INF, -INF), (INF, INF)),
        ((-INF, -INF), (INF, 1_000.25)),
        ((-900.1234, -800.5), (900.77, 1_000.25)),
        ((-900.1234, -800.5), (INF, INF)),
    ],
    ids=["no fences", "one above", "all four", "below"],
)
def test_duckdb_finds_by_a_rule_whom_the_leaves_name(monkeypatch, seed, lows, highs):
    fit = stored(lows=lows, highs=highs)
    features = draw_customers(400, seed)
    segments = segments_of(features, fit)
    leaves = []
    monkeypatch.setattr(
        rules, "apply_leaves", lambda boxes, rows: leaves.extend(boxes) or apply_leaves(boxes, rows)
    )
    found = fit_rules(features, segments, NAMES, fit, seed=seed)
    # Whoever comes later too, on a threshold or beside it.
    bounds = np.array([[*leaf.lows, *leaf.highs] for leaf in leaves]).reshape(-1, 2)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    everybody = np.vstack([features, bounds, bounds + 1e-6, bounds - 1e-6]).round(6)
    said = apply_leaves(leaves, everybody)
    named = np.zeros(len(everybody), dtype=int)
    for rule in found:
        by_sql = named_by_sql(rule["rule_sql"], everybody)
        assert by_sql.tolist() == (said == rule["segment_code"]).tolist()
        named += by_sql
    assert named[: len(features)].tolist() == [1] * len(features)
    for code in ("both", "spend", "recency"):
        outliers = segments == code
        assert (said[: len(features)][outliers] == code).all()
        assert not (said[: len(features)][~outliers] == code).any()


# ---------------------------------------------------------------------- fidelity


class InOrder:
    """A generator that shuffles nobody, so that the first customers are held out."""

    def permutation(self, n_rows):
        return np.arange(n_rows)


def test_figures_of_held_out_customers_are_those_worked_out_by_hand(monkeypatch):
    # Ten customers, of whom the first three are held out. Those seen are a below 5 and b above.
    features = np.column_stack([np.zeros(10), [1.0, 9, 9, 1, 2, 3, 4, 7, 8, 9]])
    segments = np.array(list("abaaaaabbb"), dtype=object)
    monkeypatch.setattr(rules.np.random, "default_rng", lambda seed: InOrder())
    below, above = fit_rules(features, segments, NAMES, stored(), seed=0)
    assert (below["rule_sql"], above["rule_sql"]) == ("monetary <= 6", "monetary > 6")
    for rule in (below, above):
        assert rule["tested_customers"] == 3
        assert rule["fidelity"] == pytest.approx(2 / 3)
        # Most of those seen are a, and so are two of those held out.
        assert rule["baseline_fidelity"] == pytest.approx(2 / 3)
    assert (below["segment_code"], below["precision"], below["recall"]) == ("a", 1, 0.5)
    assert (above["segment_code"], above["precision"], above["recall"]) == ("b", 0.5, 1)


def test_an_outlier_who_is_held_out_has_a_rule_too(monkeypatch):
    monkeypatch.setattr(rules.np.random, "default_rng", lambda seed: InOrder())
    fit = stored(highs=(INF, 10.0), kinds={"spend": [False, True]})
    features = np.column_stack([np.zeros(10), [99.0, *range(9)]])
    segments = np.array(["spend"] + ["near"] * 9, dtype=object)
    near, spend = fit_rules(features, segments, NAMES, fit, seed=0)
    assert (near["rule_sql"], spend["rule_sql"]) == ("monetary <= 10", "monetary > 10")
    assert near["fidelity"] == 1


def test_customers_held_out_do_not_make_the_rules(monkeypatch):
    seen = []
    monkeypatch.setattr(
        rules,
        "grow_leaves",
        lambda features, segments, seed: (
            seen.extend(features[:, 0].tolist()) or grow_leaves(features, segments, seed)
        ),
    )
    features = np.column_stack([np.arange(100.0), np.zeros(100)])
    segments = np.where(np.arange(100) < 50, "a", "b").astype(object)
    fit_rules(features, segments, NAMES, stored(), seed=3)
    assert len(set(seen)) == 70
    once = sorted(seen)
    seen.clear()
    fit_rules(features, segments, NAMES, stored(), seed=4)
    assert sorted(seen) != once


def test_the_baseline_is_what_most_of_those_seen_are():
    features = np.column_stack([np.zeros(200), np.arange(200.0)])
    segments = np.where(np.arange(200) % 10 == 0, "few", "many").astype(object)
    found = fit_rules(features, segments, NAMES, stored(), seed=0)
    assert found[0]["baseline_fidelity"] == pytest.approx(0.9, abs=0.06)


def test_rules_of_boxes_that_are_there_are_found():
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 100, size=(2_000, 2)).round(2)
    segments = np.where(
        features[:, 0] <= 40, "active", np.where(features[:, 1] <= 25, "small", "large")
    ).astype(object)
    found = {
        rule["segment_code"]: rule
        for rule in fit_rules(features, segments, NAMES, stored(), seed=0)
    }
    assert list(found) == ["active", "large", "small"]
    assert all(rule["fidelity"] > 0.99 for rule in found.values())
    (bound,) = re.fullmatch(r"recency_days <= ([\d.]+)", found["active"]["rule_sql"]).groups()
    assert float(bound) == pytest.approx(40, abs=0.5)
    for rule in found.values():
        assert rule["fidelity"] > rule["baseline_fidelity"]
        assert named_by_sql(rule["rule_sql"], features).sum() == pytest.approx(
            (segments == rule["segment_code"]).sum(), abs=10
        )


def test_a_segment_too_small_to_be_singled_out_has_a_rule_that_names_nobody():
    features = np.column_stack([np.zeros(1_000), np.arange(1_000.0)])
    segments = np.where(np.arange(1_000) % 100 == 0, "scattered", "most").astype(object)
    most, scattered = fit_rules(features, segments, NAMES, stored(), seed=0)
    assert scattered["rule_sql"] == "false"
    assert np.isnan(scattered["precision"])
    assert scattered["recall"] == 0
    assert (most["rule_sql"], most["recall"]) == ("true", 1)


def test_a_rule_asks_four_questions_and_those_of_the_fences():
    features = draw_customers(2_000, 0)
    fit = stored(lows=(-900.1234, -800.5), highs=(900.77, 1_000.25))
    rng = np.random.default_rng(0)
    segments = segments_of(features, fit)
    usual = np.isin(segments, ["near", "far"])
    segments[usual] = rng.choice(["near", "far"], size=usual.sum())
    for rule in fit_rules(features, segments, NAMES, fit, seed=0):
        for box in rule["rule_sql"].split(" or "):
            fences = sum(str(bound) in box for bound in (900.77, 1000.25, 900.123401, 800.500001))
            assert box.count(">") + box.count("<=") <= LEVELS + fences


def test_the_same_customers_have_the_same_rules():
    features, fit = draw_customers(500, 1), stored()
    segments = segments_of(features, fit)
    first, again = (fit_rules(features, segments, NAMES, fit, seed=5) for _ in range(2))
    assert first == again


def test_of_many_customers_a_sample_makes_the_rules(monkeypatch):
    monkeypatch.setattr(rules, "RULE_SAMPLE", 100)
    features, fit = draw_customers(500, 1), stored()
    found = fit_rules(features, segments_of(features, fit), NAMES, fit, seed=5)
    assert {rule["tested_customers"] for rule in found} == {30}


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_few_customers_have_rules_and_figures_only_where_there_is_somebody(n_rows):
    features = np.column_stack([np.zeros(n_rows), np.arange(float(n_rows))])
    found = fit_rules(features, np.array(["a"] * n_rows, dtype=object), NAMES, stored(), seed=0)
    assert [rule["rule_sql"] for rule in found] == ["true"]
    assert found[0]["tested_customers"] == 0
    figures = ("fidelity", "baseline_fidelity", "precision", "recall")
    assert np.isnan([found[0][figure] for figure in figures]).all()


def test_nobody_has_no_rules():
    assert fit_rules(np.empty((0, 2)), np.empty(0, dtype=object), NAMES, stored(), seed=0) == []


def test_outliers_alone_have_their_fences_for_rules():
    fit = stored(highs=(INF, 10.0), kinds={"spend": [False, True]})
    features = np.column_stack([np.zeros(20), np.arange(11.0, 31)])
    found = fit_rules(features, np.full(20, "spend", dtype=object), NAMES, fit, seed=0)
    assert [rule["rule_sql"] for rule in found] == ["monetary > 10"]
    assert found[0]["fidelity"] == 1


# ---------------------------------------------------------------------- the model


model = python_model("int_segment_rules")


class Shop:
    """Customers 1 to 40, of whom the odd ones bought long ago; stands in for dbt."""

    def __init__(self, connection, order="customer_id", lost="false"):
        self.tables = {
            "int_segmentations_declared": connection.sql("""
                select
                    unnest(['two', 'left_out']) as segmentation, 1 as feature_number,
                    'recency_days' as feature, 'none' as transform, 'kmeans' as algorithm, 2 as k,
                    2 as k_min, 8 as k_max, 1 as n_init, 42 as seed, 'standard' as scaler,
                    'keep' as outlier_policy, false as is_separated,
                    true as counts_days, false as grows
            """),
            "cluster_centers": connection.sql("""
                select
                    'two' as segmentation, unnest([1, 2]) as cluster_id,
                    unnest(['now', 'gone']) as segment_code, null as outlier_features,
                    1 as feature_number, 'recency_days' as feature, null as knots,
                    null as clip_low, null as clip_high, 0::double as feature_offset,
                    1::double as feature_scale, null as fence_low, null as fence_high,
                    unnest([0, 100]::double[]) as center_scaled
            """),
            "int_customers_transformed": connection.sql("""
                select
                    'two' as segmentation, i::varchar as customer_id, [i % 2 * 100.0] as features,
                    [i % 2 * 100.0] as measures, 1 as revenue
                from range(1, 41) as numbers (i)
            """),
            "customer_segments": connection.sql(f"""
                select
                    'two' as segmentation, i::varchar as customer_id,
                    case i % 2 when 1 then 'gone' else 'now' end as segment_code,
                    i % 2 + 1 as cluster_id
                from range(1, 41) as numbers (i)
                where not ({lost})
                order by {order}
            """),
        }

    def ref(self, name):
        return self.tables[name]


@pytest.mark.parametrize("order", ["i", "i desc", "hash(i)"])
def test_a_customers_segment_is_its_own_in_whatever_order_rows_come(order):
    with duckdb.connect() as connection:
        rows = model(Shop(connection, order), None)
    assert rows["fidelity"].tolist() == [1, 1]
    assert rows["rule_sql"].tolist() == ["recency_days > 0", "recency_days <= 0"]


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("i = 7", "of 40 customers, 1 have no row in customer_segments, such as 7; it has 39 rows"),
        ("true", "of 40 customers, 40 have no row in customer_segments, such as 1; it has 0 rows"),
    ],
)
def test_rules_are_not_learnt_where_a_customer_has_no_segment(lost, message):
    with duckdb.connect() as connection, pytest.raises(ValueError, match=message):
        model(Shop(connection, lost=lost), None)


def test_rules_are_not_learnt_where_a_segment_has_a_stranger():
    with duckdb.connect() as connection:
        shop = Shop(connection)
        assigned = shop.tables["customer_segments"]
        shop.tables["customer_segments"] = assigned.union(
            connection.sql("select 'two', 'stranger', 'now', 1")
        )
        with pytest.raises(ValueError, match="0 have no row in customer_segments; it has 41 rows"):
            model(shop, None)
