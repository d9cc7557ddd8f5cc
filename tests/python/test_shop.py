"""What holds for all lines of a shop: what marks a return, who is nobody, which money counts."""

import duckdb
import pytest
from landing import land

from reading.decisions import UnreadableFile
from reading.signs import is_negative

# Of a line, unless a test says otherwise.
LINE = {
    "invoice": "1",
    "sku": "mug",
    "qty": "1",
    "date": "2011-01-05",
    "price": "2.50",
    "customer": "c1",
}


def table(path, *lines):
    """Write a file of lines that differ from the usual one; a line is a mapping of its columns."""
    names = list(LINE) + sorted({name for line in lines for name in line} - LINE.keys())
    written = [",".join((LINE | line).get(name, "") for name in names) for line in lines]
    path.write_text("\n".join([",".join(names), *written, ""]), encoding="utf-8")
    return path


@pytest.fixture
def landed(tmp_path):
    """Land lines, each a mapping of the columns that matter to it."""

    def landed(*lines, **given):
        return land(table(tmp_path / "lines.csv", *lines), **given)

    return landed


@pytest.mark.parametrize(
    ("number", "negative"),
    [
        *((text, True) for text in (" -1.5", "\u22121", "(1)", "$(1.50)", "1-", "-$1", "$-1")),
        *((text, False) for text in ("1", "1.5", "1e-3", "2011-01", "", "+1")),
    ],
)
def test_a_number_is_negative_in_any_of_the_usual_ways(number, negative):
    condition = is_negative("number", {"number": "VARCHAR"})
    with duckdb.connect() as connection:
        query = f"select {condition} from (select $1 as number)"
        assert connection.execute(query, [number]).fetchone() == (negative,)
        condition = is_negative("number", {"number": "INTEGER"})
        query = f"select {condition} from (select -1 as number)"
        assert connection.execute(query).fetchone() == (True,)


RETURN = {"invoice": "C2", "qty": "-1"}
C_SALE = {"invoice": "c3"}


@pytest.mark.parametrize(
    ("lines", "prefix", "matters"),
    [
        ([{}, RETURN], "C", False),
        ([{}, {"invoice": "C2", "price": "-1"}], "C", False),
        ([{}, {"invoice": "c2", "qty": "(1)"}], "C", False),
        ([{}, RETURN, C_SALE], "C", False),
        ([{}, RETURN, C_SALE, C_SALE], None, True),
        ([{}, C_SALE], None, True),
        ([{}, {"invoice": "1C", "qty": "-1"}], None, False),
    ],
)
def test_a_prefix_marks_returns_where_most_of_its_lines_are_negative(
    landed, lines, prefix, matters
):
    found = landed(*lines)
    assert found.files[0]["cancellation_prefix"] == prefix
    answer, told = found.decisions("answer", "matters")["cancellation prefix"]
    assert (answer, told) == (prefix or "none", matters)


@pytest.mark.parametrize(("stated", "prefix"), [("R", "R"), (None, None), ("", None)])
def test_a_prefix_that_is_stated_counts_whatever_lines_say(landed, stated, prefix):
    found = landed({}, RETURN, cancellation_prefix=stated)
    assert found.files[0]["cancellation_prefix"] == prefix
    assert found.decisions("found")["cancellation prefix"] == "declared"


def customers(*ids):
    return [{"customer": id} for id in ids]


def test_words_for_nothing_and_guests_are_nobody(landed):
    words = ["NULL", "n/a", "NaN", "None", "(blank)", "\\N", "-"]
    guests = ["0", "0.0", "0.00", "'0", "Guest", "guest@shop.de", "Walk-in", " anonymous "]
    people = ["c1", "00", "10", "guests", "aguest@shop.de", "nanette", "0x"]
    found = landed(*customers(*words, *guests, *people))
    nobody = {written for _, written in found.values("nobody")}
    assert nobody == {*words, *guests, " anonymous "}
    answers = found.decisions("lines", "reject_reason", "matters")
    told = ("missing_customer", True)
    assert answers["customers that are a word for nothing"] == [len(words), *told]
    assert answers["customers that are guests"] == [len(guests), *told]


