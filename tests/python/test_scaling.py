import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segmentation.scaling import (
    apply_ranks,
    find_outliers,
    fit_fences,
    fit_preparation,
    fit_scale,
    round_significant,
    scale,
)

repeatable = settings(derandomize=True, deadline=None)
numbers = st.floats(-1e9, 1e9, allow_subnormal=False)
SCALERS = ("standard", "min_max", "robust")


def prepare(transformed, raw=None, *, ranked=(), scaler="standard", winsorised=None, separated=()):
    """Preparation of features that are numbered from 0."""
    transformed = np.asarray(transformed, dtype="float64")
    columns = range(transformed.shape[-1])
    return fit_preparation(
        transformed,
        transformed if raw is None else np.asarray(raw, dtype="float64"),
        ranked=[column in ranked for column in columns],
        scaler=scaler,
        winsorised=winsorised,
        separated=[column in separated for column in columns],
    )


def scaled(transformed, **settings):
    return scale(transformed, prepare(transformed, **settings))


# ---------------------------------------------------------------------- scalers


@pytest.mark.parametrize(
    ("scaler", "offsets", "scales"),
    [
        # Of 0, 1, 2, 3 and 14, and ten times as much.
        ("standard", [4, 40], [np.sqrt(26), 10 * np.sqrt(26)]),
        ("min_max", [0, 0], [14, 140]),
        ("robust", [2, 20], [3 - 1, 30 - 10]),
    ],
)
def test_scalers_are_those_worked_out_by_hand(scaler, offsets, scales):
    values = np.array([[3, 30], [0, 0], [14, 140], [1, 10], [2, 20]], dtype="float64")
    found = fit_scale(values, scaler)
    assert found[0] == pytest.approx(offsets)
    assert found[1] == pytest.approx(scales, rel=1e-11)
    preparation = prepare(values, scaler=scaler)
    assert preparation.offsets.tolist() == found[0].tolist()
    assert preparation.scales.tolist() == found[1].tolist()


def test_offsets_are_means_and_scales_population_standard_deviations_unless_declared():
    offsets, scales = fit_scale(np.array([[0.0, 10], [4, 30]]))
    assert offsets.tolist() == [2, 20]
    assert scales.tolist() == [2, 10]


def test_what_a_fit_stores_has_twelve_digits():
    offsets, scales = fit_scale(np.array([[0.0], [0.0], [1.0]]))
    assert offsets.tolist() == [0.333333333333]
    assert scales.tolist() == [0.471404520791]
    offsets, scales = fit_scale(np.array([[1 / 3], [3.0], [4.0], [5.0], [6.0]]), "min_max")
    assert offsets.tolist() == [0.333333333333]
    assert scales.tolist() == [5.66666666667]


@pytest.mark.parametrize("scaler", SCALERS)
@repeatable
@given(value=numbers, n_rows=st.integers(1, 40))
@example(value=0.1, n_rows=3)  # whose mean is not 0.1 in floating point
@example(value=123456.7, n_rows=29)
def test_a_feature_that_does_not_vary_counts_for_nothing(scaler, value, n_rows):
    features = np.full((n_rows, 1), value)
    preparation = prepare(features, scaler=scaler)
    assert preparation.scales.tolist() == [1]
    assert np.abs(scale(features, preparation)).max() <= 1e-11 * max(1, abs(value))


@pytest.mark.parametrize("scaler", SCALERS)
def test_a_small_spread_is_still_variation(scaler):
    _, scales = fit_scale(np.array([[1.0], [1.0 + 2e-9]]), scaler)
    assert scales == pytest.approx([2e-9 if scaler == "min_max" else 1e-9], rel=1e-6)


@pytest.mark.parametrize("scaler", SCALERS)
def test_the_spread_of_one_feature_is_not_that_of_another(scaler):
    found = scaled([[5.0, 1.0], [5.0, 3.0]], scaler=scaler)
    assert found[:, 0].tolist() == [0, 0]
    assert found[0, 1] < found[1, 1]


def test_where_half_of_the_customers_are_alike_the_robust_scale_is_the_spread_of_all():
    values = np.array([[1.0]] * 9 + [[11.0]])
    offsets, scales = fit_scale(values, "robust")
    assert offsets.tolist() == [1]
    assert scales == pytest.approx([3])


@pytest.mark.parametrize("scaler", SCALERS)
@repeatable
@given(amounts=st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True))
def test_pence_scale_like_pounds(scaler, amounts):
    pence = np.array(amounts, dtype="float64")[:, None]
    found = scaled(pence, scaler=scaler)
    assert found == pytest.approx(scaled(pence / 100, scaler=scaler), abs=1e-8)
    if scaler == "standard":
        assert found.mean() == pytest.approx(0, abs=1e-6)
        assert found.std() == pytest.approx(1, abs=1e-6)
    elif scaler == "min_max":
        assert (found.min(), found.max()) == pytest.approx((0, 1))
    else:
        first, middle, third = np.quantile(found, [0.25, 0.5, 0.75])
        assert (middle, third - first) == pytest.approx((0, 1), abs=1e-8)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.empty((0, 2)), "at least one row"),
        ([1.0, 2.0], "two-dimensional"),
        ([[1.0], [np.nan]], "finite"),
        ([[1.0], [np.inf]], "finite"),
    ],
)
def test_features_that_cannot_be_scaled_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        prepare(features)


