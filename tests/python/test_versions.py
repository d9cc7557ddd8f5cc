from dataclasses import replace
from datetime import datetime

import duckdb
import numpy as np
import pytest
from conftest import PROJECT

from segmentation.customers import Customers
from segmentation.declarations import Declaration, Playbook
from segmentation.fit_rows import fit_row, fits_relation, read_versions
from segmentation.fitting import fit_segmentation
from segmentation.stored_fit import read_fit
from segmentation.versions import Version, keep_or_refit, version_in_use

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
    return keep_or_refit(
        declaration, customers, PLAYBOOK, list(versions), as_of_at=as_of_at, **settings
    )


def kept(decided):
    """The version that a later build finds."""
    return Version(decided.fitted_as_of_at, decided.fingerprint, decided.fit, decided.reference)


@pytest.fixture(scope="module")
def first():
    decided = build(draw(), days=200)
    return decided, kept(decided)


# ---------------------------------------------------------------------- which version


def test_the_version_in_use_is_the_last_one_fitted_by_then():
    may, june, again, undated = (
        Version(moment, name, None, None)
        for name, moment in (("a", MAY), ("b", JUNE), ("c", JUNE), ("d", None))
    )
    assert version_in_use([], JUNE, refit="auto") is None
    assert version_in_use([june, may], JULY, refit="auto") is june
    assert version_in_use([june, may, again], JUNE, refit="auto") is again
    assert version_in_use([june, may], MAY, refit="always") is may
    assert version_in_use([undated], None, refit="auto") is undated
    assert version_in_use([undated, may], JUNE, refit="auto") is may
    # A fit made later knows too much, but is better than none where none may be made.
    assert version_in_use([june, again], MAY, refit="auto") is None
    assert version_in_use([june, again], MAY, refit="never") is june


# ---------------------------------------------------------------------- as rows


KEYS = {"source_key": "shop", "settings_key": "asked", "playbook_key": "names"}


@pytest.fixture
def written(first):
    """A connection with the decision of the first build in a table typed like the project's."""
    decided, _ = first
    query = (PROJECT / "models/intermediate/segmentations/int_fits_kept.sql").read_text()
    query = query[query.index("with kept as") :]
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as {query}")
        like = connection.table("kept")
        decided = replace(decided, fit=replace(decided.fit, names_withheld="x is not y"))
        row = fit_row("tiers", KEYS, JUNE, decided)
        fits_relation(connection, [row], like).to_table("fits")
        connection.execute("insert into kept by name select 1 as kept_number, * from fits")
        yield connection


def test_a_fit_is_the_same_after_it_was_written_down(first, written):
    decided, _ = first
    (version,) = read_versions(written.table("kept"), DECLARATION, KEYS)
    assert version.fit.centers == decided.fit.centers
    assert version.fit.version == decided.fit.version
    assert version.fit.agreements == decided.fit.agreements
    assert version.fit.names_withheld == "x is not y"
    for read, row in zip(version.fit.tried, decided.fit.tried, strict=True):
        # What is not known is no number there, and null in a table.
        assert str(sorted(read.items())) == str(sorted(row.items())).replace("nan", "None")
    assert (version.as_of_at, version.fingerprint) == (JUNE, decided.fingerprint)
    assert version.reference.customers == 300
    for name in ("edges", "shares"):
        ours, theirs = getattr(version.reference, name), getattr(decided.reference, name)
        assert list(ours) == list(theirs)
        for feature in ours:
            assert ours[feature].tolist() == theirs[feature].tolist()
    assert version.reference.days == decided.reference.days == 200
    assert version.reference.sketch.tolist() == decided.reference.sketch.tolist()
    assert version.reference.sketch.dtype == "uint64"
    again = build(draw(), [version], as_of_at=JULY)
    assert again.told is None


def test_only_fits_of_the_same_source_settings_and_names_are_read(written):
    for name in KEYS:
        assert read_versions(written.table("kept"), DECLARATION, {**KEYS, name: "other"}) == []
    other = replace(DECLARATION, segmentation="other")
    assert read_versions(written.table("kept"), other, KEYS) == []
    written.execute("update kept set decision = 'keep'")
    assert read_versions(written.table("kept"), DECLARATION, KEYS) == []


def test_versions_come_in_the_order_in_which_they_were_kept(written):
    written.execute(
        "insert into kept select * replace (0 as kept_number, 'older' as fingerprint) from kept"
    )
    found = read_versions(written.table("kept"), DECLARATION, KEYS)
    assert [version.fingerprint != "older" for version in found] == [False, True]


