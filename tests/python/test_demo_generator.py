"""The simulated shop: same bytes every run, the promised dirt, and a truth that SQL finds again."""

import csv
import hashlib
import io
import re
from pathlib import Path

import duckdb
import generate
import numpy as np
import pytest
import threadpoolctl
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from giftshop import campaign, catalogue, files, habits, simulation

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
COLUMNS = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
# Lines of the shop as the warehouse keeps them, written down here a second time on purpose.
KEPT = """
    select
        CustomerID, InvoiceNo, InvoiceDate,
        cast(round(cast(Quantity as decimal(12, 0)) * UnitPrice, 2) * 100 as bigint) as pence
    from (select distinct * from lines)
    where CustomerID is not null and Quantity > 0 and UnitPrice > 0 and InvoiceNo not like 'C%'
"""


def sha(path):
    """Return the digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_lines(connection, source):
    """Create the table ``lines`` with money as decimals."""
    connection.execute(f"""
        create table lines as select
            InvoiceNo, StockCode, nullif(Description, '') as Description,
            cast(Quantity as integer) as Quantity,
            cast(InvoiceDate as timestamp) as InvoiceDate,
            cast(UnitPrice as decimal(12, 3)) as UnitPrice,
            try_cast(CustomerID as integer) as CustomerID,
            Country
        from {source}
    """)


@pytest.fixture(scope="module")
def demo():
    """Connect to the committed files: tables lines, kept and truth."""
    with duckdb.connect() as connection:
        names = ", ".join(f"'{name}': 'varchar'" for name in COLUMNS)
        load_lines(
            connection,
            f"""read_csv('{DEMO / "invoices.csv"}', auto_detect = false, header = true,
            delim = ',', quote = '"', escape = '"', columns = {{{names}}})""",
        )
        connection.execute(f"create table kept as {KEPT}")
        connection.execute(f"""
            create table truth as
            select * from read_csv('{DEMO / "customers_truth.csv"}', all_varchar = true)
        """)
        yield connection


@pytest.fixture(scope="module")
def scaled(tmp_path_factory):
    """Connect to a load test of 20,000 lines made of several blocks."""
    path = tmp_path_factory.mktemp("scaled") / "lines.parquet"
    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as connection:
        patch.setattr(simulation, "BLOCK_CUSTOMERS", 50)
        generate.main(["--scale", "20000", "--out", str(path)])
        load_lines(connection, f"'{path}'")
        connection.execute(f"create view parquet as select * from '{path}'")
        yield connection


def one(connection, query):
    """Return the single value of a query."""
    ((value,),) = connection.execute(query).fetchall()
    return value


def share(connection, condition):
    """Return the share of lines that meet a condition."""
    return one(connection, f"select count(*) filter ({condition}) / count(*) from lines")


# ---------------------------------------------------------------------- the file


def test_regeneration_gives_the_committed_bytes(tmp_path):
    """Seed 42 gives the three files of the repo, and nothing else is left in the folder."""
    files.write_demo(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "campaign_customers.csv",
        "customers_truth.csv",
        "invoices.csv",
    ]
    for path in tmp_path.iterdir():
        assert sha(path) == sha(DEMO / path.name), path.name


def test_another_seed_gives_another_shop():
    """The seed reaches the catalogue and, the catalogue being the same, the customers."""
    catalogues = [catalogue.draw_catalogue(np.random.default_rng((s, 0)), 100) for s in (42, 43)]
    assert catalogues[0].descriptions != catalogues[1].descriptions
    size = habits.scaled(1_000)
    blocks = [next(simulation.simulate(catalogues[0], size, seed)) for seed in (42, 43)]
    assert list(blocks[0].who.arrived) != list(blocks[1].who.arrived)


def test_csv_layout():
    """Columns, size, text shapes and quoting are those of a clean UTF-8 export."""
    raw = (DEMO / "invoices.csv").read_bytes()
    assert len(raw) < 3_900_000
    text = raw.decode("utf-8")
    assert "\r" not in text and not text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == COLUMNS
    assert 30_000 <= len(rows) - 1 <= 60_000
    shapes = [r"[AC]?\d{6}", r".+", r".*", r"-?\d+", r"\d{4}-\d\d-\d\d \d\d:\d\d:00"]
    shapes += [r"-?\d+\.\d{2,3}", r"(\d{5})?", r"[A-Z].+"]
    for row in rows[1:]:
        assert len(row) == len(COLUMNS), row
        assert all(map(re.fullmatch, shapes, row)), row
    quoted = io.StringIO()
    csv.writer(quoted, lineterminator="\n").writerows(rows)
    assert quoted.getvalue() == text, "quoted where it is not needed, or the other way round"


def test_file_spans_two_years_and_ends_inside_a_month(demo):
    """The last of 25 months is partial."""
    first, last = demo.execute("select min(InvoiceDate), max(InvoiceDate) from lines").fetchone()
    assert str(first)[:10] == "2023-12-01"
    assert "2025-12-09 08" < str(last) <= "2025-12-09 12:50:00"
    assert one(demo, "select count(distinct date_trunc('month', InvoiceDate)) from lines") == 25


@pytest.mark.parametrize("shop", ["demo", "scaled"])
def test_invoices_are_whole_and_in_order(shop, request):
    """An invoice has one customer, minute and country, also when it comes from a later block."""
    connection = request.getfixturevalue(shop)
    assert not connection.execute("""
        select InvoiceNo from lines group by InvoiceNo
        having count(distinct (CustomerID, InvoiceDate, Country)) > 1
    """).fetchall()
    in_file = connection.execute("select InvoiceDate, InvoiceNo from lines").fetchall()
    assert in_file == sorted(in_file)
    by_number = [when for _, when in sorted((no.lstrip("AC"), when) for when, no in in_file)]
    assert by_number == sorted(by_number)
    assert (
        one(
            connection,
            "select count(distinct InvoiceNo) - count(distinct ltrim(InvoiceNo, 'AC')) from lines",
        )
        == 0
    )


# ---------------------------------------------------------------------- dirt


@pytest.mark.parametrize(
    ("condition", "low", "high"),
    [
        ("CustomerID is null", 0.20, 0.25),
        ("InvoiceNo like 'C%'", 0.015, 0.027),
        ("InvoiceNo like 'C%' and CustomerID is null", 0.0003, 0.0012),
        ("UnitPrice = 0", 0.004, 0.006),
        ("Quantity < 0 and InvoiceNo not like 'C%' and CustomerID is null", 0.0015, 0.0035),
        ("Description is null", 0.001, 0.004),
        ("StockCode <> upper(StockCode) and StockCode not like 'gift%'", 0.0005, 0.005),
        ("Description <> trim(Description)", 0.005, 0.03),
        ("contains(Description, ',')", 0.01, 0.1),
        ("contains(Description, '\"')", 0.01, 0.1),
        ("contains(Description, 'É')", 0.01, 0.1),
    ],
)
def test_dirt_has_the_proportions_of_the_real_file(demo, condition, low, high):
    """Frequent dirt has its share of the lines."""
    assert low <= share(demo, condition) <= high


@pytest.mark.parametrize(
    ("condition", "low", "high"),
    [
        ("UnitPrice = 0 and CustomerID is not null", 3, 12),
        ("UnitPrice > 0 and UnitPrice < 0.01", 3, 12),
        ("UnitPrice < 0 and InvoiceNo like 'A%' and CustomerID is null", 2, 3),
        ("InvoiceNo like 'A%' and Description = 'Adjust bad debt'", 3, 3),
        ("Quantity < 0 and InvoiceNo not like 'C%' and CustomerID is not null", 3, 12),
        ("InvoiceNo like 'C%' and Quantity >= 0", 0, 0),
        ("Quantity = 0", 0, 0),
        ("StockCode = 'POST'", 100, 1000),
        ("StockCode = 'C2'", 20, 300),
        ("StockCode = 'M'", 20, 300),
        ("StockCode = 'DOT' and CustomerID is null", 50, 500),
        ("StockCode = 'D'", 4, 30),
        ("StockCode = 'D' and (InvoiceNo not like 'C%' or CustomerID is null)", 0, 0),
        ("StockCode = 'BANK CHARGES'", 5, 30),
        ("StockCode = 'AMAZONFEE'", 3, 30),
        ("StockCode = 'S'", 3, 30),
        ("StockCode like 'gift_0001_%' and contains(Description, '£')", 5, 40),
        ("Quantity < 0 and UnitPrice = 0 and Description = 'damaged'", 1, 50),
        ("UnitPrice = 0 and Description = '?'", 1, 50),
    ],
)
def test_rare_dirt_is_there(demo, condition, low, high):
    """Rare dirt has at least a few lines, and what must not be has none."""
    assert low <= one(demo, f"select count(*) filter ({condition}) from lines") <= high


def test_one_line_in_a_hundred_is_an_exact_copy(demo):
    """Copies are equal in every column."""
    copies = one(
        demo,
        "select 1 - (select count(*) from (select distinct * from lines)) / count(*) from lines",
    )
    assert 0.008 <= copies <= 0.012


def test_cancellations_return_what_was_bought(demo):
    """Returns are whole, partial, of two purchases, or of purchases before the file begins."""
    # One row per cancellation line of a product, with the purchases it may belong to.
    demo.execute("""
        create or replace temp table returns as
        select
            back.InvoiceNo,
            -any_value(back.Quantity) as quantity,
            max(sold.Quantity) as largest,
            sum(sold.Quantity) as bought,
            bool_or(sold.Quantity = -back.Quantity) as is_equal
        from (
            select *, row_number() over () as line
            from (select distinct * from lines where InvoiceNo like 'C%' and StockCode <> 'D')
            where CustomerID is not null
        ) as back
        left join (select distinct * from lines where InvoiceNo not like 'C%') as sold
            on
                back.CustomerID = sold.CustomerID and back.StockCode = sold.StockCode
                and back.UnitPrice = sold.UnitPrice and back.Description is not null
                and sold.InvoiceDate < back.InvoiceDate and sold.Quantity > 0
        group by back.line, back.InvoiceNo
    """)
    found, equal, partial, summed, before_file = demo.execute("""
        select
            count(bought) / count(*),
            count(*) filter (is_equal) / count(*),
            count(*) filter (not is_equal and quantity < largest) / count(*),
            count(*) filter (quantity > largest and quantity <= bought),
            count(*) filter (bought is null or quantity > bought)
        from returns
    """).fetchone()
    assert 0.85 < found < 1
    assert equal > 0.4
    assert partial > 0.1
    assert summed > 20
    assert before_file > 10
    # Of returns long after the file begins every one has its purchase.
    assert (
        one(
            demo,
            """
        select count(*) from returns
        where bought is null
            and InvoiceNo > (select min(InvoiceNo) from lines where InvoiceDate > '2024-12-01'
                and InvoiceNo like 'C%')
    """,
        )
        == 0
    )


def test_some_orders_are_cancelled_whole_and_some_returns_span_orders(demo):
    """Cancellation invoices take back a whole order, or lines of several."""
    demo.execute("""
        create or replace temp table goods as
        select distinct InvoiceNo, CustomerID, StockCode, UnitPrice, Quantity from lines
        where CustomerID is not null and InvoiceNo not like 'A%' and StockCode <> 'D'
            and UnitPrice > 0
    """)
    assert (
        one(
            demo,
            """
        with sold as (
            select InvoiceNo, CustomerID, list(row(StockCode, UnitPrice, Quantity)) as content
            from goods where InvoiceNo not like 'C%' group by all having count(*) > 2
        ),
        back as (
            select CustomerID, list(row(StockCode, UnitPrice, -Quantity)) as content
            from goods where InvoiceNo like 'C%' group by InvoiceNo, CustomerID
        )
        select count(distinct sold.InvoiceNo) from sold
        inner join back using (CustomerID) where list_has_all(back.content, sold.content)
    """,
        )
        > 5
    )
    assert (
        one(
            demo,
            """
        with home as (
            select back.InvoiceNo, any_value(sold.InvoiceNo) as sold_on
            from goods as back
            inner join goods as sold
                on back.CustomerID = sold.CustomerID and back.StockCode = sold.StockCode
                and back.UnitPrice = sold.UnitPrice and back.Quantity = -sold.Quantity
            where back.InvoiceNo like 'C%'
            group by back.InvoiceNo, back.StockCode
            having count(*) = 1
        )
        select count(*) from (
            select InvoiceNo from home group by InvoiceNo having count(distinct sold_on) > 1
        )
    """,
        )
        > 5
    )


# ---------------------------------------------------------------------- the truth


def test_truth_is_found_again_by_sql(demo):
    """The warehouse's rule gives each customer's counts, dates and pence exactly."""
    assert one(demo, "select count(*) from truth") == one(
        demo, "select count(distinct CustomerID) from lines"
    )
    differing = demo.execute("""
        with found as (
            select
                customers.CustomerID as customer_id,
                count(distinct InvoiceNo) as invoices,
                count(InvoiceNo) as lines_of_sale,
                strftime(min(InvoiceDate), '%Y-%m-%d %H:%M:%S') as first_purchase_at,
                strftime(max(InvoiceDate), '%Y-%m-%d %H:%M:%S') as last_purchase_at,
                coalesce(sum(pence), 0) as monetary_pence,
                any_value(country) as country
            from (
                select CustomerID, any_value(Country) as country from lines
                where CustomerID is not null group by CustomerID
            ) as customers
            left join kept using (CustomerID)
            group by customers.CustomerID
        )
        select * from found full join truth
            on found.customer_id = cast(truth.customer_id as integer)
        where found.invoices is distinct from cast(truth.invoices as bigint)
            or found.lines_of_sale is distinct from cast(truth.lines_of_sale as bigint)
            or found.first_purchase_at is distinct from truth.first_purchase_at
            or found.last_purchase_at is distinct from truth.last_purchase_at
            or found.monetary_pence is distinct from cast(truth.monetary_pence as bigint)
            or found.country is distinct from truth.country
    """).fetchall()
    assert differing == []


def test_some_customers_have_only_cancellations(demo):
    """They have a row in the truth and none in the kept lines."""
    assert one(demo, "select count(*) from truth where invoices = '0'") > 0


def test_customers_buy_between_arrival_and_drop_out(demo):
    """Those who arrive inside the file's span buy that day; no one buys after leaving."""
    assert (
        one(
            demo,
            """
        select count(*) from truth
        where cast(first_purchase_at as date) < cast(arrived_at as date)
            or cast(last_purchase_at as date) > cast(dropped_out_at as date)
            or (
                arrived_at > '2023-12-01'
                and cast(first_purchase_at as date) <> cast(arrived_at as date)
            )
    """,
        )
        == 0
    )


