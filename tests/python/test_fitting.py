import json
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from segmentation import clusters, fitting
from segmentation.clusters import nearest_centers
from segmentation.fitting import Declaration, fit_segmentation
from segmentation.scaling import scale
from segmentation.tables import read_centers

TIERS = Declaration(
    segmentation="tiers",
    features=("frequency", "monetary"),
    algorithm="kmeans",
    k=None,
    k_min=2,
    k_max=6,
    n_init=5,
    seed=0,
)
# Three kinds of customers, on whole numbers so that sums are exact in any order of rows.
MIDDLES = {"best": (30, 900), "middle": (10, 500), "rare": (1, 20)}
SIZES = {"best": 50, "middle": 150, "rare": 100}
PROTOTYPES = {
    "best": np.array([1.5, 1.5]),
    "middle": np.array([0.0, 0.0]),
    "rare": np.array([-1.0, -1.5]),
}


@pytest.fixture(scope="module")
def customers():
    """Features and kinds of 300 customers, in no order."""
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.repeat(list(SIZES), list(SIZES.values())))
    middles = np.array([MIDDLES[kind] for kind in kinds])
    return middles + rng.integers(-1, 2, size=middles.shape) * 1.0, kinds


def chosen(rows):
    (row,) = [row for row in rows if row["is_selected"]]
    return row


def names_of(row, features):
    """The name of each customer under a fit, from what the fit stores."""
    offsets, scales, centers = read_centers(row["centers"])
    codes = {cell["cluster_id"]: cell["segment_code"] for cell in json.loads(row["centers"])}
    return [codes[i + 1] for i in nearest_centers(scale(features, offsets, scales), centers)]


def test_every_k_is_fitted_and_one_chosen(customers):
    rows = fit_segmentation(TIERS, customers[0], PROTOTYPES)
    assert [row["k"] for row in rows] == [2, 3, 4, 5, 6]
    assert [row["clusters"] for row in rows] == [2, 3, 4, 5, 6]
    assert {row["customers"] for row in rows} == {300}
    assert chosen(rows)["k"] == 3
    assert chosen(rows)["smallest_cluster_share"] == round(50 / 300, 6)
    inertias = [row["inertia"] for row in rows]
    assert inertias == sorted(inertias, reverse=True)
    for row in rows:
        assert (row["segmentation"], row["algorithm"]) == ("tiers", "kmeans")
        assert (row["selection_reason"] is not None) == row["is_selected"]
        assert len(json.loads(row["centers"])) == row["k"] * 2


def test_figures_are_in_scaled_units(customers):
    whole = chosen(fit_segmentation(TIERS, customers[0], PROTOTYPES))
    tenth = chosen(fit_segmentation(TIERS, customers[0] / 10, PROTOTYPES))
    assert 0 < whole["inertia"] < 300 * 2
    for figure in ("inertia", "silhouette", "davies_bouldin", "calinski_harabasz"):
        assert tenth[figure] == pytest.approx(whole[figure], abs=1e-5)


def test_a_declared_k_is_used_whatever_the_figures_say(customers):
    rows = fit_segmentation(replace(TIERS, k=5), customers[0], PROTOTYPES)
    assert [row["k"] for row in rows] == [2, 3, 4, 5, 6]
    assert chosen(rows)["k"] == 5
    assert chosen(rows)["selection_reason"] == "k is declared"


def test_customers_get_the_name_of_their_kind(customers):
    features, kinds = customers
    row = chosen(fit_segmentation(TIERS, features, PROTOTYPES))
    assert names_of(row, features) == kinds.tolist()


def test_clusters_are_numbered_in_the_order_of_the_playbook(customers):
    for codes in (["best", "middle", "rare"], ["rare", "best", "middle"]):
        prototypes = {code: PROTOTYPES[code] for code in codes}
        cells = json.loads(chosen(fit_segmentation(TIERS, customers[0], prototypes))["centers"])
        found = [(cell["cluster_id"], cell["segment_code"]) for cell in cells[::2]]
        assert found == list(enumerate(codes, start=1))


def test_stored_centres_are_where_the_customers_of_the_name_are(customers):
    features, kinds = customers
    row = chosen(fit_segmentation(TIERS, features, PROTOTYPES))
    offsets, scales, centers = read_centers(row["centers"])
    for code, center in zip(PROTOTYPES, centers * scales + offsets, strict=True):
        assert center == pytest.approx(features[kinds == code].mean(axis=0))
    cells = json.loads(row["centers"])
    assert [(cell["feature_number"], cell["feature"]) for cell in cells[:2]] == [
        (1, "frequency"),
        (2, "monetary"),
    ]


def test_seed_starts_and_row_order_leave_clear_clusters_as_they_are(customers):
    features, _ = customers
    declared = replace(TIERS, k=3, k_min=3, k_max=3)
    reference = chosen(fit_segmentation(declared, features, PROTOTYPES))
    for number in range(8):
        other = replace(declared, seed=number, n_init=1 + number)
        shuffled = np.random.default_rng(number).permutation(features)
        for rows in (features, shuffled):
            row = chosen(fit_segmentation(other, rows, PROTOTYPES))
            assert row["centers"] == reference["centers"]
            assert row["model_version"] == reference["model_version"]


