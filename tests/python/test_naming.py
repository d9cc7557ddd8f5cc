from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmentation.claims import Claim, figures, figures_of_shop, first_unmet
from segmentation.clusters import Partition
from segmentation.customers import Customers
from segmentation.declarations import Declaration, read_claims, read_playbook
from segmentation.naming import match_prototypes, name_clusters, order_clusters, withhold
from segmentation.scaling import find_outliers, fit_preparation, scale
from segmentation.stored_fit import center_rows, read_fit

repeatable = settings(derandomize=True, deadline=None)
coordinates = st.integers(-300, 300).map(lambda number: number / 100)


def points(least, most, n_features=3):
    shape = st.tuples(st.integers(least, most), st.just(n_features))
    return arrays("float64", shape, elements=coordinates)


def pairings(centers, prototypes):
    """Sum of squared distances of every way to give each cluster a name of its own, least first."""
    distances = np.square(centers[:, None] - prototypes[None]).sum(axis=2)
    ways = permutations(range(len(prototypes)), len(centers))
    return sorted((sum(distances[range(len(way)), way]), way) for way in ways)


def assume_one_way(ways):
    assume(len(ways) == 1 or ways[1][0] - ways[0][0] > 1e-6)


@repeatable
@given(points(1, 4), points(4, 5))
def test_clusters_have_names_of_their_own_with_the_least_sum_of_squares(centers, prototypes):
    ways = pairings(centers, prototypes)
    assume_one_way(ways)
    assert tuple(match_prototypes(centers, prototypes)) == ways[0][1]


@repeatable
@given(points(5, 7), points(1, 4))
def test_clusters_in_excess_take_the_nearest_name_and_every_name_is_given(centers, prototypes):
    matched = match_prototypes(centers, prototypes)
    assert set(matched) == set(range(len(prototypes)))
    ways = pairings(prototypes, centers)
    assume_one_way(ways)
    nearest = np.linalg.norm(centers[:, None] - prototypes[None], axis=2).argmin(axis=1)
    expected = nearest.copy()
    expected[list(ways[0][1])] = range(len(prototypes))
    assert matched.tolist() == expected.tolist()


def test_nearest_first_is_not_the_least_sum():
    # 1.1 is nearest to the first name, but then 0 is left with the far one.
    assert match_prototypes([[0.0], [1.1]], [[1.0], [3.0]]).tolist() == [0, 1]


def test_two_clusters_near_one_name_do_not_share_it():
    matched = match_prototypes([[2.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [10.0, 0.0]])
    assert matched.tolist() == [1, 0]
    assert matched.dtype == "int64"


@repeatable
@given(centers=points(1, 7), prototypes=points(1, 4), data=st.data())
def test_numbers_of_clusters_play_no_part(centers, prototypes, data):
    few, many = sorted([centers, prototypes], key=len)
    assume_one_way(pairings(few, many))
    assume(len(np.unique(centers, axis=0)) == len(centers))
    shuffle = data.draw(st.permutations(range(len(centers))))
    matched = match_prototypes(centers, prototypes)
    shuffled = match_prototypes(centers[shuffle], prototypes)
    assert shuffled.tolist() == matched[shuffle].tolist()
    order, other = order_clusters(centers, matched), order_clusters(centers[shuffle], shuffled)
    assert np.take(shuffle, other).tolist() == order.tolist()


def test_numbers_of_clusters_play_no_part_along_a_line():
    assert match_prototypes([[0.0], [1.0]], [[2.0], [3.0]]).tolist() == [0, 1]
    assert match_prototypes([[1.0], [0.0]], [[2.0], [3.0]]).tolist() == [1, 0]


def test_clusters_are_numbered_by_name_then_by_centre():
    centers = np.array([[2.0, 0.0], [1.0, 9.0], [1.0, 8.0], [5.0, 5.0]])
    assert order_clusters(centers, np.array([1, 1, 1, 0])).tolist() == [3, 2, 1, 0]


def test_numbers_compare_as_numbers():
    order = order_clusters(np.array([[10.0], [9.0], [-1.0]]), np.array([0, 0, 0]))
    assert order.tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("centers", "prototypes", "message"),
    [
        (np.empty((0, 2)), [[0.0, 0.0]], "at least"),
        ([[0.0, 0.0]], np.empty((0, 2)), "at least"),
        ([0.0, 0.0], [[0.0, 0.0]], "at least"),
        ([[0.0, 0.0]], [[0.0]], "clusters have 2 features, prototypes 1"),
    ],
)
def test_what_cannot_be_matched_is_refused(centers, prototypes, message):
    with pytest.raises(ValueError, match=message):
        match_prototypes(centers, prototypes)


