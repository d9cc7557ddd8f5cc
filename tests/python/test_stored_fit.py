import numpy as np
import pytest

from segmentation.customers import Assigned, Customers
from segmentation.declarations import Declaration
from segmentation.naming import NamedCluster
from segmentation.scaling import Preparation
from segmentation.stored_fit import center_rows, check_assigned, read_fit, version_of


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
ROWS = (
    [
        cell
        for number, center in enumerate(CENTERS, start=1)
        for cell in cells(number, f"segment_{number}", None, STORED, center)
    ]
    + cells(4, "spend", "monetary", STORED, [0.0, 9.0])
    + cells(5, "both", "monetary recency_days", STORED, [None, None])
)


def test_a_fit_comes_back_as_it_was_stored():
    fit = read_fit(ROWS)
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
    fit = read_fit(ROWS)
    together = fit.assign(transformed, raw)
    assert together.tolist() == [1, 2, 3, 4, 4]
    alone = [fit.assign(transformed[[row]], raw[[row]]).tolist() for row in range(5)]
    assert alone == [[1], [2], [3], [4], [4]]


def test_rows_that_were_read_are_written_as_they_were():
    fit = read_fit(ROWS)
    clusters = [
        NamedCluster(place, center, code, code, None)
        for place, (center, code) in enumerate(zip(fit.centers, fit.codes, strict=False))
    ]
    clusters += [
        NamedCluster(None, np.array([0.0, 9.0]), "spend", "spend", ["monetary"]),
        NamedCluster(None, None, "both", "both", ["monetary", "recency_days"]),
    ]
    written = center_rows(["recency_days", "monetary"], fit.preparation, clusters)
    assert [
        {name: value for name, value in row.items() if name != "prototype_segment_code"}
        for row in written
    ] == ROWS
    assert [row["prototype_segment_code"] for row in written] == [
        row["segment_code"] for row in ROWS
    ]


def test_a_version_is_named_after_all_that_its_rows_say():
    renamed = [row | {"segment_code": row["segment_code"].upper()} for row in ROWS]
    moved = [row | {"feature_scale": row["feature_scale"] + 1e-15} for row in ROWS]
    versions = [version_of(rows) for rows in (ROWS, renamed, moved)]
    assert len(set(versions)) == 3
    assert versions[0] == version_of([dict(reversed(row.items())) for row in ROWS])
    assert all(len(bytes.fromhex(version)) == 6 for version in versions)


# ---------------------------------------------------------------------- against SQL


PLAIN = Preparation(
    knots=(None,),
    lows=np.array([-np.inf]),
    highs=np.array([np.inf]),
    offsets=np.array([0.0]),
    scales=np.array([1.0]),
    fence_lows=np.array([-np.inf]),
    fence_highs=np.array([np.inf]),
)
NEAR_FAR = Declaration("two", ("recency_days",), "kmeans", 2, 2, 8, 1, 42)


def assigned_by_sql(clusters):
    return Assigned(np.array(["near", "far"], dtype=object)[np.array(clusters) - 1], clusters)


def test_a_customer_whom_sql_puts_elsewhere_is_named():
    ids = np.array(["7", "8", "9"], dtype=object)
    features = np.array([[0.0], [1.0], [9.0]])
    customers = Customers(ids, features, features, np.ones(3))
    rows = center_rows(
        ["recency_days"],
        PLAIN,
        [
            NamedCluster(0, np.array([0.0]), "near", "near", None),
            NamedCluster(1, np.array([10.0]), "far", "far", None),
        ],
    )
    fit = read_fit(rows)
    check_assigned(NEAR_FAR, customers, assigned_by_sql(np.array([1, 1, 2])), fit)
    with pytest.raises(ValueError) as refused:
        check_assigned(NEAR_FAR, customers, assigned_by_sql(np.array([1, 2, 1])), fit)
    assert str(refused.value) == (
        "segmentation two: SQL and scikit-learn put 2 of 3 customers into different clusters, "
        "such as 8: 2 and 1"
    )
