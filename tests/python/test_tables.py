import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from segmentation.fitting import Declaration
from segmentation.tables import read_centers, read_customers, read_declarations, read_prototypes

LIFECYCLE = Declaration("lifecycle", ("recency_days", "monetary"), "kmeans", None, 3, 8, 10, 42)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def test_declarations_keep_their_order_and_that_of_their_features(connection):
    declared = connection.sql("""
        select 'value' as segmentation, 1 as feature_number, 'monetary' as feature,
            'kmeans' as algorithm, 3 as k, 2 as k_min, 9 as k_max, 1 as n_init, 7 as seed
        union all by name
        select 'lifecycle' as segmentation, unnest([1, 2]) as feature_number,
            unnest(['recency_days', 'monetary']) as feature,
            'kmeans' as algorithm, null as k, 3 as k_min, 8 as k_max, 10 as n_init, 42 as seed
    """)
    assert read_declarations(declared.order("segmentation desc, feature_number").df()) == [
        Declaration("value", ("monetary",), "kmeans", 3, 2, 9, 1, 7),
        LIFECYCLE,
    ]
    assert read_declarations(declared.filter("false").df()) == []


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_a_k_that_is_not_declared_is_none(nothing):
    row = {"segmentation": "x", "feature": "monetary", "algorithm": "kmeans", "k": nothing}
    row |= {"k_min": 3, "k_max": 8, "n_init": 10, "seed": 42}
    (declaration,) = read_declarations(pd.DataFrame([row]))
    assert declaration.k is None


def test_customers_come_in_the_order_of_their_numbers_with_features_as_declared(connection):
    transformed = connection.sql("""
        select * from (values
            ('lifecycle', '100', [100.0, 0.5]),
            ('lifecycle', '9', [9.0, 0.25]),
            ('other', '1', [1.0, 1.0]),
            ('lifecycle', '20', [20.0, 0.75])
        ) as t (segmentation, customer_id, features)
    """)
    customer_ids, features = read_customers(transformed, LIFECYCLE)
    assert customer_ids.tolist() == ["9", "20", "100"]
    assert features.tolist() == [[9, 0.25], [20, 0.75], [100, 0.5]]
    assert features.dtype == "float64"


def test_nobody_is_an_empty_table(connection):
    transformed = connection.sql("""
        select 'other' as segmentation, '1' as customer_id, [1.0::double, 2.0] as features
    """)
    customer_ids, features = read_customers(transformed, LIFECYCLE)
    assert len(customer_ids) == 0
    assert features.shape == (0, 2)


def test_a_feature_that_is_null_is_not_a_number(connection):
    transformed = connection.sql("""
        select 'lifecycle' as segmentation, '1' as customer_id, [1.0::double, null] as features
    """)
    _, features = read_customers(transformed, LIFECYCLE)
    assert np.isnan(features[0, 1])


POSITIONS = pd.DataFrame(
    [
        ("loyal", "frequency", 9.0),
        ("loyal", "monetary", 1.0),
        ("loyal", "recency_days", -1.0),
        ("away", "monetary", -0.5),
        ("away", "recency_days", 1.5),
    ],
    columns=["segment_code", "feature", "position"],
)


def test_prototypes_keep_the_playbooks_order_and_the_declarations_features():
    found = read_prototypes(POSITIONS, LIFECYCLE)
    assert [(code, position.tolist()) for code, position in found.items()] == [
        ("loyal", [-1, 1]),
        ("away", [1.5, -0.5]),
    ]


def test_a_prototype_without_a_position_is_named():
    with pytest.raises(ValueError, match=r"lifecycle.*no position of away for recency_days$"):
        read_prototypes(POSITIONS.iloc[:4], LIFECYCLE)


def test_a_playbook_without_segments_is_refused():
    with pytest.raises(ValueError, match=r"lifecycle.*no segments"):
        read_prototypes(POSITIONS.iloc[:0], LIFECYCLE)


def test_centres_come_back_as_they_were_stored():
    offsets, scales = [0.1, 300.0], [1 / 3, 12.5]
    centers = [[0.7, -1.25], [1e-12, 2.0], [-0.1, 0.3]]
    text = json.dumps(
        [
            {
                "cluster_id": number + 1,
                "feature_number": column + 1,
                "feature_offset": offsets[column],
                "feature_scale": scales[column],
                "center_scaled": centers[number][column],
            }
            for number in range(3)
            for column in range(2)
        ]
    )
    assert [array.tolist() for array in read_centers(text)] == [offsets, scales, centers]