def test_the_settings_say_who_is_nobody(landed):
    lines = customers("0", "NULL", "house", "till 7", "tills")
    assert landed(*lines, guests=[], null_words=[]).values("nobody") == []
    found = landed(*lines, guests=["HOUSE", "till *"], null_words=[])
    assert found.values("nobody") == [("customer_id", "house"), ("customer_id", "till 7")]
    # A star alone would be everybody.
    assert landed(*lines, guests=["*"], null_words=[]).values("nobody") == []


def test_words_for_nothing_are_no_products_and_no_texts(landed):
    lines = [{"sku": sku} for sku in ("nan", "NaN", "NULL", " n/a ", "", "nano", "0")]
    lines += [{"description": text, "country": text} for text in ("None", "NA", "na", "tea")]
    found = landed(*lines).decisions("answer", "lines", "matters")
    told = "' n/a ' (1), 'NULL' (1), 'NaN' (1), 'nan' (1)"
    assert found["words for nothing in product_id"] == [told, 4, True]
    assert found["words for nothing in description"][1:] == [3, False]
    # NA is Namibia.
    assert found["words for nothing in country"] == ["'None' (1), 'na' (1)", 2, False]
    assert "product codes that differ in case only" not in found
    found = landed(*lines, null_words=["nano"]).decisions()
    assert found["words for nothing in product_id"] == "'nano' (1)"
    assert "words for nothing in description" not in found


def test_a_column_of_numbers_has_guests_too(tmp_path):
    path = tmp_path / "lines.parquet"
    duckdb.sql(
        "select 1 as invoice, 'mug' as sku, 1 as qty, date '2011-01-05' as date, 2.5 as price, "
        "unnest([0.0, 17850.0, null]) as customer"
    ).write_parquet(str(path))
    assert [id for _, id in land(path).values("nobody")] == ["0.0"]


def states(*values, column="status"):
    return [{column: value} for value in values]


def test_orders_in_which_nothing_was_sold_are_not_counted(landed):
    not_counted = ["Cancelled", "CANCELED", "fully_refunded", "Fully Refunded", "checkout-draft"]
    counted = ["complete", "shipped", "partially_refunded", "pending", "cancelled soon"]
    found = landed(*states(*not_counted, *counted, ""))
    assert {written for _, written in found.values("not_counted")} == set(not_counted)
    lines, reason, matters = found.decisions("lines", "reject_reason", "matters")["order status"]
    assert (lines, reason, matters) == (len(not_counted), "order_not_counted", True)
    # One of several can mean cancelled in a language that is not known here.
    assert landed(*states(*counted)).decisions("lines", "matters")["order status"] == [0, True]
    assert landed(*states("complete")).decisions("lines", "matters")["order status"] == [0, False]


def test_the_states_that_count_can_be_stated(landed):
    found = landed(
        *states("Complete", "shipped", "in-transit"), order_status=["complete", "in transit"]
    )
    assert found.values("not_counted") == [("order_status", "shipped")]
    assert found.decisions("found")["order status"] == "declared"


def test_documents_that_take_back_are_returns(landed):
    types = ["Return", "REFUND", "credit_note", "Credit Memo", "Gutschrift", "Storno"]
    sales = ["Invoice", "sale", "return label", "credit card"]
    found = landed(*states(*types, *sales, column="Document Type"))
    assert {written for _, written in found.values("return")} == set(types)
    answer, lines, matters = found.decisions("answer", "lines", "matters")["type of document"]
    assert answer.startswith("sales: Invoice (1), credit card (1)")
    assert (lines, matters) == (len(types), True)
    only_sales = landed(*states("sale", column="Document Type"))
    assert not only_sales.decisions("matters")["type of document"]


MONIES = [{"currency": code} for code in ("EUR", "eur ", "EUR", "GBP", "USD", "", "n/a")]