@pytest.mark.parametrize(
    "damage",
    [
        "bins = null",
        "bins = bins[2:]",
        "centers = null",
        "centers = []",
        "centers = centers[:1]",
        "tried = null",
        "sketch = null",
        "fitted_customers = null",
    ],
)
def test_a_kept_fit_that_cannot_be_read_says_how_to_go_on(written, damage):
    written.execute(f"update kept set {damage}")
    with pytest.raises(ValueError) as raised:
        read_versions(written.table("kept"), DECLARATION, KEYS)
    assert str(raised.value).startswith("a fit of tiers that an earlier build kept can't be read (")
    assert str(raised.value).endswith(
        "To forget all kept fits, so that the next build fits anew: "
        ".venv/bin/dbt run-operation forget_fits"
    )


def test_a_kept_fit_and_a_new_one_stand_in_one_table(first, written):
    decided, _ = first
    (version,) = read_versions(written.table("kept"), DECLARATION, KEYS)
    again = build(draw(), [version], as_of_at=JULY)
    rows = [fit_row(name, KEYS, JULY, each) for name, each in (("a", again), ("b", decided))]
    found = fits_relation(written, rows, written.table("kept"))
    (kept_centers, kept_tried), (centers, tried) = found.project("centers, tried").fetchall()
    assert kept_centers == centers == decided.fit.centers
    assert kept_tried == tried


