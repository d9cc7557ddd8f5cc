import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from threadpoolctl import threadpool_limits

from segmentation import clusters
from segmentation.clusters import (
    count_distinct_rows,
    fit_kmeans,
    measure,
    nearest_centers,
    refit_on_all,
    sample_rows,
)

repeatable = settings(derandomize=True, deadline=None)
# Eighths have exact squares, so that the properties below hold to the last bit.
eighths = st.integers(-80, 80).map(lambda number: number / 8)
customers = arrays("float64", st.tuples(st.integers(1, 40), st.just(2)), elements=eighths)
centers = arrays("float64", st.tuples(st.integers(1, 6), st.just(2)), elements=eighths)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads cost more than they save on so few customers."""
    with threadpool_limits(limits=1):
        yield


def draw_groups(sizes, seed=0):
    """Groups of these sizes, ten standard deviations apart on a line."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(len(group), 2)) + np.column_stack([10.0 * group, 0 * group]), group


def squared_distances(features, centers):
    return np.square(features[:, None] - centers[None]).sum(axis=2)


def without_order(centers):
    return sorted(map(tuple, centers.tolist()))


# ---------------------------------------------------------------------- samples


@repeatable
@given(n_rows=st.integers(0, 9), size=st.integers(0, 9), seed=st.integers(0, 99))
def test_a_sample_is_rising_rows_without_repetition(n_rows, size, seed):
    rows = sample_rows(n_rows, size, seed)
    assert len(rows) == min(n_rows, size)
    assert (np.diff(rows) > 0).all()
    assert set(rows.tolist()) <= set(range(n_rows))


def test_the_seed_and_nothing_else_makes_the_sample():
    first = sample_rows(1000, 100, seed=1)
    assert sample_rows(1000, 100, seed=1).tolist() == first.tolist()
    assert sample_rows(1000, 100, seed=2).tolist() != first.tolist()


# ---------------------------------------------------------------------- figures


def test_figures_of_a_split_are_those_worked_out_by_hand():
    split = measure(np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([[0.5], [10.5]]), seed=0)
    assert split.k == 2
    assert split.labels.tolist() == [0, 0, 1, 1]
    assert split.inertia == pytest.approx(4 * 0.5**2)
    # Each is 1 from its own; the outer two are 10.5 from the others, the inner two 9.5.
    assert split.silhouette == pytest.approx((9.5 / 10.5 + 8.5 / 9.5) / 2)
    assert split.davies_bouldin == pytest.approx((0.5 + 0.5) / 10)
    assert split.calinski_harabasz == pytest.approx((4 * 5**2 / 1) / (4 * 0.5**2 / 2))


def test_the_smallest_cluster_is_a_share_of_all_customers():
    points = np.array([[0.0], [1.0], [10.0], [11.0], [12.0]])
    assert measure(points, np.array([[0.5], [11]]), seed=0).smallest_cluster_share == 2 / 5
    assert measure(points, np.array([[0.5], [11], [99]]), seed=0).smallest_cluster_share == 0


@pytest.mark.parametrize(
    "centers", [[[0.0], [1.0], [2.0]], [[0.0]]], ids=["one customer each", "one cluster"]
)
def test_a_split_without_contrast_has_no_quality_figures(centers):
    split = measure(np.array([[0.0], [1.0], [2.0]]), np.array(centers), seed=0)
    figures = [split.silhouette, split.davies_bouldin, split.calinski_harabasz]
    assert np.isnan(figures).all()
    assert split.inertia >= 0


def test_labels_go_by_the_centres_that_are_stored():
    # Between centres at 0 and 1 this customer belongs to 1, before rounding it belonged to 0.
    split = measure(np.array([[0.5 + 1e-13], [0.0]]), np.array([[0.0], [1.0 + 4e-13]]), seed=0)
    assert split.centers.tolist() == [[0], [1]]
    assert split.labels.tolist() == [1, 0]


def test_silhouettes_of_many_customers_are_taken_on_a_seeded_sample(monkeypatch):
    features, group = draw_groups([150, 150])
    middles = np.array([features[group == 0].mean(axis=0), features[group == 1].mean(axis=0)])
    exact = measure(features, middles, seed=1)
    monkeypatch.setattr(clusters, "SILHOUETTE_SAMPLE", 100)
    monkeypatch.setattr(clusters, "SILHOUETTE_EXACT", 300)
    assert measure(features, middles, seed=2).silhouette == exact.silhouette
    monkeypatch.setattr(clusters, "SILHOUETTE_EXACT", 299)
    sampled = [measure(features, middles, seed=seed) for seed in (1, 1, 2)]
    assert sampled[0].silhouette == sampled[1].silhouette != sampled[2].silhouette
    assert sampled[0].silhouette == pytest.approx(exact.silhouette, abs=0.05)
    for split in sampled:
        assert split.inertia == exact.inertia
        assert split.davies_bouldin == exact.davies_bouldin
        assert split.calinski_harabasz == exact.calinski_harabasz


