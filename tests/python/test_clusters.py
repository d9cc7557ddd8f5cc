import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from segmentation import clusters
from segmentation.clusters import (
    ALGORITHMS,
    NOISE,
    TAKE_K,
    choose_eps,
    count_distinct_rows,
    count_neighbours,
    cut_tree,
    fit_partitions,
    nearest_centers,
    refit_on_all,
    round_centers,
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


def fit(points, algorithm, k=None, *, n_init=5, seed=0):
    (partition,) = fit_partitions(points, algorithm, [k], n_init=n_init, seed=seed)
    return partition


def inertia(points, partition):
    return squared_distances(points, partition.centers).min(axis=1).sum()


def squared_distances(features, centers):
    return np.square(features[:, None] - centers[None]).sum(axis=2)


def without_order(centers):
    return sorted(map(tuple, centers.tolist()))


def by_first(labels):
    """The same clusters, numbered in the order of their first customers."""
    numbers = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels.tolist()]


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


@repeatable
@given(
    n_rows=st.integers(1, 60),
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    seed=st.integers(0, 99),
)
def test_a_smaller_sample_is_part_of_the_larger(n_rows, sizes, seed):
    small, large = (sample_rows(n_rows, size, seed) for size in sorted(sizes))
    assert set(small.tolist()) <= set(large.tolist())


def test_everybody_is_drawn_now_and_then():
    samples = [sample_rows(6, 3, seed).tolist() for seed in range(60)]
    assert {row for sample in samples for row in sample} == set(range(6))


# ---------------------------------------------------------------------- every algorithm


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_groups_that_are_there_are_found(algorithm):
    points, group = draw_groups([90, 150, 60])
    partition = fit(points, algorithm, 3)
    assert (partition.algorithm, partition.k) == (algorithm, 3)
    clustered = partition.labels != NOISE
    assert clustered.mean() > 0.85
    assert by_first(partition.labels[clustered]) == by_first(group[clustered])
    assert set(partition.labels[clustered].tolist()) == {0, 1, 2}
    assert np.isnan(partition.eps) == (algorithm != "dbscan")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_centres_are_the_means_of_their_clusters(algorithm):
    points, _ = draw_groups([90, 150, 60])
    partition = fit(points, algorithm, 3)
    for number, center in enumerate(partition.centers):
        assert center == pytest.approx(points[partition.labels == number].mean(axis=0), abs=1e-9)


@pytest.mark.parametrize("algorithm", TAKE_K)
def test_as_many_clusters_are_made_as_asked_for_one_fit_after_the_other(algorithm):
    points, _ = draw_groups([30, 30])
    partitions = list(fit_partitions(points, algorithm, [2, 3, 5], n_init=1, seed=0))
    assert [partition.k for partition in partitions] == [2, 3, 5]
    assert [len(partition.centers) for partition in partitions] == [2, 3, 5]
    assert [len(set(partition.labels.tolist())) for partition in partitions] == [2, 3, 5]


@pytest.mark.parametrize("algorithm", ["dbscan", "hdbscan"])
def test_an_algorithm_that_finds_its_own_number_gives_one_partition(algorithm):
    points, _ = draw_groups([60, 60])
    (partition,) = fit_partitions(points, algorithm, [5, 6, 7], n_init=1, seed=0)
    assert partition.k == len(partition.centers) == 2


@pytest.mark.parametrize("algorithm", TAKE_K)
def test_a_fit_is_made_when_it_is_asked_for(algorithm, monkeypatch):
    made = []
    monkeypatch.setattr(
        clusters, "round_centers", lambda means: made.append(len(means)) or round_centers(means)
    )
    partitions = fit_partitions(draw_groups([20, 20])[0], algorithm, [2, 4], n_init=1, seed=0)
    assert made == []
    assert next(partitions).k == 2
    assert made == [2]
    assert next(partitions).k == 4
    assert made == [2, 4]


def test_the_seed_makes_the_fit():
    points = np.random.default_rng(0).normal(size=(300, 2))
    for algorithm in ("kmeans", "gaussian_mixture"):
        fits = [fit(points, algorithm, 8, n_init=1, seed=seed) for seed in (1, 1, 2)]
        assert fits[0].centers.tolist() == fits[1].centers.tolist()
        assert without_order(fits[0].centers) != without_order(fits[2].centers)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n_rows", [2, 4, 9, 11])