def test_several_currencies_stop(landed):
    with pytest.raises(UnreadableFile, match="amounts are in 3 currencies, EUR") as caught:
        landed(*MONIES)
    assert str(caught.value) == (
        "amounts are in 3 currencies, EUR (3), GBP (1), USD (1) lines, and can't be summed. Keep "
        "one: VARS='{currency: EUR}', or convert: VARS='{currency: EUR, currency_rates: "
        "rates.csv}' (columns day, currency, rate)"
    )


def test_the_other_currencies_are_left_out_where_one_is_chosen(landed):
    found = landed(*MONIES, currency="eur")
    assert found.values("other_currency") == [("currency", "GBP"), ("currency", "USD")]
    lines, reason, evidence = found.decisions("lines", "reject_reason", "evidence")["currency"]
    assert (lines, reason) == (2, "other_currency")
    assert evidence == "2 lines state none, and are taken as EUR"
    unsaid = landed(*MONIES[:3], {"currency": "-"}, currency="EUR")
    assert unsaid.decisions("lines", "matters")["currency"] == [0, True]
    with pytest.raises(UnreadableFile, match="currency is CHF, but the lines are in EUR"):
        landed(*MONIES, currency="CHF")
    with pytest.raises(UnreadableFile, match="currency is EUR, but no file has a column of curr"):
        landed({}, currency="EUR")


def test_one_currency_is_no_question(landed):
    found = landed(*MONIES[:3], {"currency": "NULL"})
    assert found.decisions()["currency"] == "EUR (3)"
    assert found.values("other_currency") == []


def rates(path, *rows, header="day,currency,rate"):
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return str(path)


def test_rates_count_until_the_next_one(landed, tmp_path):
    given = rates(
        tmp_path / "rates.csv",
        *("2011-01-01,GBP,1.2", "2011-01-05,gbp,1.25", "2011-01-01,USD,0.9"),
        header="Date,Currency Code,Exchange rate",
    )
    found = landed(*MONIES, currency="EUR", currency_rates=given)
    assert found.values("other_currency") == []
    assert found.decisions("evidence")["currency"].endswith(
        "; 2 lines state none, and are taken as EUR"
    )
    query = (
        "select currency, cast(valid_from as varchar), cast(valid_until as varchar), "
        "cast(rate as double) from landing.currency_rates order by all"
    )
    assert found.rows(query) == [
        ("GBP", "2011-01-01", "2011-01-05", 1.2),
        ("GBP", "2011-01-05", "9999-12-31", 1.25),
        ("USD", "2011-01-01", "9999-12-31", 0.9),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        *("2011-01-01,USD,0", "2011-01-01,USD,-1", "2011-01-01,USD,x", "1 May,USD,1"),
        *("2011-01-01,,1", "2011-01-01,GBP,1.3"),
    ],
)
def test_rows_that_are_no_rates_stop(landed, tmp_path, wrong):
    given = rates(tmp_path / "rates.csv", "2011-01-01,GBP,1.2", wrong)
    with pytest.raises(UnreadableFile, match=r"var currency_rates: rates\.csv has a row that is"):
        landed(*MONIES, currency="EUR", currency_rates=given)


@pytest.mark.parametrize(
    ("rows", "header", "told"),
    [
        (["a,x", "a,y"], "old_id,customer_id", "gives a to more than one customer"),
        (["a,b", "b,c"], "old_id,customer_id", "sends ids to b, which is itself an old id"),
        (["a,b"], "old_id,name", "has no column customer_id. It needs old_id, customer_id, and"),
    ],
)
def test_accounts_that_contradict_each_other_stop(landed, tmp_path, rows, header, told):
    given = rates(tmp_path / "ids.csv", *rows, header=header)
    with pytest.raises(UnreadableFile, match="var customer_ids: ids") as caught:
        landed({}, customer_ids=given)
    assert told in str(caught.value)


