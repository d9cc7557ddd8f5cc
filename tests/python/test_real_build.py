"""Online Retail, against the figures that others have published for it."""

from datetime import date
from decimal import Decimal
from itertools import combinations, permutations

import duckdb
import pytest
from conftest import REAL, REFITS, build
from sklearn.metrics import adjusted_rand_score


def test_every_line_is_accounted_for(real):
    accounting = {
        (status, reason): (lines, amount)
        for status, reason, lines, amount in real.rows(
            "select status, reason, lines, amount from marts.line_accounting"
        )
    }
    assert sum(lines for lines, _ in accounting.values()) == 541_909
    assert accounting["kept_sale", "sale"] == (392_692, Decimal("8887208.89"))
    assert accounting["rejected", "missing_customer"][0] == 135_080
    assert accounting["rejected", "exact_duplicate"][0] == 5_225
    assert accounting["rejected", "zero_price"][0] == 40
    returns = sum(lines for (status, _), (lines, _) in accounting.items() if "return" in status)
    assert returns == 8_872


def test_customers_and_invoices_are_the_known_ones(real):
    assert real.one("select count(*), sum(frequency), sum(monetary) from marts.customers") == (
        4_338,
        18_532,
        Decimal("8887208.89"),
    )
    assert real.one("select distinct cast(as_of_at as varchar) from marts.customers") == (
        "2011-12-10 12:50:00",
    )


def test_net_money_is_sales_less_returns(real):
    net_of_lines = real.one("select sum(line_amount) from marts.invoice_lines")[0]
    accounted = "select sum(amount) from marts.line_accounting where status <> 'rejected'"
    assert net_of_lines == real.one(accounted)[0] == Decimal("8278519.42")
    # The rest came back from people whose purchases lie before the data.
    net_of_customers, returned_by_others = real.one(
        """
        select
            (select sum(net_monetary) from marts.customers),
            (select sum(line_amount) from marts.invoice_lines
             where customer_id not in (select customer_id from marts.customers))
        """
    )
    assert net_of_customers + returned_by_others == net_of_lines


def test_value_tiers_are_the_published_table(real):
    sizes = dict(
        real.rows(
            "select segment_name, customers from marts.segments where segmentation = 'value_tiers'"
        )
    )
    assert sizes == {"Mid-value": 2_029, "High-value": 1_209, "Low-value / at-risk": 1_100}
    means = {}
    for segment, feature, mean in real.rows(
        "select segment_code, feature, mean from marts.segment_profiles "
        "where segmentation = 'value_tiers'"
    ):
        means[segment, feature] = float(mean)
    published = {
        "recency_days": (64.46, 31.33, 211.59),
        "frequency": (2.37, 10.13, 1.35),
        "monetary": (705.34, 5951.29, 237.23),
        "quantity": (421.3, 3440.5, 125.0),
        "average_basket_value": (355.6, 727.0, 192.1),
    }
    for feature, figures in published.items():
        codes = ("mid_value", "high_value", "low_value_at_risk")
        decimals = 1 if feature in ("quantity", "average_basket_value") else 2
        for code, figure in zip(codes, figures, strict=True):
            assert round(means[code, feature], decimals) == pytest.approx(figure), (code, feature)


def test_lifecycle_has_four_named_segments(real):
    segments = real.rows(
        """
        select segment_code, customers, round(revenue_share, 2)
        from marts.segments where segmentation = 'lifecycle' order by segment_order
        """
    )
    assert segments == [
        ("high_value", 713, Decimal("0.65")),
        ("frequent_loyal", 1_166, Decimal("0.24")),
        ("occasional", 837, Decimal("0.05")),
        ("at_risk", 1_622, Decimal("0.06")),
    ]
    selected = real.one(
        "select k, selection_reason from marts.cluster_diagnostics "
        "where segmentation = 'lifecycle' and is_selected"
    )
    assert selected[0] == 4
    assert "elbow" in selected[1]


def test_outliers_are_set_apart_with_names_of_their_own(real):
    segments = real.rows(
        """
        select segment_name, customers, round(revenue_share, 2)
        from marts.segments where segmentation = 'outlier_aware' order by segment_order
        """
    )
    assert segments == [
        ("Exceptional in Spend and Frequency", 236, Decimal("0.45")),
        ("Exceptional Spend", 189, Decimal("0.16")),
        ("Exceptional Frequency", 49, Decimal("0.01")),
        ("High-Value High-Frequency Recent", 480, Decimal("0.13")),
        ("Moderate-Value Infrequent Active", 899, Decimal("0.13")),
        ("Low-Value Low-Frequency Active", 1_545, Decimal("0.07")),
        ("Low-Value Infrequent Very Inactive", 940, Decimal("0.04")),
    ]


