from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from threadpoolctl import threadpool_limits

from segmentation import quality
from segmentation.clusters import ALGORITHMS, NOISE, Partition, fit_partitions
from segmentation.quality import (
    Yardstick,
    adjusted_rand,
    center_agreement,
    cross_table,
    measure_stability,
)

repeatable = settings(derandomize=True, deadline=None)
FIGURES = ("silhouette", "davies_bouldin", "calinski_harabasz")
SETTINGS = {"n_init": 1, "seed": 0}

# A resample can hold fewer rows that differ than a mixture has parts; a build keeps that quiet too.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads cost more than they save on so few customers."""
    with threadpool_limits(limits=1):
        yield


def draw_groups(sizes, seed=0, apart=10.0):
    """Groups of these sizes, some standard deviations apart on a line."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(len(group), 2)) + np.column_stack([apart * group, 0 * group]), group


def fits(points, algorithms, ks):
    """Labels of every algorithm for every k, as stability is measured on."""
    return {
        algorithm: [
            (partition.k, partition.labels)
            for partition in fit_partitions(points, algorithm, ks, **SETTINGS)
        ]
        for algorithm in algorithms
    }


# ---------------------------------------------------------------------- figures


def test_figures_of_a_split_are_those_worked_out_by_hand():
    figures = Yardstick(np.array([[0.0], [1.0], [10.0], [11.0]]), 0).figures(np.array([0, 0, 1, 1]))
    # Each is 1 from its own; the outer two are 10.5 from the others, the inner two 9.5.
    assert figures["silhouette"] == pytest.approx((9.5 / 10.5 + 8.5 / 9.5) / 2)
    assert figures["davies_bouldin"] == pytest.approx((0.5 + 0.5) / 10)
    assert figures["calinski_harabasz"] == pytest.approx((4 * 5**2 / 1) / (4 * 0.5**2 / 2))


def test_a_customer_alone_in_a_cluster_has_no_width():
    figures = Yardstick(np.array([[0.0], [1.0], [10.0]]), 0).figures(np.array([0, 0, 1]))
    assert figures["silhouette"] == pytest.approx((9 / 10 + 8 / 9 + 0) / 3)


@repeatable
@given(
    seed=st.integers(0, 999),
    n_rows=st.integers(3, 60),
    n_clusters=st.integers(2, 6),
    noise=st.sampled_from([0.0, 0.3]),
    unit=st.sampled_from([1e-3, 1.0, 1e3]),
    twins=st.booleans(),
)
def test_figures_are_those_of_scikit_learn_with_noise_left_out(
    seed, n_rows, n_clusters, noise, unit, twins
):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_rows, 3)) * unit
    if twins:
        points = np.round(points / unit)
    labels = rng.integers(n_clusters, size=n_rows)
    labels[rng.random(n_rows) < noise] = NOISE
    kept = labels != NOISE
    assume(2 <= len(set(labels[kept].tolist())) < kept.sum())
    figures = Yardstick(points, 0).figures(labels)
    assert figures["silhouette"] == pytest.approx(
        silhouette_score(points[kept], labels[kept]), abs=1e-4
    )
    assert figures["davies_bouldin"] == davies_bouldin_score(points[kept], labels[kept])
    assert figures["calinski_harabasz"] == calinski_harabasz_score(points[kept], labels[kept])


def test_one_yardstick_measures_any_number_of_partitions():
    points, group = draw_groups([20, 30, 10])
    yardstick = Yardstick(points, 0)
    with_noise = np.where(group == 2, NOISE, group)
    for labels in (group, with_noise, group % 2, group):
        assert yardstick.figures(labels) == Yardstick(points, 0).figures(labels)
    assert yardstick.figures(with_noise) == pytest.approx(
        Yardstick(points[group < 2], 0).figures(group[group < 2])
    )


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2], [0, 0, 0], [NOISE] * 3, [0, 0, NOISE], [0, 1, NOISE]],
    ids=["one each", "one cluster", "all noise", "one cluster and noise", "one each and noise"],
)
def test_a_split_without_contrast_has_no_figures(labels):
    figures = Yardstick(np.array([[0.0], [1.0], [2.0]]), 0).figures(np.array(labels))
    assert list(figures) == list(FIGURES)
    assert np.isnan(list(figures.values())).all()


def test_clusters_in_one_place_have_a_silhouette_of_zero():
    figures = Yardstick(np.zeros((4, 2)), 0).figures(np.array([0, 0, 1, 1]))
    assert figures["silhouette"] == 0


def test_figures_of_many_customers_are_taken_on_a_seeded_sample(monkeypatch):
    points, group = draw_groups([150, 150])
    exact = Yardstick(points, 1).figures(group)
    monkeypatch.setattr(quality, "PAIRS_SAMPLE", 100)
    monkeypatch.setattr(quality, "PAIRS_EXACT", 300)
    assert Yardstick(points, 2).rows.tolist() == list(range(300))
    monkeypatch.setattr(quality, "PAIRS_EXACT", 299)
    sampled = [Yardstick(points, seed) for seed in (1, 1, 2)]
    assert [len(yardstick.rows) for yardstick in sampled] == [100, 100, 100]
    figures = [yardstick.figures(group[yardstick.rows]) for yardstick in sampled]
    assert figures[0] == figures[1] != figures[2]
    assert figures[0]["silhouette"] == pytest.approx(exact["silhouette"], abs=0.05)


# ---------------------------------------------------------------------- stability


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_clear_groups_are_found_again(algorithm):
    points, _ = draw_groups([150, 150, 150], apart=20.0)
    (found,) = measure_stability(
        points, fits(points, [algorithm], [3]), refits=4, **SETTINGS
    ).values()
    assert [stability.refits for stability in found] == [4]
    # A resample has gaps and places with many twins, which noise depends on.
    assert found[0].mean > (0.8 if algorithm in ("dbscan", "hdbscan") else 0.999)


def test_what_is_not_there_is_found_elsewhere_the_next_time():
    points = np.random.default_rng(0).uniform(size=(300, 5))
    found = measure_stability(points, fits(points, ["kmeans", "ward"], [7]), refits=5, **SETTINGS)
    for (stability,) in found.values():
        assert stability.mean < 0.6
        assert stability.spread > 0.01


def test_the_right_number_of_clusters_is_the_stable_one():
    points, _ = draw_groups([100, 100, 100], apart=20.0)
    found = measure_stability(points, fits(points, ["kmeans"], [3, 4, 5]), refits=5, **SETTINGS)
    means = [stability.mean for stability in found["kmeans"]]
    assert means[0] > 0.999 > 0.95 > max(means[1:])


def test_labels_that_are_not_the_algorithms_own_are_not_found_again():
    points, group = draw_groups([100, 100])
    chance = np.random.default_rng(0).permutation(group)
    found = measure_stability(
        points, {"kmeans": [(2, group)], "ward": [(2, chance)]}, refits=3, **SETTINGS
    )
    assert found["kmeans"][0].mean == 1
    assert abs(found["ward"][0].mean) < 0.1


def test_noise_counts_as_a_cluster():
    points, group = draw_groups([100, 100])
    noisy = np.where(group == 1, NOISE, group)
    found = measure_stability(points, {"kmeans": [(2, noisy)]}, refits=2, **SETTINGS)
    assert found["kmeans"][0].mean == 1


def test_the_mean_and_spread_are_those_of_the_refits(monkeypatch):
    scores = iter([0.2, 0.6, 1.0])
    monkeypatch.setattr(quality, "adjusted_rand", lambda *_: next(scores))
    points, group = draw_groups([20, 20])
    ((stability,),) = measure_stability(
        points, {"ward": [(2, group)]}, refits=3, **SETTINGS
    ).values()
    assert stability.mean == pytest.approx(0.6)
    assert stability.spread == pytest.approx(np.sqrt(0.32 / 3))


def test_without_refits_stability_is_unknown():
    points, group = draw_groups([20, 20])
    found = measure_stability(
        points, {"ward": [(2, group), (3, group)], "dbscan": [(2, group)]}, refits=0, **SETTINGS
    )
    assert {algorithm: len(of_k) for algorithm, of_k in found.items()} == {"ward": 2, "dbscan": 1}
    for stability in (each for of_k in found.values() for each in of_k):
        assert np.isnan([stability.mean, stability.spread]).all()
        assert stability.refits == 0


def test_stability_is_the_same_again_and_in_any_order_of_algorithms():
    points = np.random.default_rng(0).normal(size=(120, 2))
    fitted = fits(points, ALGORITHMS, [2, 4])
    first, again, backwards, alone = (
        measure_stability(points, partitions, refits=2, **SETTINGS)
        for partitions in (
            fitted,
            fitted,
            dict(reversed(fitted.items())),
            {"ward": fitted["ward"]},
        )
    )
    assert first == again == backwards
    assert list(backwards) == list(reversed(ALGORITHMS))
    assert alone["ward"] == first["ward"]
    other = measure_stability(points, {"ward": fitted["ward"]}, refits=2, n_init=1, seed=1)
    assert other["ward"] != first["ward"]


def test_processes_that_share_the_refits_change_no_figure():
    points = np.random.default_rng(0).normal(size=(120, 2))
    fitted = fits(points, ALGORITHMS, [2, 4])
    assert measure_stability(points, fitted, refits=4, jobs=2, **SETTINGS) == measure_stability(
        points, fitted, refits=4, **SETTINGS
    )


def test_more_clusters_than_a_resample_has_customers_that_differ_are_unknown():
    points = np.arange(6.0)[:, None]
    algorithms = ["kmeans", "gaussian_mixture", "ward"]
    found = measure_stability(points, fits(points, algorithms, [2, 4, 6]), refits=6, **SETTINGS)
    for few, some, many in found.values():
        assert np.isfinite(few.mean)
        # Some of the six resamples have four customers that differ, some have not.
        assert np.isnan(some.mean)
        assert np.isnan(many.mean)


def test_many_customers_are_resampled_in_part(monkeypatch):
    monkeypatch.setattr(quality, "RESAMPLE", 50)
    sizes = []

    def fit_and_look(points, *args, **settings):
        sizes.append(len(points))
        return fit_partitions(points, *args, **settings)

    monkeypatch.setattr(quality, "fit_partitions", fit_and_look)
    for n_rows in (40, 60):
        points = np.random.default_rng(0).normal(size=(n_rows, 1))
        measure_stability(points, {"ward": [(1, np.zeros(n_rows))]}, refits=2, **SETTINGS)
    assert sizes == [40, 40, 50, 50]


def test_resamples_are_drawn_with_replacement_and_no_two_are_alike(monkeypatch):
    drawn = []

    def fit_and_look(points, *args, **settings):
        drawn.append(points[:, 0].tolist())
        return fit_partitions(points, *args, **settings)

    monkeypatch.setattr(quality, "fit_partitions", fit_and_look)
    points, group = np.arange(100.0)[:, None], np.zeros(100)
    measure_stability(points, {"ward": [(1, group)], "kmeans": [(1, group)]}, refits=2, **SETTINGS)
    assert drawn[0] == drawn[1] != drawn[2] == drawn[3]
    assert 50 < len(set(drawn[0])) < 80
    assert 50 < len(set(drawn[2])) < 80


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_noise_and_one_cluster_are_no_trouble(algorithm):
    points = np.random.default_rng(0).normal(size=(8, 2))
    for labels in (np.full(8, NOISE), np.zeros(8, dtype="int64")):
        found = measure_stability(points, {algorithm: [(1, labels)]}, refits=2, **SETTINGS)
        assert np.isfinite(found[algorithm][0].mean)


# ---------------------------------------------------------------------- agreement


def test_customers_nearer_to_another_centre_do_not_agree():
    points = np.array([[0.2], [0.0], [1.0], [2.0], [9.0]])
    partition = Partition("ward", 2, np.array([NOISE, 0, 0, 0, 1]), np.array([[0.0], [3.0]]))
    assert center_agreement(points, partition) == 3 / 4
    everybody = replace(partition, labels=np.array([0, 0, 0, 1, 1]))
    assert center_agreement(points, everybody) == 1
    assert center_agreement(points, replace(partition, labels=np.array([1, 1, 1, 0, 0]))) == 0


def test_nobody_agrees_where_all_are_noise():
    partition = Partition("hdbscan", 0, np.array([NOISE, NOISE]), np.empty((0, 1)))
    assert np.isnan(center_agreement(np.array([[0.0], [1.0]]), partition))


def test_customers_of_k_means_are_nearest_to_their_own_centre():
    points = np.random.default_rng(0).normal(size=(200, 2))
    for partition in fit_partitions(points, "kmeans", [2, 5], **SETTINGS):
        assert center_agreement(points, partition) == 1


@repeatable
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40))
def test_a_cross_table_counts_every_customer_once(pairs):
    labels, others = np.array(pairs).T
    table = cross_table(labels, others)
    assert table == sorted((*pair, pairs.count(pair)) for pair in set(pairs))
    assert {type(number) for row in table for number in row} == {int}


@given(
    st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 3)), min_size=2, max_size=60),
)
def test_agreement_is_that_of_scikit_learn(pairs):
    labels, other_labels = np.array(pairs).T
    found = adjusted_rand(labels, other_labels)
    assert found == adjusted_rand_score(labels, other_labels)
    assert found == adjusted_rand(other_labels, labels)