# ---------------------------------------------------------------------- claims


def test_a_pair_that_is_not_allowed_is_never_made():
    centers, prototypes = [[0.0], [1.0]], [[0.0], [1.0]]
    allowed = np.array([[False, True], [True, True]])
    assert match_prototypes(centers, prototypes).tolist() == [0, 1]
    assert match_prototypes(centers, prototypes, allowed).tolist() == [1, 0]
    # Nobody may have the second name, and only the second cluster the first one.
    allowed = np.array([[False, False], [True, False]])
    assert match_prototypes(centers, prototypes, allowed).tolist() == [-1, 0]
    # Both may have the first name only: whose it is not shares it.
    allowed = np.array([[True, False], [True, False]])
    assert match_prototypes(centers, prototypes, allowed).tolist() == [0, 0]


@repeatable
@given(centers=points(1, 6), prototypes=points(1, 4), data=st.data())
def test_allowed_names_are_given_to_whoever_may_have_one(centers, prototypes, data):
    shape = (len(centers), len(prototypes))
    allowed = data.draw(arrays(bool, shape))
    matched = match_prototypes(centers, prototypes, allowed)
    for position, name in enumerate(matched):
        assert allowed[position, name] if name >= 0 else not allowed[position].any()
    everything = match_prototypes(centers, prototypes, np.ones(shape, dtype=bool))
    assert everything.tolist() == match_prototypes(centers, prototypes).tolist()


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        (">=", False, True, True),
        (">", False, False, True),
        ("<=", True, True, False),
        ("<", True, False, False),
    ],
)
def test_a_claim_compares_a_statistic_with_a_number_or_a_figure_of_all(
    comparison, below, equal, above
):
    # Mean 4 and median 2 of all; of the group below 3 and 3.
    shop = figures(np.array([[1.0], [2.0], [9.0]])) | {"gap": np.array([1.5])}
    group = figures(np.array([[1.0], [3.0], [5.0]]))
    for number, times, met in (
        (4, None, below),
        (3, None, equal),
        (2, None, above),
        (1, "shop_mean", below),
        (0.75, "shop_mean", equal),
        (1.5, "shop_median", equal),
        (2, "shop_gap", equal),
        (4, "shop_gap", below),
        (1, "shop_median", above),
    ):
        for statistic in ("mean", "median"):
            claim = Claim("frequency", 0, statistic, comparison, number, times)
            assert claim.is_met(group, shop) is met
    skewed = figures(np.array([[1.0], [1.0], [7.0]]))
    assert Claim("frequency", 0, "median", "<", 2).is_met(skewed, shop)
    assert not Claim("frequency", 0, "mean", "<", 2).is_met(skewed, shop)


def test_the_last_digits_of_equal_sums_make_nobody_spend_more():
    prices = np.array([[20.1]] * 7 + [[0.1]] * 7)
    one, other = figures(prices[:7]), figures(prices[:3])
    assert one["mean"][0] != other["mean"][0]
    for comparison in (">", "<"):
        assert not Claim("monetary", 0, "mean", comparison, 1, "shop_mean").is_met(one, other)


def test_what_is_not_measured_is_not_claimed():
    claim = Claim("frequency", None, "mean", ">=", 0)
    nobody = figures(np.ones((1, 1)))
    assert not claim.is_met(nobody, nobody)
    assert "frequency, which is not among the features" in claim.told(nobody, nobody)


def test_a_shop_without_a_rhythm_keeps_none():
    for comparison in (">", "<="):
        claim = Claim("recency_days", 0, "median", comparison, 2, "shop_gap")
        raw = np.array([[5.0], [7.0]])
        shop = figures_of_shop(Customers(np.array(["1", "2"]), raw, raw, raw[:, 0]))
        assert not claim.is_met(figures(raw), shop)
        assert claim.told(figures(raw), shop) == (
            "nobody knows the shop's median days between purchases, which the name needs"
        )


