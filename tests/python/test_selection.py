import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.selection import elbow_depths, select_k

repeatable = settings(derandomize=True, deadline=None)
unit = st.floats(0, 1)
falling = st.lists(st.floats(0.1, 100), min_size=3, max_size=8).map(
    lambda drops: np.cumsum(drops)[::-1]
)
candidates = st.lists(
    st.tuples(
        st.floats(0, 1e6),
        st.one_of(st.floats(-1, 1), st.just(np.nan)),
        st.one_of(st.floats(0, 0.04), st.just(0.02)),
        st.one_of(st.floats(-0.1, 1), st.just(0.6), st.just(np.nan)),
    ),
    min_size=1,
    max_size=8,
)


def test_elbow_is_how_far_the_curve_sags_under_the_line_between_its_ends():
    assert elbow_depths([100, 40, 30, 20]) == pytest.approx([0, 2 / 3 - 0.25, 1 / 3 - 0.125, 0])


def test_a_straight_curve_has_no_elbow():
    assert elbow_depths([9.7, 7.4, 5.1, 2.8]) == pytest.approx([0, 0, 0, 0])


@pytest.mark.parametrize("inertias", [[5], [5, 1], [3, 3, 3], [1, 9, 2]])
def test_a_curve_without_room_to_sag_has_no_elbow(inertias):
    assert elbow_depths(inertias).tolist() == [0] * len(inertias)


@repeatable
@given(inertias=falling, unit=st.floats(0.01, 100), more=st.floats(0, 1000))
def test_elbow_has_no_unit_and_no_origin(inertias, unit, more):
    depths = elbow_depths(inertias)
    assert depths[[0, -1]].tolist() == [0, 0]
    assert elbow_depths(inertias * unit + more) == pytest.approx(depths, abs=1e-6)


# In each, candidates are 3, 4, 5 and 6; the elbow is deepest at 4, then at 5.
ELBOW_AT_4 = [100, 40, 30, 20]


@pytest.mark.parametrize(
    ("silhouettes", "shares", "k"),
    [
        pytest.param([0.3, 0.3, 0.3, 0.4], [0.2] * 4, 6, id="a clearly best silhouette"),
        pytest.param([0.300, 0.295, 0.2, 0.2], [0.2] * 4, 4, id="the elbow among ties"),
        pytest.param([0.300, 0.285, 0.2, 0.2], [0.2] * 4, 3, id="no tie beyond 0.01"),
        pytest.param([0.300, 0.2, 0.295, 0.295], [0.2] * 4, 5, id="the elbow of the tied only"),
        pytest.param([0.3, 0.2, 0.2, 0.9], [0.2, 0.2, 0.2, 0.019], 3, id="no splinter"),
        pytest.param([0.2, 0.2, 0.3, 0.9], [0.2, 0.2, 0.020, 0.019], 5, id="2 % is no splinter"),
        pytest.param(
            [0.300, 0.2, 0.295, 0.9], [0.2, 0.2, 0.2, 0.0], 5, id="a splinter does not set the best"
        ),
        pytest.param(
            [0.300, 0.295, 0.295, 0.2], [0.2, 0.0, 0.2, 0.2], 5, id="a splinter does not tie"
        ),
        pytest.param(
            [0.9, 0.3, 0.3, 0.3], [0.001, 0.002, 0.015, 0.010], 5, id="the least bad of splinters"
        ),
        pytest.param([np.nan, np.nan, np.nan, -0.5], [0.2] * 4, 6, id="any figure before none"),
    ],
)
def test_k_is(silhouettes, shares, k):
    chosen, _ = select_k([3, 4, 5, 6], ELBOW_AT_4, silhouettes, shares)
    assert chosen == k


SOUND = [0.2] * 4


@pytest.mark.parametrize(
    ("silhouettes", "shares", "stabilities", "k"),
    [
        pytest.param([0.3, 0.2, 0.2, 0.9], SOUND, [0.9, 0.9, 0.9, 0.59], 3, id="no unstable one"),
        pytest.param([0.3, 0.2, 0.2, 0.9], SOUND, [0.9, 0.9, 0.9, 0.60], 6, id="0.6 is stable"),
        pytest.param([0.3, 0.2, 0.2, 0.9], SOUND, [np.nan] * 4, 6, id="unknown refuses nothing"),
        pytest.param(
            [0.3, 0.2, 0.2, 0.9],
            SOUND,
            [0.9, 0.9, 0.9, np.nan],
            6,
            id="unknown of one refuses nothing",
        ),
        pytest.param(
            [0.300, 0.295, 0.2, 0.2],
            SOUND,
            [0.9, 0.1, 0.9, 0.9],
            3,
            id="an unstable one does not tie",
        ),
        pytest.param(
            [0.300, 0.2, 0.295, 0.9], SOUND, [0.9, 0.9, 0.9, 0.1], 5, id="it does not set the best"
        ),
        pytest.param(
            [0.3, 0.4, 0.9, 0.9], SOUND, [0.1, 0.5, 0.4, 0.3], 4, id="the least unstable of all"
        ),
        pytest.param(
            [0.3, 0.4, 0.9, 0.9],
            [0.2, 0.2, 0.01, 0.2],
            [0.1, 0.4, 0.99, 0.5],
            6,
            id="the least unstable of those without a splinter",
        ),
        pytest.param(
            [0.3] * 4,
            [0.001, 0.002, 0.015, 0.01],
            [1.0, 1.0, 0.1, 1.0],
            5,
            id="the largest splinter however unstable",
        ),
        pytest.param(
            [0.953, 0.95, 0.94, 0.3],
            [0.003, 0.001, 0.001, 0.1],
            [0.99, 0.98, 0.97, 0.7],
            6,
            id="99 % in one cluster is no segmentation however good its silhouette",
        ),
    ],
)
def test_with_refits_k_is(silhouettes, shares, stabilities, k):
    chosen, _ = select_k([3, 4, 5, 6], ELBOW_AT_4, silhouettes, shares, stabilities)
    assert chosen == k