def test_every_algorithm_and_k_is_measured(real):
    found = real.rows(
        """
        select segmentation, algorithm, count(*), min(stability_refits), count(stability_ari),
            count(*) filter (where stability_ari > 1 or stability_ari < -0.5 or noise_share > 1)
        from marts.cluster_diagnostics group by all order by all
        """
    )
    expected = []
    for segmentation, ks in (
        ("campaign", 7),
        ("lifecycle", 6),
        ("outlier_aware", 7),
        ("value_tiers", 7),
    ):
        for algorithm in ("dbscan", "gaussian_mixture", "hdbscan", "kmeans", "ward"):
            rows = ks if algorithm in ("gaussian_mixture", "kmeans", "ward") else 1
            expected.append((segmentation, algorithm, rows, REFITS, rows, 0))
    assert found == expected
    noisy = real.rows(
        "select algorithm, noise_share, noise_revenue_share, eps from marts.cluster_diagnostics "
        "where segmentation = 'lifecycle' and noise_share > 0 order by algorithm"
    )
    assert [algorithm for algorithm, *_ in noisy] == ["dbscan", "hdbscan"]
    assert noisy[0][3] > 0 and noisy[1][3] is None


def test_agreement_is_the_adjusted_rand_index(real):
    """SQL's index of two segmentations against scikit-learn's."""
    for one, other in combinations(("lifecycle", "outlier_aware", "value_tiers"), 2):
        pairs = real.rows(
            f"""
            select one.cluster_id, other.cluster_id
            from marts.customer_segments as one
            inner join marts.customer_segments as other using (customer_id)
            where one.segmentation = '{one}' and other.segmentation = '{other}'
            """
        )
        (index,) = real.one(
            "select distinct adjusted_rand from marts.segmentation_agreement "
            f"where segmentation = '{one}' and other_segmentation = '{other}'"
        )
        assert float(index) == pytest.approx(
            adjusted_rand_score(*zip(*pairs, strict=True)), abs=1e-6
        )
    algorithms = real.one(
        """
        select count(*), min(customers) from (
            select sum(customers) as customers from marts.segmentation_agreement
            where segmentation = 'lifecycle' and other_segmentation = 'lifecycle'
            group by algorithm, other_algorithm
        )
        """
    )
    assert algorithms == (10, 4_338)


@pytest.fixture(scope="module")
def cut(real, tmp_path_factory):
    """A build on a file that ends with a month."""
    folder = tmp_path_factory.mktemp("cut")
    lines = folder / "cut.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from '{REAL}' where InvoiceDate < '2011-12-01') to '{lines}' (format parquet)"
        )
    built = build(folder, invoices=lines, variables="{as_of: 2011-12-01}")
    assert built.code == 0, built.errors
    return built


def test_no_feature_knows_what_comes_after_its_moment(real, cut):
    """Features of the last month end, from a file that ends there, are the same."""
    spine = """
        select * exclude (is_current) from intermediate.int_customers_as_of
        where as_of_at <= '2011-12-01' order by customer_id, as_of_at
    """
    before = cut.rows(spine, file=cut.warehouse)
    assert len(before) > 30_000
    assert before == real.rows(spine, file=real.warehouse)


def test_no_test_of_predictions_knows_what_comes_after_its_days(real, cut):
    """The same month ends are over at the end of November, and score the same."""
    scores = """
        select * from marts.{} where subject = 'customers' order by all
    """
    for mart in ("prediction_backtest", "prediction_calibration"):
        before = cut.rows(scores.format(mart))
        assert len(before) > 100
        assert before == real.rows(scores.format(mart))