@repeatable
@given(centers=points(1, 6), prototypes=points(1, 5), data=st.data())
def test_the_best_has_its_name_whatever_it_is_near_to(centers, prototypes, data):
    cluster, name = (data.draw(st.integers(0, len(of) - 1)) for of in (centers, prototypes))
    matched = match_prototypes(centers, prototypes, best=(cluster, name))
    assert matched[cluster] == name
    others, codes = np.delete(centers, cluster, axis=0), np.delete(prototypes, name, axis=0)
    if 0 < len(others) <= len(codes):
        # The others are matched as if there were neither.
        assume_one_way(pairings(others, codes))
        rest = match_prototypes(others, codes)
        assert np.delete(matched, cluster).tolist() == (rest + (rest >= name)).tolist()
    allowed = np.ones((len(centers), len(prototypes)), dtype=bool)
    allowed[cluster, name] = False
    assert match_prototypes(centers, prototypes, allowed, (cluster, name))[cluster] != name


SEEDS = PROJECT / "seeds"
FEATURES = ("recency_days", "frequency", "monetary")


def built_in(name, features=FEATURES, *, separated=(), without=None):
    """A built-in playbook as the project reads it, perhaps without one of its claims."""
    playbook, prototypes, claims = (
        pd.read_csv(SEEDS / f"segment_{seed}.csv") for seed in ("playbook", "prototypes", "claims")
    )
    if without is not None:
        claims = claims.drop(index=without)
    playbook = playbook.sort_values(["playbook", "segment_order"])
    declaration = Declaration(
        name, features, "kmeans", None, 2, 8, 10, 42, separated=frozenset(separated)
    )
    return declaration, read_playbook(playbook, prototypes, name, declaration, claims)


def call(name, groups, *, features=FEATURES, separated=(), without=None, previous=None, gap=30.0):
    """Names of groups of equal customers, each a cluster; outliers are left to the fences."""
    declaration, playbook = built_in(name, features, separated=separated, without=without)
    raw = np.array([row for customers, row in groups for _ in range(customers)], dtype="float64")
    of = np.repeat(np.arange(len(groups)), [customers for customers, _ in groups])
    customers = Customers(np.arange(len(raw)).astype(str), np.log1p(raw), raw, raw[:, -1], gap)
    preparation = fit_preparation(
        customers.transformed,
        raw,
        ranked=[False] * len(features),
        scaler="standard",
        winsorised=None,
        separated=[feature in separated for feature in features],
    )
    outside = find_outliers(raw, preparation)
    inside = ~outside.any(axis=1)
    points = scale(customers.transformed, preparation)
    known = np.unique(of[inside])
    centers = np.array([points[of == each].mean(axis=0) for each in known])
    partition = Partition("kmeans", len(centers), of[inside], centers)
    return (
        name_clusters(
            declaration, customers, preparation, inside, outside, playbook, partition, previous
        ),
        preparation,
    )


def codes(name, groups, **settings):
    return {cluster.code for cluster in call(name, groups, **settings)[0]}


USUAL = [(10, (10, 14, 4000)), (30, (60, 4, 900)), (30, (20, 2, 300)), (40, (200, 1, 200))]


def test_an_ordinary_shop_has_the_names_of_its_playbook():
    clusters, _ = call("lifecycle", USUAL)
    assert [cluster.code for cluster in clusters] == [
        "high_value",
        "frequent_loyal",
        "occasional",
        "at_risk",
    ]
    assert all(cluster.withheld is None for cluster in clusters)


def test_who_has_been_away_longer_than_the_shops_rhythm_lapses():
    # 60 days are two gaps of 30, and six of 10.
    assert codes("lifecycle", USUAL, gap=10.0) == {"high_value", "lapsing", "occasional", "at_risk"}
    at = [row if row[1][1] != 4 else (30, (44, 4, 900)) for row in USUAL]
    assert "frequent_loyal" in codes("lifecycle", at, gap=10.0)
    assert "lapsing" in codes("lifecycle", at, gap=9.9)