# ---------------------------------------------------------------------- fits


def test_a_fit_finds_groups_that_are_there():
    features, group = draw_groups([30, 50, 20])
    fit = fit_kmeans(features, 3, n_init=5, seed=0)
    for number in range(3):
        (label,) = set(fit.labels[group == number])
        assert fit.centers[label] == pytest.approx(features[group == number].mean(axis=0))
    assert fit.smallest_cluster_share == 0.2


def test_customers_of_a_fit_are_in_the_cluster_of_the_nearest_centre():
    features = np.random.default_rng(0).normal(size=(500, 2))
    fit = fit_kmeans(features, 5, n_init=1, seed=0)
    assert fit.labels.tolist() == squared_distances(features, fit.centers).argmin(axis=1).tolist()
    assert fit.inertia == pytest.approx(squared_distances(features, fit.centers).min(axis=1).sum())


def test_the_best_of_all_starts_is_kept():
    features = np.random.default_rng(0).normal(size=(300, 2))
    once, often = (
        [fit_kmeans(features, 8, n_init=n_init, seed=seed).inertia for seed in range(10)]
        for n_init in (1, 10)
    )
    assert max(often) < np.median(once)


def test_the_seed_makes_the_fit():
    features = np.random.default_rng(0).normal(size=(300, 2))
    fits = [fit_kmeans(features, 8, n_init=1, seed=seed) for seed in (1, 1, 2)]
    assert fits[0].centers.tolist() == fits[1].centers.tolist()
    assert without_order(fits[0].centers) != without_order(fits[2].centers)


def test_clusters_need_as_many_customers_that_differ():
    features = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert fit_kmeans(features, 2, n_init=1, seed=0).inertia == 0
    with pytest.raises(ValueError, match="3 clusters need at least 3 customers that differ"):
        fit_kmeans(features, 3, n_init=1, seed=0)


def test_of_many_customers_a_seeded_sample_makes_the_centres_and_all_are_measured(monkeypatch):
    monkeypatch.setattr(clusters, "FIT_SAMPLE", 60)
    features, _ = draw_groups([100, 100, 100])
    fit = fit_kmeans(features, 3, n_init=1, seed=5)
    assert fit.labels.tolist() == squared_distances(features, fit.centers).argmin(axis=1).tolist()
    elsewhere = features + 1000
    rows = sample_rows(300, 60, seed=5)
    elsewhere[rows] = features[rows]
    assert fit_kmeans(elsewhere, 3, n_init=1, seed=5).centers.tolist() == fit.centers.tolist()


def test_a_refit_moves_each_centre_to_the_mean_of_all_its_customers(monkeypatch):
    monkeypatch.setattr(clusters, "FIT_SAMPLE", 30)
    features, group = draw_groups([100, 100, 100])
    fit = fit_kmeans(features, 3, n_init=1, seed=5)
    refit = refit_on_all(features, fit, seed=5)
    assert refit.labels.tolist() == fit.labels.tolist()
    assert refit.inertia < fit.inertia
    for number in range(3):
        (label,) = set(refit.labels[group == number])
        assert refit.centers[label] == pytest.approx(features[group == number].mean(axis=0))


def test_a_fit_on_everybody_needs_no_refit(monkeypatch):
    features, _ = draw_groups([10, 10])
    monkeypatch.setattr(clusters, "FIT_SAMPLE", 20)
    fit = fit_kmeans(features, 2, n_init=1, seed=0)
    assert refit_on_all(features, fit, seed=0) is fit


# ---------------------------------------------------------------------- assignment


@repeatable
@given(customers, centers)
def test_no_other_centre_is_nearer(features, centers):
    labels = nearest_centers(features, centers)
    distances = squared_distances(features, centers)
    assert distances[np.arange(len(features)), labels].tolist() == distances.min(axis=1).tolist()
    assert labels.dtype == "int64"


@repeatable
@given(features=customers, centers=centers, data=st.data())
def test_a_customer_is_assigned_alike_in_any_company(features, centers, data):
    rows = data.draw(st.lists(st.integers(0, len(features) - 1), min_size=1))
    together = nearest_centers(features, centers)
    assert nearest_centers(features[rows], centers).tolist() == together[rows].tolist()


@repeatable
@given(
    arrays("float64", st.tuples(st.integers(1, 30), st.just(2)), elements=st.sampled_from([0, 1])),
    st.integers(1, 6),
)
def test_distinct_rows_are_counted_until_there_are_enough(features, enough):
    distinct = len(set(map(tuple, features.tolist())))
    assert min(count_distinct_rows(features, enough), enough) == min(distinct, enough)


def test_distinct_rows_are_found_and_counted_once_however_far_apart():
    features = np.zeros((5_000, 1))
    features[1::2] = 1
    features[[0, -1]] = [[2], [3]]
    assert count_distinct_rows(features, 4) == 4
    assert count_distinct_rows(features, 5) == 4
    assert count_distinct_rows(features[:0], 1) == 0
