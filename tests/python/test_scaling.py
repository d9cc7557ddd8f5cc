import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segmentation.scaling import fit_standard_scale, round_significant, scale

repeatable = settings(derandomize=True, deadline=None)
numbers = st.floats(-1e9, 1e9, allow_subnormal=False)


def test_offsets_are_means_and_scales_population_standard_deviations():
    offsets, scales = fit_standard_scale([[0, 10], [4, 30]])
    assert offsets.tolist() == [2, 20]
    assert scales.tolist() == [2, 10]


def test_what_a_fit_stores_has_twelve_digits():
    offsets, scales = fit_standard_scale([[0.0], [0.0], [1.0]])
    assert offsets.tolist() == [0.333333333333]
    assert scales.tolist() == [0.471404520791]


@repeatable
@given(value=numbers, n_rows=st.integers(1, 40))
@example(value=0.1, n_rows=3)  # whose mean is not 0.1 in floating point
@example(value=123456.7, n_rows=29)
def test_a_feature_that_does_not_vary_counts_for_nothing(value, n_rows):
    features = np.full((n_rows, 1), value)
    offsets, scales = fit_standard_scale(features)
    assert scales.tolist() == [1]
    assert np.abs(scale(features, offsets, scales)).max() <= 1e-11 * max(1, abs(value))


def test_a_small_spread_is_still_variation():
    _, scales = fit_standard_scale([[1.0], [1.0 + 2e-9]])
    assert scales == pytest.approx([1e-9], rel=1e-6)


def test_the_spread_of_one_feature_is_not_that_of_another():
    features = np.array([[5.0, 1.0], [5.0, 3.0]])
    assert scale(features, *fit_standard_scale(features)).tolist() == [[0, -1], [0, 1]]


@repeatable
@given(amounts=st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True))
def test_pence_scale_like_pounds(amounts):
    pence = np.array(amounts, dtype="float64")[:, None]
    pounds = pence / 100
    scaled = scale(pence, *fit_standard_scale(pence))
    assert scaled == pytest.approx(scale(pounds, *fit_standard_scale(pounds)), abs=1e-8)
    assert scaled.mean() == pytest.approx(0, abs=1e-6)
    assert scaled.std() == pytest.approx(1, abs=1e-6)


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
        fit_standard_scale(features)


def test_scaling_is_the_arithmetic_of_sql_to_the_last_bit():
    features, (offset, spread) = np.random.default_rng(0).normal(size=(1000, 1)), (0.1, 0.7)
    in_sql = duckdb.execute(
        "select (x - $offset::double) / $spread::double as scaled from (select unnest($x) as x)",
        {"x": features[:, 0].tolist(), "offset": offset, "spread": spread},
    ).fetchnumpy()["scaled"]
    assert scale(features, np.array([offset]), np.array([spread]))[:, 0].tolist() == in_sql.tolist()


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.1 + 0.2, 0.3),
        (1234567890123.4, 1234567890120.0),
        (-1.23456789012345e-7, -1.23456789012e-7),
        (0.0, 0.0),
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