def test_habits_show_in_the_lines(demo):
    """Latent habits are visible in what customers did."""
    habits = dict(
        demo.execute("""
            select habit, struct_pack(
                customers := count(*),
                invoices := avg(cast(invoices as integer)),
                spend := avg(cast(monetary_pence as bigint)),
                abroad := avg(cast(country <> 'United Kingdom' as integer)),
                gone := count(dropped_out_at) / count(*)
            ) from truth group by habit
        """).fetchall()
    )
    assert set(habits) == {
        "one_time_gift",
        "lapsed_early",
        "occasional",
        "regular",
        "loyal",
        "wholesaler",
    }
    assert 1_200 <= sum(habit["customers"] for habit in habits.values()) <= 1_700
    assert habits["one_time_gift"]["invoices"] == 1
    assert habits["lapsed_early"]["gone"] > 0.8 > 0.6 > habits["loyal"]["gone"]
    assert habits["loyal"]["invoices"] > 2 * habits["regular"]["invoices"]
    assert habits["wholesaler"]["spend"] > 5 * habits["loyal"]["spend"]
    assert habits["wholesaler"]["abroad"] > 0.3
    rate = one(
        demo,
        """
        select corr(cast(purchase_rate_per_year as double), cast(invoices as double)) from truth
    """,
    )
    assert rate > 0.6