def test_no_segment_knows_what_comes_after_its_moment(real, cut):
    """The query of segment_history, from the file that ends earlier and the same centres."""
    query = next(real.folder.glob("target/compiled/**/segment_history.sql")).read_text()
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            attach '{cut.warehouse}' as earlier (read_only);
            attach '{real.warehouse}' as later (read_only);
            attach ':memory:' as customers;
            create schema customers.intermediate;
            create schema customers.marts;
            create view customers.intermediate.int_customers_as_of as
                from earlier.intermediate.int_customers_as_of;
            create view customers.marts.cluster_centers as from later.marts.cluster_centers;
            create temp table earlier_history as select * exclude (is_current) from ({query});
            create temp table later_history as
                select * exclude (is_current) from later.marts.segment_history
                where as_of_date <= '2011-11-30';
            """
        )
        rows = connection.execute("select count(*) from earlier_history").fetchone()[0]
        differing = connection.execute(
            """
            (from earlier_history except all from later_history)
            union all
            (from later_history except all from earlier_history)
            """
        ).fetchall()
    assert rows > 90_000
    assert differing == []


def test_the_last_part_of_a_month_is_marked(real):
    periods = real.rows(
        """
        select period, cast(from_date as varchar), cast(to_date as varchar),
            sum(customers) filter (where from_segment_code = 'new')
        from marts.segment_transitions
        where segmentation = 'lifecycle' and is_partial
        group by all order by all
        """
    )
    assert periods == [
        ("month", "2011-11-30", "2011-12-10", 41),
        ("quarter", "2011-09-30", "2011-12-10", 722),
    ]


def test_forecasts_are_scored_beside_the_naive_ones(real):
    scores = real.rows(
        """
        select distinct segmentation, months_ahead, cast(forecast_date as varchar), model,
            backtest_months, size_error, size_error_last_month, size_error_everyone_stays,
            log_loss, log_loss_everyone_stays
        from marts.segment_forecast order by all
        """
    )
    assert len(scores) == 9
    # From the as-of date, 10 December; tested from the ends of months.
    dates = {1: ("2012-01-10", 10), 2: ("2012-02-10", 9), 3: ("2012-03-10", 8)}
    for _, ahead, day, _, months, size, _, stays, loss, stays_loss in scores:
        assert (day, months) == dates[ahead]
        assert loss < stays_loss
        assert size < 0.8 * stays
    # No other model is better every time, or by two standard errors.
    assert {row[3] for row in scores} == {"recent_months"}
    lifecycle = [row for row in scores if row[0] == "lifecycle"]
    assert [round(row[5], 1) for row in lifecycle] == [61.4, 103.7, 131.8]
    assert [round(row[6], 1) for row in lifecycle] == [57.1, 103.7, 137.6]
    assert [round(row[7], 1) for row in lifecycle] == [93.4, 177.2, 247.4]


def test_a_name_is_measured_by_the_lines_after_month_ends(real):
    # 90 days after 31 August were over on 10 December, and those after 30 September were not.
    by_hand = real.rows(
        """
        with orders as (
            select customer_id, min(invoiced_at) as ordered_at
            from marts.invoice_lines where line_type = 'sale' group by customer_id, invoice_id
        )
        select segmentation, segment_code, count(*), count(*) filter (where exists (
            select 1 from orders
            where orders.customer_id = history.customer_id
                and ordered_at >= as_of_date + interval 1 day
                and ordered_at < as_of_date + interval 91 day
        ))
        from marts.segment_history as history
        where as_of_date between '2011-05-31' and '2011-08-31'
        group by all order by all
        """
    )
    found = real.rows(
        """
        select segmentation, segment_code, bought_next_customers,
            cast(round(bought_next_share * bought_next_customers) as integer)
        from marts.segments where measured_month_ends = 4 and bought_next_days = 90 order by all
        """
    )
    assert found == by_hand
    assert ("lifecycle", "at_risk", 5404, 1763) in found


def test_cohorts_and_concentration_are_those_of_the_lines(real):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{real.published}' as published (read_only)")
        sales = """
            select customer_id, invoiced_at, line_amount,
                date_trunc('month', min(invoiced_at) over (partition by customer_id)) as cohort
            from published.marts.invoice_lines where line_type = 'sale'
        """
        by_hand = connection.execute(
            f"""
            select cast(cohort as date), cast(date_trunc('month', invoiced_at) as date),
                count(distinct customer_id), sum(line_amount)
            from ({sales}) group by 1, 2 order by 1, 2
            """
        ).fetchall()
    found = real.rows(
        "select cohort_month, month, active_customers, revenue from marts.cohort_retention "
        "where is_observed order by 1, 2"
    )
    assert found == by_hand
    assert found[0][2] == 885
    largest = sorted(
        (money for (money,) in real.rows("select monetary from marts.customers")), reverse=True
    )
    assert real.one(
        "select customers, revenue from marts.revenue_concentration where customer_share = 0.2"
    ) == (868, sum(largest[:868]))
    assert real.rows("select distinct month from marts.monthly_revenue where is_partial") == [
        (date(2011, 12, 1),)
    ]


def test_known_companions_are_found(real):
    """Sets that are sold piece by piece, as others have found them in these data."""
    companions = {
        (one.strip(), other.strip()): (confidence, lift, lift_low)
        for one, other, confidence, lift, lift_low in real.rows(
            "select description, other_description, confidence, lift, lift_low"
            " from marts.product_pairs"
        )
    }
    herbs = ["BASIL", "CHIVES", "MINT", "PARSLEY", "ROSEMARY", "THYME"]
    for one, other in combinations(herbs, 2):
        confidence, lift, low = companions[f"HERB MARKER {one}", f"HERB MARKER {other}"]
        assert confidence > 0.7
        assert lift > low > 50
    cups = ["GREEN REGENCY", "PINK REGENCY", "ROSES REGENCY"]
    for one, other in permutations(cups, 2):
        confidence, lift, low = companions[f"{one} TEACUP AND SAUCER", f"{other} TEACUP AND SAUCER"]
        assert confidence > 0.5
        assert lift > low > 15
    counted = real.one(
        "select distinct counted_baskets, left_out_baskets, sampled_one_in from marts.product_pairs"
    )
    # 18,532 invoices, 130 of which hold nothing but postage and the like.
    assert counted == (18_197, 205, 1)
    assert real.one("select count(*), min(baskets) from marts.product_pairs") == (8_322, 55)
    # Bestsellers meet by chance; most of what is together so often does not.
    assert real.one("select count(*) from marts.product_pairs where lift_low <= 1") == (242,)
