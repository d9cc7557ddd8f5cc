"""Month ends of a real shop and of a made-up one: whose name changes though they did nothing?"""

from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from segmentation.customers import Customers
from segmentation.declarations import Declaration, read_playbook
from segmentation.stored_fit import read_fit
from segmentation.versions import Version, keep_or_refit

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
DECLARATIONS = {
    "lifecycle": (
        Declaration(
            "lifecycle",
            ("recency_days", "frequency", "monetary"),
            "kmeans",
            None,
            3,
            8,
            10,
            42,
            day_counts=frozenset(["recency_days"]),
            growing=frozenset(["frequency", "monetary"]),
        ),
        {"recency_days", "frequency", "monetary"},
    ),
    "value_tiers": (
        Declaration(
            "value_tiers",
            ("recency_days", "frequency", "monetary", "quantity", "average_basket_value"),
            "kmeans",
            3,
            2,
            8,
            1,
            42,
            day_counts=frozenset(["recency_days"]),
            growing=frozenset(["frequency", "monetary", "quantity"]),
        ),
        {"frequency", "monetary", "quantity", "average_basket_value"},
    ),
}


def read_spine(warehouse, declaration):
    """Customers of a build at each month end."""
    columns = ", ".join(
        f"cast({feature} as double) as {feature}" for feature in declaration.features
    )
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(
            f"""
            select as_of_at, customer_id, first_purchase_at, last_purchase_at, {columns}, (
                select max(median_gap_days) from intermediate.int_as_of_dates
            ) as gap
            from intermediate.int_customers_as_of
            order by as_of_at, length(customer_id), customer_id
            """
        ).df()


def at_month_ends(spine, declaration, logged):
    """Customers at each as-of date, the days before it, and who of them bought since the last."""
    moments = sorted(spine["as_of_at"].unique())
    for before, moment in zip([pd.Timestamp(0), *moments], moments, strict=False):
        rows = spine[spine["as_of_at"] == moment]
        raw = rows[list(declaration.features)].to_numpy("float64")
        transformed = raw.copy()
        for column, feature in enumerate(declaration.features):
            if feature in logged:
                transformed[:, column] = np.log1p(raw[:, column])
        customers = Customers(
            rows["customer_id"].to_numpy(object),
            transformed,
            raw,
            rows["monetary"].to_numpy(),
            rows["gap"].iloc[0],
        )
        yield (
            pd.Timestamp(moment).to_pydatetime(),
            (pd.Timestamp(moment) - rows["first_purchase_at"].min()) / pd.Timedelta(days=1),
            customers,
            (rows["last_purchase_at"] >= before).to_numpy(),
        )


def follow(spine, declaration, logged, settings):
    """Count who changed name without a purchase or an age that crosses a border.

    Returns the counts, and what was decided at each month end.
    """
    playbook = read_playbook(
        pd.read_csv(SEEDS / "segment_playbook.csv"),
        pd.read_csv(SEEDS / "segment_prototypes.csv"),
        declaration.segmentation,
        declaration,
        pd.read_csv(SEEDS / "segment_claims.csv"),
    )
    versions, named, before = [], {}, None
    quiet, renamed, decisions = 0, 0, []
    months = at_month_ends(spine, declaration, logged)
    for refit, (moment, days, customers, has_bought) in zip(settings, months, strict=False):
        decided = keep_or_refit(
            declaration, customers, playbook, versions, as_of_at=moment, days=days, refit=refit
        )
        decisions.append(decided)
        fit = read_fit(decided.fit.centers)
        if decided.reference is not None:
            versions.append(Version(moment, decided.fingerprint, decided.fit, decided.reference))

        def names(by, customers=customers):
            clusters = by.assign(customers.transformed, customers.raw)
            return np.array(by.codes, dtype=object)[clusters - 1]

        now = names(fit)
        if before is not None:
            was = np.array([named.get(customer) for customer in customers.ids], dtype=object)
            # Under the borders of last month they would have kept their name.
            still = ~has_bought & (was == names(before))
            quiet += int(still.sum())
            renamed += int((still & (now != was)).sum())
        named, before = dict(zip(customers.ids, now, strict=True)), fit
    return quiet, renamed, decisions