def test_what_was_left_out_is_a_row_without_a_fit(written):
    nobody = Customers(np.array([], dtype=object), np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    row = fit_row("tiers", KEYS, None, build(nobody))
    found = fits_relation(written, [row], written.table("kept")).project(
        "segmentation, decision, reason, centers, tried, is_new, model_version"
    )
    assert found.fetchall() == [
        ("tiers", "left_out", "there are no customers", None, None, None, None)
    ]
    # No segmentation at all is an empty table of the same columns.
    assert fits_relation(written, [], written.table("kept")).fetchall() == []


# ---------------------------------------------------------------------- keep or refit


def test_the_first_fit_is_a_fit(first):
    decided, _ = first
    assert decided.reference is not None
    assert decided.fitted_as_of_at == JUNE
    assert decided.told == {
        "decision": "refit",
        "reason": "the first fit of this source under these settings",
    }
    assert str(decided.fit) == str(fit_segmentation(DECLARATION, draw(), PLAYBOOK))


def test_the_same_data_use_the_same_fit_and_decide_nothing_anew(first):
    _, version = first
    again = build(draw(), [version], as_of_at=JULY)
    assert again.fit is version.fit
    assert (again.fitted_as_of_at, again.fingerprint) == (JUNE, version.fingerprint)
    assert again.reference is None
    assert again.told is None


def test_a_few_new_customers_are_assigned_by_the_fit_that_there_is(first):
    _, version = first
    again = build(draw(330, seed=2), [version], as_of_at=JULY)
    assert again.fit is version.fit
    assert again.reference is None
    assert again.told["decision"] == "keep"
    assert again.told["previous_model_version"] == version.fit.version
    assert 0 <= again.told["explained_by_refit"] - again.told["explained"] < 0.01
    assert set(again.told["feature_psi"]) == {"frequency", "monetary"}


def test_a_shift_brings_a_refit_that_keeps_numbers_and_names(first):
    _, version = first
    shifted = draw(factor=3.0)
    again = build(shifted, [version], as_of_at=JULY)
    assert again.told["decision"] == "refit"
    assert again.told["reason"].startswith("monetary has shifted")
    assert again.reference is not None and again.fitted_as_of_at == JULY
    before, after = read_fit(version.fit.centers), read_fit(again.fit.centers)
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
    assert again.told["moved_by_refit"] == moved.sum() > 0


@pytest.fixture(scope="module")
def swapped(first):
    """A fit in whose place the prototypes would call low high, and high low."""
    _, version = first
    other = {"low": "high", "high": "low", "odd": "odd"}
    centers = [row | {"segment_code": other[row["segment_code"]]} for row in version.fit.centers]
    return replace(version, fit=replace(version.fit, centers=centers))


CONFLICT = (
    "in a refit the cluster that would be named high is like low "
    "and the cluster that would be named low is like high"
)


def names(fit):
    """Names of all clusters, and what the prototypes would call them."""
    codes = ("segment_code", "prototype_segment_code")
    return [[row[code] for row in fit.centers if row["feature_number"] == 1] for code in codes]


def test_a_refit_takes_names_over_by_centres_not_by_prototypes(swapped):
    previous = read_fit(swapped.fit.centers)
    again = fit_segmentation(DECLARATION, draw(seed=3), PLAYBOOK, previous=previous)
    assert names(again) == [["high", "low", "odd"], ["low", "high", "odd"]]
    anew = fit_segmentation(
        DECLARATION, draw(seed=3), PLAYBOOK, previous=previous, keep_names=False
    )
    assert names(anew) == [["low", "high", "odd"], ["low", "high", "odd"]]


def test_a_refit_that_is_due_is_not_made_where_names_would_change_their_meaning(swapped):
    again = build(draw(factor=3.0), [swapped], as_of_at=JULY)
    assert again.fit is swapped.fit
    assert again.reference is None
    assert again.told["decision"] == "keep"
    assert again.told["reason"].startswith("a refit is due: monetary has shifted (index ")
    assert again.told["reason"].endswith(f"; the fit is kept, because {CONFLICT}")
    assert again.told["name_conflict"] == CONFLICT
    assert again.told["moved_by_refit"] > 0


@pytest.mark.parametrize(
    ("factor", "refit", "begin"), [(1.0, "auto", "no feature"), (3.0, "never", "the var refit is")]
)
def test_names_are_no_obstacle_to_a_refit_that_is_not_made(swapped, factor, refit, begin):
    again = build(draw(seed=2, factor=factor), [swapped], refit=refit, as_of_at=JULY)
    assert again.told["decision"] == "keep"
    assert again.told["reason"].startswith(begin)
    assert again.told["name_conflict"] is None


def test_always_gives_names_anew_where_the_old_ones_would_change_their_meaning(swapped):
    customers = draw(factor=3.0)
    again = build(customers, [swapped], refit="always", as_of_at=JULY)
    assert names(again.fit) == [["low", "high", "odd"], ["low", "high", "odd"]]
    assert again.told["decision"] == "refit"
    assert again.told["name_conflict"] == CONFLICT
    codes = [
        np.array(fit.codes)[fit.assign(customers.transformed, customers.raw) - 1]
        for fit in (read_fit(swapped.fit.centers), read_fit(again.fit.centers))
    ]
    changed = (codes[0] != codes[1]).sum()
    assert again.told["moved_by_refit"] == changed > 100
    assert again.told["reason"] == (
        f"the var refit is always; names were given anew, because {CONFLICT}; "
        f"{changed} of 300 customers have another name"
    )


def selected(fit):
    (row,) = [row for row in fit.tried if row["is_selected"]]
    return row


def test_a_refit_keeps_how_many_clusters_there_are(first):
    _, version = first
    two_only = draw(200, seed=4)
    keep = np.r_[0:66, 66:132]
    two_only = Customers(
        two_only.ids[keep], two_only.raw[keep], two_only.raw[keep], two_only.revenue[keep]
    )
    chosen = selected(build(two_only, [version], refit="always", as_of_at=JULY).fit)
    assert chosen["k"] == selected(version.fit)["k"] == 3
    assert chosen["selection_reason"] == (
        "k is that of the version before, which the rule chose; it would choose 2 now"
    )


def test_never_keeps_whatever_happens_and_always_fits(first):
    _, version = first
    same = build(draw(factor=3.0), [version], refit="never", as_of_at=JULY)
    assert same.fit is version.fit
    assert same.told["reason"] == "the var refit is never"
    assert same.told["feature_psi"]["monetary"] > 0.25
    again = build(draw(), [version], refit="always", as_of_at=JUNE)
    assert again.reference is not None
    assert again.told["moved_by_refit"] == 0
    assert again.fit.version == version.fit.version


def test_another_shop_is_fitted_by_itself(first):
    _, version = first
    others = draw(factor=3.0, prefix="x")
    again = build(others, [version], as_of_at=JULY)
    assert again.reference is not None
    assert again.told == {
        "decision": "refit",
        "reason": f"another shop: about 0% of the customers that version {version.fit.version} "
        "was fitted on are among these",
    }
    assert str(again.fit) == str(fit_segmentation(DECLARATION, others, PLAYBOOK))


def test_customers_too_few_for_a_fit_of_their_own_keep_the_one_there_is(first):
    _, version = first
    one = draw()
    one = Customers(one.ids[:2], one.raw[:2], one.raw[:2], one.revenue[:2])
    for refit in ("always", "never"):
        again = build(one, [version], refit=refit, as_of_at=JULY)
        assert again.fit is version.fit
        assert again.told["decision"] == "keep"
        assert again.told["reason"] == (
            "no refit is possible: there are fewer distinct customers than clusters"
        )


def test_too_few_customers_for_any_fit_are_left_out():
    nobody = Customers(np.array([], dtype=object), np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    left_out = build(nobody)
    assert left_out.fit is None
    assert left_out.told == {"decision": "left_out", "reason": "there are no customers"}
    alike = Customers(np.array(["1", "2"], dtype=object), *[np.ones((2, 2))] * 2, np.ones(2))
    left_out = build(alike)
    assert left_out.fit is None
    assert left_out.told == {
        "decision": "left_out",
        "reason": "there are fewer distinct customers than clusters",
    }


def test_an_algorithm_that_finds_another_number_of_clusters_changes_nothing():
    declaration = replace(DECLARATION, algorithm="dbscan", k_min=2, k_max=6)
    version = kept(build(draw(), declaration=declaration))
    two = draw()
    two = Customers(two.ids[:200], two.raw[:200], two.raw[:200], two.revenue[:200])
    again = build(two, [version], declaration=declaration, as_of_at=JULY)
    assert again.fit is version.fit
    assert again.told["decision"] == "keep"
    assert again.told["reason"] == "no refit is possible: it finds 2 clusters, not 3"
