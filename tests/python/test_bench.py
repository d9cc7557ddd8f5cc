"""The benchmark's floor computes what it says, and its page says what was measured."""

import json
from datetime import datetime
from decimal import Decimal

import bench
import duckdb
import pytest

COLUMNS = "InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country"
LINES = [
    ("1", "a", "Mug", 2, "2025-01-01 10:00:00", 2.5, 7, "France"),
    ("1", "a", "Mug", 2, "2025-01-01 10:00:00", 2.5, 7, "France"),  # an exact copy
    ("1", "b", "Jug", 1, "2025-01-01 10:00:00", 4.0, 7, "France"),
    ("2", "a", "Mug", 1, "2025-02-03 09:00:00", 2.5, 7, "Spain"),
    ("C3", "a", "Mug", -1, "2025-02-03 12:00:00", 2.5, 7, "France"),  # a return
    ("4", "a", "Mug", 1, "2025-03-01 08:00:00", 2.5, None, "France"),  # a guest, later than all
    ("5", "a", "Mug", 9, "2025-03-01 08:00:00", 0.0, 7, "France"),  # free
    ("C6", "a", "Mug", -1, "2025-01-05 08:00:00", 2.5, 8, "Italy"),  # a customer who only returns
    ("7", "c", "Rug", 1, "2025-01-03 08:00:00", 90.0, 9, "Italy"),
]


@pytest.fixture
def floor(tmp_path):
    """Rows of the floor's table, by customer."""
    invoices, database = tmp_path / "lines.parquet", tmp_path / "floor.duckdb"
    with duckdb.connect() as connection:
        connection.execute(
            "create table lines (InvoiceNo varchar, StockCode varchar, Description varchar, "
            "Quantity integer, InvoiceDate timestamp, UnitPrice double, CustomerID integer, "
            "Country varchar)"
        )
        connection.executemany("insert into lines values (?, ?, ?, ?, ?, ?, ?, ?)", LINES)
        connection.execute(f"copy lines to '{invoices}' (format parquet)")
    bench.build_floor(bench.duckdb_settings(), str(invoices), str(database))
    with duckdb.connect(str(database)) as connection:
        table = connection.execute("select * from customers")
        names = [column[0] for column in table.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in table.fetchall()}


def test_the_floor_dedupes_cleans_and_measures(floor):
    assert sorted(floor) == [7, 9]
    customer = floor[7]
    assert len(customer) == 18 + 3
    scores = {name: customer.pop(name) for name in ("r_score", "f_score", "m_score")}
    assert scores == {"r_score": 2, "f_score": 2, "m_score": 1}
    assert customer == {
        "customer_id": 7,
        "country": "Spain",
        "first_purchase_at": datetime(2025, 1, 1, 10),
        "last_purchase_at": datetime(2025, 2, 3, 9),
        "recency_days": 1,
        "tenure_days": 33,
        "frequency": 2,
        "monetary": Decimal("11.50"),
        "net_monetary": Decimal("9.00"),
        "quantity": 4,
        "average_basket_value": Decimal("5.75"),
        "distinct_products": 2,
        "lines": 3,
        "active_months": 2,
        "mean_price": 3.0,
        "largest_line": Decimal("5.00"),
        "returned_amount": Decimal("2.50"),
        "return_share": pytest.approx(2.5 / 11.5),
    }
    assert floor[9]["recency_days"] == 32
    assert floor[9]["r_score"] == floor[9]["f_score"] == 1
    assert floor[9]["returned_amount"] == 0


def test_our_reading_lands_what_duckdb_reads(tmp_path):
    csv, settings = tmp_path / "lines.csv", bench.duckdb_settings()
    header = COLUMNS.replace(" ", "")
    csv.write_text(f"{header}\n1,a,Mug,2,2025-01-01 10:00:00,2.5,7,France\n")
    rows = []
    for read, table in (
        (bench.read_as_text, "lines"),
        (bench.read_as_we_do, "landing.invoice_lines"),
    ):
        database = tmp_path / f"{read.__name__}.duckdb"
        read(settings, str(csv), str(database))
        with duckdb.connect(str(database)) as connection:
            names = "Description, Quantity" if table == "lines" else "description, quantity"
            rows.append(connection.execute(f"select {names} from {table}").fetchall())
    assert rows == [[("Mug", "2")], [("Mug", "2")]]