# ---------------------------------------------------------------------- ranks


def test_a_rank_is_the_share_of_percentiles_below():
    # Of 1 to 199 the percentiles are 2, 4, ... 198.
    features = np.arange(1.0, 200)[:, None]
    preparation = prepare(features, ranked=[0])
    assert preparation.knots[0].tolist() == list(range(2, 200, 2))
    values = np.array([[-5.0], [2.0], [2.5], [100.0], [101.0], [198.0], [200.0], [1e9]])
    ranks = apply_ranks(values, preparation.knots)[:, 0]
    assert ranks.tolist() == [0, 0, 0.01, 0.49, 0.5, 0.98, 0.99, 0.99]


def test_only_ranked_features_are_ranked_and_what_comes_in_stays_as_it_is():
    features = np.array([[5.0, 7.0], [6.0, 1.0]])
    before = features.copy()
    preparation = prepare(features, ranked=[1])
    assert preparation.knots[0] is None
    found = apply_ranks(features, preparation.knots)
    assert found[:, 0].tolist() == [5, 6]
    assert found[:, 1].tolist() == [0.5, 0]
    assert features.tolist() == before.tolist()
    assert scale(features, preparation) == pytest.approx(np.array([[-1, 1], [1, -1]]))


@repeatable
@given(
    st.lists(st.integers(-50, 50).map(lambda n: n / 4), min_size=1, max_size=60),
    st.lists(st.integers(-60, 60).map(lambda n: n / 4), min_size=1, max_size=10),
)
def test_ranks_rise_with_values_and_ties_share_one(fitted, others):
    preparation = prepare(np.array(fitted)[:, None], ranked=[0])
    values = np.array(sorted([*fitted, *others, *others]))
    ranks = apply_ranks(values[:, None], preparation.knots)[:, 0]
    assert (np.diff(ranks) >= 0).all()
    assert (ranks[1:][np.diff(values) == 0] == ranks[:-1][np.diff(values) == 0]).all()
    assert 0 <= ranks.min() and ranks.max() <= 0.99


@repeatable
@given(st.lists(st.integers(0, 40), min_size=1, max_size=300), st.integers(0, 3))
def test_ranks_are_those_of_sql(fitted, power):
    values = np.array(fitted) ** power / 3
    preparation = prepare(values[:, None], ranked=[0])
    in_sql = duckdb.execute(
        "select len(list_filter($knots::double[], lambda k: k < x)) / cast(100 as double) as rank "
        "from (select unnest($x::double[]) as x)",
        {"knots": preparation.knots[0].tolist(), "x": values.tolist()},
    ).fetchnumpy()["rank"]
    assert apply_ranks(values[:, None], preparation.knots)[:, 0].tolist() == in_sql.tolist()


def test_ranks_are_what_is_held_and_scaled():
    features = np.arange(1.0, 200)[:, None] ** 4
    preparation = prepare(features, ranked=[0], scaler="min_max", winsorised=(0.25, 0.75))
    assert preparation.lows == pytest.approx([0.2475], abs=0.003)
    assert preparation.highs == pytest.approx([0.7425], abs=0.003)
    found = scale(features, preparation)[:, 0]
    assert (found[0], found[-1]) == pytest.approx((0, 1))
    assert found[99] == pytest.approx(0.5, abs=0.01)


# ---------------------------------------------------------------------- winsorising


def test_values_are_held_within_the_declared_shares():
    features = np.column_stack([np.arange(101.0), 1000 - np.arange(101.0)])
    preparation = prepare(features, winsorised=(0.05, 0.9), scaler="min_max")
    assert preparation.lows.tolist() == [5, 905]
    assert preparation.highs.tolist() == [90, 990]
    assert preparation.offsets.tolist() == [5, 905]
    assert preparation.scales.tolist() == [85, 85]
    found = scale([[-99, 995], [5, 2000], [47.5, 0], [90, 905], [1e9, 947.5]], preparation)
    assert found.tolist() == [[0, 1], [0, 1], [0.5, 0], [1, 0], [1, 0.5]]


@pytest.mark.parametrize("scaler", SCALERS)
def test_what_is_held_does_not_count_for_the_scale(scaler):
    features = np.arange(100.0)[:, None]
    wild = features.copy()
    wild[-2:] = 1e9
    held = {"winsorised": (0.05, 0.95), "scaler": scaler}
    assert scale(features, prepare(wild, **held)).tolist() == scaled(features, **held).tolist()


def test_without_winsorising_nothing_is_held():
    preparation = prepare(np.arange(100.0)[:, None])
    assert (preparation.lows.tolist(), preparation.highs.tolist()) == ([-np.inf], [np.inf])
    assert scale([[1e12]], preparation)[0, 0] > 1e10


# ---------------------------------------------------------------------- outliers


