"""What holds from one build to the next, in one warehouse."""

import re
import shutil
from datetime import datetime

import duckdb
import pytest
from conftest import DEMO, build, build_arguments, dbt, run_forked

from segmentation.stored_fit import version_of

# The files change from build to build; the shop's name says that it is the same one.
SHOP = "campaign_customers: '', source_name: shop"


def rebuild(folder, variables="", **settings):
    return build(folder, variables=f"{{{SHOP}, {variables}}}", **settings)


def score(folder, variables="", **settings):
    arguments = build_arguments(variables=f"{{{SHOP}, {variables}}}", **settings)
    return run_forked("build", ["score", *arguments], folder)


def lines(target, condition="true", columns="*"):
    """Write a part of the demo's lines, as text."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select {columns} from read_csv('{DEMO}/invoices.csv', all_varchar = true)
                where {condition}
            ) to '{target}' (header)
            """
        )
    return target


def versions(built):
    return dict(
        built.rows("select distinct segmentation, model_version from marts.cluster_centers")
    )


def decisions(built, as_of_date):
    return dict(
        built.rows(
            f"""
            select segmentation, decision from marts.refit_decisions
            where as_of_date = '{as_of_date}'
            """
        )
    )


@pytest.fixture(scope="module")
def autumn(tmp_path_factory):
    """A shop built at the end of September, never touched by the tests."""
    built = rebuild(tmp_path_factory.mktemp("autumn"), "as_of: 2025-10-01")
    assert built.code == 0, built.errors
    return built


@pytest.fixture
def shop(autumn, tmp_path):
    """The same, to go on with."""
    for file in ("customers.duckdb", "published.duckdb"):
        shutil.copyfile(autumn.folder / file, tmp_path / file)
    return tmp_path


def test_a_fit_holds_through_the_season_and_comes_back_after_another_shop(autumn, shop, tmp_path):
    first = versions(autumn)
    december = rebuild(shop)
    assert december.code == 0, december.errors
    assert versions(december) == first
    assert decisions(december, "2025-09-30") == dict.fromkeys(first, "refit")
    assert decisions(december, "2025-12-10") == dict.fromkeys(first, "keep")
    published = december.rows("select * from marts.customer_segments order by all")
    told = december.rows("select * from marts.refit_decisions order by segmentation, as_of_date")

    # Another shop in the same folder: fitted by itself, and nothing is told of the first one.
    other = lines(
        tmp_path / "other.csv",
        "CustomerID like '%7'",
        columns="* replace ('9' || CustomerID as CustomerID, "
        "cast(round(cast(UnitPrice as double) * 7, 2) as varchar) as UnitPrice)",
    )
    elsewhere = rebuild(shop, "source_name: other", invoices=other)
    assert elsewhere.code == 0, elsewhere.errors
    assert not set(versions(elsewhere).values()) & set(first.values())
    assert elsewhere.rows(
        "select distinct decision, reason, moved_by_refit from marts.refit_decisions"
    ) == [("refit", "the first fit of this source under these settings", None)]

    # And back: the fit, the segments and the decisions are there as they were.
    back = rebuild(shop)
    assert back.code == 0, back.errors
    assert "fitting lifecycle" in elsewhere.output
    assert versions(back) == first
    assert back.rows("select * from marts.customer_segments order by all") == published
    assert (
        back.rows("select * from marts.refit_decisions order by segmentation, as_of_date") == told
    )


