import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from segmentation.fitting import Customers, Declaration, Playbook, fit_segmentation
from segmentation.tables import Version
from segmentation.versions import (
    keep_or_refit,
    read_version,
    selected_fit,
    version_in_use,
    write_version,
)

MAY, JUNE, JULY = datetime(2011, 5, 1), datetime(2011, 6, 1), datetime(2011, 7, 1)
DECLARATION = Declaration("tiers", ("frequency", "monetary"), "kmeans", None, 2, 4, 5, 42)
PLAYBOOK = Playbook(
    {"low": np.array([-1.0, -1.0]), "high": np.array([1.0, 1.0]), "odd": np.array([-1.0, 1.0])}, {}
)


def draw(n=300, *, seed=1, factor=1.0, prefix="c"):
    rng = np.random.default_rng(seed)
    groups = [rng.normal(place, 0.4, size=(n // 3, 2)) for place in ((2, 2), (6, 6), (2, 6))]
    raw = np.vstack(groups) * [1, factor]
    ids = np.array([f"{prefix}{number:04d}" for number in range(len(raw))], dtype=object)
    return Customers(ids, raw, raw, raw[:, 1])


def build(customers, versions=(), *, as_of_at=JUNE, declaration=DECLARATION, **settings):
    rows, kept = keep_or_refit(
        declaration, customers, PLAYBOOK, list(versions), as_of_at=as_of_at, **settings
    )
    return rows, kept


def version_of(kept, rows):
    (chosen,) = [row for row in rows if row["is_selected"]]
    return Version(
        chosen["model_version"], kept["fitted_as_of_at"], kept["fingerprint"], kept["fit"]
    )


def decision(kept):
    return json.loads(kept["decision"])


@pytest.fixture(scope="module")
def first():
    rows, kept = build(draw())
    return rows, kept, version_of(kept, rows)


# ---------------------------------------------------------------------- which version


def test_the_version_in_use_is_the_last_one_fitted_by_then():
    may, june = Version("a", MAY, "", ""), Version("b", JUNE, "", "")
    again = Version("c", JUNE, "", "")
    undated = Version("d", None, "", "")
    assert version_in_use([], JUNE, refit="auto") is None
    assert version_in_use([june, may], JULY, refit="auto") is june
    assert version_in_use([june, may, again], JUNE, refit="auto") is again
    assert version_in_use([june, may], MAY, refit="always") is may
    assert version_in_use([undated], None, refit="auto") is undated
    assert version_in_use([undated, may], JUNE, refit="auto") is may
    # A fit made later knows too much, but is better than none where none may be made.
    assert version_in_use([june, again], MAY, refit="auto") is None
    assert version_in_use([june, again], MAY, refit="never") is june


# ---------------------------------------------------------------------- writing down


def test_a_fit_is_the_same_after_it_was_written_down(first):
    rows, kept, _ = first
    read, reference = read_version(kept["fit"])
    assert json.dumps(read) == json.dumps(rows)
    assert write_version(read, reference) == kept["fit"]
    assert reference.customers == 300
    assert reference.sketch.dtype == "uint64"


@pytest.mark.parametrize(
    "damage",
    [
        lambda fit: "no JSON",
        lambda fit: "[]",
        lambda fit: "{}",
        lambda fit: json.dumps({**json.loads(fit), "rows": []}),
        lambda fit: json.dumps({**json.loads(fit), "rows": 7}),
        lambda fit: json.dumps({**json.loads(fit), "edges": {"frequency": []}}),
        lambda fit: json.dumps({**json.loads(fit), "reaches": [1.0]}),
        lambda fit: json.dumps({**json.loads(fit), "sketch": ["x"]}),
        lambda fit: fit.replace("center_scaled", "center"),
        lambda fit: fit.replace('"stability_refits"', '"refits"'),
    ],
)
def test_a_kept_fit_that_cannot_be_read_says_how_to_go_on(first, damage):
    _, _, version = first
    damaged = replace(version, fit=damage(version.fit))
    assert damaged.fit != version.fit
    with pytest.raises(ValueError) as raised:
        build(draw(), [damaged], as_of_at=JULY)
    assert str(raised.value) == (
        f"the fit {version.model_version} of tiers, which an earlier build kept, can't be read. "
        "To forget all kept fits, so that the next build fits anew: "
        ".venv/bin/dbt run-operation forget_versions"
    )


# ---------------------------------------------------------------------- keep or refit


def test_the_first_fit_is_a_fit(first):
    rows, kept, _ = first
    assert kept["is_new"]
    assert kept["fitted_as_of_at"] == JUNE
    assert decision(kept) == {
        "decision": "refit",
        "reason": "the first fit of this source under these settings",
    }
    assert json.dumps(rows) == json.dumps(fit_segmentation(DECLARATION, draw(), PLAYBOOK))


def test_the_same_data_use_the_same_fit_and_decide_nothing_anew(first):
    rows, _, version = first
    again, kept = build(draw(), [version], as_of_at=JULY)
    assert json.dumps(again) == json.dumps(rows)
    assert kept == {
        "is_new": False,
        "fitted_as_of_at": JUNE,
        "fingerprint": version.fingerprint,
        "fit": None,
        "decision": None,
    }


def test_a_few_new_customers_are_assigned_by_the_fit_that_there_is(first):
    rows, _, version = first
    more = draw(330, seed=2)
    again, kept = build(more, [version], as_of_at=JULY)
    assert json.dumps(again) == json.dumps(rows)
    assert not kept["is_new"] and kept["fit"] is None
    told = decision(kept)
    assert told["decision"] == "keep"
    assert told["previous_model_version"] == version.model_version
    assert 0 <= told["explained_by_refit"] - told["explained"] < 0.01
    assert set(told["feature_psi"]) == {"frequency", "monetary"}


def test_a_shift_brings_a_refit_that_keeps_numbers_and_names(first):
    rows, _, version = first
    shifted = draw(factor=3.0)
    again, kept = build(shifted, [version], as_of_at=JULY)
    told = decision(kept)
    assert told["decision"] == "refit"
    assert told["reason"].startswith("monetary has shifted")
    assert kept["is_new"] and kept["fitted_as_of_at"] == JULY
    before, after = selected_fit(rows), selected_fit(again)
    assert after.codes == before.codes
    # The customers are the same ones, all three times as dear: under a fit of their own, each is in
    # the cluster in which it was.
    assert (
        after.assign(shifted.transformed, shifted.raw).tolist()
        == before.assign(draw().transformed, draw().raw).tolist()
    )
    moved = before.assign(shifted.transformed, shifted.raw) != after.assign(
        shifted.transformed, shifted.raw
    )
    assert told["moved_by_refit"] == moved.sum() > 0


@pytest.fixture(scope="module")
def swapped(first):
    """A fit in whose place the prototypes would call low high, and high low."""
    _, _, version = first
    fit = version.fit
    for old, new in (("low", "?"), ("high", "low"), ("?", "high")):
        fit = fit.replace(rf"\"segment_code\": \"{old}\"", rf"\"segment_code\": \"{new}\"")
    return replace(version, fit=fit)


CONFLICT = (
    "in a refit the cluster that would be named high is like low "
    "and the cluster that would be named low is like high"
)


def names(rows):
    """Names of all clusters, and what the prototypes would call them."""
    (chosen,) = [json.loads(row["centers"]) for row in rows if row["is_selected"]]
    codes = ("segment_code", "prototype_segment_code")
    return [[cell[code] for cell in chosen if cell["feature_number"] == 1] for code in codes]


def test_a_refit_takes_names_over_by_centres_not_by_prototypes(swapped):
    previous = selected_fit(read_version(swapped.fit)[0])
    again = fit_segmentation(DECLARATION, draw(seed=3), PLAYBOOK, previous=previous)
    assert names(again) == [["high", "low", "odd"], ["low", "high", "odd"]]
    anew = fit_segmentation(
        DECLARATION, draw(seed=3), PLAYBOOK, previous=previous, keep_names=False
    )
    assert names(anew) == [["low", "high", "odd"], ["low", "high", "odd"]]


def test_a_refit_that_is_due_is_not_made_where_names_would_change_their_meaning(swapped):
    again, kept = build(draw(factor=3.0), [swapped], as_of_at=JULY)
    assert json.dumps(again) == json.dumps(read_version(swapped.fit)[0])
    assert not kept["is_new"] and kept["fit"] is None
    told = decision(kept)
    assert told["decision"] == "keep"
    assert told["reason"].startswith("a refit is due: monetary has shifted (index ")
    assert told["reason"].endswith(f"; the fit is kept, because {CONFLICT}")
    assert told["name_conflict"] == CONFLICT
    assert told["moved_by_refit"] > 0


@pytest.mark.parametrize(
    ("factor", "refit", "begin"), [(1.0, "auto", "no feature"), (3.0, "never", "the var refit is")]
)
def test_names_are_no_obstacle_to_a_refit_that_is_not_made(swapped, factor, refit, begin):
    _, kept = build(draw(seed=2, factor=factor), [swapped], refit=refit, as_of_at=JULY)
    told = decision(kept)
    assert told["decision"] == "keep"
    assert told["reason"].startswith(begin)
    assert told["name_conflict"] is None


def test_always_gives_names_anew_where_the_old_ones_would_change_their_meaning(swapped):
    customers = draw(factor=3.0)
    again, kept = build(customers, [swapped], refit="always", as_of_at=JULY)
    assert names(again) == [["low", "high", "odd"], ["low", "high", "odd"]]
    assert kept["is_new"]
    told = decision(kept)
    assert told["decision"] == "refit"
    assert told["name_conflict"] == CONFLICT
    before = selected_fit(read_version(swapped.fit)[0])
    codes = [
        np.array(fit.codes)[fit.assign(customers.transformed, customers.raw) - 1]
        for fit in (before, selected_fit(again))
    ]
    changed = (codes[0] != codes[1]).sum()
    assert told["moved_by_refit"] == changed > 100
    assert told["reason"] == (
        f"the var refit is always; names were given anew, because {CONFLICT}; "
        f"{changed} of 300 customers have another name"
    )


def test_a_refit_keeps_how_many_clusters_there_are(first):
    rows, _, version = first
    two_only = draw(200, seed=4)
    keep = np.r_[0:66, 66:132]
    two_only = Customers(
        two_only.ids[keep], two_only.raw[keep], two_only.raw[keep], two_only.revenue[keep]
    )
    again, _ = build(two_only, [version], refit="always", as_of_at=JULY)
    (chosen,) = [row for row in again if row["is_selected"]]
    (before,) = [row for row in rows if row["is_selected"]]
    assert chosen["k"] == before["k"] == 3
    assert chosen["selection_reason"] == (
        "k is that of the version before, which the rule chose; it would choose 2 now"
    )


def test_never_keeps_whatever_happens_and_always_fits(first):
    rows, _, version = first
    same, kept = build(draw(factor=3.0), [version], refit="never", as_of_at=JULY)
    assert json.dumps(same) == json.dumps(rows)
    assert decision(kept)["reason"] == "the var refit is never"
    assert decision(kept)["feature_psi"]["monetary"] > 0.25
    again, kept = build(draw(), [version], refit="always", as_of_at=JUNE)
    assert kept["is_new"]
    assert decision(kept)["moved_by_refit"] == 0
    assert [row["model_version"] for row in again] == [row["model_version"] for row in rows]


def test_another_shop_is_fitted_by_itself(first):
    _, _, version = first
    others = draw(factor=3.0, prefix="x")
    again, kept = build(others, [version], as_of_at=JULY)
    assert kept["is_new"]
    assert decision(kept) == {
        "decision": "refit",
        "reason": f"another shop: about 0% of the customers that version {version.model_version} "
        "was fitted on are among these",
    }
    assert json.dumps(again) == json.dumps(fit_segmentation(DECLARATION, others, PLAYBOOK))


def test_customers_too_few_for_a_fit_of_their_own_keep_the_one_there_is(first):
    rows, _, version = first
    one = draw()
    one = Customers(one.ids[:2], one.raw[:2], one.raw[:2], one.revenue[:2])
    for refit in ("always", "never"):
        again, kept = build(one, [version], refit=refit, as_of_at=JULY)
        assert json.dumps(again) == json.dumps(rows)
        assert decision(kept)["decision"] == "keep"
        assert decision(kept)["reason"] == (
            "no refit is possible: there are fewer customers that differ than clusters"
        )


def test_nobody_has_no_fit():
    nobody = Customers(np.array([], dtype=object), np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    assert build(nobody) == ([], None)


def test_an_algorithm_that_finds_another_number_of_clusters_changes_nothing():
    declaration = replace(DECLARATION, algorithm="dbscan", k_min=2, k_max=6)
    rows, kept = build(draw(), declaration=declaration)
    version = version_of(kept, rows)
    two = draw()
    two = Customers(two.ids[:200], two.raw[:200], two.raw[:200], two.revenue[:200])
    again, kept = build(two, [version], declaration=declaration, as_of_at=JULY)
    assert json.dumps(again) == json.dumps(rows)
    assert decision(kept)["decision"] == "keep"
    assert decision(kept)["reason"] == "no refit is possible: it finds 2 clusters, not 3"


def test_the_key_of_a_playbook_follows_its_segments_and_places():
    moved = Playbook({**PLAYBOOK.prototypes, "low": np.array([-1.0, -0.9])}, {})
    named = Playbook(PLAYBOOK.prototypes, {frozenset(["monetary"]): "far"})
    assert len({each.key() for each in (PLAYBOOK, moved, named)}) == 3
    assert PLAYBOOK.key() == Playbook(dict(PLAYBOOK.prototypes), {}).key()
