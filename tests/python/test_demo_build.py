"""The demo, from the committed CSV to the published file."""

import csv
import json
import os
import shutil
import sys
from collections import Counter
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import duckdb
import pytest
from conftest import (
    DEMO,
    PROJECT,
    SMALL,
    build,
    build_arguments,
    dbt,
    dbt_arguments,
    differences,
    in_addition,
    run,
    run_forked,
)

MARTS = {
    "campaign_accounting",
    "campaign_channels",
    "campaign_concentration",
    "campaign_customers",
    "campaign_profit",
    "campaign_response",
    "campaign_spend",
    "cluster_centers",
    "cluster_diagnostics",
    "cohort_retention",
    "customer_predictions",
    "customer_segments",
    "customers",
    "data_profile",
    "invoice_lines",
    "line_accounting",
    "monthly_revenue",
    "prediction_backtest",
    "prediction_calibration",
    "prediction_totals",
    "prediction_weights",
    "product_pairs",
    "products",
    "refit_decisions",
    "rejected_campaign_customers",
    "readings",
    "rejected_lines",
    "revenue_concentration",
    "rfm_thresholds",
    "segment_forecast",
    "segment_history",
    "segment_profiles",
    "segment_rules",
    "segment_transitions",
    "segmentation_agreement",
    "segments",
}
# The demo's campaign goes with the demo's file alone, unless it is named.
DEMO_CAMPAIGN = "{campaign_customers: data/demo/campaign_customers.csv}"
# Of another file with the same lines in another order, where they stand is all that may differ, and
# which file it was.
UNORDERED = MARTS - {"rejected_lines", "prediction_weights"}
LIFECYCLE = [
    "High-Value Customers",
    "Frequent & Loyal Customers",
    "Occasional Buyers",
    "At-Risk Customers",
]

# What is declared of lifecycle, and what the one line that refuses it says.
PLAYED = "playbook: lifecycle, features: {recency_days: log1p, monetary: log1p}"
WRONG_DECLARATIONS = [
    ("k: 4", "segmentations.lifecycle (in dbt_project.yml or VARS): playbook is missing"),
    (PLAYED + ", scalar: robust", "scalar is unknown; there are playbook, features, popul"),
    (PLAYED + ", scaler: min-max", "segmentations.lifecycle.scaler (in dbt_project.yml or VARS)"),
    (PLAYED + ", scaler: min-max", "there are standard, min_max, robust. Did you mean min_max?"),
    (PLAYED + ", algorithm: dbscan, k: 4", "dbscan finds its own number of clusters: k must be"),
    (
        PLAYED + ", k: 9",
        "lifecycle.k (in dbt_project.yml or VARS): is 9, outside k_min to k_max, 3 to 8",
    ),
    (
        PLAYED + ", k_min: 1",
        "lifecycle.k_min (in dbt_project.yml or VARS): must be a whole number from 2",
    ),
    (PLAYED + ", outliers: {winsorize: [0, 1]}", "Did you mean winsorise?"),
    (PLAYED + ", outliers: {winsorise: [0.9, 0.1]}", "must be two shares of customers"),
    (
        PLAYED + ", outliers: {separate: [frequency]}",
        "frequency is unknown; there are ",
    ),
    ("playbook: lifecycle, features: {recency: log}", "recency is unknown; there are "),
    ("playbook: lifecycle, features: {monetary: log}", "Did you mean log1p?"),
    ("playbook: lifecycle, features: {net_monetary: sqrt}", "can be negative, so it has no sqrt"),
    (PLAYED + ", population: campaign_customer", "Did you mean campaign_customers?"),
    (PLAYED + ", population: campaign_customers", "monetary is unknown; there are income, age,"),
    (
        "playbook: campaign, population: campaign_customers, features: {web_share: none}",
        "web_share can be null, so it places nobody",
    ),
]


def test_published_file_holds_the_marts_and_what_their_views_stand_on(demo):
    relations = set(demo.rows("select table_schema, table_name from information_schema.tables"))
    assert relations == {("marts", mart) for mart in MARTS} | {
        ("intermediate", "int_invoice_lines_classified")
    }
    for mart in MARTS:
        assert demo.one(f"select count(*) from marts.{mart}")[0] > 0, mart


