"""The demo, from the committed CSV to the published file."""

import csv
import os
import shutil
from decimal import Decimal

import duckdb
import pytest
from conftest import DEMO, PROJECT, build, dbt, differences

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
    "customer_segments",
    "customers",
    "invoice_lines",
    "line_accounting",
    "prediction_backtest",
    "products",
    "rejected_campaign_customers",
    "rejected_lines",
    "segment_profiles",
    "segments",
}
# Where a line stands in the file is all that may change with the order of lines.
UNORDERED = MARTS - {"rejected_lines"}
LIFECYCLE = [
    "High-Value Customers",
    "Frequent & Loyal Customers",
    "Occasional Buyers",
    "At-Risk Customers",
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
    assert len(lines) < 30
    assert max(len(line) for line in lines if str(demo.published) not in line) <= 110
    shown = [line for line in lines if any(line.startswith(name) for name in LIFECYCLE)]
    assert [line[:27].strip() for line in shown] == LIFECYCLE
    assert f"Published: {demo.published}" in demo.output
    assert "43,500 invoice lines = " in demo.output
    assert "campaign_customers.csv): 2,000 lines = 1,961 customers + 39 rejected" in demo.output


def test_each_step_that_is_announced_is_a_model():
    from build import STEPS

    models = {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    models |= {path.stem for path in (PROJECT / "python_models").rglob("int_*.py")}
    assert set(STEPS) <= models


def test_a_second_build_makes_the_same_marts(demo, tmp_path):
    shutil.copy(demo.warehouse, tmp_path / "customers.duckdb")
    again = build(tmp_path)
    assert again.code == 0, again.errors
    assert differences(demo, again, sorted(MARTS)) == dict.fromkeys(sorted(MARTS), 0)


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
        preexec_fn=lambda: os.sched_setaffinity(0, {min(allowed)}),
    )
    assert other.code == 0, other.errors
    assert differences(demo, other, sorted(UNORDERED)) == dict.fromkeys(sorted(UNORDERED), 0)
    counted = (
        "select reject_reason, count(*), sum(line_amount) from marts.rejected_lines group by 1"
    )
    assert sorted(other.rows(counted)) == sorted(demo.rows(counted))


def test_parquet_of_the_same_lines_makes_the_same_marts(demo, tmp_path):
    parquet = tmp_path / "invoices.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select * replace (
                    cast(Quantity as integer) as Quantity,
                    cast(UnitPrice as double) as UnitPrice,
                    cast(InvoiceDate as timestamp) as InvoiceDate,
                    cast(CustomerID as double) as CustomerID
                )
                from read_csv('{DEMO}/invoices.csv', all_varchar = true, quote = '"', escape = '"')
            ) to '{parquet}'
            """
        )
    other = build(tmp_path / "built", invoices=parquet)
    assert other.code == 0, other.errors
    assert differences(demo, other, sorted(UNORDERED)) == dict.fromkeys(sorted(UNORDERED), 0)


@pytest.fixture
def published_before(demo, tmp_path):
    """A warehouse that has been published, and the bytes that its readers see."""
    shutil.copy(demo.warehouse, tmp_path / "customers.duckdb")
    shutil.copy(demo.published, tmp_path / "published.duckdb")
    return (tmp_path / "published.duckdb").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["build", "--empty"], "--empty"),
        (["build", "--select", "+segments"], "left out"),
        (["build", "--exclude-resource-type", "unit_test"], "left out"),
    ],
)
def test_a_run_that_is_not_whole_is_not_published(published_before, tmp_path, arguments, reason):
    ran = dbt(tmp_path, *arguments)
    assert "Not published" in ran.output
    assert reason in ran.output
    assert ran.published.read_bytes() == published_before


def test_a_failed_test_keeps_the_published_file(published_before, tmp_path):
    project = tmp_path / "project"
    leave = shutil.ignore_patterns(".venv", ".git", "target", "logs", "*.duckdb*", "shared")
    shutil.copytree(PROJECT, project, ignore=leave)
    prototypes = project / "seeds" / "rfm_segment_rules.csv"
    prototypes.write_text(prototypes.read_text().replace("Lost,1,1,1,2", "Lost,1,1,1,1"))
    ran = build(tmp_path, project=project)
    assert ran.code != 0
    assert "error: test assert_rfm_rules_name_every_score_once failed" in ran.errors
    assert "Traceback" not in ran.output + ran.errors
    assert ran.published.read_bytes() == published_before


def test_plain_dbt_builds_the_same_from_any_directory(demo, tmp_path):
    ran = dbt(tmp_path / "built", "build", "--project-dir", str(PROJECT), cwd=tmp_path)
    assert ran.code == 0, ran.output
    assert "Published: " in ran.output
    assert differences(demo, ran, sorted(MARTS)) == dict.fromkeys(sorted(MARTS), 0)


@pytest.mark.parametrize(
    ("invoices", "variables", "message"),
    [
        ("nowhere.csv", None, "there is no file"),
        (None, "{as_of: yesterday}", "var as_of must look like 2011-12-10"),
        (None, "{primary_segmentation: nobody}", "primary_segmentation is nobody"),
        (None, "[as_of]", "VARS must map names to values"),
        (None, "{as_of: '", "VARS is not YAML"),
        (None, "{invoice_columns: {prize: Price}}", "invoice_columns names prize"),
        (None, "{invoice_columns: {unit_price: Price}}", "has no column Price for unit_price"),
        (None, "{segmentations: {lifecycle: {k: 4}}}", "lifecycle: playbook is missing"),
    ],
)
def test_wrong_settings_end_in_one_line(tmp_path, invoices, variables, message):
    ran = build(tmp_path, invoices=invoices, variables=variables)
    assert ran.code != 0
    complaints = ran.errors.splitlines()
    assert len(complaints) == 1, ran.errors
    assert complaints[0].startswith("error: ")
    assert message in complaints[0]
    assert "Traceback" not in ran.output
    assert not ran.published.exists()