def test_the_best_by_spend_come_first_though_they_stand_nearer_to_another_name():
    groceries = [(1132, (2, 86, 2621)), (973, (11, 27, 715)), (364, (400, 1, 5))]
    found, _ = call("lifecycle", groceries, gap=3.0)
    assert found[0].code == "high_value"
    assert found[0].center[2] == max(cluster.center[2] for cluster in found)
    # Where it is not true of the best, those who spend less have not earned it.
    best_gone = [(30, (90, 1, 9000)), (30, (5, 9, 3000)), (60, (60, 1, 20))]
    assert "high_value" not in codes("lifecycle", best_gone)


def test_a_name_that_others_come_before_for_is_withheld_from_whom_it_is_true_of():
    _, playbook = built_in("lifecycle")
    raw = np.array([[1.0, 9.0, 900.0], [50.0, 1.0, 10.0], [60.0, 1.0, 5.0]])
    shop = figures_of_shop(Customers(np.arange(3).astype(str), raw, raw, raw[:, 2], 10.0))
    assert withhold(playbook, "high_value", figures(raw[:1]), shop) == (
        "more_frequent",
        "More Frequent Buyers are not called High-Value Customers, because others rank above them",
    )


ODD = {
    "all bought once": [
        (20, (10, 1, 900)),
        (20, (60, 1, 500)),
        (20, (90, 1, 90)),
        (20, (250, 1, 40)),
    ],
    "all on one day": [(20, (1, 9, 900)), (20, (1, 4, 500)), (20, (1, 1, 90)), (20, (1, 1, 40))],
    "all spent the same": [(20, (5, 9, 20.1)), (20, (50, 4, 20.1)), (20, (90, 1, 20.1))],
    "all bought twice on two days": [(20, (1, 2, 900)), (20, (1, 2, 300)), (20, (1, 2, 30))],
    "all buy every month": [(20, (3, 18, 900)), (20, (13, 18, 500)), (20, (25, 18, 90))],
}
LIES = {
    "all bought once": {"high_value", "frequent_loyal", "mid_value"},
    "all on one day": {
        "high_value",
        "frequent_loyal",
        "occasional",
        "at_risk",
        "low_value_at_risk",
    },
    "all spent the same": {"high_value", "frequent_loyal", "occasional"},
    "all bought twice on two days": {"high_value", "frequent_loyal", "at_risk", "occasional"},
    "all buy every month": {"frequent_loyal", "occasional", "at_risk", "low_value_at_risk"},
}


@pytest.mark.parametrize("shop", ODD)
def test_names_that_are_not_true_of_an_odd_shop_are_given_to_nobody(shop):
    gap = None if shop in ("all bought once", "all on one day") else 30.0
    for playbook in ("lifecycle", "value_tiers"):
        assert not codes(playbook, ODD[shop], gap=gap) & LIES[shop]


def test_a_plain_name_says_where_customers_stand_and_why_it_is_plain():
    clusters, _ = call("lifecycle", ODD["all bought once"])
    plain = [cluster for cluster in clusters if cluster.code == "recent_bigger"]
    assert {cluster.meaning for cluster in plain} == {"recent_bigger"}
    assert (
        "Recent Bigger Spenders are not called High-Value Customers, because their median "
        "frequency is 1, and the name needs at least 2"
    ) in {cluster.withheld for cluster in plain}


def test_plain_names_are_there_for_whatever_can_be_told():
    same = [(20, (5, 1, 20)), (20, (50, 1, 20)), (20, (100, 1, 20))]
    assert codes("lifecycle", same) <= {"recent", "other", "earlier", "occasional", "at_risk"}
    one_day = [(20, (1, 1, 9)), (20, (1, 1, 30)), (20, (1, 1, 90))]
    assert codes("lifecycle", one_day) == {"smaller", "other", "bigger"}
    twice = [(30, (1, 1, 9)), (20, (1, 2, 9))]
    assert codes("lifecycle", twice) == {"more_frequent", "other"}


