"""Which column of a file is which of ours: by its name, or by what the user says."""

import pytest
from landing import land

from reading.columns import NAMES, OPTIONAL, compare_files, fold, match_columns
from reading.decisions import Column, Source, UnreadableFile

NEEDED = ["InvoiceDate", "CustomerID", "UnitPrice"]


def source(*names, kind="text"):
    columns = [Column(name, "VARCHAR", f"column_{place}") for place, name in enumerate(names)]
    return Source("a.csv", kind, "lines", columns, "line")


def matched(*names, stated=None, passed_through=()):
    """Names of the source's columns by ours, and the decisions by question."""
    found = match_columns(source(*names), stated or {}, passed_through)
    columns = {ours: column.name for ours, column in found.columns.items()}
    return columns, {decision.question: decision for decision in found.decisions}


def test_case_spaces_and_marks_make_no_other_name():
    written = ["Invoice No.", "STOCK_CODE", "invoice-date", " Unit Price ", "customer id"]
    columns, decisions = matched(*written)
    assert columns == {
        "invoice_id": "Invoice No.",
        "product_id": "STOCK_CODE",
        "customer_id": "customer id",
        "unit_price": " Unit Price ",
        "invoiced_at": "invoice-date",
    }
    assert {decisions[f"column for {ours}"].found for ours in columns} == {"recognised"}


def test_no_name_stands_for_two_of_ours():
    known = [name for tiers in NAMES.values() for tier in tiers for name in tier.split()]
    assert sorted(known) == sorted(set(known))
    assert [fold(name) for name in known] == known


@pytest.mark.parametrize(
    ("ours", "certain", "likely"),
    [
        ("invoice_id", "Invoice", "Order Number"),
        ("product_id", "SKU", "Item Code"),
        ("customer_id", "Customer ID", "Email"),
        ("quantity", "Qty", "Units"),
        ("invoiced_at", "Order Date", "Created at"),
    ],
)
def test_a_name_that_leaves_no_doubt_goes_before_a_likely_one(ours, certain, likely):
    others = [name for name in NEEDED if fold(name) not in " ".join(NAMES[ours]).split()]
    assert matched(likely, certain, *others)[0][ours] == certain
    assert matched(likely, *others)[0][ours] == likely


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["InvoiceNo", "Invoice"], "several columns that could be invoice_id: InvoiceNo, Invoice"),
        (["Item Code", "EAN"], "several columns that could be product_id: Item Code, EAN"),
        (["Quantity", "Quantity"], "has the column Quantity twice"),
    ],
)
def test_two_columns_that_could_be_one_of_ours_stop(names, told):
    with pytest.raises(UnreadableFile, match="Say which is which") as caught:
        matched(*names, *NEEDED)
    assert told in str(caught.value)


def test_columns_that_a_simpler_file_does_without_never_stop():
    """The first name of the list counts, wherever its column stands, and the other one is told."""
    names = [*NEEDED, "Financial Status", "Status", "Line Discount", "Discount"]
    columns, decisions = matched(*names)
    assert (columns["order_status"], columns["discount"]) == ("Status", "Discount")
    assert decisions["column Line Discount"].matters
    repeated = matched(*NEEDED, "Brand", "brand")
    assert repeated[0]["brand"] == "Brand"
    assert repeated[1]["column for brand"].runner_up == "brand"
    for ours in OPTIONAL:
        assert ours not in matched(*NEEDED)[0]
        assert f"column for {ours}" not in matched(*NEEDED)[1]


def test_what_the_user_says_counts_and_is_taken_from_the_rest():
    names = ["InvoiceDate", "CustomerID", "Price", "UnitPrice", "Invoice"]
    columns, decisions = matched(*names, stated={"unit_price": "Price", "invoice_id": None})
    assert columns["unit_price"] == "Price"
    assert "invoice_id" not in columns
    assert decisions["column for unit_price"].found == "declared"
    # A column that is one of ours by the user's word is no candidate for another.
    columns, _ = matched(*NEEDED, "Invoice", stated={"product_id": "Invoice"})
    assert columns["product_id"] == "Invoice"
    assert "invoice_id" not in columns