def test_few_customers_and_twins_are_no_trouble(algorithm, n_rows):
    points = np.repeat([[0.0, 1.0], [2.0, 0.0]], [n_rows - 1, 1], axis=0)
    partition = fit(points, algorithm, 2)
    assert partition.labels.shape == (n_rows,)
    assert set(partition.labels.tolist()) <= {NOISE, *range(len(partition.centers))}
    assert np.isfinite(partition.centers).all()
    assert partition.centers.shape[1] == 2


def test_a_mixture_with_an_empty_part_is_still_the_one_asked_for(monkeypatch):
    labels = np.array([3, 3, 1, 1, 3])
    monkeypatch.setattr(clusters.GaussianMixture, "fit_predict", lambda *_: labels)
    partition = fit(np.array([[0.0], [1.0], [8.0], [9.0], [2.0]]), "gaussian_mixture", 4)
    assert partition.k == 4
    assert partition.labels.tolist() == [1, 1, 0, 0, 1]
    assert partition.centers.tolist() == [[8.5], [1.0]]


# ---------------------------------------------------------------------- K-Means


def test_labels_go_by_the_centres_that_are_stored():
    points = np.random.default_rng(0).normal(size=(500, 2))
    partition = fit(points, "kmeans", 5, n_init=1)
    assert partition.labels.tolist() == (
        squared_distances(points, partition.centers).argmin(axis=1).tolist()
    )
    assert round_centers(partition.centers).tolist() == partition.centers.tolist()


def test_centres_have_twelve_digits_and_near_zero_twelve_places():
    assert round_centers(np.array([[1 / 3, 1e-13, -1e-14, 2e-7 / 3]])).tolist() == [
        [0.333333333333, 0.0, 0.0, 6.6667e-8]
    ]
    assert not np.signbit(round_centers(np.array([-1e-14])))[0]


def test_the_best_of_all_starts_is_kept():
    points = np.random.default_rng(0).normal(size=(300, 2))
    once, often = (
        [inertia(points, fit(points, "kmeans", 8, n_init=n, seed=seed)) for seed in range(10)]
        for n in (1, 10)
    )
    assert max(often) < np.median(once)


def test_a_refit_moves_each_centre_to_the_mean_of_all_its_customers():
    points, group = draw_groups([100, 100, 100])
    sampled = fit(points[sample_rows(300, 30, seed=5)], "kmeans", 3, n_init=1)
    refit = refit_on_all(points, sampled, seed=5)
    assert (refit.algorithm, refit.k) == ("kmeans", 3)
    assert refit.labels.tolist() == nearest_centers(points, sampled.centers).tolist()
    assert inertia(points, refit) < inertia(points, sampled)
    for number in range(3):
        (label,) = set(refit.labels[group == number].tolist())
        assert refit.centers[label] == pytest.approx(points[group == number].mean(axis=0))


def test_a_refit_starts_at_the_centres_of_the_sample():
    # In this square both halvings are optima: which is found is where the search began.
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    for start in ([[0.0, 0.5], [1.0, 0.5]], [[0.5, 1.0], [0.5, 0.0]]):
        begun = clusters.Partition("kmeans", 2, np.zeros(4, dtype="int64"), np.array(start))
        assert refit_on_all(square, begun, seed=0).centers.tolist() == start


# ---------------------------------------------------------------------- Ward


@repeatable
@given(seed=st.integers(0, 999), n_rows=st.integers(2, 40), k=st.integers(1, 8))
def test_the_cut_tree_is_the_clustering_of_scikit_learn(seed, n_rows, k):
    k = min(k, n_rows)
    points = np.random.default_rng(seed).normal(size=(n_rows, 2))
    tree = AgglomerativeClustering(n_clusters=1).fit(points).children_
    expected = AgglomerativeClustering(n_clusters=k).fit(points).labels_
    assert cut_tree(tree, k).tolist() == by_first(expected)