def test_accounts_of_one_person_are_counted(landed, tmp_path):
    """One that is sent twice to the same person, or to itself, is no contradiction."""
    rows = ["c1,p", "c2,p", "c2,p", "p,p", ",q", "c9,"]
    given = rates(tmp_path / "ids.csv", *rows, header="From,To")
    found = landed(*customers("c1", "c1", "c2", "c3"), customer_ids=given)
    answer, lines = found.decisions("answer", "lines")["accounts of one person"]
    assert (answer, lines) == ("3 old ids are 1 customers", 3)
    missing = str(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile, match="there is no file"):
        landed({}, customer_ids=missing)


def discounts(*values, **more):
    return [{"discount": value, "qty": "2", "price": "10.00"} | more for value in values]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0.1", "0.25", "0", ""], "share"),
        (["10%", "5 %", ""], "percent"),
        (["10", "2.50", ""], "money"),
        (["-0.10"], "share"),
        # As money, one of three would be more than two pieces for 10.00.
        (["10", "5", "25"], "percent"),
        (["10", "5", "120"], "money"),
        (["20", "-20"], "money"),
        (["0", "", "0.00"], None),
    ],
)
def test_what_a_column_of_discounts_means_is_decided_by_its_values(landed, values, kind):
    assert landed(*discounts(*values)).files[0]["discount_kind"] == kind


@pytest.mark.parametrize("minus", ["-2.50", "\u22122.50", "(2.50)", "2.50-", "-10 %"])
def test_discounts_that_are_all_negative_are_usual(landed, minus):
    # In a return, the sign is that of the line.
    back = {"discount": "2.50", "qty": "-1", "price": "10.00"}
    found = landed(*discounts(minus, "0", ""), back).decisions("evidence", "lines")
    assert found["discounts"] == ["in 2 lines; written as negative numbers", 2]
    assert "discounts of both signs" not in found


def test_discounts_of_both_signs_are_told(landed):
    found = landed(*discounts("-2.50", "1.00", "3", "0")).decisions("evidence", "lines", "matters")
    assert found["discounts"] == ["in 3 lines", 3, True]
    evidence = "2 sales have a positive one, 1 a negative one, which can be a surcharge"
    assert found["discounts of both signs"] == [evidence, 1, True]


def test_a_discount_above_what_the_line_costs_is_told(landed):
    found = landed(*discounts(*["5"] * 100, "25")).decisions("answer", "evidence")
    evidence = "in 101 lines; in 1 more than the line costs, so they are returns"
    assert found["discounts"] == ["money off the line, at most 25", evidence]


def test_each_file_has_its_own_way_to_write_discounts(tmp_path):
    table(tmp_path / "a.csv", *discounts("0.1"))
    table(tmp_path / "b.csv", *discounts("3"))
    table(tmp_path / "c.csv", {})
    assert [file["discount_kind"] for file in land(tmp_path).files] == ["share", "money", None]


def test_amounts_below_list_prices_are_what_was_paid(landed):
    full = [{"qty": "2", "price": "10.00", "amount": "20.00"}] * 8
    found = landed(*full, {"qty": "2", "price": "10.00", "amount": "15.00"})
    assert found.files[0]["is_line_amount_paid"]
    answer, lines, matters = found.decisions("answer", "lines", "matters")["money of a line"]
    assert (answer, lines, matters) == ("the amount in amount", 1, True)
    # Amounts with a tax on top are not.
    found = landed({"qty": "2", "price": "10.00", "amount": "23.80"}, *full)
    assert not found.files[0]["is_line_amount_paid"]
    assert found.decisions()["money of a line"] == "price x quantity"
    # By the user's word they are.
    columns = {"line_amount": "amount"}
    found = landed({"qty": "2", "price": "10.00", "amount": "23.80"}, invoice_columns=columns)
    assert found.files[0]["is_line_amount_paid"]