def test_a_column_that_the_user_names_must_be_there_once():
    """One that a file may lack can be missing: of several files, some have it."""
    with pytest.raises(UnreadableFile, match="has no column Prize for unit_price"):
        matched(*NEEDED, stated={"unit_price": "Prize"})
    with pytest.raises(UnreadableFile, match="has the column Fee twice"):
        matched(*NEEDED, "Fee", "Fee", stated={"unit_price": "Fee"})
    assert "brand" not in matched(*NEEDED, stated={"brand": "Maker"})[0]


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ("InvoiceDate", "invoiced_at"),
        ("CustomerID", "customer_id"),
        ("UnitPrice", "unit_price \\(or line_amount\\)"),
    ],
)
def test_three_columns_are_needed(left_out, told):
    with pytest.raises(UnreadableFile, match=f"has no column for {told}. It has: "):
        matched(*(name for name in NEEDED if name != left_out))


def test_an_amount_does_for_a_price():
    assert "unit_price" not in matched("InvoiceDate", "CustomerID", "Sales")[0]


def test_what_stands_in_for_a_missing_column_is_told():
    _, decisions = matched(*NEEDED)
    assert decisions["column for invoice_id"].answer == "none: customer and moment make an invoice"
    assert decisions["column for quantity"].answer == "none: every line is one piece"
    assert decisions["column for quantity"].matters
    # A log of amounts has its money whole, whatever the number of pieces.
    _, decisions = matched("InvoiceDate", "CustomerID", "Sales")
    assert not decisions["column for quantity"].matters


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Coupon Code", "a discount"),
        ("VAT rate", "a tax"),
        ("Freight", "shipping"),
        ("Refunded Amount", "a refund"),
        ("Is_Cancelled", "a cancellation"),
        ("Shipping Status", "shipping"),
        ("Units per pack", "a quantity"),
    ],
)
def test_a_column_that_speaks_of_money_or_state_is_told_where_it_is_not_read(name, meaning):
    decisions = matched(*NEEDED, name, "Colour")[1]
    assert decisions[f"column {name}"].evidence == f"its name speaks of {meaning}"
    assert decisions[f"column {name}"].matters
    assert "column Colour" not in decisions
    assert decisions["columns not read"].answer == f"{name}, Colour"
    # One that is passed through is read.
    assert "columns not read" not in matched(*NEEDED, name, passed_through=[name])[1]


def test_unread_columns_can_repeat_or_have_no_name():
    columns, decisions = matched(*NEEDED, "", "Colour", "Colour", "")
    assert decisions["columns not read"].answer == "(no name), Colour, Colour, (no name)"
    assert set(columns.values()) == set(NEEDED)
    with pytest.raises(UnreadableFile, match="the column Colour twice, so it can't be passed"):
        matched(*NEEDED, "Colour", "Colour", passed_through=["Colour"])


def test_a_column_that_only_some_files_have_is_told():
    both = match_columns(source(*NEEDED, "Country"), {})
    one = match_columns(source(*NEEDED), {})
    assert compare_files({"a": both, "b": both}) == {}
    told = compare_files({"a": both, "b": one, "c": both})
    assert [*told] == ["b"]
    assert [(d.question, d.answer, d.evidence) for d in told["b"]] == [
        ("column for country", "missing here", "2 of 3 files have it")
    ]


def test_a_further_column_that_is_passed_through_keeps_its_name_and_text(tmp_path):
    header = "InvoiceDate,CustomerID,UnitPrice,Till,Note"
    (tmp_path / "a.csv").write_text(f"{header}\n2011-01-05,c1,1.50,07,x\n2011-01-06,c1,1.50,08,x\n")
    (tmp_path / "b.csv").write_text("InvoiceDate,CustomerID,UnitPrice\n2011-01-07,c2,1.50\n")
    landed = land(tmp_path, pass_through=["Till"])
    assert landed.lines("passed_through") == [({"Till": "07"},), ({"Till": "08"},), (None,)]
    # What is not read tells lines apart all the same.
    (tmp_path / "c.csv").write_text(f"{header}\n2011-01-05,c1,1.50,07,x\n2011-01-05,c1,1.50,07,y\n")
    one, other = (line for (line,) in land(tmp_path / "c.csv").lines("other_columns"))
    assert one != other
    with pytest.raises(UnreadableFile, match="no file has a column Tills, which pass_through"):
        land(tmp_path, pass_through=["Tills"])