def test_favourites_return_and_bundles_go_together(demo):
    """Customers return to favourites, and product pairs can be mined."""
    hits = one(
        demo,
        """
        select avg(cast(list_contains(string_split(favourite_products, '|'), StockCode) as integer))
        from lines inner join truth on lines.CustomerID = cast(truth.customer_id as integer)
        where Quantity > 0
    """,
    )
    assert 0.3 < hits < 0.6
    pairs = one(
        demo,
        """
        with baskets as (
            select distinct InvoiceNo, StockCode from lines
            where Quantity > 0 and regexp_matches(StockCode, '^[0-9]{5}[A-Z]?$')
                and CustomerID is not null
        ),
        counts as (select StockCode, count(*) as orders from baskets group by StockCode),
        pairs as (
            select one.StockCode as first, two.StockCode as second, count(*) as orders
            from baskets as one inner join baskets as two using (InvoiceNo)
            where one.StockCode < two.StockCode group by all having count(*) >= 15
        )
        select count(*) from pairs
        inner join counts as one on pairs.first = one.StockCode
        inner join counts as two on pairs.second = two.StockCode
        where pairs.orders * (select count(distinct InvoiceNo) from baskets)
            > 8 * one.orders * two.orders
    """,
    )
    assert pairs >= 20


# ---------------------------------------------------------------------- shape


