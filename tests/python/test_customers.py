from dataclasses import replace
from datetime import datetime

import duckdb
import numpy as np
import pytest

from segmentation.customers import read_assigned, read_customers, read_period
from segmentation.declarations import Declaration

LIFECYCLE = Declaration("lifecycle", ("recency_days", "monetary"), "kmeans", None, 3, 8, 10, 42)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


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


# ---------------------------------------------------------------------- where SQL has put them


def test_assigned_customers_come_in_the_order_asked_for(connection):
    segments = connection.sql("""
        select * from (values
            ('lifecycle', '20', 'away', 2),
            ('other', '9', 'odd', 7),
            ('lifecycle', '9', 'loyal', 1),
            ('lifecycle', '5', null, null)
        ) as t (segmentation, customer_id, segment_code, cluster_id)
    """)
    assigned = read_assigned(segments, LIFECYCLE, np.array(["9", "20"], dtype=object))
    assert assigned.codes.tolist() == ["loyal", "away"]
    assert assigned.clusters.tolist() == [1, 2]


def test_the_moment_and_the_days_before_it_are_the_segmentations_own(connection):
    transformed = connection.sql("""
        select segmentation, as_of_at::timestamp as as_of_at, begins_at::timestamp as begins_at
        from (values
            ('lifecycle', '2011-12-10 12:00:00', '2011-11-30'),
            ('lifecycle', '2011-12-10 12:00:00', '2011-11-30'),
            ('other', '2014-06-30', '2010-01-01'),
            ('campaign', '2014-06-30', null)
        ) as t (segmentation, as_of_at, begins_at)
    """)

    def read(segmentation):
        return read_period(transformed, replace(LIFECYCLE, segmentation=segmentation))

    assert read("lifecycle") == (datetime(2011, 12, 10, 12), 10.5)
    assert read("campaign") == (datetime(2014, 6, 30), None)
    assert read("nobody") == (None, None)
