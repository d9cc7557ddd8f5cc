from dataclasses import replace
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest

from segmentation.claims import Claim
from segmentation.declarations import Declaration, Playbook, read_declarations, read_playbook

LIFECYCLE = Declaration(
    segmentation="lifecycle",
    features=("recency_days", "monetary"),
    algorithm="kmeans",
    k=None,
    k_min=3,
    k_max=8,
    n_init=10,
    seed=42,
    day_counts=frozenset(["recency_days"]),
    growing=frozenset(["monetary"]),
)
VALUE = Declaration(
    segmentation="value",
    features=("monetary",),
    algorithm="ward",
    k=3,
    k_min=2,
    k_max=9,
    n_init=1,
    seed=7,
    scaler="robust",
    winsorised=(0.01, 0.95),
)
APART = Declaration(
    segmentation="apart",
    features=("monetary", "frequency", "quantity"),
    algorithm="kmeans",
    k=None,
    k_min=2,
    k_max=5,
    n_init=10,
    seed=42,
    scaler="min_max",
    ranked=frozenset(["frequency"]),
    separated=frozenset(["monetary", "frequency"]),
)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def test_declarations_keep_their_order_and_that_of_their_features(connection):
    declared = connection.sql("""
        select
            'value' as segmentation, 1 as feature_number, 'monetary' as feature,
            'ward' as algorithm, 3 as k, 2 as k_min, 9 as k_max, 1 as n_init, 7 as seed,
            'robust' as scaler, 'sqrt' as transform, 'winsorise' as outlier_policy,
            0.01 as winsorised_from, 0.95 as winsorised_to, false as is_separated,
            false as counts_days, false as grows
        union all by name
        select
            'lifecycle' as segmentation, unnest([1, 2]) as feature_number,
            unnest(['recency_days', 'monetary']) as feature, 'kmeans' as algorithm,
            null as k, 3 as k_min, 8 as k_max, 10 as n_init, 42 as seed,
            'standard' as scaler, 'log1p' as transform, 'keep' as outlier_policy,
            null as winsorised_from, null as winsorised_to, false as is_separated,
            unnest([true, false]) as counts_days, unnest([false, true]) as grows
        union all by name
        select
            'apart' as segmentation, unnest([1, 2, 3]) as feature_number,
            unnest(['monetary', 'frequency', 'quantity']) as feature, 'kmeans' as algorithm,
            null as k, 2 as k_min, 5 as k_max, 10 as n_init, 42 as seed, 'min_max' as scaler,
            unnest(['none', 'rank', 'none']) as transform, 'separate' as outlier_policy,
            null as winsorised_from, null as winsorised_to,
            unnest([true, true, false]) as is_separated, false as counts_days, false as grows
    """)
    assert read_declarations(declared.order("segmentation desc, feature_number").df()) == [
        VALUE,
        LIFECYCLE,
        APART,
    ]
    assert read_declarations(declared.filter("false").df()) == []


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_a_k_that_is_not_declared_is_none(nothing):
    row = {"segmentation": "x", "feature": "monetary", "algorithm": "kmeans", "k": nothing}
    row |= {"k_min": 3, "k_max": 8, "n_init": 10, "seed": 42, "scaler": "standard"}
    row |= {"transform": "none", "outlier_policy": "keep", "is_separated": False}
    row |= {"counts_days": False, "grows": False}
    (declaration,) = read_declarations(pd.DataFrame([row]))
    assert declaration.k is None
    assert declaration.winsorised is None


PLAYBOOK = pd.DataFrame(
    [
        ("tiers", "away", None, None),
        ("tiers", "loyal", np.nan, "monetary"),
        ("kinds", "outlier_both", "monetary frequency", np.nan),
        ("kinds", "outlier_spend", "monetary", np.nan),
        ("kinds", "usual", "", ""),
    ],
    columns=["playbook", "segment_code", "outlier_features", "highest_in"],
)
PROTOTYPES = pd.DataFrame(
    [
        ("kinds", "loyal", "recency_days", 9.0),
        ("kinds", "usual", "recency_days", 0.5),
        ("kinds", "usual", "monetary", 0.25),
        ("tiers", "loyal", "frequency", 9.0),
        ("tiers", "loyal", "monetary", 1.0),
        ("tiers", "loyal", "recency_days", Decimal("-1.0")),
        ("tiers", "away", "monetary", -0.5),
        ("zones", "loyal", "monetary", 9.0),
        ("zones", "away", "recency_days", 9.0),
        ("tiers", "away", "recency_days", 1.5),
    ],
    columns=["playbook", "segment_code", "feature", "position"],
)


