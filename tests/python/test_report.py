"""The report, in a real browser that is cut off from any network."""

import base64
import copy
import csv
import gzip
import html
import io
import itertools
import json
import math
import re
import time

import duckdb
import pytest
import yaml
from browser import CHROMIUM, Browser
from conftest import DEMO, PROJECT, build

from report import page as report_page
from report.campaign import CHANNELS
from report.composing import zipped_bundle
from report.figures import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    SHADES,
    Figure,
    Segmentation,
    contrast,
    mix,
    principal_components,
    turning_point,
    written,
)
from report.lines import how_the_lines_were_read, rounded
from report.packing import packed, zipped
from report.page import LARGEST, LEAST_IMPORTANT, Page, render, write_report
from report.queries import run_analyses
from report.sections import SECTIONS

POPULATIONS = {"invoice_customers": "customers", "campaign_customers": "campaign_customers"}
CAMPAIGN_SEGMENTS = ["High Spenders", "Budget Buyers", "Digital Enthusiasts"]
EVIL = "</script><script>window.hacked = true</script><img src=x onerror='window.hacked=1'>\"&"


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("chromium is missing; on Debian: apt install chromium")
    with Browser() as opened:
        yield opened


@pytest.fixture(params=["demo", "real"])
def built(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def results(demo):
    folder = demo.folder / "target" / "compiled" / "customer_segments" / "analyses"
    analyses = {path.stem: (path.read_text(), []) for path in folder.glob("*.sql")}
    return run_analyses(analyses, demo.published)


@pytest.fixture
def page(results, tmp_path):
    """Draw a page from the demo's rows after they have been changed."""

    def draw(change):
        changed = copy.deepcopy(results)
        change(changed)
        path = tmp_path / "segments.html"
        path.write_text(render(changed).html, encoding="utf-8")
        return path

    return draw


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The demo with six segmentations, and customers who are known by their e-mail addresses."""
    folder = tmp_path_factory.mktemp("many")
    with (
        (DEMO / "invoices.csv").open(newline="", encoding="utf-8") as invoices,
        (folder / "invoices.csv").open("w", newline="", encoding="utf-8") as changed,
    ):
        reader = csv.DictReader(invoices)
        writer = csv.DictWriter(changed, reader.fieldnames)
        writer.writeheader()
        for row in reader:
            if row["CustomerID"]:
                row["CustomerID"] += "@shop.example"
            writer.writerow(row)
    campaign = (DEMO / "campaign_customers.csv").read_text(encoding="utf-8")
    addressed = re.sub(r"^(\d+)\t", "\\1@shop.example\t", campaign, flags=re.MULTILINE)
    (folder / "campaign.csv").write_text(addressed, encoding="utf-8")
    # As docs/segmentations.md says it, and one over a window.
    recipe = (PROJECT / "docs" / "segmentations.md").read_text()
    recipe = re.search(r"```yaml\n(.*?)```", recipe, re.DOTALL)[1]
    built_in = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]["segmentations"]
    recent = {
        "playbook": "lifecycle",
        "features": {"recency_days": "log1p", "frequency_365d": "log1p", "monetary_365d": "log1p"},
        # More than the playbook has names.
        "k": 6,
    }
    segmentations = built_in | yaml.safe_load(recipe)["segmentations"] | {"recent": recent}
    assert len(segmentations) == 6
    built = build(
        folder,
        invoices=folder / "invoices.csv",
        variables=yaml.safe_dump(
            {
                "segmentations": segmentations,
                "campaign_customers": str(folder / "campaign.csv"),
            },
            sort_keys=False,
        ),
        report=True,
    )
    assert built.code == 0, built.errors
    return built


def unzipped(page, name):
    """What a script element of the page holds."""
    text = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page)[1]
    return gzip.decompress(base64.b64decode(text)).decode()


def choose(browser, segmentation):
    browser.evaluate(
        f"""
        document.body.dataset.drawn = "";
        byId("segmentation").value = {json.dumps(segmentation)};
        byId("segmentation").dispatchEvent(new Event("change"));
        """
    )
    browser.wait_for("document.body.dataset.drawn === 'true'")


def figures(browser):
    """What is shown of each chart: rows behind it, and marks in each of its layers."""
    return browser.evaluate(
        """
        [...document.querySelectorAll("figure:not([hidden])")].map((figure) => ({
            id: figure.id,
            title: figure.querySelector("h3").textContent,
            rows: rowsOf(figure.id).length,
            marks: [...figure.querySelectorAll("svg g.role-mark")].map((g) => g.children.length),
            label: figure.querySelector(".chart").getAttribute("aria-label"),
            width: figure.querySelector("svg")?.getBoundingClientRect().width ?? 0,
        }))
        """
    )


def test_every_chart_is_drawn_without_an_error_or_a_request(built, browser):
    assert built.report.stat().st_size <= 0.7 * LARGEST
    browser.open(built.report)
    segmentations = built.rows("select distinct segmentation, population from marts.segments")
    assert len(segmentations) > 1
    for segmentation, population in segmentations:
        choose(browser, segmentation)
        shown = figures(browser)
        assert len(shown) > (20 if population == "invoice_customers" else 8)
        for figure in shown:
            assert figure["rows"] > 0
            assert figure["rows"] in figure["marks"], figure
            assert figure["width"] > 200, figure
            assert figure["label"].startswith(figure["title"])
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(("data:", "blob:"))] == []


def test_more_segmentations_have_a_page_too(many, browser):
    assert many.report.stat().st_size <= 0.7 * LARGEST
    assert "left out" not in many.output
    browser.open(many.report)
    for segmentation in ("careful", "recent"):
        choose(browser, segmentation)
        shown = figures(browser)
        assert len(shown) > 20
        assert all(figure["rows"] in figure["marks"] for figure in shown)
        (dots,) = rows_of(browser, "customers-on-a-map")
        assert len(dots) == many.one("select count(*) from marts.customers")[0]
    assert "Spend in 365 days" in browser.evaluate("byId('features').textContent")
    assert "monetary_365d" in text_of(browser, "data-profile")
    shared = many.rows(
        """
        select count(distinct cluster_id), segment_name
        from marts.cluster_centers inner join marts.segments using (segmentation, segment_code)
        where segmentation = 'recent' group by segment_name having count(distinct cluster_id) > 1
        """
    )
    assert shared
    for clusters, name in shared:
        said = f"{clusters} clusters share the name {name}."
        assert said in text_of(browser, "number-of-clusters")
    customers = many.rows(
        """
        select recency_days, frequency, monetary, segment_code
        from marts.customer_windows
        inner join (select customer_id, recency_days from marts.customers) using (customer_id)
        inner join marts.customer_segments using (customer_id)
        where segmentation = 'recent' and window_days = 365
        """
    )
    asked = [
        {"recency_days": recency, "frequency_365d": orders, "monetary_365d": float(money)}
        for recency, orders, money, _ in customers
    ]
    found = browser.evaluate(
        f"{json.dumps(asked)}.map((values) => place('recent', values).segment_code)"
    )
    assert found == [code for *_, code in customers]
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(("data:", "blob:"))] == []


def test_features_over_a_window_are_in_their_mart(many):
    columns = set(
        many.rows(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'marts'"
        )
    )
    profiled = many.rows(
        "select table_name, column_name from marts.data_profile where table_name <> 'source_lines'"
    )
    for mart, column in profiled:
        if mart == "customer_windows":
            assert column.endswith("_365d")
            column = column.removesuffix("_365d")
        assert (mart, column) in columns
    assert {mart for mart, _ in profiled} == {"customers", "customer_windows", "campaign_customers"}
    # What is bought in a window is worked out from the lines.
    as_of = many.one("select max(as_of_at) from marts.customers")[0]
    assert many.rows(
        "select customer_id, sum(monetary), sum(frequency) from marts.customer_windows"
        " where window_days = 365 and monetary > 0 group by 1 order by 1"
    ) == many.rows(
        f"""
        select customer_id, sum(line_amount), count(distinct invoice_id)
        from marts.invoice_lines
        where line_type = 'sale' and invoiced_at >= timestamp '{as_of}' - interval 365 day
        group by 1 order by 1
        """
    )


def test_every_rule_runs_against_its_mart(many):
    rules = many.rows(
        """
        select distinct segmentation, population, segment_code, rule_sql, fidelity
        from marts.segment_rules
        inner join marts.customer_segments using (segmentation, segment_code)
        """
    )
    assert len({segmentation for segmentation, *_ in rules}) == 6
    assert any("customer_windows" in rule for *_, rule, _ in rules)
    for segmentation in {segmentation for segmentation, *_ in rules}:
        own = [rule for rule in rules if rule[0] == segmentation]
        mart = POPULATIONS[own[0][1]]
        named = "+".join(f"cast(({rule}) as integer)" for *_, rule, _ in own)
        said = "".join(f" when {rule} then '{code}'" for _, _, code, rule, _ in own)
        unnamed, right = many.one(
            f"""
            select
                count(*) filter (where {named} <> 1),
                avg(cast(case {said} end = segments.segment_code as integer))
            from marts.{mart} as customers
            inner join marts.customer_segments as segments using (customer_id)
            where segmentation = '{segmentation}'
            """
        )
        assert unnamed == 0, segmentation
        # Fidelity is that of the part that the tree has not seen.
        assert right == pytest.approx(float(own[0][4]), abs=0.05)


def test_the_page_names_no_customer(many, browser):
    """It is sent about, and customers may be known by their e-mail addresses."""
    assert "@shop.example" in many.one("select min(customer_id) from marts.customers")[0]
    page = many.report.read_text(encoding="utf-8")
    for text in (page, unzipped(page, "facts")):
        assert re.findall(r"[\w.%-]+@[\w-]+\.\w+", text) == []
    browser.open(many.report)
    assert "@shop" not in browser.evaluate("document.documentElement.outerHTML")
    # Nor an invoice: the first and the last text of a column stay in the mart.
    text = text_of(browser, "data-profile")
    assert "\ninvoice_id\t" in text
    for column in ("invoice_id", "product_id", "description", "customer_id", "country"):
        ends = many.one(
            f"select minimum, maximum from marts.data_profile where column_name = '{column}'"
        )
        assert not [end for end in ends if f"\t{end}\t" in text]
    first = many.one("select minimum from marts.data_profile where column_name = 'invoiced_at'")[0]
    assert first in text


def rows_of(browser, slug):
    """Rows behind each figure that is shown of a section."""
    return browser.evaluate(
        f"""
        [...document.querySelectorAll("#{slug} figure:not([hidden])")].map((figure) =>
            rowsOf(figure.id))
        """
    )


def text_of(browser, slug):
    return browser.evaluate(f"document.getElementById('{slug}').innerText").replace("\xa0", " ")


@pytest.mark.parametrize("segmentation", ["lifecycle", "outlier_aware"])
def test_moves_and_sizes_are_those_of_the_marts(built, browser, segmentation):
    browser.open(built.report)
    choose(browser, segmentation)
    last = f"""
        from marts.segment_transitions
        where segmentation = '{segmentation}' and period = 'month' and to_date = (
            select max(to_date) from marts.segment_transitions
            where period = 'month' and not is_partial
        )
    """
    (moves,) = rows_of(browser, "who-moves")
    assert len(moves) == built.one(f"select count(*) {last}")[0]
    assert sum(row["customers"] for row in moves) == built.one(f"select sum(customers) {last}")[0]
    moved, known = built.one(
        "select sum(customers) filter (where from_segment_code <> to_segment_code), sum(customers)"
        f" {last} and from_segment_code <> 'new'"
    )
    assert f"{moved / known * 100:.0f} % of customers changed segment" in text_of(
        browser, "who-moves"
    )

    (sizes,) = rows_of(browser, "sizes-over-time")
    drawn = {
        (row["segment_name"], row["as_of_date"]): row["customers"]
        for row in sizes
        if row["kind"] != "Expected" and row["customers"]
    }
    assert drawn == {
        (name, day.isoformat()): customers
        for name, day, customers in built.rows(
            f"""
            select segments.segment_name, history.as_of_date, count(*)
            from marts.segment_history as history
            inner join marts.segments using (segmentation, segment_code)
            where segmentation = '{segmentation}'
            group by all
            """
        )
    }
    assert {row["kind"] for row in sizes} == {"Month end", "Partial month", "Expected"}
    expected = built.rows(
        "select expected_customers, low, high from marts.segment_forecast"
        f" where segmentation = '{segmentation}'"
    )
    assert sorted(
        [row["customers"], row["low"], row["high"]] for row in sizes if row["kind"] == "Expected"
    ) == sorted([float(value) for value in row] for row in expected)
    scores = built.rows(
        "select distinct months_ahead, size_error, size_error_last_month, interval_coverage"
        f" from marts.segment_forecast where segmentation = '{segmentation}' order by 1"
    )
    text = text_of(browser, "sizes-over-time")
    for _, error, last_month, coverage in scores:
        assert f"\t{error:,.1f}\t{last_month:,.1f}\t" in text
        assert f"\t{coverage * 100:.0f} %\t" in text


def test_who_bought_after_past_month_ends_stands_beside_the_plan(built, browser):
    browser.open(built.report)
    told = browser.evaluate(
        "[...document.querySelectorAll('#action-plan .sheet:not([hidden]) tbody tr')]"
        ".map((row) => [row.dataset.segment, row.cells[2].textContent])"
    )
    assert told == [
        [code, f"{share * 100:.0f}\N{NO-BREAK SPACE}%"]
        for code, share in built.rows(
            "select segment_code, bought_next_share from marts.segments"
            " where segmentation = 'lifecycle' and clusters > 0 order by segment_order"
        )
    ]
    assert "the last 4 whose 90 days are over" in text_of(browser, "action-plan")


def test_what_is_expected_and_what_came_are_those_of_the_marts(built, browser):
    browser.open(built.report)
    risks, money = rows_of(browser, "what-to-expect")
    expected = built.rows(
        """
        select segment_name, count(*), avg(churn_probability), sum(expected_spend)
        from marts.customers group by 1 order by 1
        """
    )
    for rows in (risks, money):
        shown = sorted(
            (row["segment_name"], row["customers"], row["churn_risk"], row["expected_spend"])
            for row in rows
        )
        for one, other in zip(shown, expected, strict=True):
            assert one[:2] == other[:2]
            assert one[2:] == pytest.approx([float(value) for value in other[2:]], abs=0.01)
    churn, spend = rows_of(browser, "predictions-and-outcomes")
    for rows, target in ((churn, "churn"), (spend, "spend")):
        groups = built.rows(
            f"""
            select customers, predicted, observed from marts.prediction_calibration
            where target = '{target}' and cutoff = (
                select max(cutoff) from marts.prediction_backtest where target = '{target}'
            )
            order by group_number
            """
        )
        assert len(rows) == len(groups) > 5
        for row, (customers, predicted, observed) in zip(rows, groups, strict=True):
            assert row["customers"] == customers
            assert (row["predicted"], row["observed"]) == pytest.approx(
                (predicted, observed), rel=1e-4
            )
    for row in churn:
        assert row["observed_low"] <= row["observed"] <= row["observed_high"]
        assert row["stayed_away"] == round(row["observed"] * row["customers"])
    text = text_of(browser, "predictions-and-outcomes")
    for (loss,) in built.rows(
        "select avg(value) from marts.prediction_backtest"
        " where metric = 'log_loss' and target = 'churn' group by model"
    ):
        assert f"\t{loss:.3f}\tlog loss\t" in text


def test_predictions_and_campaign_are_those_of_the_marts(built, browser):
    browser.open(built.report)
    groups, profits = rows_of(browser, "predicted-answers")
    assert (
        sum(row["customers"] for row in groups),
        sum(row["positive"] for row in groups),
    ) == built.one(
        "select count(*), count(*) filter (where accepted_6) from marts.campaign_customers"
        " where response_probability is not null"
    )
    assert len(groups) == 10
    for row in groups:
        assert row["lowest_probability"] <= row["predicted_rate"] <= row["highest_probability"]
        assert row["observed_rate"] == pytest.approx(row["positive"] / row["customers"], abs=1e-6)
        assert row["observed_low"] <= row["observed_rate"] <= row["observed_high"]
    for one, other in itertools.pairwise(groups):
        assert one["highest_probability"] < other["lowest_probability"]
    assert len(profits) == 3 * 101
    best = {row["name"]: row["amount"] for row in profits if row["is_best"]}
    assert (best["Expected"], best["Actual"]) == pytest.approx(
        [
            float(value)
            for value in built.one(
                "select expected_profit, profit from marts.campaign_profit where is_best"
            )
        ]
    )
    text = text_of(browser, "predicted-answers")
    for (loss,) in built.rows(
        "select value from marts.prediction_backtest"
        " where metric = 'log_loss' and target = 'campaign_response'"
    ):
        assert f"\t{loss:.3f}\t" in text

    answers, campaigns, concentration, spend, channels = rows_of(
        browser, "customers-of-the-campaign"
    )
    for rows, query in (
        (answers, "campaign_response where campaign = 'campaign_6'"),
        (campaigns, "campaign_response where dimension = 'all'"),
        (concentration, "campaign_concentration"),
        (spend, "campaign_spend where dimension in ('all', 'income_band', 'segment')"),
        (channels, "campaign_channels where dimension in ('all', 'income_band', 'segment')"),
    ):
        assert len(rows) == built.one(f"select count(*) from marts.{query}")[0] > 0
    drawn = browser.evaluate(
        """
        [...document.querySelectorAll("#customers-of-the-campaign figure")].map((figure) =>
            [...figure.querySelectorAll("svg .role-axis-label text")].map((t) => t.textContent))
        """
    )
    assert all(labels for labels in drawn)
    for row in channels:
        if row["channel"] == "catalog":
            assert row["ends"] == pytest.approx(1, abs=1e-5)


def test_pairs_are_the_closest_of_the_mart_and_each_product_stands_once(built, browser):
    browser.open(built.report, width=390, phone=True)
    (pairs,) = rows_of(browser, "bought-together")
    products = [row[side] for row in pairs for side in ("product_id", "other_product_id")]
    assert len(pairs) == 15
    assert len(set(products)) == 30
    confidences = [row["confidence"] for row in pairs]
    assert confidences == sorted(confidences, reverse=True)
    for row in pairs:
        assert row["confidence"] >= row["other_confidence"]
        assert row["lift_low"] > 1
        assert built.one(
            "select baskets, companion_rank from marts.product_pairs"
            f" where product_id = '{row['other_product_id']}'"
            f" and other_product_id = '{row['product_id']}'"
        ) == (row["baskets"], 1)
    # On a phone no name is cut off, and none runs into another.
    texts = browser.evaluate(
        """
        [...document.querySelectorAll("#bought-together svg .role-mark text")].map((text) => {
            const box = text.getBoundingClientRect();
            return [text.textContent, box.left, box.right, box.top, box.bottom];
        })
        """
    )
    assert len(texts) == 30
    assert not [text for text, *_ in texts if "\u2026" in text]
    assert max(right for _, _, right, _, _ in texts) <= 390
    for (_, left, right, top, bottom), (_, start, end, high, low) in itertools.combinations(
        texts, 2
    ):
        assert right <= start or end <= left or bottom <= high + 1 or low <= top + 1


def test_segments_of_the_campaign_stand_first_in_their_colours(browser, page):
    """They are a dimension like others, from the day on which campaign customers have segments."""

    def parted(changed):
        for name in ("acceptance_of_offers", "spend_by_category", "purchases_by_channel"):
            rows = [row for row in changed[name] if row["dimension"] == "income_band"]
            changed[name] = [row for row in changed[name] if row["dimension"] != "segment"] + [
                row | {"dimension": "segment", "colour": "#d55e00"} for row in rows
            ]

    browser.open(page(parted))
    answers, _, _, spend, channels = rows_of(browser, "customers-of-the-campaign")
    for rows in (answers, spend, channels):
        found = list(dict.fromkeys(row["dimension"] for row in rows))
        assert sorted(found[:3]) == ["all", "income_band", "segment"]
    coloured = browser.evaluate(
        """
        [...document.querySelectorAll("#customers-of-the-campaign figure")][0]
            .querySelectorAll('svg path[fill="#d55e00" i]').length
        """
    )
    assert coloured == sum(row["dimension"] == "segment" for row in answers) > 0
    assert all(figure["rows"] in figure["marks"] for figure in figures(browser))
    assert browser.complaints() == []


def test_a_part_of_a_month_and_a_missing_forecast_are_said(browser, page):
    def early(changed):
        for row in changed["moves_between_month_ends"]:
            row["is_partial"] = True
        changed["sizes_over_time"] = [
            row for row in changed["sizes_over_time"] if not row["is_forecast"]
        ]

    browser.open(page(early))
    assert "which is a partial month" in text_of(browser, "who-moves")
    assert "Dashed" not in text_of(browser, "sizes-over-time")
    (sizes,) = rows_of(browser, "sizes-over-time")
    assert {row["kind"] for row in sizes} == {"Month end", "Partial month"}
    assert all(figure["rows"] in figure["marks"] for figure in figures(browser))

    def untested(changed):
        for row in changed["sizes_over_time"]:
            if row["is_forecast"]:
                row |= dict.fromkeys(
                    (
                        "low",
                        "high",
                        "size_error",
                        "size_error_last_month",
                        "interval_coverage",
                        "is_last_within",
                    )
                )
                row |= {"backtest_months": 0, "interval_checks": 0}

    browser.open(page(untested))
    assert "has not been tested yet" in text_of(browser, "sizes-over-time")
    assert "lay outside" not in text_of(browser, "sizes-over-time")
    assert all(figure["rows"] in figure["marks"] for figure in figures(browser))
    assert browser.complaints() == []


def test_no_headline_says_that_nothing_moves_and_a_surprise_is_said(browser, page):
    def still(months):
        def change(changed):
            for row in changed["sizes_over_time"]:
                if row["is_forecast"]:
                    stays = row["months_ahead"] in months
                    row["model"] = "everyone_stays" if stays else "recent_months"
                    row["is_last_within"] = row["segment_code"] != "high_value"

        return change

    browser.open(page(still({3})))
    text = text_of(browser, "sizes-over-time")
    assert "expected by 10 February 2026" in text
    assert "On 30 November 2025, 1 of 4 sizes lay outside" in text
    assert "a month before: High-Value Customers." in text
    browser.open(page(still({1, 2, 3})))
    text = text_of(browser, "sizes-over-time")
    assert "Customers of each segment at every month end" in text
    assert "expected by" not in text


def test_a_segmentation_without_history_is_drawn_without_it(browser, page):
    """As one of campaign customers is, who have neither months nor orders."""

    def forget(changed):
        for name in (
            "moves_between_month_ends",
            "sizes_over_time",
            "revenue_by_month",
            "spread_within_segments",
            "customers_sampled",
            "distributions_of_features",
        ):
            changed[name] = [row for row in changed[name] if row["segmentation"] != "value_tiers"]

    browser.open(page(forget))
    choose(browser, "value_tiers")
    assert rows_of(browser, "who-moves") == rows_of(browser, "sizes-over-time") == []
    shown = figures(browser)
    assert len(shown) > 8
    assert all(figure["rows"] in figure["marks"] for figure in shown)
    choose(browser, "lifecycle")
    assert len(rows_of(browser, "who-moves")) == 1
    assert browser.complaints() == []


def test_sections_stand_in_the_contents_in_their_order(demo, browser):
    browser.open(demo.report)
    headings = browser.evaluate(
        "[...document.querySelectorAll('main h2')].map((h) => h.textContent)"
    )
    linked = browser.evaluate("[...document.querySelectorAll('nav a')].map((a) => a.textContent)")
    assert headings == linked
    assert headings[:-1] == [section.name for section in SECTIONS]
    assert browser.evaluate(
        "[...document.querySelectorAll('nav a')].every((a) => document.querySelector(a.hash))"
    )


def test_a_section_without_a_word_on_a_segmentation_is_hidden(demo, browser):
    """Customers of a campaign have no months; those of the shop come back with their sections."""
    browser.open(demo.report)
    headings = "[...document.querySelectorAll('main section:not([hidden]) > h2')]"
    links = "[...document.querySelectorAll('nav li:not([hidden]) a')]"
    texts = ".map((node) => node.textContent)"
    everything = browser.evaluate(headings + texts)
    choose(browser, "campaign")
    of_campaign = browser.evaluate(headings + texts)
    assert set(everything) - set(of_campaign) >= {"Revenue by month", "Spread within segments"}
    assert {"Customers and revenue", "Number of clusters", "Action plan"} <= set(of_campaign)
    assert browser.evaluate(links + texts) == of_campaign
    headline = browser.evaluate("document.querySelector('.headline:not([hidden])').textContent")
    assert "of the campaign's customers, bring" in headline
    assert browser.evaluate("byId('verdict').textContent").startswith(tuple(CAMPAIGN_SEGMENTS))
    choose(browser, "lifecycle")
    assert browser.evaluate(headings + texts) == everything


@pytest.mark.parametrize(
    ("number", "as_feature", "in_profile"),
    [
        (12, "12", "12"),
        (120, "120", "120"),
        (0.485, "0.485", "0.485"),
        (2.5, "2.5", "2.50"),
        (1200, "1,200", "1,200"),
        (-0.25, "-0.25", "-0.25"),
    ],
)
def test_quantities_show_no_empty_decimals(number, as_feature, in_profile):
    assert written(number, ",.3~f") == as_feature
    assert rounded(number) == in_profile
    assert written(number, ",.2f") == f"{number:,.2f}"


def test_headline_is_that_of_the_marts(real, browser):
    browser.open(real.report)
    headline = browser.evaluate("document.querySelector('.headline:not([hidden])').textContent")
    assert headline.replace("\N{NO-BREAK SPACE}", " ") == (
        "713 High-Value Customers, 16 % of all, bring 65 % of revenue"
    )


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_overflows(built, browser, width):
    browser.open(built.report, width=width, phone=width == 390)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    beyond = browser.evaluate(
        """
        [...document.querySelectorAll("main .sheet")].filter((sheet) => !sheet.hidden)
            .filter((sheet) => [...sheet.children].some((child) =>
                child.getBoundingClientRect().right > sheet.getBoundingClientRect().right + 1))
            .map((sheet) => sheet.textContent.slice(0, 60))
        """
    )
    assert beyond == []


def test_filter_takes_a_segment_out_of_charts_tables_and_exports(demo, browser):
    browser.open(demo.report)
    before = figures(browser)
    browser.evaluate(
        """
        document.body.dataset.drawn = "";
        document.querySelector('#segments input[value="at_risk"]').click();
        """
    )
    browser.wait_for("document.body.dataset.drawn === 'true'")
    after = figures(browser)
    fewer = [one["rows"] > other["rows"] for one, other in zip(before, after, strict=True)]
    assert sum(fewer) >= 15
    assert all(figure["rows"] in figure["marks"] for figure in after)
    assert browser.evaluate(
        "[...document.querySelectorAll('tr[data-segment=\"at_risk\"]')].every((row) => row.hidden)"
    )
    text = browser.evaluate(f"exported('{after[0]['id']}', 'csv').then((blob) => blob.text())")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == after[0]["rows"]
    assert {row["segment_code"] for row in rows} == set(
        code
        for (code,) in demo.rows(
            "select segment_code from marts.segments"
            " where segmentation = 'lifecycle' and segment_code <> 'at_risk'"
        )
    )
    for box in range(3):
        browser.evaluate(f"document.querySelectorAll('#segments input')[{box}].click()")
    browser.wait_for("document.querySelectorAll('.nothing').length >= 10")
    assert browser.complaints() == []


FORMULAS = [
    '=HYPERLINK("https://evil.example","click")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
]


def test_no_text_of_an_exported_csv_is_a_formula(browser, page):
    def spoil(changed):
        for row, formula in zip(changed["best_selling_products"], FORMULAS, strict=False):
            row["description"] = formula
            row["revenue"] = -row["revenue"]
        for row in changed["best_selling_products"][len(FORMULAS) :]:
            row["description"] = 'a=b, -1 + "c"'

    browser.open(page(spoil))
    (key,) = browser.evaluate(
        "[...document.querySelectorAll('#best-selling-products figure')].map((figure) => figure.id)"
    )
    text = browser.evaluate(f"exported('{key}', 'csv').then((blob) => blob.text())")
    exported = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["description"] for row in exported[: len(FORMULAS)]] == [
        f"'{formula}" for formula in FORMULAS
    ]
    assert {row["description"] for row in exported[len(FORMULAS) :]} == {'a=b, -1 + "c"'}
    # Numbers stay numbers, below 0 too.
    drawn = browser.evaluate(f"rowsOf('{key}')")
    assert [float(row["revenue"]) for row in exported] == [row["revenue"] for row in drawn]
    assert drawn[0]["revenue"] < 0


def test_segments_of_one_name_are_two(browser, page):
    """Codes tell segments apart: names are a user's, and nothing is drawn or hidden by them."""

    def share_a_name(changed):
        for rows in changed.values():
            for row in rows:
                for side in ("", "from_"):
                    if row.get(f"{side}segment_code") == "at_risk":
                        row[f"{side}segment_name"] = "High-Value Customers"

    def fills(key):
        marks = f'[...document.querySelectorAll("#{key} svg .mark-rect.role-mark path")]'
        return browser.evaluate(
            f"{marks}.map((bar) => [bar.getAttribute('fill'), bar.getBoundingClientRect().top])"
        )

    path = page(share_a_name)
    browser.open(path)
    shown = figures(browser)
    assert all(figure["rows"] in figure["marks"] for figure in shown)
    segments = browser.evaluate("facts.segmentations.lifecycle.segments")
    colours = [segment["colour"].lower() for segment in segments]
    # Shares and sizes: each bar has a place of its own, in its segment's colour.
    for key, bars in (("figure-1", 2), ("figure-2", 1)):
        places = fills(key)
        assert sorted(fill.lower() for fill, _ in places) == sorted(colours * bars)
        assert len({top for _, top in places}) == len(segments) * bars
    longest = browser.evaluate(
        "Math.max(...[...document.querySelectorAll('#figure-1 svg .mark-rect.role-mark path')]"
        ".map((bar) => bar.getBoundingClientRect().width))"
    )
    width = browser.evaluate(
        "document.querySelector('#figure-1 svg .background').getBoundingClientRect().width"
    )
    most = max(row["share"] for row in browser.evaluate("rowsOf('figure-1')"))
    assert longest / width == pytest.approx(most / (most * 1.15), abs=0.02)
    (months,) = browser.evaluate(
        "[...document.querySelectorAll('#revenue-by-month figure:not([hidden])')]"
        ".map((figure) => figure.id)"
    )
    assert {fill.lower() for fill, _ in fills(months)} == set(colours)
    (moves,) = rows_of(browser, "who-moves")
    assert len(moves) == len({(row["from_segment_code"], row["segment_code"]) for row in moves})
    (cells,) = browser.evaluate(
        """
        [...document.querySelectorAll("#who-moves figure:not([hidden])")].map((figure) =>
            [...figure.querySelectorAll("svg .mark-rect.role-mark path")].map((cell) => {
                const { left, top } = cell.getBoundingClientRect();
                return `${left} ${top}`;
            }))
        """
    )
    assert len(set(cells)) == len(moves)
    # One of the two can be hidden without the other.
    browser.evaluate(
        """
        document.body.dataset.drawn = "";
        document.querySelector('#segments input[value="at_risk"]').click();
        """
    )
    browser.wait_for("document.body.dataset.drawn === 'true'")
    left = browser.evaluate("rowsOf('figure-2').map((row) => row.segment_code)")
    assert left == [code for code in (s["segment_code"] for s in segments) if code != "at_risk"]
    plans = browser.evaluate(
        "[...document.querySelectorAll('#action-plan .sheet:not([hidden]) tbody tr')]"
        ".map((row) => [row.dataset.segment, row.hidden])"
    )
    assert plans == [
        [segment["segment_code"], segment["segment_code"] == "at_risk"] for segment in segments
    ]
    assert browser.complaints() == []


def test_charts_are_exported_as_pictures_with_their_title(demo, browser):
    browser.open(demo.report)
    for figure in figures(browser):
        svg = browser.evaluate(f"exported('{figure['id']}', 'svg').then((blob) => blob.text())")
        assert svg.startswith("<svg")
        assert "var(--" not in svg
        assert figure["title"][:20].split("&")[0] in svg
    signature, size = browser.evaluate(
        """
        exported("figure-1", "png").then((blob) => blob.arrayBuffer()).then((buffer) =>
            [[...new Uint8Array(buffer).slice(1, 4)].map((c) => String.fromCharCode(c)).join(""),
             buffer.byteLength])
        """
    )
    assert signature == "PNG"
    assert size > 10_000
    saved = browser.evaluate(
        """
        new Promise((done) => {
            const click = HTMLAnchorElement.prototype.click;
            HTMLAnchorElement.prototype.click = function () {
                HTMLAnchorElement.prototype.click = click;
                done([this.download, this.href.slice(0, 5)]);
            };
            document.querySelector("#figure-1 [data-export=csv]").click();
        })
        """
    )
    assert saved[0].endswith(".csv")
    assert saved[1] == "blob:"


def test_figures_can_be_read_as_a_table(demo, browser):
    browser.open(demo.report)
    browser.evaluate("document.querySelector('#figure-1 details').open = true")
    browser.wait_for("document.querySelectorAll('#figure-1 tbody tr').length > 0")
    assert browser.evaluate("document.querySelectorAll('#figure-1 tbody tr').length") == (
        browser.evaluate("rowsOf('figure-1').length")
    )


def test_calculator_agrees_with_the_scoring_in_sql(built, browser):
    browser.open(built.report)
    features = {}
    with duckdb.connect(str(built.published), read_only=True) as connection:
        for population, mart in POPULATIONS.items():
            customers = connection.sql(f"from marts.{mart} order by customer_id").df()
            for row in customers.to_dict("records"):
                features[population, row["customer_id"]] = {
                    name: float(value)
                    for name, value in row.items()
                    if isinstance(value, int | float) and not isinstance(value, bool)
                }
        scored = connection.sql("from marts.customer_segments order by segmentation, customer_id")
        columns, scored = scored.columns, scored.fetchall()
    scored = [dict(zip(columns, row, strict=True)) for row in scored]
    assert {row["population"] for row in scored} == set(POPULATIONS)
    asked = [
        [row["segmentation"], features[row["population"], row["customer_id"]]] for row in scored
    ]
    found = []
    for start in range(0, len(asked), 4_000):
        part = json.dumps(asked[start : start + 4_000])
        found += browser.evaluate(f"{part}.map(([name, values]) => place(name, values))")
    assert len(found) == len(scored) > 2_000
    for one, other in zip(found, scored, strict=True):
        for column in ("cluster_id", "segment_code", "runner_up_segment_code"):
            assert one[column] == other[column], other
        for column in ("distance", "margin"):
            assert one[column] == pytest.approx(other[column], abs=1e-6), other


def test_calculator_answers_what_is_typed(demo, browser):
    browser.open(demo.report)

    def type_in(feature, value):
        browser.evaluate(
            f"byId('number-{feature}').value = '{value}';"
            f"byId('number-{feature}').dispatchEvent(new Event('input'))"
        )
        return browser.evaluate("byId('verdict').textContent")

    for feature, value in (("recency_days", 2), ("frequency", 40)):
        type_in(feature, value)
    assert type_in("monetary", 20_000).startswith("High-Value Customers")
    assert "Protect: " in browser.evaluate("byId('verdict').textContent")
    type_in("recency_days", 300)
    type_in("frequency", 1)
    assert type_in("monetary", 20).startswith("At-Risk Customers")
    assert "must be a number" in type_in("monetary", "")
    slid = browser.evaluate(
        "(() => { const slider = document.querySelector('#features input[type=range]');"
        "slider.value = '0'; slider.dispatchEvent(new Event('input'));"
        "return byId('number-recency_days').value; })()"
    )
    assert int(slid) == demo.one("select min(recency_days) from marts.customers")[0]


def test_whatever_data_says_stays_text(browser, page, results):
    def spoil(changed):
        changed["best_selling_products"][0]["description"] = EVIL
        changed["products_bought_together"][0]["other_description"] = EVIL
        first = changed["segments_in_use"][0]["segment_name"]
        for rows in changed.values():
            for row in rows:
                for column, value in row.items():
                    if (
                        value == first
                        or column in ("action", "selection_reason")
                        or (column == "minimum" and row.get("mean") is None)
                        or (column == "value" and row.get("dimension") == "education")
                    ):
                        row[column] = EVIL

    path = page(spoil)
    browser.open(path)
    assert all(figure["rows"] in figure["marks"] for figure in figures(browser))
    assert EVIL.split("<img")[0][:30] in browser.evaluate("document.body.textContent")
    browser.evaluate(
        "document.querySelectorAll('details').forEach((details) => details.open = true)"
    )
    browser.wait_for("document.querySelectorAll('details table').length > 10")
    time.sleep(0.2)
    assert browser.evaluate("window.hacked === undefined")
    assert browser.evaluate("document.querySelectorAll('main script, main img').length") == 0
    svg = browser.evaluate("exported('figure-1', 'svg').then((blob) => blob.text())")
    assert "<script" not in svg
    assert browser.complaints() == []


def test_what_has_no_data_is_left_out_without_a_hole(browser, page):
    def empty(changed):
        changed["best_selling_products"] = []
        changed["products_bought_together"] = []
        del changed["rfm_grid"]
        # As where no campaign customers are given.
        for name in ("scores_of_predictions", "acceptance_of_offers"):
            del changed[name]
        # As in a shop too young to be foretold.
        for name in (
            "calibration_of_customer_predictions",
            "scores_of_customer_predictions",
            "expectations_by_segment",
        ):
            changed[name] = []
        changed["numbers_of_clusters_tried"] = [
            row
            for row in changed["numbers_of_clusters_tried"]
            if row["segmentation"] != "lifecycle"
        ]

    browser.open(page(empty))
    text = browser.evaluate("document.body.innerText")
    for name in (
        "Best-selling products",
        "Bought together",
        "RFM grid",
        "What to expect",
        "Predictions and outcomes",
        "Predicted answers",
        "Customers of the campaign",
    ):
        assert name not in text
    assert browser.complaints() == []


def test_a_shop_too_small_for_segments_has_a_page_too(browser, page, results):
    def shrink(changed):
        for name, rows in changed.items():
            changed[name] = [] if rows and "segmentation" in rows[0] else rows

    browser.open(page(shrink))
    shown = figures(browser)
    assert len(shown) >= 5
    assert all(figure["rows"] in figure["marks"] for figure in shown)
    assert browser.evaluate("byId('calculator').hidden")
    assert browser.complaints() == []


def test_an_analysis_of_a_table_that_is_not_published_is_left_out(demo):
    analyses = {
        "there": ("select count(*) as n from marts.customers", [("marts", "customers")]),
        "missing": ("select count(*) as n from marts.nothing", [("marts", "nothing")]),
    }
    query, relations = analyses["there"]
    analyses["there"] = (query.replace("marts.", "customers.marts."), relations)
    assert set(run_analyses(analyses, demo.published)) == {"there"}


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_light_and_dark(demo, browser, dark):
    browser.open(demo.report, dark=dark)
    colours = browser.evaluate(
        """
        Object.fromEntries(["--page", "--sheet", "--ink", "--soft", "--accent"].map((name) =>
            [name, getComputedStyle(document.documentElement).getPropertyValue(name).trim()]))
        """
    )
    for ground in ("--page", "--sheet"):
        for text in ("--ink", "--soft", "--accent"):
            assert contrast(colours[ground], colours[text]) >= 4.5, (ground, text)
    assert (colours["--sheet"] != "#ffffff") is dark
    browser.evaluate("byId('theme').click()")
    sheet = browser.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--sheet').trim()"
    )
    assert (sheet == "#ffffff") is dark


