from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmentation.naming import match_prototypes, order_clusters

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