def test_the_rounding_of_pieces_is_no_disagreement(landed):
    found = landed({"qty": "100", "price": "0.12", "amount": "12.49"}, {"amount": "2.50"})
    assert found.decisions("lines", "matters")["money of a line"] == [0, False]
    found = landed({"qty": "100", "price": "0.12", "amount": "11.40"}, {"amount": "2.50"})
    assert found.decisions("lines", "matters")["money of a line"] == [1, True]


def test_a_discount_is_not_taken_off_an_amount_that_was_paid(landed):
    lines = discounts("0.1", "0.2", amount="18.00") + discounts("0.1", amount="15.00")
    found = landed(*lines)
    assert found.files[0]["is_line_amount_paid"]
    assert found.files[0]["discount_kind"] is None


GOODS = [{"invoice": n} for n in "12345"]


@pytest.mark.parametrize("how", [{"qty": "-1"}, {"price": "-5.00"}, {"price": "(5.00)"}])
def test_a_code_that_is_only_ever_taken_off_beside_goods_is_a_discount(landed, how):
    coupons = [{"invoice": n, "sku": "SAVE5"} | how for n in "123"]
    found = landed(*GOODS, *coupons)
    assert found.values("discount") == [("product_id", "SAVE5")]
    assert found.decisions("lines", "matters")["discount lines"] == [3, True]


@pytest.mark.parametrize(
    "others",
    [
        # Goods whose sale is older than the file come back on invoices of their own.
        [{"invoice": n, "sku": "vase", "qty": "-1"} for n in "789"],
        # What was sold once is a product.
        [{"invoice": "1", "sku": "vase", "qty": "-1"}, {"invoice": "9", "sku": "vase"}],
        # Two of ten on invoices of their own are too many.
        [{"invoice": n, "sku": "vase", "qty": "-1"} for n in "1234123489"],
    ],
)
def test_goods_that_come_back_are_no_discount(landed, others):
    found = landed(*GOODS, *others)
    assert found.values("discount") == []
    assert "discount lines" not in found.decisions()


def test_a_discount_may_rarely_stand_alone(landed):
    lines = [{"invoice": n, "sku": "SAVE5", "price": "-5.00"} for n in "1234512349"]
    assert landed(*GOODS, *lines).values("discount") == [("product_id", "SAVE5")]


def test_ids_that_a_spreadsheet_rounded_are_told(landed):
    lines = [{"sku": "5.01E+12"}, {"sku": "5,01E+12"}, {"sku": "5E+9"}, {"sku": "E+12"}, {}]
    lines[0] |= {"customer": "1.78E+5"}
    lines[1] = {"sku": '"5,01E+12"'}
    found = landed(*lines).decisions("lines", "matters")
    assert found["rounded product_id"] == [3, True]
    assert found["rounded customer_id"] == [1, True]
    assert "rounded invoice_id" not in found


def test_codes_that_differ_in_case_only_are_told(landed):
    lines = [{"sku": code} for code in ("85123A", "85123a", "85123a", " 85123A", "mug", "22")]
    found = landed(*lines).decisions("lines", "matters", "setting")
    told = found["product codes that differ in case only"]
    assert told == [4, True, "{upper_case_products: true}"]
    found = landed(*lines, upper_case_products=True).decisions()
    assert "product codes that differ in case only" not in found


def test_moments_with_an_offset_are_told(landed):
    lines = [{"date": text} for text in ("2011-01-05T10:00:00Z", "2011-01-06 10:00+0100")]
    found = landed(*lines).decisions("lines", "matters")
    assert found["offsets from UTC"] == [2, True]
    days = ("13/01/2011 2:00 PM -0500", "14/01/2011 10:00 UTC", "15/01/2011 10:00", "16/01/2011")
    found = landed(*({"date": text} for text in days)).decisions("lines", "matters")
    assert found["offsets from UTC"] == [2, True]
    assert "offsets from UTC" not in landed({"date": "2011-01-05 10:00:00"}).decisions()
    with pytest.raises(UnreadableFile, match="var time_zone: Berlin is unknown"):
        landed({}, time_zone="Berlin")