@pytest.mark.parametrize("ends", [SHADES, (NEUTRAL, NEGATIVE), (NEUTRAL, POSITIVE)])
def test_numbers_in_cells_can_be_read_on_every_shade(ends):
    turn = turning_point(*ends)
    assert 0 < turn < 1
    for step in range(101):
        ink = "#ffffff" if step / 100 >= turn else "#000000"
        assert contrast(mix(*ends, step / 100), ink) >= 4.5


@pytest.mark.parametrize("colour", [colour for _, colour in CHANNELS.values()])
def test_channels_can_be_seen_in_the_dark_and_written_on(colour):
    assert contrast(colour, "#ffffff") >= 4.5
    assert contrast(colour, "#1b212a") >= 3


def test_page_can_be_used_without_a_mouse_or_eyes(demo, browser):
    browser.open(demo.report, width=390, phone=True)
    unnamed = browser.evaluate(
        """
        [...document.querySelectorAll("button, input, select, summary, a")].filter((control) => !(
            control.textContent.trim() || control.getAttribute("aria-label")
            || control.labels?.length)).map((control) => control.outerHTML)
        """
    )
    assert unnamed == []
    assert browser.evaluate("document.documentElement.lang") == "en"
    assert browser.evaluate("document.querySelectorAll('h1').length") == 1
    stuck = browser.evaluate(
        """
        [...document.querySelectorAll(".scroller")].filter((scroller) =>
            scroller.scrollWidth > scroller.clientWidth + 1 && scroller.tabIndex !== 0)
            .map((scroller) => scroller.textContent.slice(0, 60))
        """
    )
    assert stuck == []
    browser.call(
        "Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9
    )
    assert browser.evaluate("document.activeElement.className") == "skip"