def test_customers_are_what_the_generator_knows_them_to_be(demo):
    with open(DEMO / "customers_truth.csv", newline="", encoding="utf-8") as file:
        truth = {
            row["customer_id"]: (
                int(row["invoices"]),
                Decimal(row["monetary_pence"]) / 100,
                row["first_purchase_at"],
                row["last_purchase_at"],
            )
            for row in csv.DictReader(file)
            if int(row["invoices"])
        }
    found = {
        customer_id: facts
        for customer_id, *facts in demo.rows(
            """
            select customer_id, frequency, monetary,
                strftime(first_purchase_at, '%Y-%m-%d %H:%M:%S'),
                strftime(last_purchase_at, '%Y-%m-%d %H:%M:%S')
            from marts.customers
            """
        )
    }
    assert len(found) > 1_000
    assert found == {customer_id: list(facts) for customer_id, facts in truth.items()}


def test_output_is_a_short_table_for_people(demo):
    lines = demo.output.splitlines()
    assert len(lines) < 50
    assert max(len(line) for line in lines if str(demo.published) not in line) <= 110
    shown = [line for line in lines if any(line.startswith(name) for name in LIFECYCLE)]
    assert [line[:27].strip() for line in shown] == LIFECYCLE
    assert f"Published: {demo.published}" in demo.output
    assert "43,500 invoice lines = " in demo.output
    assert "No predictions" not in demo.output
    assert "Campaign: 2,000 lines = 1,961 customers + 39 rejected" in demo.output
    of_campaign = lines.index(next(line for line in lines if line.startswith("Segment (campaign)")))
    shown = [line.split("  ")[0] for line in lines[of_campaign + 2 : of_campaign + 5]]
    assert shown == ["High Spenders", "Budget Buyers", "Digital Enthusiasts"]


def test_each_step_that_is_announced_is_a_model():
    from progress import STEPS

    models = {path.stem for path in (PROJECT / "models").rglob("*.*")}
    assert set(STEPS) <= models


def test_shuffled_lines_and_one_thread_make_the_same_marts(demo, tmp_path):
    shuffled = tmp_path / "invoices.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                from read_csv('{DEMO}/invoices.csv', all_varchar = true, quote = '"', escape = '"')
                order by hash(InvoiceNo || StockCode || Quantity), hash(Description)
            ) to '{shuffled}' (header, delimiter ',')
            """
        )
    allowed = os.sched_getaffinity(0)
    other = build(
        tmp_path / "built",
        invoices=shuffled,
        variables=DEMO_CAMPAIGN,
        meanwhile=lambda process: os.sched_setaffinity(process, {min(allowed)}),
    )
    assert other.code == 0, other.errors
    assert differences(demo, other, sorted(UNORDERED)) == dict.fromkeys(sorted(UNORDERED), 0)
    counted = (
        "select reject_reason, count(*), sum(line_amount) from marts.rejected_lines group by 1"
    )
    assert sorted(other.rows(counted)) == sorted(demo.rows(counted))
    learnt = "select * exclude (source_key) from marts.prediction_weights order by all"
    assert other.rows(learnt) == demo.rows(learnt)


@pytest.fixture
def published_before(small, tmp_path):
    """A warehouse that has been published, and the bytes that its readers see."""
    shutil.copy(small.warehouse, tmp_path / "customers.duckdb")
    shutil.copy(small.published, tmp_path / "published.duckdb")
    return (tmp_path / "published.duckdb").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["build", "--empty", "--select", "source:shop+1"], "--empty"),
        (["build", "--select", "source:shop+1"], "left out"),
        (["build", "--exclude-resource-type", "test", "unit_test"], "left out"),
    ],
)
def test_a_run_that_is_not_whole_is_not_published(
    published_before, small_invoices, tmp_path, arguments, reason
):
    settings = in_addition({"invoices": str(small_invoices)}, SMALL)
    ran = dbt(tmp_path, *arguments, "--vars", settings)
    assert "Not published" in ran.output
    assert reason in ran.output
    assert ran.published.read_bytes() == published_before


def test_a_rule_says_of_every_customer_which_segment(demo):
    """Rules part all customers, and they are right as often as they say of customers not seen."""
    marts = {"invoice_customers": "customers", "campaign_customers": "campaign_customers"}
    rules = demo.rows(
        """
        select segmentation, population, segment_code, rule_sql, fidelity
        from marts.segment_rules inner join marts.segments using (segmentation, segment_code)
        """
    )
    assert len({segmentation for segmentation, *_ in rules}) == 4
    customers = {
        population: demo.one(f"select count(*) from marts.{mart}")[0]
        for population, mart in marts.items()
    }
    said, right = Counter(), Counter()
    for segmentation, population, code, rule, _ in rules:
        named, own = demo.one(
            f"""
            select count(*), count(*) filter (where assigned.segment_code = '{code}')
            from marts.{marts[population]} as customers
            inner join (
                select customer_id, segment_code from marts.customer_segments
                where segmentation = '{segmentation}'
            ) as assigned on customers.customer_id = assigned.customer_id
            where {rule}
            """
        )
        said[segmentation] += named
        right[segmentation] += own
    for segmentation, population, _, _, fidelity in rules:
        assert said[segmentation] == customers[population]
        share = right[segmentation] / customers[population]
        assert share == pytest.approx(float(fidelity), abs=0.06)
        assert fidelity > 0.75


PAIRS = """
    product_id, other_product_id, baskets, product_baskets, other_product_baskets, counted_baskets,
    left_out_baskets
