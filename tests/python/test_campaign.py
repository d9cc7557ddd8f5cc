"""Campaign customers in both shapes, against the figures that are known of the public data."""

import csv
import re
import shutil
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from conftest import CAMPAIGN, DEMO, PROJECT, SMALL, build, dbt, needs_campaign_data
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from test_inputs import Number, as_xlsx
from threadpoolctl import threadpool_limits

from segmentation.naming import match_prototypes
from segmentation.scaling import fit_scale

WORDS = ["ID", "Year_Birth", "Education", "Marital_Status", "Dt_Customer"]
SUMS = ["MntTotal", "MntRegularProds"]
SEEDS = PROJECT / "seeds"
LAST_DAY = date(2014, 6, 29)


@pytest.fixture
def encoded(request):
    """Build with the public data, one-hot encoded."""
    if not CAMPAIGN.exists():
        pytest.skip(needs_campaign_data.kwargs["reason"])
    return request.getfixturevalue("real")


def in_words(row, place):
    """Undo the encoding of one row: Age is of 2020, Customer_Days of 2,159 days after LAST_DAY."""
    states = {
        prefix: next(
            name[len(prefix) :] for name in row if name.startswith(prefix) and row[name] == "1"
        )
        for prefix in ("education_", "marital_")
    }
    registered = LAST_DAY - timedelta(days=int(row["Customer_Days"]) - 2159)
    return {
        "ID": 20_000 + place,
        "Year_Birth": 2020 - int(row["Age"]),
        "Education": states["education_"],
        "Marital_Status": states["marital_"],
        "Dt_Customer": registered.strftime("%d-%m-%Y"),
    } | {name: value for name, value in row.items() if "_" not in name or name.startswith("Z_")}


@pytest.fixture(scope="module")
def as_published(tmp_path_factory):
    """Build with the same data in its first shape, with the 35 lines that were left out of it."""
    if not CAMPAIGN.exists():
        pytest.skip(needs_campaign_data.kwargs["reason"])
    with open(CAMPAIGN, newline="", encoding="utf-8") as file:
        rows = [in_words(row, place) for place, row in enumerate(csv.DictReader(file), start=1)]
    dirt = [{"Income": ""}] * 24 + [{"Income": "666666"}]
    dirt += [{"Year_Birth": year} for year in (1893, 1899, 1900)]
    dirt += [{"Marital_Status": state} for state in ["Absurd", "YOLO"] * 2 + ["Alone"] * 3]
    rows += [rows[0] | {"ID": place} | wrong for place, wrong in enumerate(dirt, start=1)]
    names = [*WORDS, *(name for name in rows[0] if name not in (*WORDS, "Age", "MntTotal"))]
    folder = tmp_path_factory.mktemp("as_published")
    path = folder / "marketing_campaign.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, delimiter="\t", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    models = ["int_campaign_customers", "campaign_accounting", "rejected_campaign_customers"]
    select = ["--select", *(f"+{model}" for model in models)]
    built = dbt(folder, "run", *select, "--vars", f"{{campaign_customers: {path}}}")
    assert built.code == 0, built.output
    return built


def test_the_published_file_keeps_2205_of_2240(as_published):
    accounting = "from marts.campaign_accounting order by all"
    assert as_published.rows(accounting, file=as_published.warehouse) == [
        ("kept", "customer", 2_205),
        ("rejected", "implausible_birth_year", 3),
        ("rejected", "implausible_income", 1),
        ("rejected", "missing_income", 24),
        ("rejected", "unknown_marital_status", 7),
    ]
    lines = as_published.rows(
        "select source_line from marts.rejected_campaign_customers order by source_line",
        file=as_published.warehouse,
    )
    assert lines == [(line,) for line in range(2_207, 2_242)]