def test_print_leaves_out_what_paper_cannot_do(demo, browser):
    browser.open(demo.report, dark=True)
    browser.call("Emulation.setEmulatedMedia", media="print")
    hidden = browser.evaluate(
        "['nav', '#calculator', '.tools'].map((name) =>"
        " getComputedStyle(document.querySelector(name)).display)"
    )
    sheet = browser.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
    browser.call("Emulation.setEmulatedMedia", media="screen")
    assert hidden == ["none", "none", "none"]
    assert sheet == "rgb(255, 255, 255)"


# ---------------------------------------------------------------------- how large it is


@pytest.fixture(scope="module")
def whole(results):
    return render(results)


def test_what_is_least_important_is_left_out_of_a_page_that_is_too_large(
    browser, results, whole, tmp_path
):
    path = tmp_path / "segments.html"

    def opened(page):
        path.write_text(page.html, encoding="utf-8")
        browser.open(path)
        assert all(figure["rows"] in figure["marks"] for figure in figures(browser))
        assert browser.complaints() == []
        return browser.evaluate("[...document.querySelectorAll('nav a')].map((a) => a.textContent)")

    assert whole.left_out == []
    everything = opened(whole)
    assert browser.evaluate("document.querySelector('.left-out')") is None
    (dots,) = rows_of(browser, "customers-on-a-map")
    # First most dots of the map, then the map, then one section after the other.
    fewer = render(results, len(whole.html.encode()) - 1)
    assert fewer.left_out == ["most dots of the map"]
    assert opened(fewer) == everything
    (some,) = rows_of(browser, "customers-on-a-map")
    assert 300 < len(some) <= 500 < len(dots)
    assert {row["segment_code"] for row in some} == {row["segment_code"] for row in dots}
    assert "below 1 MB: most dots of the map." in browser.evaluate(
        "document.querySelector('.left-out').textContent"
    )
    page = render(results, 0.97 * len(fewer.html.encode()))
    assert 1 < len(page.left_out) < 5
    assert tuple(page.left_out) == LEAST_IMPORTANT[: len(page.left_out)]
    assert len(page.html.encode()) <= 0.97 * len(fewer.html.encode())
    assert opened(page) == [name for name in everything if name not in page.left_out]