"""


def counted_by_hand(baskets, least, largest):
    """Count pairs of products in lists of products, without any of the mart's shortcuts."""
    kept = [products for products in baskets if len(products) <= largest]
    single = Counter(product for products in kept for product in products)
    pairs = Counter(pair for products in kept for pair in permutations(products, 2))
    return sorted(
        (one, other, both, single[one], single[other], len(kept), len(baskets) - len(kept))
        for (one, other), both in pairs.items()
        if both >= least
    )


def baskets_of(built):
    return [
        products
        for (products,) in built.rows(
            """
            select list(distinct product_id) from marts.invoice_lines
            where line_type = 'sale' and is_product and product_id is not null
            group by customer_id, invoice_id
            """
        )
    ]


def test_pairs_are_those_of_the_lines(demo):
    by_hand = counted_by_hand(baskets_of(demo), least=20, largest=100)
    assert len(by_hand) > 100
    assert demo.rows(f"select {PAIRS} from marts.product_pairs order by all") == by_hand
    for support, confidence, lift, both, one, other, counted in demo.rows(
        """
        select support, confidence, lift, baskets, product_baskets, other_product_baskets,
            counted_baskets
        from marts.product_pairs
        """
    ):
        assert float(support) == pytest.approx(both / counted, abs=1e-6)
        assert float(confidence) == pytest.approx(both / one, abs=1e-6)
        assert float(lift) == pytest.approx(both / one / (other / counted), abs=1e-4)