def test_a_score_says_what_a_build_says_of_everybody_alone(autumn, shop, tmp_path):
    # Half of the customers, and lines up to a day in November that the last build did not have.
    variables = "as_of: 2025-11-20"
    some = lines(tmp_path / "some.csv", "try_cast(CustomerID as integer) % 2 = 0")
    scored = score(shop, variables, invoices=some)
    assert scored.code == 0, scored.errors
    assert re.search(
        r"since the last build [1-9]\d* are new and [1-9]\d* have another", scored.output
    )
    file = shop / "scored.duckdb"
    alone = scored.rows("select * from marts.customer_segments order by all", file=file)
    assert scored.rows(
        "select table_name from information_schema.tables order by all", file=file
    ) == [("customer_predictions",), ("customer_segments",)]
    # Everybody is predicted at the new moment, by what was learnt at the last one.
    told = scored.one(
        """
        select min(as_of_at), count(*), count(churn_probability), count(expected_spend_high)
        from marts.customer_predictions
        """,
        file=file,
    )
    assert told == (datetime(2025, 11, 20), *[len({row[2] for row in alone})] * 3)
    assert re.search(r"\d of them will probably buy nothing in \d+ days", scored.output)
    # Nothing was fitted, and what readers see is the last build's.
    assert "fitting" not in scored.output
    assert (shop / "published.duckdb").read_bytes() == autumn.published.read_bytes()

    whole = rebuild(shop, variables)
    assert whole.code == 0, whole.errors
    assert versions(whole) == versions(autumn)
    among = whole.rows(
        "select * from marts.customer_segments where customer_id::integer % 2 = 0 order by all"
    )
    assert alone == among
    assert 1000 < len(among) < len(whole.rows("select 1 from marts.customer_segments"))


def test_a_score_of_another_shop_is_refused(shop, tmp_path):
    other = lines(tmp_path / "other.csv")
    # Without a name, another file is another shop.
    scored = score(shop, "source_name: null", invoices=other)
    assert scored.code != 0
    assert scored.errors == (
        "error: var segmentations.lifecycle: the last fit is of another source or other settings; "
        "run a whole build once\n"
    )
    assert not (shop / "scored.duckdb").exists()


def test_a_planted_shift_brings_a_refit_with_the_old_numbers_and_names(autumn, shop, tmp_path):
    dearer = lines(
        tmp_path / "dearer.csv",
        columns="* replace (cast(cast(UnitPrice as double) * 4 as varchar) as UnitPrice)",
    )
    shifted = rebuild(shop, "as_of: 2025-11-01", invoices=dearer)
    assert shifted.code == 0, shifted.errors
    decided = decisions(shifted, "2025-10-31")
    # A name that would no longer be true keeps the old fit, and says so.
    kept = {name for name, decision in decided.items() if decision == "keep"}
    conflicts = dict(
        shifted.rows(
            "select segmentation, reason from marts.refit_decisions where name_conflict is not null"
        )
    )
    assert set() < kept == set(conflicts) < set(decided)
    for name, reason in conflicts.items():
        assert reason.startswith("a refit is due: ")
        way_out = "To name all clusters anew: VARS='{refit: always}'"
        assert f"Warning: {name}: {reason}. {way_out}" in shifted.output.splitlines()
    old, new = versions(autumn), versions(shifted)
    assert {name for name in old if old[name] == new[name]} == kept
    query = """
        select distinct segmentation, cluster_id, segment_code
        from marts.cluster_centers
        order by all
    """
    assert shifted.rows(query) == autumn.rows(query)
    for segmentation, reason, psi, refit, themselves, customers in shifted.rows(
        """
        select
            segmentation, reason, feature_psi['monetary'], moved_by_refit, moved_by_themselves,
            customers
        from marts.refit_decisions where as_of_date = '2025-10-31'
        """
    ):
        assert "monetary has shifted" in reason, segmentation
        assert psi > 0.25
        assert 0 < refit < customers
        assert 0 < themselves < customers


def test_a_shop_that_grows_keeps_its_fit_until_it_is_asked_for_another(tmp_path):
    # After a month, hardly anybody has bought twice.
    young = rebuild(tmp_path, "as_of: 2024-01-01")
    assert young.code == 0, young.errors
    first = versions(young)

    grown = rebuild(tmp_path)
    assert grown.code == 0, grown.errors
    assert versions(grown) == first
    told = grown.rows(
        """
        select decision, reason, name_conflict from marts.refit_decisions
        where as_of_date = '2025-12-10'
        """
    )
    assert len(told) == len(first)
    for decision, reason, conflict in told:
        assert (decision, conflict) == ("keep", None)
        assert reason.startswith("no feature has shifted, and a refit explains ")
        assert reason.endswith("; to make the refit: VARS='{refit: always}'")
    query = "select segmentation, customer_id, segment_code from marts.customer_segments"
    before = set(grown.rows(query))

    renamed = rebuild(tmp_path, "refit: always")
    assert renamed.code == 0, renamed.errors
    after = set(renamed.rows(query))
    conflicts = renamed.rows(
        """
        select segmentation, decision, moved_by_refit, reason from marts.refit_decisions
        where name_conflict is not null
        """
    )
    assert conflicts
    for segmentation, decision, moved_by_refit, reason in conflicts:
        assert versions(renamed)[segmentation] != first[segmentation]
        moved = sum(row[0] == segmentation for row in after - before)
        assert (decision, moved_by_refit) == ("refit", moved)
        assert reason.endswith(f"; {moved:,} of 1,543 customers have another name")
        assert f"Warning: {segmentation}: {reason}." in renamed.output.splitlines()