def test_with_room_for_no_chart_there_is_a_page_too(browser, results, tmp_path):
    page = render(results, 0)
    assert tuple(page.left_out) == LEAST_IMPORTANT
    assert set(LEAST_IMPORTANT) == {section.name for section in SECTIONS} - {
        "Action plan",
        "How the lines were read",
        "Data profile",
    }
    assert json.loads(unzipped(page.html, "facts"))["figures"] == {}
    assert len(page.html.encode()) < 200_000
    path = tmp_path / "segments.html"
    path.write_text(page.html, encoding="utf-8")
    browser.open(path)
    assert browser.evaluate(
        "[...document.querySelectorAll('nav a')].map((a) => a.textContent)"
    ) == [
        "Action plan",
        "How the lines were read",
        "Data profile",
        "Which segment would this customer be in?",
    ]
    choose(browser, "campaign")
    assert browser.evaluate("byId('verdict').textContent").startswith(tuple(CAMPAIGN_SEGMENTS))
    assert browser.complaints() == []


def test_the_same_tables_give_the_same_page(results, whole, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    zipped_bundle.cache_clear()
    is_same = render(copy.deepcopy(results)) == whole
    assert is_same
    text = "caf\u00e9 <b>"
    assert gzip.decompress(base64.b64decode(zipped(text))).decode() == text


def test_every_chart_is_one_by_the_schema_of_vega_lite(results):
    """The page is drawn without this check, which takes longer than all else."""
    segmentations = report_page.grouped(results["segments_in_use"])
    charts = 0
    for section in SECTIONS:
        for name, segments in segmentations.items():
            rows = [results[analysis] for analysis in section.analyses]
            first = ()
            if section.per_segmentation:
                rows = [
                    report_page.grouped(part).get(name) if "segmentation" in part[0] else part
                    for part in rows
                ]
                first = (Segmentation(name, segments),)
            for item in section.draw(*first, *rows) if all(rows) else ():
                if isinstance(item, Figure):
                    item.chart.to_dict(validate=True)
                    charts += 1
            if not first:
                break
    assert charts > 60


def test_no_number_is_one_that_json_lacks():
    assert packed([{"n": math.nan}, {"n": math.inf}, {"n": 1 / 3}]) == {"n": [None, None, 0.333333]}


# ---------------------------------------------------------------------- what can go wrong


OLD_PAGE = "<p>the page of another shop</p>"


@pytest.fixture
def place(tmp_path, monkeypatch, results):
    """The page of another build, where the next one goes."""
    monkeypatch.setenv("REPORT_DIR", str(tmp_path))
    monkeypatch.setattr(report_page, "compile_analyses", lambda manifest, variables: {})
    monkeypatch.setattr(report_page, "run_analyses", lambda analyses, published: results)
    path = tmp_path / "segments.html"
    path.write_text(OLD_PAGE)
    return path


@pytest.mark.parametrize("step", ["compile_analyses", "run_analyses", "render"])
@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (KeyError("segment <b>"), "report: KeyError: 'segment <b>'"),
        (duckdb.BinderException("no column"), "report: BinderException: no column"),
        (RuntimeError("analyses: wrong"), "report: analyses: wrong"),
        (KeyboardInterrupt(), "it was stopped"),
    ],
)
def test_no_page_of_another_build_is_left_where_drawing_fails(
    place, monkeypatch, step, error, complaint
):
    found = []

    def fail(*_):
        # Whoever pulls the plug now leaves no old page behind either.
        found.append(place.read_text())
        raise error

    monkeypatch.setattr(report_page, step, fail)
    kind = RuntimeError if isinstance(error, Exception) else KeyboardInterrupt
    with pytest.raises(kind) as raised:
        write_report(None, "{}")
    assert "The report is being drawn" in found[0]
    assert OLD_PAGE not in found[0]
    if kind is RuntimeError:
        assert str(raised.value) == complaint
    page = place.read_text()
    assert "The report could not be drawn" in page
    assert html.escape(complaint.removeprefix("report: ")) in page
    assert [file.name for file in place.parent.iterdir()] == ["segments.html"]