def test_season_week_and_day(demo):
    """Autumn is busy, nights, Saturdays and the Christmas break are empty."""
    months = dict(
        demo.execute("""
            select strftime(InvoiceDate, '%Y-%m'), count(*) from lines group by all
        """).fetchall()
    )
    for year in ("2024", "2025"):
        quiet = np.mean([months[f"{year}-{month:02}"] for month in range(1, 9)])
        assert months[f"{year}-09"] > 1.2 * quiet
        assert months[f"{year}-11"] > 1.8 * quiet
    growth = sum(months[f"2025-{month:02}"] for month in range(1, 12)) / sum(
        months[f"2024-{month:02}"] for month in range(1, 12)
    )
    assert 1.0 < growth < 1.3
    assert share(demo, "isodow(InvoiceDate) = 6") == 0
    assert 0.02 < share(demo, "isodow(InvoiceDate) = 7") < 0.1
    assert share(demo, "hour(InvoiceDate) between 7 and 19") == 1
    assert share(demo, "hour(InvoiceDate) between 10 and 15") > 0.6
    assert share(demo, "hour(InvoiceDate) > 17 and isodow(InvoiceDate) <> 4") == 0
    assert share(demo, "strftime(InvoiceDate, '%m-%d') not between '01-04' and '12-20'") == 0