def test_fences_are_one_and_a_half_interquartile_ranges_beyond_the_quartiles():
    # The quartiles of 0, 10, ... 40 and of 1, 2, 3, 4 are 10 and 30, 1.75 and 3.25.
    assert fit_fences(np.array([40.0, 0, 10, 30, 20])) == (-20, 60)
    assert fit_fences(np.array([4.0, 1, 3, 2])) == (1.75 - 2.25, 3.25 + 2.25)
    assert fit_fences(np.array([7.0])) == (7, 7)


def test_fences_are_stored_with_twelve_digits():
    assert fit_fences(np.array([0, 1 / 3, 1 / 3, 1 / 3])) == (0.125, 0.458333333333)


def test_customers_beyond_a_fence_are_outliers_and_those_on_it_are_not():
    preparation = prepare([[0, 0], [10, 1], [20, 2], [30, 3], [40, 4]], separated=[0])
    assert preparation.fence_lows.tolist() == [-20, -np.inf]
    assert preparation.fence_highs.tolist() == [60, np.inf]
    raw = np.array([[-20.0, 0], [60, 99], [-20.01, 0], [60.01, 0], [0, -1e9]])
    assert find_outliers(raw, preparation).tolist() == [
        [False, False],
        [False, False],
        [True, False],
        [True, False],
        [False, False],
    ]


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("settings", [{}, {"ranked": [1]}, {"winsorised": (0.1, 0.9)}])
def test_outliers_are_left_out_of_all_else(scaler, settings):
    rng = np.random.default_rng(0)
    usual = rng.integers(0, 20, size=(60, 2)) * 1.0
    everybody = np.vstack([usual, [[500.0, 3.0], [700.0, 9.0]]])
    found = prepare(everybody, separated=[0], scaler=scaler, **settings)
    alone = prepare(usual, scaler=scaler, **settings)
    for name in ("lows", "highs", "offsets", "scales"):
        assert getattr(found, name).tolist() == getattr(alone, name).tolist(), name
    if "ranked" in settings:
        assert found.knots[1].tolist() == alone.knots[1].tolist()
    with_them = prepare(everybody, scaler=scaler, **settings)
    assert with_them.offsets.tolist() + with_them.scales.tolist() != (
        found.offsets.tolist() + found.scales.tolist()
    )


def test_fences_are_fitted_on_everybody_in_their_own_unit():
    raw = np.array([[0.0], [1], [2], [3], [4], [100], [120]])
    preparation = prepare(np.log1p(raw), raw, separated=[0])
    low, high = fit_fences(raw[:, 0])
    assert (preparation.fence_lows.tolist(), preparation.fence_highs.tolist()) == ([low], [high])
    assert find_outliers(raw, preparation)[:, 0].tolist() == (raw[:, 0] > high).tolist()
    inside = raw[raw[:, 0] <= high]
    assert preparation.offsets == pytest.approx(np.log1p(inside).mean(axis=0))


def test_somebody_must_be_left_to_cluster():
    # Every customer is beyond the fences of one of the five features.
    features = np.tile(np.arange(20.0) % 7, (5, 1)).T
    for column in range(5):
        features[column * 4 : column * 4 + 4, column] = 99
    with pytest.raises(ValueError, match="every customer is an outlier"):
        prepare(features, separated=range(5))
    assert prepare(features, separated=range(4))


# ---------------------------------------------------------------------- arithmetic


def test_scaling_is_the_arithmetic_of_sql_to_the_last_bit():
    features = np.random.default_rng(0).normal(size=(1000, 1))
    preparation = prepare(features[:100] * 1.7 + 0.3, winsorised=(0.01, 0.99))
    in_sql = duckdb.execute(
        "select (greatest(least(x, $high::double), $low::double) - $offset::double)"
        " / $spread::double as scaled from (select unnest($x) as x)",
        {
            "x": features[:, 0].tolist(),
            "low": preparation.lows[0],
            "high": preparation.highs[0],
            "offset": preparation.offsets[0],
            "spread": preparation.scales[0],
        },
    ).fetchnumpy()["scaled"]
    assert scale(features, preparation)[:, 0].tolist() == in_sql.tolist()


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.1 + 0.2, 0.3),
        (1234567890123.4, 1234567890120.0),
        (-1.23456789012345e-7, -1.23456789012e-7),
        (0.0, 0.0),
        (np.inf, np.inf),
    ],
)
def test_twelve_digits_are_kept(value, rounded):
    assert round_significant([value]).tolist() == [rounded]


def test_rounding_keeps_shapes_and_takes_other_numbers_of_digits():
    assert round_significant([[1.26], [34.0]], digits=2).tolist() == [[1.3], [34]]
    assert round_significant(0.25).shape == ()
    assert round_significant(np.empty((0, 3))).shape == (0, 3)


@repeatable
@given(st.lists(numbers))
def test_rounding_again_changes_nothing(values):
    once = round_significant(values)
    assert round_significant(once).tolist() == once.tolist()
    assert np.allclose(once, values, rtol=5.1e-12, atol=0)