def test_the_notice_that_there_is_no_page_asks_for_nothing(browser, place, monkeypatch):
    monkeypatch.setattr(report_page, "render", lambda results: 1 / 0)
    with pytest.raises(RuntimeError, match="division by zero"):
        write_report(None, "{}")
    browser.events.clear()
    browser.call("Page.navigate", url=place.resolve().as_uri())
    browser.wait_for("document.readyState === 'complete'")
    assert "division by zero" in browser.evaluate("document.body.innerText")
    assert [url for url in browser.requests() if not url.startswith("data:")] == []
    assert browser.complaints() == []


def test_where_nothing_can_be_written_the_old_page_is_removed(place, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report_page, "replace", full)
    with pytest.raises(RuntimeError, match=r"report: OSError: .* No space left on device"):
        write_report(None, "{}")
    assert not place.exists()


def test_an_old_page_that_can_not_be_removed_is_named(place, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(report_page, "replace", refuse)
    monkeypatch.setattr(type(place), "unlink", refuse)
    with pytest.raises(RuntimeError, match=r"segments\.html, which shows other tables, cannot be"):
        write_report(None, "{}")


def test_a_page_is_written_and_what_it_lacks_is_said(place, monkeypatch):
    said = []
    assert write_report(None, "{}", said.append) == place
    assert place.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "Customers and revenue" in place.read_text(encoding="utf-8")
    assert said == []
    large = Page("x" * (LARGEST + 200_000), ["Distributions", "Correlations"])
    monkeypatch.setattr(report_page, "render", lambda results: large)
    write_report(None, "{}", said.append)
    assert said == [
        "Report: left out, to stay below 1 MB: Distributions, Correlations",
        "Report: 1.2 MB with nothing more to leave out",
    ]


def test_a_browser_that_can_not_unpack_the_page_says_so(demo, browser):
    old = browser.call(
        "Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream"
    )
    try:
        browser.size(1440, 900)
        browser.events.clear()
        browser.call("Page.navigate", url=demo.report.resolve().as_uri())
        browser.wait_for(
            "document.readyState === 'complete' && document.getElementById('trouble') !== null"
        )
        text = browser.evaluate("document.body.innerText")
        # Tables are there, of one segmentation only.
        tables = browser.evaluate(
            "[...document.querySelectorAll('#action-plan .sheet')].map((sheet) =>"
            " sheet.getBoundingClientRect().height > 100)"
        )
        controls = browser.evaluate(
            "['.filter', '#calculator'].map((name) => document.querySelector(name).hidden)"
        )
        complaints = browser.complaints()
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=old["identifier"])
    assert "This browser is too old to unpack the charts" in text
    assert tables == [True, False, False, False]
    assert controls == [True, True]
    assert complaints == []