def test_wards_clusters_are_the_cut_tree_for_every_k():
    points = np.random.default_rng(1).normal(size=(200, 3))
    for partition in fit_partitions(points, "ward", range(2, 9), n_init=1, seed=0):
        expected = AgglomerativeClustering(n_clusters=partition.k, linkage="ward").fit(points)
        assert partition.labels.tolist() == by_first(expected.labels_)


def test_a_tree_cut_by_hand():
    # 0 and 3 merge first, then 1 and 2, then both.
    tree = np.array([[0, 3], [1, 2], [4, 5]])
    assert cut_tree(tree, 4).tolist() == [0, 1, 2, 3]
    assert cut_tree(tree, 3).tolist() == [0, 1, 2, 0]
    assert cut_tree(tree, 2).tolist() == [0, 1, 1, 0]
    assert cut_tree(tree, 1).tolist() == [0, 0, 0, 0]


# ---------------------------------------------------------------------- DBSCAN and HDBSCAN


@pytest.mark.parametrize(
    ("n_rows", "n_features", "neighbours"), [(99, 1, 4), (99, 2, 4), (99, 5, 10), (3, 5, 3)]
)
def test_a_dense_place_has_twice_as_many_neighbours_as_features(n_rows, n_features, neighbours):
    assert count_neighbours(np.zeros((n_rows, n_features))) == neighbours


def test_the_radius_is_the_knee_of_the_distances_to_the_fourth_neighbour():
    # A row of 21, one apart: the fourth, oneself counted, is 2 away, at both ends 3. Of the two
    # outside, 100 has its fourth at 19 and 130 at 19. The curve 111, 81, 3, 3, 2, ... 2 bends at 3.
    points = np.array([*range(21), 100, 130], dtype="float64")[:, None]
    assert choose_eps(points, 4) == 3
    # The curve of the nearest other, 30, 30, 1, 1, ... 1, bends at 1.
    assert choose_eps(points, 2) == 1


def test_the_radius_of_a_fit_is_the_one_that_was_used():
    points, _ = draw_groups([60, 60])
    partition = fit(points, "dbscan")
    assert partition.eps == choose_eps(points, 4)
    again = DBSCAN(eps=partition.eps, min_samples=4).fit(points)
    assert partition.labels.tolist() == again.labels_.tolist()


def test_the_radius_grows_with_the_unit():
    points, _ = draw_groups([60, 60])
    assert choose_eps(points * 8, 4) == pytest.approx(choose_eps(points, 4) * 8)


def test_twins_everywhere_still_have_a_radius():
    assert choose_eps(np.zeros((9, 2)), 4) == 1
    points = np.array([[0.0]] * 40 + [[0.5], [0.9]])
    # The knee is at 0: the least distance above it is from 0.5 to its fourth, at 0.
    assert choose_eps(points, 4) == 0.5


def test_one_crowd_is_one_cluster_and_a_hermit_noise():
    points = np.vstack([np.random.default_rng(0).normal(size=(100, 2)), [[99.0, 99.0]]])
    partition = fit(points, "dbscan")
    assert partition.labels[-1] == NOISE
    assert partition.k == 1
    assert partition.centers[0] == pytest.approx(points[partition.labels == 0].mean(axis=0))


def test_clusters_of_hdbscan_hold_two_percent():
    points, _ = draw_groups([300, 300, 9])
    partition = fit(points, "hdbscan")
    assert partition.k == 2
    assert np.bincount(partition.labels[partition.labels != NOISE]).min() >= 13
    points, _ = draw_groups([300, 300, 30])
    assert fit(points, "hdbscan").k == 3


def test_too_few_for_two_clusters_of_hdbscan_are_all_noise():
    points, _ = draw_groups([5, 4])
    partition = fit(points, "hdbscan")
    assert partition.k == 0
    assert partition.labels.tolist() == [NOISE] * 9
    assert partition.centers.shape == (0, 2)
    points, group = draw_groups([5, 5])
    assert adjusted_rand_score(group, fit(points, "hdbscan").labels) == 1


def test_a_fit_leaves_the_points_alone():
    points, _ = draw_groups([60, 60])
    before = points.copy()
    for algorithm in ALGORITHMS:
        fit(points, algorithm, 2)
    assert points.tolist() == before.tolist()


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