def test_prices_change_and_wholesalers_pay_less(demo):
    """List prices move for some products only; bulk is about 15 % cheaper."""
    changed = one(
        demo,
        """
        select count(*) from (
            select StockCode from lines
            where CustomerID is null and UnitPrice > 0 and Quantity between 1 and 99
                and regexp_matches(StockCode, '^[0-9]{5}[A-Z]?$')
            group by StockCode having count(distinct UnitPrice) > 1
        )
    """,
    )
    assert 100 < changed < 400
    ratio = one(
        demo,
        """
        with prices as (
            select StockCode, median(UnitPrice) filter (habit = 'wholesaler') as bulk,
                median(UnitPrice) filter (habit <> 'wholesaler') as list
            from lines inner join truth on lines.CustomerID = cast(truth.customer_id as integer)
            where Quantity > 0 and regexp_matches(StockCode, '^[0-9]{5}[A-Z]?$')
            group by StockCode
        )
        select median(bulk / list) from prices
    """,
    )
    assert 0.8 < ratio < 0.9


def test_four_groups_look_like_the_real_shop(demo):
    """K-Means finds a small group with most revenue and many who are long gone."""
    table = demo.execute("""
        select
            floor(epoch((select max(InvoiceDate) + interval 1 day from lines) - max(InvoiceDate))
                / 86400),
            count(distinct InvoiceNo), sum(pence) / 100
        from kept group by CustomerID order by CustomerID
    """).fetchall()
    customers = np.array(table, dtype=float)
    logs = np.log1p(customers)
    scaled = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    with threadpoolctl.threadpool_limits(1):  # threads cost more than they gain on small data
        labels = KMeans(4, n_init=10, random_state=42).fit_predict(scaled)
    groups = [customers[labels == label] for label in range(4)]
    groups.sort(key=lambda group: -group[:, 2].mean())
    best, loyal = groups[:2]
    recent, gone = sorted(groups[2:], key=lambda group: group[:, 0].mean())
    shares = [len(group) / len(customers) for group in (best, loyal, recent, gone)]
    assert 0.10 < shares[0] < 0.20
    assert min(shares[1:3]) > 0.15
    assert shares[3] == max(shares) > 0.33
    assert best[:, 2].sum() > 0.6 * customers[:, 2].sum()
    assert best[:, 0].mean() < 60 and best[:, 1].mean() > 8
    assert recent[:, 0].mean() < 60 and recent[:, 1].mean() < 3
    assert gone[:, 0].mean() > 300 and gone[:, 1].mean() < 2