def test_row_order_leaves_a_centre_at_zero_as_it_is():
    group = np.array([0.1, 0.2, 0.3, 0.4, 0.7])
    features = np.concatenate([group - 5, group, group + 5])[:, None]
    declared = replace(TIERS, features=("monetary",), k=3, k_min=3, k_max=3)
    prototypes = {"low": np.array([-1.0]), "middle": np.array([0.0]), "high": np.array([1.0])}
    rng = np.random.default_rng(0)
    fits = [fit_segmentation(declared, rng.permutation(features), prototypes) for _ in range(10)]
    assert len({chosen(rows)["model_version"] for rows in fits}) == 1


def test_declared_seed_and_starts_are_used():
    features = np.random.default_rng(0).normal(size=(300, 2))
    once, again, often = (
        [
            chosen(fit_segmentation(replace(declared, seed=seed), features, PROTOTYPES))
            for seed in range(5)
        ]
        for declared in (
            replace(TIERS, k=6, k_min=6, n_init=1),
            replace(TIERS, k=6, k_min=6, n_init=1),
            replace(TIERS, k=6, k_min=6, n_init=10),
        )
    )
    versions = [row["model_version"] for row in once]
    assert versions == [row["model_version"] for row in again]
    assert len(set(versions)) > 1
    assert sum(row["inertia"] for row in often) < sum(row["inertia"] for row in once)


def test_another_fit_or_another_name_is_another_version(customers):
    features, _ = customers
    moved = features.copy()
    moved[0] += 1
    renamed = {code.upper(): position for code, position in PROTOTYPES.items()}
    fits = [
        fit_segmentation(TIERS, features, PROTOTYPES),
        fit_segmentation(TIERS, moved, PROTOTYPES),
        fit_segmentation(TIERS, features, renamed),
        fit_segmentation(replace(TIERS, features=("quantity", "monetary")), features, PROTOTYPES),
    ]
    assert len({chosen(rows)["model_version"] for rows in fits}) == 4
    assert len({row["model_version"] for row in fits[0]}) == 5
    assert all(len(bytes.fromhex(row["model_version"])) == 6 for row in fits[0])


def test_bounds_shrink_to_the_customers_that_differ():
    features = np.repeat([[1.0, 2], [1, 3], [5, 2], [9, 9]], 3, axis=0)
    rows = fit_segmentation(TIERS, features, PROTOTYPES)
    assert [row["k"] for row in rows] == [2, 3, 4]
    assert chosen(rows)


@pytest.mark.parametrize(
    ("declared", "features"),
    [
        (TIERS, np.empty((0, 2))),
        (TIERS, [[1.0, 2.0]] * 9),
        (replace(TIERS, k=3), [[1.0, 2.0], [1.0, 3.0]] * 9),
        (replace(TIERS, k_min=3), [[1.0, 2.0], [1.0, 3.0]] * 9),
    ],
    ids=["nobody", "all alike", "fewer than k", "fewer than k_min"],
)
def test_too_few_customers_that_differ_are_not_fitted(declared, features):
    assert fit_segmentation(declared, np.array(features), PROTOTYPES) == []


def test_customers_that_scaling_makes_equal_do_not_differ():
    features = np.array([[0.0, 0], [1e-20, 0], [1, 0], [2, 0]])
    assert fit_segmentation(replace(TIERS, k_min=4), features, PROTOTYPES) == []


def test_a_feature_that_does_not_vary_changes_no_cluster(customers):
    features, kinds = customers
    declared = replace(TIERS, features=(*TIERS.features, "tenure_days"))
    prototypes = {code: np.append(position, 0) for code, position in PROTOTYPES.items()}
    constant = np.column_stack([features, np.full(300, 0.1)])
    assert names_of(chosen(fit_segmentation(declared, constant, prototypes)), constant) == (
        kinds.tolist()
    )


def test_only_the_chosen_fit_on_a_sample_is_refitted_on_all(customers, monkeypatch):
    monkeypatch.setattr(clusters, "FIT_SAMPLE", 60)
    features, kinds = customers
    on_sample = fit_segmentation(replace(TIERS, k=2), features, PROTOTYPES)
    refitted = chosen(fit_segmentation(replace(TIERS, k=3), features, PROTOTYPES))
    assert chosen(on_sample)["k"] == 2
    (sampled,) = [row for row in on_sample if row["k"] == 3]
    assert refitted["inertia"] < sampled["inertia"]
    assert refitted["model_version"] != sampled["model_version"]
    offsets, scales, centers = read_centers(refitted["centers"])
    for code, center in zip(PROTOTYPES, centers * scales + offsets, strict=True):
        assert center == pytest.approx(features[kinds == code].mean(axis=0))


def test_fits_run_on_one_thread(customers, monkeypatch):
    threads = []

    def fit_and_look(*args, **settings):
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return clusters.fit_kmeans(*args, **settings)

    monkeypatch.setattr(fitting, "fit_kmeans", fit_and_look)
    with threadpool_limits(limits=2):
        fit_segmentation(TIERS, customers[0], PROTOTYPES)
    assert set(threads) == {1}