@pytest.mark.parametrize("name", DECLARATIONS)
def test_names_of_those_who_did_nothing_over_twelve_month_ends(real, name):
    declaration, logged = DECLARATIONS[name]
    spine = read_spine(real.warehouse, declaration)
    quiet, renamed, decisions = follow(spine, declaration, logged, cycle(["always"]))
    assert all(decided.reference for decided in decisions) and len(decisions) == 13
    # About one in twenty where every month has its own fit; docs/decisions.md has the figures.
    assert quiet > 17_500 and 0.02 < renamed / quiet < 0.055
    # Nobody where a fit holds until customers have changed, which in this year they did not.
    quiet, renamed, decisions = follow(spine, declaration, logged, cycle(["auto"]))
    assert quiet > 17_500 and renamed == 0
    assert [bool(decided.reference) for decided in decisions] == [True] + 12 * [False]


# ---------------------------------------------------------------------- a shop of one cohort

MONTHS = pd.date_range("2021-02-01", periods=12, freq="MS")


@pytest.fixture(scope="module")
def cohort():
    """400 customers who join in three months: most buy once, some go on buying ever more seldom."""
    rng = np.random.default_rng(5)
    n = 400
    first = rng.uniform(0, 90, n)
    orders = np.where(rng.random(n) < 0.6, 1, 1 + rng.geometric(0.25, n))
    days = np.repeat(first, orders)
    is_first = np.r_[True, np.diff(np.repeat(np.arange(n), orders)) > 0]
    days = np.where(is_first, days, days + 400 * rng.beta(1, 2, len(days)))
    lines = pd.DataFrame(
        {
            "customer_id": np.repeat([f"{number:03d}" for number in range(n)], orders),
            "bought_at": pd.Timestamp("2021-01-01") + pd.to_timedelta(days, unit="D"),
            "amount": rng.lognormal(3, 0.7, len(days)),
        }
    )
    return pd.concat([measure(lines, moment) for moment in MONTHS])


def measure(lines, moment):
    """Customers of the lines before a moment."""
    bought = lines[lines["bought_at"] < moment].groupby("customer_id")
    rows = bought.agg(
        first_purchase_at=("bought_at", "min"),
        last_purchase_at=("bought_at", "max"),
        frequency=("amount", "size"),
        monetary=("amount", "sum"),
    ).reset_index()
    rows["recency_days"] = (moment - rows["last_purchase_at"]).dt.days
    return rows.assign(as_of_at=moment, gap=30.0)


@pytest.fixture(scope="module")
def lifecycle():
    declaration, logged = DECLARATIONS["lifecycle"]
    return replace(declaration, k=4, k_min=4, k_max=4, n_init=1), logged


def conflicts(decisions):
    return [bool((decided.told or {}).get("name_conflict")) for decided in decisions]


@pytest.mark.parametrize("settings", [["always"], ["always", "auto", "never"]])
def test_no_order_of_settings_leads_to_a_name_that_means_something_else(
    cohort, lifecycle, settings
):
    _, _, decisions = follow(cohort, *lifecycle, islice(cycle(settings), len(MONTHS)))
    assert len(decisions) == len(MONTHS)
    for moment, decided in zip(MONTHS, decisions, strict=True):
        # This is what tests/assert_names_keep_their_meaning.sql asks before anything is published.
        wrong = [
            (row["segment_code"], row["prototype_segment_code"])
            for row in decided.fit.centers
            if row["segment_code"] != row["prototype_segment_code"]
        ]
        assert wrong == [], moment
    if settings == ["always"]:
        assert all(decided.reference for decided in decisions)
        # Carried names would have been wrong; prototypes won, and the decision says so.
        told = [
            each.told
            for each, is_wrong in zip(decisions, conflicts(decisions), strict=True)
            if is_wrong
        ]
        assert told
        for each in told:
            assert each["decision"] == "refit"
            assert "names were given anew, because in a refit the cluster" in each["reason"]


def test_a_cohort_that_only_grows_old_is_never_fitted_again(cohort, lifecycle):
    quiet, renamed, decisions = follow(cohort, *lifecycle, cycle(["auto"]))
    assert quiet > 2_000 and renamed == 0
    assert [bool(decided.reference) for decided in decisions] == [True] + 11 * [False]
    assert not any(conflicts(decisions))