# ---------------------------------------------------------------------- campaign customers


def test_campaign_file_has_the_shape_and_dirt_of_the_public_one():
    """29 columns, tabs, days first; each kind of dirt as often as the README of the demo says."""
    text = (DEMO / "campaign_customers.csv").read_bytes().decode("ascii")
    assert "\r" not in text and '"' not in text
    lines = [line.split("\t") for line in text.splitlines()]
    assert lines[0] == campaign.CAMPAIGN_COLUMNS and len(lines[0]) == 29
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert len(rows) == 2_000
    assert len({row["ID"] for row in rows}) == 1_995
    assert all(re.fullmatch(r"\d\d-\d\d-202[345]", row["Dt_Customer"]) for row in rows)
    assert sum(row["Income"] == "" for row in rows) == 22
    assert sum(row["Income"] == "666666" for row in rows) == 1
    born = [int(row["Year_Birth"]) for row in rows]
    assert sorted(year for year in born if not 1930 < year < 2015) == [1893, 1899, 1900, 2094]
    odd = [row["Marital_Status"] for row in rows]
    assert [odd.count(state) for state in ("Absurd", "YOLO", "Alone")] == [2, 2, 3]


def test_campaign_habits_are_found_again():
    """K-Means on income, spend, channels, deals and visits parts customers by their habit."""
    habit, columns = campaign.draw_campaign(np.random.default_rng((42, 0, 2)))
    spend = sum(columns[name] for name in campaign.CAMPAIGN_COLUMNS[9:15])
    names = ["Income", *campaign.CAMPAIGN_COLUMNS[15:20]]
    features = np.column_stack([spend, *(columns[name] for name in names)]).astype(float)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    with threadpoolctl.threadpool_limits(1):
        labels = KMeans(3, n_init=10, random_state=42).fit_predict(scaled)
    assert adjusted_rand_score(habit, labels) > 0.8
    assert 0.10 < columns["Response"].mean() < 0.20