def test_reasons_say_how_stable_and_what_is_refused_for_what():
    ks = [3, 4, 5, 6]
    _, reason = select_k(
        ks, ELBOW_AT_4, [0.3, 0.5, 0.9, 0.9], [0.2, 0.01, 0.2, 0.01], [0.71, 1, 0.5, 0]
    )
    assert "best silhouette" in reason and "refits agree 0.71" in reason
    assert "refused for a cluster under 2%: k = 4, 6" in reason
    assert "refused for refits that agree under 0.6: k = 5" in reason
    _, none_stable = select_k(ks, ELBOW_AT_4, [0.3] * 4, SOUND, [0.1, 0.2, 0.55, 0.3])
    assert "every k within 3 to 6" in none_stable and "0.55" in none_stable
    _, unknown = select_k(ks, ELBOW_AT_4, [0.3] * 4, SOUND, [np.nan] * 4)
    assert "nan" not in unknown and "agree" not in unknown and "refused" not in unknown
    assert unknown == select_k(ks, ELBOW_AT_4, [0.3] * 4, SOUND)[1]


def test_of_equals_the_smaller_k_is_chosen():
    assert select_k([3, 4], [9, 5], [0.3, 0.3], [0.2, 0.2])[0] == 3
    assert select_k([3, 4, 5], [1, 9, 2], [0.3, 0.3, 0.3], [0.2, 0.2, 0.2])[0] == 3


def test_of_equals_on_a_straight_curve_the_smaller_k_is_chosen():
    assert select_k([3, 4, 5, 6], [10, 7, 4, 1], [0.3] * 4, [0.2] * 4)[0] == 3


def test_reasons_give_no_figure_that_there_is_not():
    _, reason = select_k([3], [0.0], [np.nan], [0.3])
    assert "-1.000" not in reason


def test_reasons_read_well():
    _, reason = select_k([3, 4, 5, 6], ELBOW_AT_4, [0.3] * 4, [0.2] * 4)
    assert "within k within" not in reason


def test_reasons_give_the_figures_that_decided():
    ks = [3, 4, 5, 6]
    _, best = select_k(ks, ELBOW_AT_4, [0.3, 0.3, 0.3, 0.412], [0.2] * 4)
    assert "0.412" in best and "3 to 6" in best and "elbow" not in best
    _, tied = select_k(ks, ELBOW_AT_4, [0.304, 0.299, 0.2, 0.9], [0.2, 0.2, 0.2, 0.01])
    assert "0.299" in tied and "0.304 at 3" in tied and "elbow" in tied
    assert "at 4" not in tied and "at 5" not in tied
    assert "under 2%: k = 6" in tied
    _, refused = select_k(ks, ELBOW_AT_4, [0.3] * 4, [0.001, 0.015, 0.002, 0.003])
    assert "1.5%" in refused and "3 to 6" in refused


def test_there_must_be_a_candidate():
    with pytest.raises(ValueError, match="no candidate"):
        select_k([], [], [], [])


@repeatable
@given(first=st.integers(2, 9), figures=candidates)
def test_a_candidate_is_chosen_that_is_neither_refused_nor_clearly_worse(first, figures):
    ks = list(range(first, first + len(figures)))
    inertias, silhouettes, shares, stabilities = zip(*figures, strict=True)
    k, reason = select_k(ks, inertias, silhouettes, shares, stabilities)
    at = ks.index(k)
    assert reason
    whole = [i for i in range(len(ks)) if shares[i] >= 0.02]
    if not whole:
        assert shares[at] == max(shares)
        return
    allowed = [i for i in whole if not stabilities[i] < 0.6]
    if not allowed:
        assert at in whole
        assert stabilities[at] == max(stabilities[i] for i in whole)
        return
    assert at in allowed
    known = [silhouettes[i] for i in allowed if not np.isnan(silhouettes[i])]
    if known and max(known) > -0.99:
        assert silhouettes[at] >= max(known) - 0.01 - 1e-9