def test_both_shapes_measure_the_same(as_published, encoded):
    """All but what the encoded shape does not say: identifiers, dates, and the moment of Age."""

    def both(columns):
        query = f"select {columns} from intermediate.int_campaign_customers order by customer_id"
        return [built.rows(query, file=built.warehouse) for built in (as_published, encoded)]

    features = both("* exclude (customer_id, registered_on, as_of_date, age, age_band)")
    assert len(features[0]) == 2_205
    assert features[0] == features[1]
    ages = both("age")
    assert [age + 6 for (age,) in ages[0]] == [age for (age,) in ages[1]]
    dates = both("registered_on is null, as_of_date")
    assert set(dates[0]) == {(False, LAST_DAY)}
    assert set(dates[1]) == {(True, None)}


def test_features_are_the_known_ones(encoded):
    known = encoded.one(
        """
        select count(*), avg(income), sum(total_spend), sum(web_purchases), max(customer_days),
            sum(cast(accepted_6 as integer)), count(*) filter (where web_share is null)
        from marts.campaign_customers
        """
    )
    assert known[0] == 2_205
    assert round(known[1], 1) == 51_622.1
    # MntTotal of the file, and the gold that it leaves out.
    assert known[2] == 1_240_896 + 97_146
    assert known[3:] == (9_042, 699, 333, 4)


def test_answers_by_band_are_those_of_the_data(encoded):
    rates = encoded.rows(
        """
        select value, customers, accepted, rate, rate_low, rate_high from marts.campaign_response
        where dimension = 'income_band' and campaign = 'campaign_6' order by value_order
        """
    )
    assert [row[0] for row in rates] == [
        "under 20,000",
        "20,000 to 39,999",
        "40,000 to 59,999",
        "60,000 to 79,999",
        "80,000 and more",
    ]
    assert rates[-1][1:] == (
        208,
        87,
        *(Decimal(text) for text in ("0.418269", "0.353310", "0.486193")),
    )
    for campaign, accepted in enumerate((142, 30, 163, 164, 161, 333), start=1):
        assert encoded.one(
            f"""
            select accepted from marts.campaign_response
            where dimension = 'all' and campaign = 'campaign_{campaign}'
            """
        ) == (accepted,)


def test_channels_and_categories_by_band(encoded):
    shares = encoded.rows(
        """
        select spend_share from marts.campaign_spend
        where dimension = 'income_band' and category = 'gold' order by value_order
        """
    )
    assert [float(share) for (share,) in shares] == sorted(
        (float(share) for (share,) in shares), reverse=True
    )
    assert encoded.one(
        """
        select purchases, purchase_share from marts.campaign_concentration
        where channel = 'web' and customer_share = 0.2
        """
    ) == (3_678, Decimal("0.406768"))


def test_answers_are_predicted_better_than_by_plain_rules(encoded):
    """A model that knows all against one feature and against the base rate."""
    scores = {
        (model, metric): (value, is_champion, cutoff)
        for model, metric, value, is_champion, cutoff in encoded.rows(
            """
            select model, metric, value, is_champion, cutoff from marts.prediction_backtest
            where target = 'campaign_response'
            """
        )
    }
    assert len(scores) == 3 * 7
    models = ("base_rate", "earlier_accepted", "logistic_regression")
    losses = [scores[model, "log_loss"][0] for model in models]
    assert losses == pytest.approx([0.4245, 0.3599, 0.2557], abs=0.005)
    assert scores["logistic_regression", "roc_auc"][0] == pytest.approx(0.907, abs=0.01)
    assert [scores[model, "log_loss"][1] for model in models] == [False, False, True]
    assert {cutoff for _, _, cutoff in scores.values()} == {None}
    rate = encoded.one("select sum(response_probability) from marts.campaign_customers")[0]
    assert rate == pytest.approx(Decimal(333), abs=10)