# ---------------------------------------------------------------------- any size


def test_scaled_file_has_the_types_of_the_real_parquet(scaled):
    """Names and types are those of the public file."""
    assert scaled.execute("select column_name, column_type from (describe parquet)").fetchall() == [
        ("InvoiceNo", "VARCHAR"),
        ("StockCode", "VARCHAR"),
        ("Description", "VARCHAR"),
        ("Quantity", "INTEGER"),
        ("InvoiceDate", "TIMESTAMP"),
        ("UnitPrice", "DOUBLE"),
        ("CustomerID", "INTEGER"),
        ("Country", "VARCHAR"),
    ]


def test_scaled_file_has_the_proportions_of_the_real_one(scaled):
    """Lines per customer and dirt do not depend on the size."""
    assert one(scaled, "select count(*) from lines") == 20_000
    assert 90 < one(scaled, "select count(*) / count(distinct CustomerID) from lines") < 160
    assert 0.20 < share(scaled, "CustomerID is null") < 0.26
    assert 0.01 < share(scaled, "InvoiceNo like 'C%'") < 0.03
    assert 0.003 < share(scaled, "UnitPrice = 0") < 0.007
    copies = one(scaled, "select count(*) - count(distinct lines) from lines")
    assert 120 < copies < 280
    assert one(scaled, "select count(*) filter (UnitPrice < 0) from lines") == 2


@pytest.mark.parametrize("lines", [1_000, 6_543])
def test_scaled_file_is_the_same_every_run(tmp_path, capsys, lines):
    """One seed gives one file, in rows and order."""
    paths = [tmp_path / name for name in ("one.parquet", "two.parquet", "other.parquet")]
    for path, seed in zip(paths, ("7", "7", "8"), strict=True):
        generate.main(["--scale", str(lines), "--out", str(path), "--seed", seed])
    assert re.match(r"block 1: [\d,]+ of [\d,]+ lines\n", capsys.readouterr().err)
    assert sorted(tmp_path.iterdir()) == sorted(paths), "temporary files are left"
    first, second, other = (duckdb.sql(f"select * from '{path}'").fetchall() for path in paths)
    assert len(first) == lines
    assert first == second != other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scale", "5000"], "--scale and --out go together"),
        (["--out", "{}/x.parquet"], "--scale and --out go together"),
        (["--scale", "many", "--out", "{}/x.parquet"], "must be a whole number"),
        (["--scale", "-5", "--out", "{}/x.parquet"], "--scale"),
        (["--scale", "999", "--out", "{}/x.parquet"], "must be from 1000 to 54000000"),
        (["--scale", "54000001", "--out", "{}/x.parquet"], "must be from 1000 to 54000000"),
        (["--scale", "5000", "--out", "{}/x.csv"], "must end in .parquet"),
        (["--scale", "5000", "--out", "{}/none/x.parquet"], "in a folder that exists"),
        (["--seed", "4.5"], "must be a whole number"),
        (["--sale"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments_end_with_one_line(tmp_path, capsys, arguments, message):
    """The message names the argument, the code is 2 and nothing is written."""
    with pytest.raises(SystemExit) as left:
        generate.main([argument.format(tmp_path) for argument in arguments])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1 and error.endswith("\n")
    assert list(tmp_path.iterdir()) == []


def test_failure_while_writing_keeps_the_old_file(tmp_path, capsys, monkeypatch):
    """An error in the last step leaves the file that was there, and no other."""
    path = tmp_path / "lines.parquet"
    path.write_text("old")
    monkeypatch.setattr(files, "EXPORT", "select * from missing_table")
    with pytest.raises(SystemExit) as left:
        generate.main(["--scale", "1000", "--out", str(path)])
    assert left.value.code == 2
    assert "missing_table" in capsys.readouterr().err.splitlines()[-1]
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old"]
