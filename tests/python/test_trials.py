"""Small files of real shops' problems, each with what its owner expects.

Each shop is the same one, written in another way: 137 lines of 26 customers, worth 11,613.45.
"""

from decimal import Decimal

import pytest
import yaml
from conftest import PROJECT, build_shop, run_forked

TRIALS = PROJECT.parent / "shared" / "trials"

pytestmark = pytest.mark.skipif(not TRIALS.exists(), reason=f"the trials are not at {TRIALS}")

SHOP = {"sales": 137, "customers": 26, "revenue": "11613.45", "products": 16, "returns": 0}
REFUNDS = SHOP | {"returns": 13, "matched": "1041.40"}
NOBODY = {"sales": 85, "customers": 23, "revenue": "8022.70", "missing_customer": 52}

EXPECTED = {
    "amount-beside-list-price/sales.csv": SHOP | {"revenue": "9924.80"},
    "c-region-codes/orders.csv": SHOP,
    "currency-sign-before/items.csv": SHOP | {"revenue": "139361.40"},
    "date-a-year-ahead/orders.csv": {"implausible_date": 1, "last": "2023-10-24"},
    "date-two-digit-year-slashes/orders.csv": SHOP | {"last": "2023-10-24"},
    "date-two-files/files": SHOP | {"last": "2023-10-24"},
    "date-with-offset/orders_export.csv": SHOP,
    "discount-as-negative-line/orders.csv": {"revenue": "10620.08", "products": 16, "returns": 0},
    "discount-beside-price/order_details.csv": SHOP | {"revenue": "9924.87"},
    "email-in-two-cases/orders.csv": SHOP,
    "encoding-cp1250/zamowienia.csv": SHOP,
    "encoding-utf16/unicode.txt": SHOP,
    "export-again-after-edits/files": SHOP
    | {"revenue": "12114.35", "replaced_later": 10, "exact_duplicate": 30},
    "guests-are-0/orders.csv": {"sales": 72, "customers": 17, "missing_customer": 65},
    "header-sep-line/bericht.csv": SHOP,
    "header-trailing-delimiter/export.csv": SHOP,
    "header-without-a-name/frame.csv": SHOP,
    "id-with-an-apostrophe/orders.csv": SHOP,
    "negative-in-parentheses/ledger.csv": REFUNDS,
    "nobody-nan/orders.csv": NOBODY,
    "nobody-null/orders.csv": NOBODY,
    "number-point-millions/pedidos.csv": SHOP | {"revenue": "232269000.00"},
    "number-point-thousands/pesanan.csv": "a number of thousands or a decimal point?",
    "number-space-thousands/ventes.csv": SHOP | {"revenue": "133094.45"},
    "order-on-its-first-line-only/report.csv": {"sales": 50, "no_order_data": 87},
    "product-code-in-two-cases/orders.csv": SHOP
    | {"products": 30, "told": "in more than one case"},
    "quantity-in-kilograms/till.csv": SHOP | {"revenue": "11766.68"},
    "quantity-under-another-name/orders.csv": SHOP,
    "quotes-in-tab-text/report.txt": SHOP,
    "refund-negative-price/pos.csv": REFUNDS,
    "repeat-units-as-lines/order_items.csv": SHOP | {"sales": 338},
    "return-of-one-out-of-three/log.csv": {"sales": 137, "returns": 51, "matched": "1693.95"},
    "sku-ending-in-point-zero/orders.csv": SHOP,
    "status-cancelled/orders.csv": {"sales": 103, "revenue": "10192.10", "order_not_counted": 34},
    "two-currencies/orders.csv": "2 currencies, EUR (87), JPY (50) lines",
    "workbook-days-as-20230531/sap.xlsx": SHOP | {"last": "2023-10-24"},
    "workbook-with-a-cover/orders.xlsx": SHOP | {"told": "Read me is not read"},
}


