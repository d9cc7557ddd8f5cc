from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from segmentation import clusters, fitting, quality
from segmentation.clusters import ALGORITHMS, NOISE, Partition
from segmentation.customers import Customers
from segmentation.declarations import Declaration, Playbook
from segmentation.fitting import fit_segmentation, measure
from segmentation.naming import to_standard
from segmentation.quality import Stability, Yardstick
from segmentation.scaling import fit_preparation
from segmentation.stored_fit import read_fit

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
MIDDLES = {"best": (2_000, 90_000), "middle": (1_000, 50_000), "rare": (100, 2_000)}
SIZES = {"best": 50, "middle": 150, "rare": 100}
PROTOTYPES = {
    "best": np.array([1.5, 1.5]),
    "middle": np.array([0.0, 0.0]),
    "rare": np.array([-1.0, -1.5]),
}
NAMED = Playbook(PROTOTYPES, {})
APART = replace(TIERS, separated=frozenset(["frequency", "monetary"]))
WITH_OUTLIERS = Playbook(
    PROTOTYPES,
    {
        frozenset(["frequency", "monetary"]): "wild_in_both",
        frozenset(["monetary"]): "wild_in_spend",
        frozenset(["frequency"]): "wild_in_orders",
        frozenset(["recency_days"]): "of_another_segmentation",
    },
)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads cost more than they save on so few customers."""
    with threadpool_limits(limits=1):
        yield


def of(features, *, raw=None, revenue=None):
    """Customers who have these features, numbered."""
    features = np.asarray(features, dtype="float64")
    return Customers(
        ids=np.array([str(number) for number in range(len(features))], dtype=object),
        transformed=features,
        raw=features if raw is None else raw,
        revenue=np.ones(len(features)) if revenue is None else revenue,
    )


def draw_customers():
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.repeat(list(SIZES), list(SIZES.values())))
    middles = np.array([MIDDLES[kind] for kind in kinds])
    return middles + rng.normal(scale=(40, 1_500), size=middles.shape).round(), kinds


FEATURES, KINDS = draw_customers()
# Beyond the fences of both, of monetary above and below, and of frequency.
WILD = {
    (90_000.0, 9_000_000.0): "wild_in_both",
    (1_200.0, 8_000_000.0): "wild_in_spend",
    (200.0, -8_000_000.0): "wild_in_spend",
    (70_000.0, 3_000.0): "wild_in_orders",
}
WITH_WILD = np.vstack([FEATURES, list(WILD)])
WITH_WILD_KINDS = [*KINDS.tolist(), *WILD.values()]


def try_all(*args, **settings):
    """Rows of all that was tried; that of the one chosen has the fit itself too."""
    found = fit_segmentation(*args, **settings)
    fit_itself = {"centers": found.centers, "agreements": found.agreements}
    return [row | fit_itself if row["is_selected"] else row for row in found.tried]


def chosen(rows):
    (row,) = [row for row in rows if row["is_selected"]]
    return row


def fit(declaration, features, playbook=NAMED, **settings):
    """The chosen row."""
    return chosen(try_all(declaration, of(features), playbook, **settings))


def names_of(row, features, raw=None):
    """The name of each customer under a fit, from what the fit stores."""
    stored = read_fit(row["centers"])
    return [
        stored.codes[number - 1]
        for number in stored.assign(features, features if raw is None else raw)
    ]


def where_centers_are(row):
    stored = read_fit(row["centers"])
    return stored.centers * stored.preparation.scales + stored.preparation.offsets


# ---------------------------------------------------------------------- candidates


def test_every_k_is_fitted_and_one_chosen():
    rows = try_all(TIERS, of(FEATURES), NAMED)
    assert [row["k"] for row in rows] == [2, 3, 4, 5, 6]
    assert [row["clusters"] for row in rows] == [2, 3, 4, 5, 6]
    assert {row["customers"] for row in rows} == {300}
    assert chosen(rows)["k"] == 3
    assert chosen(rows)["smallest_cluster_share"] == round(50 / 300, 6)
    assert len(chosen(rows)["centers"]) == 3 * 2
    inertias = [row["inertia"] for row in rows]
    assert inertias == sorted(inertias, reverse=True)
    for row in rows:
        assert row["algorithm"] == "kmeans"
        assert (row["selection_reason"] is not None) == row["is_selected"]
        assert np.isnan(row["eps"])
        assert (row["noise_share"], row["noise_revenue_share"], row["center_agreement"]) == (
            0,
            0,
            1,
        )


def test_figures_are_in_scaled_units():
    whole, tenth = fit(TIERS, FEATURES), fit(TIERS, FEATURES / 10)
    assert 0 < whole["inertia"] < 300 * 2
    for figure in ("inertia", "silhouette", "davies_bouldin", "calinski_harabasz"):
        assert tenth[figure] == pytest.approx(whole[figure], abs=1e-5)


def test_a_declared_k_is_used_whatever_the_figures_say():
    rows = try_all(replace(TIERS, k=5), of(FEATURES), NAMED)
    assert [row["k"] for row in rows] == [2, 3, 4, 5, 6]
    assert chosen(rows)["k"] == 5
    assert chosen(rows)["selection_reason"] == "k is declared"


def test_figures_of_a_partition_are_those_worked_out_by_hand():
    points = np.array([[0.0], [1.0], [9.0], [11.0], [12.0], [50.0]])
    partition = Partition(
        "dbscan", 2, np.array([0, 0, 1, 1, 1, NOISE]), np.array([[0.5], [10.0]]), eps=2.0
    )
    revenue = np.array([1.0, 2, 3, 4, 10, 5])
    figures = measure(points, revenue, partition, np.arange(6), Yardstick(points, 0))
    assert figures["inertia"] == pytest.approx(0.25 * 2 + 1 + 1 + 4)
    assert figures["smallest_cluster_share"] == 2 / 6
    assert figures["noise_share"] == 1 / 6
    assert figures["noise_revenue_share"] == 5 / 25
    assert figures["center_agreement"] == 1
    assert 0 < figures["silhouette"] < 1
    free = measure(points, np.zeros(6), partition, np.arange(6), Yardstick(points, 0))
    assert free["noise_revenue_share"] == 0


def test_a_cluster_that_stayed_empty_is_the_smallest():
    points = np.array([[0.0], [1.0], [10.0], [11.0], [12.0]])
    labels = np.array([0, 0, 1, 1, 1])
    shares = [
        measure(
            points,
            np.ones(5),
            Partition("kmeans", len(centers), labels, np.array(centers)),
            np.arange(5),
            Yardstick(points, 0),
        )["smallest_cluster_share"]
        for centers in ([[0.5], [11.0]], [[0.5], [11.0], [99.0]])
    ]
    assert shares == [2 / 5, 0]


def test_figures_of_a_sample_are_brought_to_all_customers():
    points = np.array([[0.0], [99.0], [2.0], [98.0]])
    partition = Partition("ward", 1, np.array([0, 0]), np.array([[1.0]]))
    yardstick = Yardstick(points[:2], 0)
    yardstick.rows = np.array([2])
    revenue, rows = np.array([1.0, 9, 3, 9]), np.array([0, 2])
    figures = measure(points, revenue, partition, rows, yardstick)
    assert figures["inertia"] == (1 + 1) * 4 / 2
    assert figures["smallest_cluster_share"] == 1
    half = replace(partition, labels=np.array([0, NOISE]))
    figures = measure(points, revenue, half, rows, yardstick)
    assert figures["inertia"] == 1 * 4 / 2
    assert figures["smallest_cluster_share"] == figures["noise_share"] == 1 / 2
    assert figures["noise_revenue_share"] == 3 / 4


def test_revenue_is_that_of_the_customers_who_were_clustered():
    # An outlier comes first, a hermit last; the hermit and one of the middle have all the revenue.
    features = np.vstack([[[90_000.0, 50_000]], FEATURES, [[1_000.0, 10_000_000]]])
    middle = 1 + int(np.abs(FEATURES - MIDDLES["middle"]).sum(axis=1).argmin())
    revenue = np.zeros(302)
    revenue[[0, middle, 301]] = [1_000, 15, 5]
    declared = replace(TIERS, separated=frozenset(["frequency"]))
    rows = try_all(declared, of(features, revenue=revenue), WITH_OUTLIERS, compared=["dbscan"])
    assert rows[-1]["noise_share"] > 0
    assert rows[-1]["noise_revenue_share"] == 5 / 20


def test_stability_is_measured_when_asked_for_and_counts():
    rows = try_all(TIERS, of(FEATURES), NAMED, refits=3)
    assert {row["stability_refits"] for row in rows} == {3}
    assert chosen(rows)["stability_ari"] > 0.99
    assert "refits agree 1.00" in chosen(rows)["selection_reason"]
    assert all(0 <= row["stability_spread"] < 0.5 for row in rows)
    without = try_all(TIERS, of(FEATURES), NAMED)
    assert np.isnan([row["stability_ari"] for row in without]).all()
    assert {row["stability_refits"] for row in without} == {0}
    for row, other in zip(rows, without, strict=True):
        assert row["model_version"] == other["model_version"]


def test_an_unstable_k_is_not_chosen(monkeypatch):
    def say_three_is_luck(points, partitions, **_):
        return {
            algorithm: [Stability(0.1 if k == 3 else 0.9, 0, 1) for k, _ in of_k]
            for algorithm, of_k in partitions.items()
        }

    monkeypatch.setattr(fitting, "measure_stability", say_three_is_luck)
    rows = try_all(TIERS, of(FEATURES), NAMED, refits=1, compared=["ward"])
    assert chosen(rows)["k"] != 3
    assert "refits that agree under 0.6: k = 3" in chosen(rows)["selection_reason"]
    assert [(row["algorithm"], row["stability_ari"]) for row in rows if row["k"] == 3] == [
        ("kmeans", 0.1),
        ("ward", 0.1),
    ]


def test_stability_is_that_of_the_labels_of_the_fit(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        fitting,
        "measure_stability",
        lambda points, partitions, **settings: (
            seen.update(partitions) or quality.measure_stability(points, partitions, **settings)
        ),
    )
    monkeypatch.setattr(fitting, "PAIRWISE_SAMPLE", 100)
    monkeypatch.setattr(fitting, "FIT_SAMPLE", 200)
    monkeypatch.setattr(quality, "PAIRS_EXACT", 90)
    monkeypatch.setattr(quality, "PAIRS_SAMPLE", 80)
    pool = clusters.sample_rows(300, 100, TIERS.seed)
    fit(replace(TIERS, k=3, k_min=3, k_max=3), FEATURES, compared=list(ALGORITHMS), refits=1)
    assert list(seen) == list(ALGORITHMS)
    for algorithm in ("kmeans", "gaussian_mixture", "ward"):
        ((k, labels),) = seen[algorithm]
        assert k == 3
        assert len(set(zip(labels.tolist(), KINDS[pool].tolist(), strict=True))) == 3


def test_a_splinter_is_refused_however_good_its_silhouette():
    rows = try_all(replace(TIERS, k_max=3), of(WITH_WILD), NAMED, refits=2)
    assert rows[0]["silhouette"] > 0.9
    assert rows[0]["smallest_cluster_share"] < 0.02
    assert "every k within 2 to 3 sets apart a cluster under 2%" in chosen(rows)["selection_reason"]
    apart = fit(APART, WITH_WILD, WITH_OUTLIERS)
    assert apart["k"] == 3
    assert "best silhouette" in apart["selection_reason"]


# ---------------------------------------------------------------------- names


def test_customers_get_the_name_of_their_kind():
    assert names_of(fit(TIERS, FEATURES), FEATURES) == KINDS.tolist()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_customers_get_the_name_of_their_kind_by_every_algorithm(algorithm):
    row = fit(replace(TIERS, algorithm=algorithm), FEATURES)
    assert (row["algorithm"], row["k"]) == (algorithm, 3)
    assert names_of(row, FEATURES) == KINDS.tolist()


@pytest.mark.parametrize("scaler", ["standard", "min_max", "robust"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"winsorised": (0.02, 0.98)},
        {"ranked": frozenset(["monetary"])},
        {"ranked": frozenset(["monetary"]), "winsorised": (0.01, 0.99)},
    ],
    ids=["plain", "winsorised", "ranked", "ranked and winsorised"],
)
def test_names_do_not_hang_on_how_features_are_scaled(scaler, settings):
    # In the units of the other scalers the best, or the middle, would stand here.
    playbook = Playbook(PROTOTYPES | {"nobody": np.array([0.9, 0.9])}, {})
    row = fit(replace(TIERS, k=3, scaler=scaler, **settings), FEATURES, playbook)
    assert names_of(row, FEATURES) == KINDS.tolist()


@pytest.mark.parametrize("scaler", ["standard", "min_max", "robust"])
def test_prototypes_stand_in_standard_deviations_whatever_the_scaler(scaler):
    values = np.array([[0.0], [1.0], [2.0], [3.0], [14.0]])
    preparation = fit_preparation(
        values, values, ranked=[False], scaler=scaler, winsorised=None, separated=[False]
    )
    middles = (np.array([[4.0], [14.0]]) - preparation.offsets) / preparation.scales
    assert to_standard(values, preparation, middles) == pytest.approx(
        np.array([[0], [10 / np.sqrt(26)]])
    )


def test_prototypes_stand_in_standard_deviations_of_what_is_clustered():
    # Ranks of 1 to 199 are 0 to 0.99, held within 0.25 to 0.75 or so.
    values = np.arange(1.0, 200)[:, None]
    preparation = fit_preparation(
        values, values, ranked=[True], scaler="min_max", winsorised=(0.25, 0.75), separated=[False]
    )
    spread = np.clip((np.arange(199) // 2) / 100, 0.2475, 0.7425).std()
    found = to_standard(values, preparation, np.array([[0.5], [1.0]]))
    assert found[:, 0] == pytest.approx([0, 0.2475 / spread], abs=0.02)


def test_clusters_are_numbered_in_the_order_of_the_playbook():
    for codes in (["best", "middle", "rare"], ["rare", "best", "middle"]):
        playbook = Playbook({code: PROTOTYPES[code] for code in codes}, {})
        cells = fit(TIERS, FEATURES, playbook)["centers"]
        found = [(cell["cluster_id"], cell["segment_code"]) for cell in cells[::2]]
        assert found == list(enumerate(codes, start=1))


def test_stored_centres_are_where_the_customers_of_the_name_are():
    row = fit(TIERS, FEATURES)
    for code, center in zip(PROTOTYPES, where_centers_are(row), strict=True):
        assert center == pytest.approx(FEATURES[code == KINDS].mean(axis=0))
    cells = row["centers"]
    assert [(cell["feature_number"], cell["feature"]) for cell in cells[:2]] == [
        (1, "frequency"),
        (2, "monetary"),
    ]


# ---------------------------------------------------------------------- repeatable


def test_seed_starts_and_row_order_leave_clear_clusters_as_they_are():
    declared = replace(TIERS, k=3, k_min=3, k_max=3)
    reference = fit(declared, FEATURES)
    for number in range(8):
        other = replace(declared, seed=number, n_init=1 + number)
        shuffled = np.random.default_rng(number).permutation(FEATURES)
        for features in (FEATURES, shuffled):
            row = fit(other, features)
            assert row["centers"] == reference["centers"]
            assert row["model_version"] == reference["model_version"]


def test_row_order_leaves_a_centre_at_zero_as_it_is():
    group = np.array([0.1, 0.2, 0.3, 0.4, 0.7])
    features = np.concatenate([group - 5, group, group + 5])[:, None]
    declared = replace(TIERS, features=("monetary",), k=3, k_min=3, k_max=3)
    low_to_high = {"low": np.array([-1.0]), "middle": np.array([0.0]), "high": np.array([1.0])}
    rng = np.random.default_rng(0)
    fits = [fit(declared, rng.permutation(features), Playbook(low_to_high, {})) for _ in range(10)]
    assert len({row["model_version"] for row in fits}) == 1


def test_declared_seed_and_starts_are_used():
    features = np.random.default_rng(0).normal(size=(300, 2))
    once, again, often = (
        [fit(replace(TIERS, k=6, k_min=6, n_init=n_init, seed=seed), features) for seed in range(5)]
        for n_init in (1, 1, 10)
    )
    versions = [row["model_version"] for row in once]
    assert versions == [row["model_version"] for row in again]
    assert len(set(versions)) > 1
    assert sum(row["inertia"] for row in often) < sum(row["inertia"] for row in once)


def test_another_fit_or_another_name_is_another_version():
    moved = FEATURES.copy()
    moved[0] += 1
    renamed = Playbook({code.upper(): position for code, position in PROTOTYPES.items()}, {})
    fits = [
        fit(TIERS, FEATURES),
        fit(TIERS, moved),
        fit(TIERS, FEATURES, renamed),
        fit(replace(TIERS, features=("quantity", "monetary")), FEATURES),
        fit(replace(TIERS, winsorised=(0.0, 1.0)), FEATURES),
        fit(APART, FEATURES, WITH_OUTLIERS),
    ]
    assert len({row["model_version"] for row in fits}) == 6
    of_k = try_all(TIERS, of(FEATURES), NAMED)
    assert len({row["model_version"] for row in of_k}) == 5
    assert all(len(bytes.fromhex(row["model_version"])) == 6 for row in of_k)


def test_what_stands_for_no_limit_is_none():
    declared = replace(APART, ranked=frozenset(["monetary"]), winsorised=(0.01, 0.99))
    for cell in fit(declared, WITH_WILD, WITH_OUTLIERS)["centers"]:
        numbers = [value for value in cell.values() if isinstance(value, float)]
        assert np.isfinite(numbers).all()
        assert {type(value) for value in numbers} == {float}
    unlimited = fit(TIERS, FEATURES)["centers"][0]
    limits = ("knots", "clip_low", "clip_high", "fence_low", "fence_high")
    assert [unlimited[limit] for limit in limits] == [None] * 5


# ---------------------------------------------------------------------- too few


def test_bounds_shrink_to_the_customers_that_differ():
    features = np.repeat([[1.0, 2], [1, 3], [5, 2], [9, 9]], 3, axis=0)
    rows = try_all(TIERS, of(features), NAMED)
    assert [row["k"] for row in rows] == [2, 3, 4]
    assert chosen(rows)


@pytest.mark.parametrize(
    ("declared", "features"),
    [
        (TIERS, np.empty((0, 2))),
        (TIERS, [[1.0, 2.0]] * 9),
        (replace(TIERS, k=3), [[1.0, 2.0], [1.0, 3.0]] * 9),
        (replace(TIERS, k_min=3), [[1.0, 2.0], [1.0, 3.0]] * 9),
        (replace(TIERS, algorithm="dbscan"), [[1.0, 2.0]] * 9),
    ],
    ids=["nobody", "all alike", "fewer than k", "fewer than k_min", "by density"],
)
def test_too_few_customers_that_differ_are_not_fitted(declared, features):
    assert fit_segmentation(declared, of(features), NAMED, compared=list(ALGORITHMS)) is None


def test_customers_that_scaling_makes_equal_do_not_differ():
    features = [[0.0, 0], [1e-20, 0], [1, 0], [2, 0]]
    assert fit_segmentation(replace(TIERS, k_min=4), of(features), NAMED) is None


def test_outliers_are_none_of_the_customers_that_differ():
    features = np.array([[0.0, 0], [1, 0], [2, 0]] * 9 + [[500.0, 0]])
    declared = replace(TIERS, k_min=4, k_max=4, separated=frozenset(["frequency"]))
    assert fit_segmentation(declared, of(features), WITH_OUTLIERS) is None
    assert fit_segmentation(replace(declared, k_min=3), of(features), WITH_OUTLIERS)


@pytest.mark.parametrize("value", [0.1, 123456.789012345])
def test_a_feature_that_does_not_vary_changes_no_cluster_and_no_name(value):
    declared = replace(TIERS, features=(*TIERS.features, "tenure_days"))
    constant = np.column_stack([FEATURES, np.full(300, value)])
    assert constant[:, 2].mean() != value
    # Standing aside must not cost a name, least of all where clusters are fewer than names.
    prototypes = {
        code: np.append(position, aside)
        for (code, position), aside in zip(PROTOTYPES.items(), (0, 2, -2), strict=True)
    }
    prototypes["nobody"] = np.array([9.0, 9.0, 0.0])
    row = fit(declared, constant, Playbook(prototypes, {}))
    assert names_of(row, constant) == KINDS.tolist()


# ---------------------------------------------------------------------- outliers


def test_outliers_get_the_name_of_their_kind_and_leave_the_others_alone():
    row = fit(APART, WITH_WILD, WITH_OUTLIERS)
    assert names_of(row, WITH_WILD) == WITH_WILD_KINDS
    assert row["customers"] == 300
    stored, alone = read_fit(row["centers"]), read_fit(fit(TIERS, FEATURES)["centers"])
    assert stored.centers.tolist() == alone.centers.tolist()
    assert stored.preparation.offsets.tolist() == alone.preparation.offsets.tolist()
    assert stored.preparation.scales.tolist() == alone.preparation.scales.tolist()


def test_groups_of_outliers_are_numbered_after_the_clusters_as_the_playbook_orders_them():
    cells = fit(APART, WITH_WILD, WITH_OUTLIERS)["centers"][::2]
    found = [(cell["cluster_id"], cell["segment_code"], cell["outlier_features"]) for cell in cells]
    assert found == [
        (1, "best", None),
        (2, "middle", None),
        (3, "rare", None),
        (4, "wild_in_both", "frequency monetary"),
        (5, "wild_in_spend", "monetary"),
        (6, "wild_in_orders", "frequency"),
    ]


def test_groups_of_outliers_have_the_means_of_their_customers_for_centres():
    row = fit(APART, WITH_WILD, WITH_OUTLIERS)
    cells = row["centers"][6:]
    preparation = read_fit(row["centers"]).preparation
    centers = np.array([cell["center_scaled"] for cell in cells]).reshape(3, 2)
    assert centers * preparation.scales + preparation.offsets == pytest.approx(
        np.array([[90_000, 9_000_000], [700, 0], [70_000, 3_000]]), abs=1e-6
    )


def test_a_group_that_nobody_is_in_has_a_name_but_no_centre():
    without_both = np.delete(WITH_WILD, 300, axis=0)
    row = fit(APART, without_both, WITH_OUTLIERS)
    empty = [cell for cell in row["centers"] if cell["segment_code"] == "wild_in_both"]
    assert [cell["center_scaled"] for cell in empty] == [None, None]
    # Whoever comes later is still known.
    assert names_of(row, WITH_WILD) == WITH_WILD_KINDS


def test_where_nothing_is_set_apart_the_playbooks_outliers_are_not_spoken_of():
    row = fit(TIERS, WITH_WILD, WITH_OUTLIERS)
    stored = read_fit(row["centers"])
    assert stored.outliers == []
    assert set(stored.codes) <= set(PROTOTYPES)
    one = fit(replace(TIERS, separated=frozenset(["monetary"])), WITH_WILD, WITH_OUTLIERS)
    assert read_fit(one["centers"]).codes[-1] == "wild_in_spend"
    assert "wild_in_both" not in read_fit(one["centers"]).codes


def test_fences_are_in_the_features_own_unit():
    raw = np.vstack([np.abs(FEATURES), [[200_000.0, 1e8]]])
    customers = of(np.log1p(raw), raw=raw)
    row = chosen(try_all(APART, customers, WITH_OUTLIERS))
    assert names_of(row, customers.transformed, raw)[-1] == "wild_in_both"
    assert where_centers_are(row).max() < np.log1p(1e8)
    assert where_centers_are(row).min() > 0
    fences = read_fit(row["centers"]).preparation.fence_highs
    quartiles = np.quantile(raw, [0.25, 0.75], axis=0)
    assert fences == pytest.approx(quartiles[1] + 1.5 * (quartiles[1] - quartiles[0]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scaler": "robust", "winsorised": (0.05, 0.9)},
        {"scaler": "min_max", "ranked": frozenset(["frequency"])},
    ],
    ids=["plain", "winsorised", "ranked"],
)
def test_what_is_stored_assigns_everybody_to_where_the_fit_had_them(algorithm, settings):
    declared = replace(APART, algorithm=algorithm, **settings)
    row = fit(
        replace(declared, k=3) if algorithm in clusters.TAKE_K else declared,
        WITH_WILD,
        WITH_OUTLIERS,
    )
    assert names_of(row, WITH_WILD) == WITH_WILD_KINDS
    stored = read_fit(row["centers"])
    together = stored.assign(WITH_WILD, WITH_WILD).tolist()
    some = WITH_WILD[-1::-8]
    assert [stored.assign(each[None], each[None])[0] for each in some] == together[-1::-8]


def test_what_is_stored_is_the_preparation_to_the_last_bit():
    features = WITH_WILD / 7
    declared = replace(
        APART, scaler="robust", ranked=frozenset(["monetary"]), winsorised=(0.03, 0.96)
    )
    stored = read_fit(fit(declared, features, WITH_OUTLIERS)["centers"]).preparation
    fitted = fit_preparation(
        features,
        features,
        ranked=[False, True],
        scaler="robust",
        winsorised=(0.03, 0.96),
        separated=[True, True],
    )
    assert stored.knots[0] is None
    assert stored.knots[1].tolist() == fitted.knots[1].tolist()
    for name in ("lows", "highs", "offsets", "scales", "fence_lows", "fence_highs"):
        assert getattr(stored, name).tolist() == getattr(fitted, name).tolist(), name


def test_a_kind_of_outlier_without_a_segment_is_refused_before_anything_is_fitted():
    outliers = {frozenset(["monetary"]): "spend", frozenset(["frequency"]): "orders"}
    with pytest.raises(ValueError) as refused:
        fit(APART, FEATURES, Playbook(PROTOTYPES, outliers), say=pytest.fail)
    assert str(refused.value) == (
        "segmentation tiers: seeds/segment_playbook.csv has no segment of its playbook for "
        "outliers in frequency and monetary; add a row with outlier_features frequency monetary"
    )
    with pytest.raises(ValueError, match=r"outliers in frequency; add .* frequency$"):
        fit(APART, FEATURES, Playbook(PROTOTYPES, {frozenset(["monetary"]): "spend"}))


# ---------------------------------------------------------------------- algorithms


def test_the_declared_algorithm_comes_first_and_the_others_once_each():
    declared = replace(TIERS, algorithm="ward", k_max=4)
    rows = try_all(declared, of(FEATURES), NAMED, compared=list(ALGORITHMS))
    assert [(row["algorithm"], row["k"]) for row in rows] == [
        *(("ward", k) for k in (2, 3, 4)),
        *(("kmeans", k) for k in (2, 3, 4)),
        *(("gaussian_mixture", k) for k in (2, 3, 4)),
        ("dbscan", 3),
        ("hdbscan", 3),
    ]
    assert chosen(rows)["algorithm"] == "ward"
    assert [row["algorithm"] for row in rows if not np.isnan(row["eps"])] == ["dbscan"]


def test_those_compared_do_not_change_the_one_declared():
    rows = try_all(TIERS, of(FEATURES), NAMED, compared=list(ALGORITHMS), refits=1)
    alone = try_all(TIERS, of(FEATURES), NAMED, refits=1)
    for row, other in zip(rows, alone, strict=False):
        different = {name for name in row if str(row[name]) != str(other[name])}
        assert different <= {"agreements"}


def test_an_algorithm_that_finds_its_own_number_within_the_bounds_is_taken():
    row = fit(replace(TIERS, algorithm="hdbscan"), FEATURES)
    assert (
        row["selection_reason"] == "HDBSCAN finds its own number of clusters, 3, within the bounds"
    )


@pytest.mark.parametrize(("k_min", "k_max"), [(2, 2), (4, 6)])
def test_an_algorithm_that_finds_a_number_outside_the_bounds_is_refused(k_min, k_max):
    declared = replace(TIERS, algorithm="dbscan", k_min=k_min, k_max=k_max)
    with pytest.raises(ValueError) as refused:
        fit(declared, FEATURES)
    assert str(refused.value) == (
        f"segmentation tiers: DBSCAN finds 3 cluster(s), outside k_min {k_min} to k_max {k_max}; "
        "widen them or declare another algorithm"
    )
    assert fit(replace(declared, k_min=3, k_max=3), FEATURES)["k"] == 3


def test_an_algorithm_that_leaves_all_in_noise_is_refused_where_declared():
    with pytest.raises(ValueError, match=r"HDBSCAN finds 0 cluster\(s\), outside k_min 2"):
        fit(replace(TIERS, algorithm="hdbscan"), FEATURES[:9])


def test_all_noise_and_one_cluster_stand_beside_the_others_without_figures():
    crowd = np.random.default_rng(1).normal(size=(9, 2))
    rows = try_all(TIERS, of(crowd), NAMED, compared=list(ALGORITHMS), refits=2)
    by_algorithm = {row["algorithm"]: row for row in rows}
    noise, one = by_algorithm["hdbscan"], by_algorithm["dbscan"]
    assert (noise["k"], noise["clusters"], noise["noise_share"]) == (0, 0, 1)
    assert noise["noise_revenue_share"] == 1
    assert (noise["inertia"], noise["smallest_cluster_share"]) == (0, 0)
    assert np.isnan(noise["center_agreement"])
    assert (one["k"], one["clusters"]) == (1, 1)
    for row in (noise, one):
        figures = ("silhouette", "davies_bouldin", "calinski_harabasz")
        assert np.isnan([row[figure] for figure in figures]).all()
        assert np.isfinite(row["stability_ari"])
    others = {row["other_algorithm"] for row in chosen(rows)["agreements"]}
    assert others == {"gaussian_mixture", "ward", "dbscan"}


@pytest.mark.parametrize(
    "features",
    [
        np.repeat([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [90, 5, 5], axis=0),
        np.random.default_rng(0).uniform(size=(60, 2)),
        [[0.0, 0.0], [1.0, 0.0]],
        np.vstack([np.zeros((40, 2)), [[1.0, 1e9]]]),
    ],
    ids=["twins", "no groups", "two", "a hermit"],
)
def test_no_customers_are_too_odd_to_be_compared(features):
    rows = try_all(TIERS, of(features), NAMED, compared=list(ALGORITHMS), refits=1)
    assert chosen(rows)["algorithm"] == "kmeans"
    assert {row["algorithm"] for row in rows} == set(ALGORITHMS)


# ---------------------------------------------------------------------- agreement


def test_algorithms_that_find_the_same_agree_on_everybody():
    rows = try_all(TIERS, of(FEATURES), NAMED, compared=list(ALGORITHMS))
    agreements = chosen(rows)["agreements"]
    pairs = Counter((row["algorithm"], row["other_algorithm"]) for row in agreements)
    names = list(ALGORITHMS)
    assert pairs == {
        (one, other): 3 for place, one in enumerate(names) for other in names[place + 1 :]
    }
    for row in agreements:
        assert row["k"] == row["other_k"] == 3
        assert row["cluster_id"] == row["other_cluster_id"]
        assert row["segment_code"] == row["other_segment_code"]
        assert row["customers"] == SIZES[row["segment_code"]]
        assert list(PROTOTYPES)[row["cluster_id"] - 1] == row["segment_code"]


def test_cross_tables_hold_every_customer_as_each_algorithm_would_assign_it():
    features = np.random.default_rng(0).normal(size=(200, 2))
    rows = try_all(replace(TIERS, k=4), of(features), NAMED, compared=["ward"])
    ward = fit(replace(TIERS, k=4, algorithm="ward"), features)
    own, other = (
        read_fit(row["centers"]).assign(features, features) for row in (chosen(rows), ward)
    )
    expected = Counter(zip(own.tolist(), other.tolist(), strict=True))
    found = {
        (row["cluster_id"], row["other_cluster_id"]): row["customers"]
        for row in chosen(rows)["agreements"]
    }
    assert found == expected
    codes, ward_codes = (read_fit(row["centers"]).codes for row in (chosen(rows), ward))
    for row in chosen(rows)["agreements"]:
        assert row["segment_code"] == codes[row["cluster_id"] - 1]
        assert row["other_segment_code"] == ward_codes[row["other_cluster_id"] - 1]


def test_an_algorithm_alone_agrees_with_nobody():
    assert fit(TIERS, FEATURES)["agreements"] == []


# ---------------------------------------------------------------------- progress


def test_whoever_waits_is_told_what_is_next():
    told = []
    declared = replace(TIERS, k_max=3)
    fit_segmentation(
        declared, of(FEATURES), NAMED, compared=["ward", "dbscan"], refits=2, say=told.append
    )
    assert told == [
        "tiers: K-Means, k = 2 (1 of 2)",
        "tiers: K-Means, k = 3 (2 of 2)",
        "tiers: Ward, k = 2 (1 of 2)",
        "tiers: Ward, k = 3 (2 of 2)",
        "tiers: DBSCAN",
        "tiers: 2 refits of each on resamples",
    ]
    told.clear()
    fit_segmentation(declared, of(FEATURES), NAMED, say=told.append)
    assert told == ["tiers: K-Means, k = 2 (1 of 2)", "tiers: K-Means, k = 3 (2 of 2)"]


def test_it_is_told_before_it_is_done(monkeypatch):
    order = []
    monkeypatch.setattr(
        clusters,
        "_fit_kmeans",
        lambda *args, done=clusters._fit_kmeans: order.append("fit") or done(*args),
    )
    fit(replace(TIERS, k_max=3), FEATURES, say=lambda _: order.append("told"))
    assert order == ["told", "fit", "told", "fit"]


# ---------------------------------------------------------------------- many customers


@pytest.fixture
def few_are_many(monkeypatch):
    """Samples of a size that 300 customers exceed."""
    monkeypatch.setattr(fitting, "FIT_SAMPLE", 60)
    monkeypatch.setattr(fitting, "PAIRWISE_SAMPLE", 40)
    monkeypatch.setattr(quality, "PAIRS_EXACT", 40)
    monkeypatch.setattr(quality, "PAIRS_SAMPLE", 30)


def test_only_the_chosen_fit_on_a_sample_is_refitted_on_all(few_are_many):
    on_sample = try_all(replace(TIERS, k=2), of(FEATURES), NAMED)
    refitted = try_all(replace(TIERS, k=3), of(FEATURES), NAMED)
    assert chosen(on_sample)["k"] == 2
    (sampled,) = [row for row in on_sample if row["k"] == 3]
    assert chosen(refitted)["inertia"] < sampled["inertia"]
    assert chosen(refitted)["model_version"] != sampled["model_version"]
    for code, center in zip(PROTOTYPES, where_centers_are(chosen(refitted)), strict=True):
        assert center == pytest.approx(FEATURES[code == KINDS].mean(axis=0))
    for row, other in zip(on_sample, refitted, strict=True):
        assert (row["model_version"] == other["model_version"]) == (row["k"] not in (2, 3))


def test_the_sample_alone_makes_the_candidates(few_are_many):
    elsewhere = FEATURES.copy()
    others = np.setdiff1d(np.arange(300), clusters.sample_rows(300, 60, seed=0))
    elsewhere[others] = elsewhere[others][::-1]
    rows, moved = (
        try_all(replace(TIERS, k=2), of(features), NAMED) for features in (FEATURES, elsewhere)
    )
    for row, other in zip(rows[1:], moved[1:], strict=True):
        assert row["model_version"] == other["model_version"]


def test_a_fit_on_everybody_needs_no_refit(monkeypatch):
    monkeypatch.setattr(fitting, "refit_on_all", pytest.fail)
    monkeypatch.setattr(fitting, "FIT_SAMPLE", 300)
    assert fit(TIERS, FEATURES)["customers"] == 300


def test_each_algorithm_is_fitted_on_as_many_as_it_can_bear(few_are_many):
    rows = try_all(replace(TIERS, k=3), of(FEATURES), NAMED, compared=list(ALGORITHMS), refits=1)
    fitted_on = {row["algorithm"]: row["customers"] for row in rows}
    assert fitted_on == {
        "kmeans": 300,
        "gaussian_mixture": 60,
        "ward": 40,
        "dbscan": 40,
        "hdbscan": 40,
    }
    of_three = {row["algorithm"]: row["inertia"] for row in rows if row["k"] == 3}
    assert all(row["silhouette"] > 0.9 for row in rows if row["k"] == 3)
    assert of_three["ward"] == pytest.approx(of_three["kmeans"], rel=0.3)
    assert sum(row["customers"] for row in chosen(rows)["agreements"]) == (
        300 * len({(r["algorithm"], r["other_algorithm"]) for r in chosen(rows)["agreements"]})
    )


def test_fits_run_on_one_thread(monkeypatch):
    threads = []

    def fit_and_look(*args, **settings):
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return clusters.fit_partitions(*args, **settings)

    monkeypatch.setattr(fitting, "fit_partitions", fit_and_look)
    with threadpool_limits(limits=2):
        fit_segmentation(TIERS, of(FEATURES), NAMED)
    assert set(threads) == {1}
