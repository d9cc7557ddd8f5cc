import json
from dataclasses import replace
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest

from segmentation.fitting import Declaration
from segmentation.tables import read_customers, read_declarations, read_fit, read_playbook

LIFECYCLE = Declaration("lifecycle", ("recency_days", "monetary"), "kmeans", None, 3, 8, 10, 42)
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


# ---------------------------------------------------------------------- declarations


def test_declarations_keep_their_order_and_that_of_their_features(connection):
    declared = connection.sql("""
        select
            'value' as segmentation, 1 as feature_number, 'monetary' as feature,
            'ward' as algorithm, 3 as k, 2 as k_min, 9 as k_max, 1 as n_init, 7 as seed,
            'robust' as scaler, 'sqrt' as transform, 'winsorise' as outlier_policy,
            0.01 as winsorised_from, 0.95 as winsorised_to, false as is_separated
        union all by name
        select
            'lifecycle' as segmentation, unnest([1, 2]) as feature_number,
            unnest(['recency_days', 'monetary']) as feature, 'kmeans' as algorithm,
            null as k, 3 as k_min, 8 as k_max, 10 as n_init, 42 as seed,
            'standard' as scaler, 'log1p' as transform, 'keep' as outlier_policy,
            null as winsorised_from, null as winsorised_to, false as is_separated
        union all by name
        select
            'apart' as segmentation, unnest([1, 2, 3]) as feature_number,
            unnest(['monetary', 'frequency', 'quantity']) as feature, 'kmeans' as algorithm,
            null as k, 2 as k_min, 5 as k_max, 10 as n_init, 42 as seed, 'min_max' as scaler,
            unnest(['none', 'rank', 'none']) as transform, 'separate' as outlier_policy,
            null as winsorised_from, null as winsorised_to,
            unnest([true, true, false]) as is_separated
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
    (declaration,) = read_declarations(pd.DataFrame([row]))
    assert declaration.k is None
    assert declaration.winsorised is None


# ---------------------------------------------------------------------- customers


def test_customers_come_in_the_order_of_their_numbers_with_features_as_declared(connection):
    transformed = connection.sql("""
        select * from (values
            ('lifecycle', '100', [100.0, 0.5], [1, 2], 7.25::decimal(18, 2)),
            ('lifecycle', '9', [9.0, 0.25], [3, 4], 0.1),
            ('other', '1', [1.0, 1.0], [5, 6], 1),
            ('lifecycle', '20', [20.0, 0.75], [7, 8], null)
        ) as t (segmentation, customer_id, features, measures, revenue)
    """)
    customers = read_customers(transformed, LIFECYCLE)
    assert customers.ids.tolist() == ["9", "20", "100"]
    assert customers.transformed.tolist() == [[9, 0.25], [20, 0.75], [100, 0.5]]
    assert customers.raw.tolist() == [[3, 4], [7, 8], [1, 2]]
    assert customers.revenue.tolist() == [0.1, 0, 7.25]
    for column in (customers.transformed, customers.raw, customers.revenue):
        assert column.dtype == "float64"


def test_nobody_is_an_empty_table(connection):
    transformed = connection.sql("""
        select
            'other' as segmentation, '1' as customer_id, [1.0::double, 2.0] as features,
            [1.0::double, 2.0] as measures, 1 as revenue
    """)
    customers = read_customers(transformed, LIFECYCLE)
    assert len(customers.ids) == len(customers.revenue) == 0
    assert customers.transformed.shape == customers.raw.shape == (0, 2)


def test_a_feature_that_is_null_is_not_a_number(connection):
    transformed = connection.sql("""
        select
            'lifecycle' as segmentation, '1' as customer_id, [1.0::double, null] as features,
            [null, 2.0::double] as measures, 1 as revenue
    """)
    customers = read_customers(transformed, LIFECYCLE)
    assert np.isnan(customers.transformed[0, 1])
    assert np.isnan(customers.raw[0, 0])


# ---------------------------------------------------------------------- playbooks


PLAYBOOK = pd.DataFrame(
    [
        ("tiers", "away", None),
        ("tiers", "loyal", np.nan),
        ("kinds", "outlier_both", "monetary frequency"),
        ("kinds", "outlier_spend", "monetary"),
        ("kinds", "usual", ""),
    ],
    columns=["playbook", "segment_code", "outlier_features"],
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
    with pytest.raises(ValueError, match=r"lifecycle.*no position of away for recency_days$"):
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


# ---------------------------------------------------------------------- stored fits


def cells(cluster_id, code, kind, stored, center):
    """What a fit stores of one cluster, a feature each."""
    return [
        {
            "cluster_id": cluster_id,
            "segment_code": code,
            "outlier_features": kind,
            "feature_number": number,
            "center_scaled": position,
            **of_feature,
        }
        for number, (of_feature, position) in enumerate(zip(stored, center, strict=True), start=1)
    ]


STORED = [
    {
        "feature": "recency_days",
        "knots": None,
        "clip_low": 0.0,
        "clip_high": None,
        "feature_offset": 0.1,
        "feature_scale": 1 / 3,
        "fence_low": None,
        "fence_high": None,
    },
    {
        "feature": "monetary",
        "knots": [n / 3 for n in range(99)],
        "clip_low": None,
        "clip_high": 0.98,
        "feature_offset": 0.5,
        "feature_scale": 0.25,
        "fence_low": -12.5,
        "fence_high": 40.0,
    },
]
CENTERS = [[0.7, -1.25], [1e-12, 2.0], [-0.1, 0.3]]
TEXT = json.dumps(
    [
        cell
        for number, center in enumerate(CENTERS, start=1)
        for cell in cells(number, f"segment_{number}", None, STORED, center)
    ]
    + cells(4, "spend", "monetary", STORED, [0.0, 9.0])
    + cells(5, "both", "monetary recency_days", STORED, [None, None])
)


def test_a_fit_comes_back_as_it_was_stored():
    fit = read_fit(TEXT)
    assert fit.centers.tolist() == CENTERS
    assert fit.codes == ["segment_1", "segment_2", "segment_3", "spend", "both"]
    assert [pattern.tolist() for pattern in fit.outliers] == [[False, True], [True, True]]
    preparation = fit.preparation
    assert preparation.knots[0] is None
    assert preparation.knots[1].tolist() == [n / 3 for n in range(99)]
    assert preparation.lows.tolist() == [0, -np.inf]
    assert preparation.highs.tolist() == [np.inf, 0.98]
    assert preparation.offsets.tolist() == [0.1, 0.5]
    assert preparation.scales.tolist() == [1 / 3, 0.25]
    assert preparation.fence_lows.tolist() == [-np.inf, -12.5]
    assert preparation.fence_highs.tolist() == [np.inf, 40]


def test_customers_are_assigned_by_fences_first_and_then_to_the_nearest_centre():
    # Scaled, recency is 0.7 and 0; the rank of monetary is 0, 0.98 (0.99, held) or 0.52, scaled -2,
    # 1.92 and 0.08.
    transformed = np.array([[1 / 3, 0.0], [0.1, 40.0], [0.1, 17.2], [1 / 3, 0.0], [0.1, 40.0]])
    raw = np.array([[1.0, 0.0], [1.0, 40.0], [1.0, 17.2], [1.0, -12.51], [9e9, 41.0]])
    fit = read_fit(TEXT)
    together = fit.assign(transformed, raw)
    assert together.tolist() == [1, 2, 3, 4, 4]
    alone = [fit.assign(transformed[[row]], raw[[row]]).tolist() for row in range(5)]
    assert alone == [[1], [2], [3], [4], [4]]