def test_profit_by_share_is_a_curve(encoded):
    everybody = encoded.one(
        """
        select customers, contact_cost, responses, revenue, profit, random_profit
        from marts.campaign_profit where customer_share = 1
        """
    )
    cost, revenue = Decimal(3 * 2_205), Decimal(11 * 333)
    assert everybody == (2_205, cost, 333, revenue, revenue - cost, revenue - cost)
    best, expected, earned, lowest = encoded.one(
        """
        select customer_share, expected_profit, profit, lowest_probability
        from marts.campaign_profit where is_best
        """
    )
    assert Decimal("0.12") <= best <= Decimal("0.22")
    assert expected > 1_100
    assert earned > 1_100
    # Asking pays where the probability is above cost / revenue.
    assert lowest == pytest.approx(Decimal(3) / 11, abs=Decimal("0.04"))


def test_claims_hold_or_not_as_scipy_finds(encoded):
    settings = ["--vars", f"{{campaign_customers: {CAMPAIGN}}}"]
    ran = dbt(encoded.folder, "compile", "--select", "campaign_claims", *settings)
    assert ran.code == 0, ran.output
    (compiled,) = (encoded.folder / "target" / "compiled").rglob("campaign_claims.sql")
    claims = {
        claim: (holds, measure, figure, customers)
        for _, claim, holds, measure, figure, customers in encoded.rows(
            compiled.read_text(), file=encoded.warehouse
        )
    }
    assert len(claims) == 26
    for _, measure, figure, customers in claims.values():
        named = re.fullmatch(r"rank correlation of (\w+) with (\w+)", measure)
        if named:
            pairs = np.array(
                encoded.rows(
                    f"""
                    select cast({named[1]} as double), cast({named[2]} as double)
                    from marts.campaign_customers where {named[1]} + {named[2]} is not null
                    """
                )
            )
            assert customers == len(pairs)
            assert figure == pytest.approx(spearmanr(*pairs.T).statistic, abs=0.0006), measure
    known = {
        "Higher incomes spend more on wine": (True, 0.844),
        "Higher incomes spend more on gold": (True, 0.519),
        "Higher incomes spend a larger share on gold": (False, -0.530),
        "Younger customers buy more by web": (False, 0.167),
        "Younger customers buy a larger share by web": (False, -0.026),
        "Who accepted an offer before accepts the last one more often": (True, 0.325),
        "Younger customers (under 45) accept more often": (False, 0.012),
        "A fifth of the customers makes most purchases by web": (False, 0.407),
    }
    for claim, (holds, figure) in known.items():
        assert claims[claim][0] is holds, claim
        assert float(claims[claim][2]) == pytest.approx(figure, abs=0.0006), claim


def test_an_empty_setting_leaves_the_campaign_out(tmp_path):
    listed = dbt(tmp_path, "ls", "--vars", "{campaign_customers: ' '}")
    assert listed.code == 0, listed.output
    assert "marts.customers" in listed.output
    left = [line for line in listed.output.splitlines() if "campaign" in line]
    assert left == ["source:customer_segments.campaign.campaign_customers"]


def test_without_a_campaign_the_rest_is_published(demo, small_invoices, tmp_path):
    shutil.copy(demo.warehouse, tmp_path / "customers.duckdb")
    built = build(tmp_path, invoices=small_invoices, variables=SMALL)
    assert built.code == 0, built.errors
    marts = {name for (name,) in built.rows("select table_name from information_schema.tables")}
    assert "customers" in marts
    assert not [name for name in marts if "campaign" in name]
    assert "(campaign)" not in built.output
    assert "Campaign (" not in built.output
    assert "left out" not in built.output
    assert built.rows("select distinct population from marts.segments") == [("invoice_customers",)]