def test_a_best_segment_is_best_in_a_feature_of_the_declaration():
    def best(name, *features):
        declaration = replace(LIFECYCLE, features=features)
        return read_playbook(PLAYBOOK, PROTOTYPES, name, declaration).best

    assert best("tiers", "recency_days", "monetary") == ("loyal", 1)
    assert best("tiers", "monetary_365d", "recency_days") == ("loyal", 0)
    assert best("tiers", "recency_days") is None
    assert best("kinds", "recency_days", "monetary") is None


def test_prototypes_keep_the_playbooks_order_and_the_declarations_features():
    found = read_playbook(PLAYBOOK, PROTOTYPES, "tiers", LIFECYCLE)
    assert [(code, position.tolist()) for code, position in found.prototypes.items()] == [
        ("away", [1.5, -0.5]),
        ("loyal", [-1, 1]),
    ]
    assert all(position.dtype == "float64" for position in found.prototypes.values())
    assert found.outliers == {}


def test_a_window_has_the_position_of_the_whole_unless_it_has_its_own():
    windowed = replace(LIFECYCLE, features=("recency_days", "monetary_365d"))
    found = read_playbook(PLAYBOOK, PROTOTYPES, "tiers", windowed)
    assert found.prototypes["away"].tolist() == [1.5, -0.5]
    own = pd.concat(
        [
            PROTOTYPES,
            pd.DataFrame(
                [("tiers", "away", "monetary_365d", 0.75)], columns=list(PROTOTYPES.columns)
            ),
        ]
    )
    found = read_playbook(PLAYBOOK, own, "tiers", windowed)
    assert found.prototypes["away"].tolist() == [1.5, 0.75]
    assert found.prototypes["loyal"].tolist() == [-1, 1]


def test_segments_of_outliers_are_known_by_their_features_and_need_no_position():
    found = read_playbook(PLAYBOOK, PROTOTYPES, "kinds", LIFECYCLE)
    assert list(found.prototypes) == ["usual"]
    assert found.outliers == {
        frozenset(["frequency", "monetary"]): "outlier_both",
        frozenset(["monetary"]): "outlier_spend",
    }


def test_a_prototype_without_a_position_is_named():
    lacking = PROTOTYPES.iloc[:-1]
    with pytest.raises(ValueError, match=r"lifecycle.*no position of away for recency_days, w"):
        read_playbook(PLAYBOOK, lacking, "tiers", LIFECYCLE)


def test_a_playbook_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(ValueError) as refused:
        read_playbook(PLAYBOOK, PROTOTYPES, "teirs", LIFECYCLE)
    assert str(refused.value) == (
        "segmentation lifecycle: seeds/segment_playbook.csv has no playbook teirs; "
        "there are kinds, tiers. Did you mean tiers?"
    )
    with pytest.raises(ValueError, match=r"no playbook xyz; there are kinds, tiers$"):
        read_playbook(PLAYBOOK, PROTOTYPES, "xyz", LIFECYCLE)


def test_a_playbook_of_outliers_alone_is_refused():
    with pytest.raises(
        ValueError, match=r"lifecycle: all segments of the playbook kinds .*outliers"
    ):
        read_playbook(PLAYBOOK.iloc[:-1], PROTOTYPES, "kinds", LIFECYCLE)


def test_a_feature_of_which_the_playbook_says_nothing_takes_no_part_in_naming():
    more = replace(LIFECYCLE, features=("recency_days", "tenure_days", "monetary"))
    found = read_playbook(PLAYBOOK, PROTOTYPES, "tiers", more)
    assert [str(place) for place in found.prototypes["away"]] == ["1.5", "nan", "-0.5"]
    nothing = replace(LIFECYCLE, features=("tenure_days",))
    with pytest.raises(ValueError, match=r"no position of the playbook tiers for any of tenure_d"):
        read_playbook(PLAYBOOK, PROTOTYPES, "tiers", nothing)


def test_the_key_of_a_playbook_follows_its_segments_and_places():
    named = {"low": np.array([-1.0, np.nan]), "high": np.array([1.0, np.nan])}
    moved = Playbook({**named, "low": np.array([-0.9, np.nan])}, {})
    outliers = Playbook(named, {frozenset(["monetary"]): "far"})
    playbook = Playbook(named, {})
    claims = [Claim("monetary", 0, "mean", ">", number) for number in (1.0, 2.0)]
    one, other = (Playbook(named, {}, {"high": [claim]}, ["plain"]) for claim in claims)
    told = (playbook, moved, outliers, one, other, replace(one, fallbacks=["plainer"]))
    assert len({each.key() for each in told}) == 6
    assert playbook.key() == Playbook(dict(named), {}).key()