def test_a_segmentation_that_does_not_look_at_frequency_calls_nobody_frequent():
    groups = [(20, (10, 900)), (20, (60, 500)), (20, (90, 90)), (20, (250, 40))]
    features = ("recency_days", "monetary")
    found, _ = call("lifecycle", groups, features=features)
    assert "frequent_loyal" not in {cluster.code for cluster in found}
    assert "frequency, which is not among the features" in " ".join(
        cluster.withheld or "" for cluster in found
    )
    # A window of it will do.
    windowed = ("recency_days", "frequency_365d", "monetary_365d")
    assert codes("lifecycle", USUAL, features=windowed) == codes("lifecycle", USUAL)


def test_outliers_of_a_shop_where_most_bought_once_are_not_exceptional():
    features = ("monetary", "frequency", "recency_days")
    groups = [(80, (50, 1, 100)), (80, (60, 1, 30)), (12, (55, 2, 60))]
    settings = {"features": features, "separated": ["monetary", "frequency"]}
    found, _ = call("outlier_aware", groups, **settings)
    own = {" ".join(each.outliers): each for each in found if each.outliers}
    assert own["frequency"].code == "more_frequent"
    assert own["frequency"].withheld.endswith(
        "because their median frequency is 2, and the name needs at least 3"
    )
    # Nobody is in the other groups; they keep their names for whoever comes.
    assert own["monetary"].code == "outlier_spend"
    often = [*groups[:2], (12, (55, 30, 60))]
    found, _ = call("outlier_aware", often, **settings)
    assert "outlier_frequency" in {cluster.code for cluster in found}


def test_a_refit_keeps_a_name_and_says_what_it_would_mean_now():
    clusters, preparation = call("lifecycle", USUAL)
    previous = read_fit(center_rows(FEATURES, preparation, clusters))
    once = [(size, (recency, 1, spend)) for size, (recency, _, spend) in USUAL]
    again, _ = call("lifecycle", once, previous=previous)
    assert {cluster.code for cluster in again} == set(previous.codes)
    meanings = {cluster.code: cluster.meaning for cluster in again}
    assert meanings["high_value"] != "high_value"
    assert meanings["at_risk"] == "at_risk"


CLAIMS = pd.read_csv(SEEDS / "segment_claims.csv")
# Means and medians of a group, and of all, in a shop whose customers come every ten days.
STANDINGS = list(product((0.4, 1, 1.5, 2, 2.5, 3, 20, 40, 70, 100), repeat=2))
OF_ALL = list(product((1, 2, 25, 60, 80), repeat=2))


def standing(claims, column, broken=None):
    """Figures of one feature for which all claims about it are true but the broken one."""
    for (shop_mean, shop_median), (mean, median) in product(OF_ALL, STANDINGS):
        blank = np.zeros(column)
        shop = {
            "mean": np.r_[blank, shop_mean],
            "median": np.r_[blank, shop_median],
            "gap": np.r_[blank, 10.0],
        }
        group = {"mean": np.r_[blank, mean], "median": np.r_[blank, median]}
        if all(
            claim.is_met(group, shop) is (claim is not broken)
            for claim in claims
            if claim.column == column
        ):
            return shop_mean, shop_median, mean, median
    return None


@pytest.mark.parametrize(
    "place", CLAIMS.index, ids=["-".join(map(str, row)) for row in CLAIMS.values]
)
def test_each_claim_alone_withholds_its_name(place):
    name, code, feature = CLAIMS.loc[place, ["playbook", "segment_code", "feature"]]
    features = sorted(CLAIMS["feature"][CLAIMS["playbook"] == name].unique())
    claims = read_claims(CLAIMS, name, features)[code]
    own = CLAIMS[(CLAIMS["playbook"] == name) & (CLAIMS["segment_code"] == code)]
    broken = claims[list(own.index).index(place)]
    assert broken.feature == feature
    found = [
        standing(claims, column, broken if column == broken.column else None)
        for column in range(len(features))
    ]
    assert None not in found, "it follows from the other claims of its segment"
    shop_mean, shop_median, mean, median = np.array(found, dtype="float64").T
    shop, group = (
        {"mean": means, "median": medians}
        for means, medians in ((shop_mean, shop_median), (mean, median))
    )
    shop["gap"] = np.full(len(features), 10.0)
    assert first_unmet(claims, group, shop) is broken
    lacking = read_claims(CLAIMS.drop(index=place), name, features).get(code, ())
    assert first_unmet(lacking, group, shop) is None