def usages(main_cpu, main_memory):
    return {
        "floor": [bench.Usage(4.0, 2.0, 800.0), bench.Usage(5.0, 3.0, 810.0)],
        "main": [bench.Usage(main_cpu, 20.0, 500.0), bench.Usage(main_cpu, 18.0, main_memory)],
        "text": [bench.Usage(8.0, 4.0, 300.0), bench.Usage(8.0, 4.0, 300.0)],
        "reading": [bench.Usage(10.0, 5.0, 300.0), bench.Usage(14.0, 7.0, 300.0)],
        "fixed": [bench.Usage(10.0, 9.0, 300.0), bench.Usage(10.0, 9.0, 300.0)],
    }


@pytest.mark.parametrize(
    ("main_cpu", "ratio", "said"),
    [
        (16.0, "1.33; turn by turn 1.35 (1.20 to 1.50)", "met"),
        (18.0, "1.78; turn by turn 1.80 (1.60 to 2.00)", "met; aim of 1.5 missed"),
        (20.0, "2.22; turn by turn 2.25 (2.00 to 2.50)", "missed"),
        (9.0, "-0.22; turn by turn -0.23 (-0.25 to -0.20)", "too few lines to tell"),
    ],
)
def test_the_page_tells_ratios_and_whether_they_are_good_enough(main_cpu, ratio, said):
    lines = dict.fromkeys(("floor", "main", "text", "reading"), 5_400_000) | {"fixed": 1_000}
    layers = {"models/marts/sales": 0.04, "tests": 1.24, "models/staging/shop": 2.0}
    text = bench.page(usages(main_cpu, 900.0), lines, 70, layers, "700MB", "make bench")
    assert f"aim 1.5 | {ratio} | {said} |" in text
    assert "1,000 MB | 900 MB | met |" in text
    assert "at most 1.5 | 1.50; turn by turn 1.50 (1.25 to 1.75) | met |" in text
    assert "| floor | 5,400,000 | 4.50 (4.00 to 5.00) | 2.50 (2.00 to 3.00) | 805" in text
    assert "|--:|\n| models/staging/shop | 2.0 |\n| tests | 1.2 |\n\n" in text
    assert "--real PATH" in text and "Runs of each job: 2" in text


def test_the_page_judges_memory_by_the_largest_run_and_the_real_file_by_its_wall_time():
    measured = usages(16.0, 1_010.0) | {
        "real": [bench.Usage(30.0, 20.1, 500.0)],
        "compared": [bench.Usage(60.0, 35.0, 500.0)],
    }
    lines = dict.fromkeys(("floor", "main", "text", "reading"), 5_400_000) | {"fixed": 1_000}
    lines |= {"real": 541_909, "compared": 541_909}
    text = bench.page(measured, lines, 70, {}, "700MB", "make bench")
    assert "1,000 MB | 1,010 MB | missed |" in text
    assert "at most 20 s | 20.1 s | missed |" in text
    assert "beyond real: at most 15 s | 14.9 s | met |" in text


def test_time_is_told_by_folder(tmp_path):
    paths = {
        "model.p.one": ("model", "models/marts/sales/one.sql"),
        "model.p.two": ("model", "models/marts/sales/two.sql"),
        "test.p.three": ("test", "models/marts/sales/_sales__models.yml"),
        "seed.p.four": ("seed", "seeds/four.csv"),
    }
    nodes = {
        key: {"resource_type": kind, "original_file_path": path}
        for key, (kind, path) in paths.items()
    }
    results = [{"unique_id": key, "execution_time": 1.5} for key in [*paths, "unit_test.p.five"]]
    (tmp_path / "target").mkdir()
    for name, written in (("manifest", {"nodes": nodes}), ("run_results", {"results": results})):
        (tmp_path / "target" / f"{name}.json").write_text(json.dumps(written))
    assert bench.layer_times(tmp_path) == {"models/marts/sales": 3.0, "tests": 1.5}