def classify(folder, invoices, **settings):
    """Read and classify lines, and build nothing else; the build and what it made of them."""
    variables = {"campaign_customers": "", "invoices": str(invoices), **settings}
    arguments = ["--quiet", "build", "--selector", "check", "--vars", yaml.safe_dump(variables)]
    return run_forked("dbt", arguments, folder)


def test_every_trial_has_an_expectation():
    by_build = {"names-all-bought-once", "names-most-bought-once"}
    known = {name.partition("/")[0] for name in EXPECTED} | by_build
    assert {path.name for path in TRIALS.iterdir()} <= known


@pytest.mark.parametrize("name", EXPECTED)
def test_the_owner_gets_what_the_owner_expects(tmp_path, name):
    expected = EXPECTED[name]
    built = classify(tmp_path, TRIALS / name)
    if isinstance(expected, str):
        assert built.code != 0
        assert expected in built.output + built.errors
        return
    assert built.code == 0, built.output + built.errors
    lines = "intermediate.int_invoice_lines_classified"
    found = dict(
        zip(
            ("sales", "customers", "revenue", "products", "returns", "last"),
            built.one(
                f"""
                select
                    count(*) filter (where is_sale),
                    count(distinct customer_id) filter (where is_sale),
                    cast(sum(line_amount) filter (where is_sale) as varchar),
                    count(distinct product_id) filter (where is_sale and is_product),
                    count(*) filter (where is_return),
                    cast(cast(max(invoiced_at) filter (where is_sale) as date) as varchar)
                from {lines}
                """,
                file=built.warehouse,
            ),
            strict=True,
        )
    )
    found |= dict(
        built.rows(
            f"select reject_reason, count(*) from {lines} "
            "where reject_reason is not null group by 1",
            file=built.warehouse,
        )
    )
    (found["matched"],) = built.one(
        "select cast(sum(matched_amount) as varchar) from intermediate.int_returns_matched",
        file=built.warehouse,
    )
    (told,) = built.one(
        "select string_agg(concat_ws(' ', answer, evidence), '; ') from marts.readings "
        "where matters",
        file=built.warehouse,
    )
    assert expected.get("told", "") in (told or "")
    wanted = {key: value for key, value in expected.items() if key != "told"}
    assert {key: found.get(key) for key in wanted} == wanted


def test_what_costs_much_stops_the_build_with_a_way_out(tmp_path):
    built = build_shop(tmp_path, invoices=TRIALS / "order-on-its-first-line-only" / "report.csv")
    assert built.code != 0
    (complaint,) = built.errors.splitlines()
    assert "87 of 137 lines" in complaint
    assert "such as line 3 of report.csv" in complaint
    assert "repeat them on each line" in complaint
    assert "VARS='{accepted_reasons: [no_order_data]}'" in complaint


def test_a_total_at_the_end_is_no_sale_and_stops_nothing(tmp_path):
    lines = (TRIALS / "c-region-codes" / "orders.csv").read_text().splitlines()
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([*lines, "Total,,,412,,,,", ",,,1,,11613.45,,"]))
    built = build_shop(tmp_path / "built", invoices=path)
    assert built.code == 0, built.errors
    assert built.one("select sum(monetary) from marts.customers") == (Decimal("11613.45"),)
    assert "2 no_order_data" in built.output


@pytest.mark.parametrize("name", ["names-all-bought-once", "names-most-bought-once"])
def test_no_name_claims_what_is_not_so(tmp_path, name):
    built = build_shop(tmp_path, invoices=TRIALS / name / "orders.csv")
    assert built.code == 0, built.errors
    mean = "select avg(frequency), avg(monetary) from marts.customers"
    frequency, monetary = built.one(mean)
    for segment, often, much in built.rows(
        "select segment_name, avg(frequency), avg(monetary) from marts.customers group by 1"
    ):
        if "Loyal" in segment:
            assert often > max(frequency, 1), segment
        if "High-Value" in segment:
            assert much > monetary, segment