@pytest.mark.parametrize("part", ["facts", "bundle"])
def test_a_damaged_page_says_so(demo, browser, tmp_path, part):
    page = demo.report.read_text(encoding="utf-8")
    begin = page.index(f'id="{part}">') + len(f'id="{part}">')
    path = tmp_path / "segments.html"
    path.write_text(page[: begin + 2_000] + page[begin + 2_400 :], encoding="utf-8")
    browser.size(1440, 900)
    browser.call("Page.navigate", url=path.resolve().as_uri())
    browser.wait_for("document.getElementById('trouble')?.hidden === false")
    assert "The charts can't be drawn: " in browser.evaluate("byId('trouble').innerText")


def test_rows_are_packed_so_that_they_come_back():
    rows = [{"name": "a", "n": 1}, {"name": "a", "n": 2}, {"name": "a", "n": 3}]
    assert packed(rows) == {"name": {"texts": ["a"], "at": [0, 0, 0]}, "n": [1, 2, 3]}


def test_principal_components_point_where_points_differ_most():
    import numpy as np

    generator = np.random.default_rng(1)
    points = generator.normal(size=(500, 3)) * [5.0, 1.0, 0.1]
    places, shares = principal_components(points)
    assert np.corrcoef(places[:, 0], points[:, 0])[0, 1] == pytest.approx(1, abs=0.01)
    assert np.corrcoef(places[:, 1], points[:, 1])[0, 1] == pytest.approx(1, abs=0.01)
    assert shares.sum() == pytest.approx(1, abs=0.01)
    assert shares[0] > shares[1]


def test_the_decisions_that_matter_stand_on_the_page(results, demo):
    questions = demo.rows("select distinct question from marts.readings where matters order by all")
    shown = results["readings_that_matter"]
    assert sorted({(row["question"],) for row in shown}) == questions
    (table,) = how_the_lines_were_read(shown)
    assert table.rows == shown
    assert all(set(table.columns) <= row.keys() for row in shown)


@pytest.mark.parametrize(
    ("shown", "decisions", "title"),
    [
        (1, 1, "A decision about the source"),
        (3, 3, "3 decisions about the source"),
        (12, 40, "The first 12 of 40 decisions about the source"),
    ],
)
def test_it_is_said_how_many_decisions_matter(shown, decisions, title):
    (table,) = how_the_lines_were_read([{"decisions": decisions}] * shown)
    assert table.title.startswith(title)


def test_each_analysis_is_in_a_section_or_in_the_frame_of_the_page():
    used = {name for section in SECTIONS for name in section.analyses}
    # Claims about campaign customers are asked for by themselves.
    frame = {"campaign_claims", "shop_at_a_glance", "segments_in_use", "centres_for_scoring"}
    assert used | frame == {path.stem for path in (PROJECT / "analyses").glob("*.sql")}