def test_pairs_of_many_baskets_are_those_of_a_sample(demo):
    """The mart's query with other settings, on what the build made."""
    query = next(demo.folder.glob("target/compiled/**/product_pairs.sql")).read_text()
    assert query.count("count(*) / 20000)") == 1
    assert query.count("products <= 100") == 2
    sampled = query.replace("count(*) / 20000)", "count(*) / 2000)")
    few = query.replace("products <= 100", "products <= 10").replace(
        "products > 100", "products > 10"
    )
    with duckdb.connect(str(demo.warehouse), read_only=True) as connection:
        pairs = connection.execute(
            "select product_id, other_product_id, sampled_one_in, counted_baskets, support, lift"
            f" from ({sampled})"
        ).fetchall()
        without_large = connection.execute(f"select {PAIRS} from ({few}) order by all").fetchall()
    assert without_large == counted_by_hand(baskets_of(demo), least=20, largest=10)
    assert len(without_large) > 50
    assert without_large[0][-1] > 100
    baskets = len(baskets_of(demo))
    one_in = pairs[0][2]
    assert one_in == -(-baskets // 2000)
    assert pairs[0][3] == pytest.approx(baskets / one_in, rel=0.1)
    whole = {
        (one, other): (support, lift)
        for one, other, support, lift in demo.rows(
            "select product_id, other_product_id, support, lift from marts.product_pairs"
        )
    }
    assert pairs
    for one, other, _, _, support, lift in pairs:
        assert float(support) == pytest.approx(float(whole[one, other][0]), rel=0.5)
        assert float(lift) == pytest.approx(float(whole[one, other][1]), rel=0.5)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What dbt alone builds, called from elsewhere."""
    folder = tmp_path_factory.mktemp("plain")
    command = [str(Path(sys.executable).with_name("dbt")), *dbt_arguments("build")]
    ran = run([*command, "--project-dir", str(PROJECT)], folder / "built", cwd=folder)
    assert ran.code == 0, ran.output
    return ran


def test_plain_dbt_builds_the_same_from_any_directory(demo, plain):
    assert "Published: " in plain.output
    assert differences(demo, plain, sorted(MARTS)) == dict.fromkeys(sorted(MARTS), 0)


def test_unit_tests_run_with_plain_dbt_and_cost_no_build(demo, plain):
    ran = []
    for built in (demo, plain):
        target = built.folder / "target"
        results = json.loads((target / "run_results.json").read_text())["results"]
        ran.append({name: state for name, state in map(status, results) if "unit_test" in name})
    written = json.loads((target / "manifest.json").read_text())["unit_tests"]
    assert ran == [{}, dict.fromkeys(written, "pass")]
    assert written


def status(result):
    return result["unique_id"], result["status"]


@pytest.mark.parametrize(
    ("invoices", "variables", "message"),
    [
        ("nowhere.csv", None, "there is no file"),
        (
            None,
            "{as_of: yesterday}",
            "var as_of (in dbt_project.yml or VARS): must look like 2011-12-10",
        ),
        (
            None,
            "{primary_segmentation: lifecicle}",
            "lifecicle is unknown; there are lifecycle, va",
        ),
        (None, "{primary_segmentation: lifecicle}", "Did you mean lifecycle?"),
        (None, "{primary_segmentation: campaign}", "campaign is not of the population invoice_cu"),
        (
            None,
            "{primary_segmentation: campaign, campaign_customers: ''}",
            "there are lifecycle, value_tiers, outlier_aware",
        ),
        (
            None,
            "{primary_segmentation: mine, segmentations: {mine: {playbook: campaign, "
            "population: campaign_customers, features: {income: none}}}}",
            "segmentations (in dbt_project.yml or VARS): at least one must be of the population",
        ),
        (None, "[as_of]", "VARS must map settings to values"),
        (None, "{as_of: '", "VARS is not YAML"),
        (None, "{invoice_columns: {prize: Price}}", "prize is unknown; there are invoice_id"),
        (None, "{invoice_columns: {unit_price: Price}}", "has no column Price for unit_price"),
        (
            None,
            "{compared_algorithms: kmeans}",
            "var compared_algorithms (in dbt_project.yml or VARS)",
        ),
        (None, "{compared_algorithms: [dbskan]}", "Did you mean dbscan?"),
        (
            None,
            "{pairs_largest_basket: 1}",
            "pairs_largest_basket (in dbt_project.yml or VARS): must be a whole number from 2 on",
        ),
        (
            None,
            "{pairs_least_support: 3}",
            "pairs_least_support (in dbt_project.yml or VARS): must be a share, 0 to 1",
        ),
        (
            None,
            "{stability_refits: -1}",
            "stability_refits (in dbt_project.yml or VARS): must be a whole",
        ),
        *(
            (None, f"{{segmentations: {{lifecycle: {{{declared}}}}}}}", message)
            for declared, message in WRONG_DECLARATIONS
        ),
    ],
)
def test_wrong_settings_end_in_one_line(tmp_path, invoices, variables, message):
    # Parsing takes seconds, and says no word of most settings; below are some that it does.
    arguments = build_arguments(invoices=invoices, variables=variables)
    parsed_with = build_arguments(invoices=invoices)
    check_complaint(run_forked("build", arguments, tmp_path, parsed_with=parsed_with), message)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ("{primary_segmentation: campaign}", "campaign is not of the population invoice_cu"),
        ("{segmentations: {lifecycle: {k: 4}}}", "playbook is missing"),
        ("{stability_refits: -1}", "stability_refits (in dbt_project.yml or VARS): must be a"),
    ],
)
def test_wrong_settings_that_parsing_meets_end_in_one_line(tmp_path, variables, message):
    check_complaint(build(tmp_path, variables=variables), message)


def check_complaint(ran, message):
    """A run ended with one line that has the message, and published nothing."""
    assert ran.code != 0
    complaints = ran.errors.splitlines()
    assert len(complaints) == 1, ran.errors
    assert complaints[0].startswith("error: ")
    assert message in complaints[0]
    assert "Traceback" not in ran.output
    assert not ran.published.exists()
