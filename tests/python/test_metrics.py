"""Metrics, asked for as people ask, against the marts."""

import csv
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import copy_project, run

pytestmark = pytest.mark.skipif(
    find_spec("dbt_metricflow") is None,
    reason="dbt-metricflow is not installed; requirements-metrics.txt says how",
)


@pytest.fixture(scope="module")
def project(demo, tmp_path_factory):
    """A copy of the project as a build of the demo leaves it: MetricFlow looks nowhere else."""
    folder = tmp_path_factory.mktemp("metrics")
    shutil.copy(demo.warehouse, folder / "customers.duckdb")
    project = copy_project(folder)
    shutil.copytree(demo.folder / "target", project / "target")
    return project


@pytest.fixture
def ask(project, tmp_path):
    def query(metrics, *by):
        answer = tmp_path / "answer.csv"
        command = [str(Path(sys.executable).with_name("mf")), "query", "--metrics", metrics]
        command += ["--csv", str(answer), "--decimals", "6"]
        if by:
            command += ["--group-by", ",".join(by)]
        ran = run(command, project.parent, project=project, target=project)
        assert ran.code == 0, ran.output + ran.errors
        with open(answer, newline="", encoding="utf-8") as file:
            return [tuple(map(number, row.values())) for row in csv.DictReader(file)]

    return query


def number(text):
    """A number as float, a month as a date, nothing as None."""
    try:
        return round(float(text), 4)
    except ValueError:
        return text.removesuffix("T00:00:00").removesuffix(" 00:00:00") or None


def near(found, expected):
    assert len(found) == len(expected) > 0
    for one, other in zip(sorted(found), sorted(expected), strict=True):
        for value, known in zip(one, other, strict=True):
            assert value == (
                known if isinstance(known, str) else pytest.approx(float(known), abs=1e-3)
            )


def test_metrics_of_months_and_segments_are_those_of_the_mart(ask, demo):
    found = ask("revenue,orders,active_customers", "metric_time__month", "customer__segment")
    expected = demo.rows(
        """
        select cast(month as varchar), segment_name, revenue, orders, customers
        from marts.monthly_revenue where segmentation = 'lifecycle' and customers > 0
        """
    )
    near([row for row in found if row[1] and row[4]], expected)


def test_metrics_of_countries_are_those_of_the_lines(ask, demo):
    found = ask("revenue_per_customer,revenue_per_order,return_share", "line__country")
    expected = demo.rows(
        """
        select country,
            sum(line_amount) filter (where line_type = 'sale')
                / count(distinct customer_id) filter (where line_type = 'sale'),
            sum(line_amount) filter (where line_type = 'sale')
                / count(distinct (customer_id, invoice_id)) filter (where line_type = 'sale'),
            coalesce(-sum(line_amount) filter (where line_type = 'return'), 0)
                / sum(line_amount) filter (where line_type = 'sale')
        from marts.invoice_lines group by country
        having count(*) filter (where line_type = 'sale') > 0
        """
    )
    near(found, expected)


def test_customers_by_segment_are_those_of_the_mart(ask, demo):
    near(
        ask("customers", "customer__segment"),
        demo.rows(
            "select segment_name, customers from marts.segments where segmentation = 'lifecycle'"
        ),
    )


def test_retention_by_month_is_that_of_the_cohorts(ask, demo):
    found = ask("retention", "metric_time__month")
    expected = demo.rows(
        """
        select cast(month as varchar), sum(active_customers) / sum(cohort_customers)
        from marts.cohort_retention
        where month_number > 0 and is_observed and not is_partial group by month
        """
    )
    near([row for row in found if row[1] is not None], expected)


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("customer__segment", "segment_name"),
        ("customer__home_country", "country"),
        (
            "metric_time__month",
            "cast(cast(date_trunc('month', first_purchase_at) as date) as varchar)",
        ),
    ],
)
def test_churn_risk_and_expected_spend_are_those_of_the_predictions(ask, demo, by, column):
    found = ask("churn_risk,expected_spend", by)
    expected = demo.rows(
        f"""
        select {column}, avg(predictions.churn_probability), sum(predictions.expected_spend)
        from marts.customers
        inner join marts.customer_predictions as predictions using (customer_id)
        group by 1
        """
    )
    near(found, expected)