def test_a_fit_with_names_that_the_prototypes_contradict_fails_the_build(shop):
    other = {"high_value": "at_risk", "at_risk": "high_value"}
    with duckdb.connect(str(shop / "customers.duckdb")) as connection:
        (centers,) = connection.execute(
            "select centers from kept.fits where segmentation = 'lifecycle'"
        ).fetchone()
        for row in centers:
            row["segment_code"] = other.get(row["segment_code"], row["segment_code"])
        connection.execute(
            "update kept.fits set centers = ?, model_version = ? where segmentation = 'lifecycle'",
            [centers, version_of(centers)],
        )
    published = (shop / "published.duckdb").read_bytes()
    built = rebuild(shop, "as_of: 2025-10-01")
    assert built.code != 0
    assert "assert_names_keep_their_meaning" in built.errors
    assert (shop / "published.duckdb").read_bytes() == published
    with duckdb.connect(str(shop / "customers.duckdb"), read_only=True) as connection:
        assert connection.execute("select max(kept_number) from kept.fits").fetchone() == (3,)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (
            "update kept.fits set centers = centers[2:] where segmentation = 'value_tiers'",
            "a fit of value_tiers that an earlier build kept can't be read (ValueError: ",
        ),
        ("alter table kept.fits alter sketch type varchar", "can't be read ("),
    ],
)
def test_what_is_kept_and_cannot_be_read_is_told_with_a_way_out(shop, damage, problem):
    with duckdb.connect(str(shop / "customers.duckdb")) as connection:
        connection.execute(damage)
    # What is fitted is there already; the model alone reads what is kept.
    arguments = ["build", "--select", "int_fits", *build_arguments(variables=f"{{{SHOP}}}")[1:]]
    ran = dbt(shop, *arguments)
    assert ran.code != 0
    told = " ".join((ran.output + ran.errors).split())
    assert problem in told
    assert (
        "To forget all kept fits, so that the next build fits anew: "
        ".venv/bin/dbt run-operation forget_fits" in told
    )


def test_what_a_model_says_ends_a_build_in_one_line(shop):
    with duckdb.connect(str(shop / "customers.duckdb")) as connection:
        connection.execute("update kept.fits set bins = null where segmentation = 'lifecycle'")
    built = rebuild(shop)
    assert built.code != 0
    assert len(built.errors.splitlines()) == 1, built.errors
    assert (
        "a fit of lifecycle that an earlier build kept can't be read (TypeError: " in built.errors
    )
    assert built.errors.endswith("forget_fits\n")


def test_fits_can_be_forgotten(shop):
    with duckdb.connect(str(shop / "customers.duckdb")) as connection:
        assert connection.execute("select count(*) from kept.fits").fetchone() == (3,)
    forgotten = dbt(shop, "run-operation", "forget_fits")
    assert forgotten.code == 0, forgotten.errors
    # As before the first build.
    with duckdb.connect(str(shop / "customers.duckdb")) as connection:
        tables = "select table_name from information_schema.tables where table_schema = 'kept'"
        assert connection.execute(tables).fetchall() == []


def test_refit_knows_three_words(shop):
    built = rebuild(shop, "refit: allways")
    assert built.code != 0
    assert built.errors == (
        "error: var refit (in dbt_project.yml or VARS): allways is unknown; there are auto, "
        "always, never. Did you mean always?\n"
    )