def test_the_segmentation_finds_the_published_groups(encoded):
    """Sizes, means and silhouettes of the system that this replaces."""
    segments = encoded.rows(
        """
        select segment_code, segments.customers, round(income.mean), round(spend.mean, 1)
        from marts.segments
        inner join marts.segment_profiles as income using (segmentation, segment_code)
        inner join marts.segment_profiles as spend using (segmentation, segment_code)
        where segmentation = 'campaign' and income.feature = 'income'
            and spend.feature = 'total_spend'
        order by segment_order
        """
    )
    assert segments == [
        ("high_spenders", 686, Decimal(74_501), Decimal("1287.8")),
        ("budget_buyers", 998, Decimal(34_342), Decimal("94.4")),
        ("digital_enthusiasts", 521, Decimal(54_599), Decimal("691.9")),
    ]
    fits = encoded.rows(
        """
        select k, round(silhouette, 3), is_selected, stability_ari > 0.9
        from marts.cluster_diagnostics
        where segmentation = 'campaign' and algorithm = 'kmeans' and k <= 3 order by k
        """
    )
    assert fits == [(2, 0.417, False, True), (3, 0.383, True, True)]


def test_segments_stand_beside_customers_and_part_their_answers(encoded):
    counted = encoded.rows(
        """
        select segment_name, count(*), count(*) filter (where accepted_6)
        from marts.campaign_customers group by segment_name
        """
    )
    answers = encoded.rows(
        """
        select value, customers, accepted from marts.campaign_response
        where dimension = 'segment' and campaign = 'campaign_6' order by value_order
        """
    )
    assert answers == [
        ("High Spenders", 686, 168),
        ("Budget Buyers", 998, 87),
        ("Digital Enthusiasts", 521, 78),
    ]
    assert sorted(counted) == sorted(answers)
    # Digital Enthusiasts buy by web more than others do, and in stores a little more than by web.
    shares = dict(
        encoded.rows(
            """
            select (value, channel), purchase_share from marts.campaign_channels
            where dimension = 'segment'
            """
        )
    )
    of_web = {value: share for (value, channel), share in shares.items() if channel == "web"}
    assert max(of_web, key=of_web.get) == "Digital Enthusiasts"
    assert 0 < shares["Digital Enthusiasts", "store"] - of_web["Digital Enthusiasts"] < 0.05


def demo_lines():
    return (DEMO / "campaign_customers.csv").read_text().splitlines()


def month_first(line):
    """Write the registration as 6/29/2025."""
    fields = line.split("\t")
    if fields[7][2:3] == "-":
        day, month, year = fields[7].split("-")
        fields[7] = f"{int(month)}/{int(day)}/{year}"
    return "\t".join(fields)


@needs_campaign_data
def test_known_clusters_get_their_names():
    """K-Means on the 2,205 finds the published groups, and the prototypes name them."""
    with open(CAMPAIGN, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    spend = [name for name in rows[0] if name.startswith("Mnt") and name not in SUMS]
    measured = {
        "income": ["Income"],
        "total_spend": spend,
        "web_purchases": ["NumWebPurchases"],
        "catalog_purchases": ["NumCatalogPurchases"],
        "store_purchases": ["NumStorePurchases"],
        "deal_purchases": ["NumDealsPurchases"],
        "web_visits": ["NumWebVisitsMonth"],
    }
    features = np.array(
        [[sum(float(row[name]) for name in names) for names in measured.values()] for row in rows]
    )
    offsets, scales = fit_scale(features, "standard")
    with threadpool_limits(1):
        fitted = KMeans(3, n_init=10, random_state=42).fit((features - offsets) / scales)
    with open(SEEDS / "segment_prototypes.csv", newline="", encoding="utf-8") as file:
        positions = {
            (row["segment_code"], row["feature"]): float(row["position"])
            for row in csv.DictReader(file)
            if row["playbook"] == "campaign"
        }
    codes = ["high_spenders", "budget_buyers", "digital_enthusiasts"]
    prototypes = np.array([[positions[code, feature] for feature in measured] for code in codes])
    matched = match_prototypes(fitted.cluster_centers_, prototypes)
    groups = {
        codes[name]: features[fitted.labels_ == cluster] for cluster, name in enumerate(matched)
    }
    found = {
        code: (len(group), round(group[:, 0].mean()), round(float(group[:, 1].mean()), 1))
        for code, group in groups.items()
    }
    assert found == {
        "high_spenders": (686, 74_501, 1_287.8),
        "budget_buyers": (998, 34_342, 94.4),
        "digital_enthusiasts": (521, 54_599, 691.9),
    }
    # Far closer than clusters are to each other, so that noise can't swap names.
    distances = np.linalg.norm(fitted.cluster_centers_[:, None] - prototypes[None], axis=2)
    assert (distances.min(axis=1) < 0.3).all()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (None, "var campaign_customers: there is no file"),
        (["a,b", "1,2"], "campaign.csv has no column for income (income), kids (kidhome)"),
        ([month_first(line) for line in demo_lines()], "registered_on 1/13/2024"),
        (demo_lines()[:1], "no customer is kept: there are no lines at all"),
    ],
)
def test_wrong_files_end_in_one_line(tmp_path, lines, message):
    path = tmp_path / "campaign.csv"
    if lines:
        path.write_text("\n".join([*lines, ""]))
    ran = dbt(
        tmp_path / "built",
        "build",
        "--select",
        "+int_campaign_customers",
        "--vars",
        f"{{campaign_customers: {path}}}",
    )
    assert ran.code != 0
    complaints = [line for line in ran.output.splitlines() if "var campaign_customers: " in line]
    assert len(complaints) == 1, ran.output
    assert message in complaints[0]
    assert "Traceback" not in ran.output


def test_odd_cells_of_a_workbook_are_read_or_told(tmp_path):
    """None for what only a cast would take."""
    sixth = date(2025, 1, 6)
    cells = {
        "Dt_Customer": [
            *((Number(text), sixth) for text in ("45663", "45663.75", "4.5663E4", "20250106")),
            *((text, sixth) for text in ("20250106", "2025-01-06 10:00:00", "6.1.2025")),
            *((Number(text), None) for text in ("nan", "inf", "1e300", "999999999", "0", "-1")),
            *((text, None) for text in ("infinity", "20251301", "2025-01-06x", "06-01-25")),
        ],
        "Kidhome": [
            *((Number("1E0"), 1), (Number("2.0"), 2), ("0", 0)),
            *((Number(text), None) for text in ("2147483647", "-2147483648", "1E9", "0.5", "nan")),
            *((text, None) for text in ("1_0", "0x1", "\u0661")),
        ],
        "MntWines": [
            *((Number("1.0000000000000001E-2"), Decimal("0.01")), ("1,000.5", Decimal("1000.5"))),
            *((Number(text), None) for text in ("1E+300", "inf")),
            ("1_000", None),
        ],
    }
    ours = {"Dt_Customer": "registered_on", "Kidhome": "kids", "MntWines": "wine_spend"}
    header, *lines = (line.split("\t") for line in demo_lines()[:301])
    expected = {}
    for column, odd in cells.items():
        for cell, value in odd:
            line = lines[len(expected)]
            line[header.index("Income")] = "50000"
            line[header.index("Year_Birth")] = "1980"
            line[header.index("Marital_Status")] = "Married"
            line[header.index("ID")] = str(900_000 + len(expected))
            line[header.index(column)] = cell
            expected[len(expected) + 2] = (ours[column], value)
    as_xlsx(tmp_path / "campaign.xlsx", {"customers": [header, *lines]})
    ran = dbt(
        tmp_path / "built",
        *("run", "--select", "+int_campaign_customers", "campaign_accounting"),
        *("--vars", f"{{campaign_customers: {tmp_path / 'campaign.xlsx'}}}"),
    )
    assert ran.code == 0, ran.output
    found = {
        line: values
        for line, *values in ran.rows(
            "select source_line, reject_reason, registered_on, kids, wine_spend "
            "from intermediate.int_campaign_customers_classified",
            file=ran.warehouse,
        )
    }
    for line, (column, value) in expected.items():
        reason, *values = found[line]
        read = dict(zip(ours.values(), values, strict=True))[column]
        told = "unreadable_value" if value is None else None
        assert (reason, read) == (told, value), (column, lines[line - 2])
