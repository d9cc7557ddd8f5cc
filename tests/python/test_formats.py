"""How the dates and numbers of a file are written: decided from all of them, or asked."""

from collections import Counter
from datetime import date, timedelta

import duckdb
import pytest
from landing import land
from test_inputs import as_xlsx

from reading.amounts import Discounts, decide_discount
from reading.decisions import UnreadableFile
from reading.formats import (
    DATES,
    Head,
    count_only,
    date_heads,
    decide_dates,
    decide_decimal_mark,
    notations,
    number_marks,
)


def heads(*dates):
    """Beginnings of dates, counted; a mapping gives many lines of a date."""
    counted = Counter()
    for written in dates:
        counted.update(written if isinstance(written, dict) else [written])
    return [Head(text[:10], len(text), lines, text) for text, lines in counted.items()]


def decided(*dates, stated=None):
    return decide_dates("a.csv", heads(*dates), stated)


@pytest.mark.parametrize(
    ("written", "fitting"),
    [
        ("2011-01-05", {"iso"}),
        ("2011/1/5 10:00", {"iso"}),
        ("2011.01.05", {"iso"}),
        ("05/01/2011", {"dmy", "mdy"}),
        ("5.1.2011 10:00", {"dmy", "mdy"}),
        ("13/01/2011", {"dmy"}),
        ("01/13/2011", {"mdy"}),
        ("30/02/2011", set()),
        ("29/02/2012", {"dmy"}),
        ("29/02/2011", set()),
        ("05/01/11", {"dmy", "mdy", "yymd"}),
        ("31/01/11", {"dmy", "yymd"}),
        ("11-13-14", {"mdy"}),
        ("11-01-31", {"dmy", "mdy", "yymd"}),
        ("99-01-31", {"yymd"}),
        ("01/13/11", {"mdy"}),
        ("20110105", {"ymd"}),
        ("20111305", set()),
        ("20110105103000", {"ymd"}),
        ("1294221600", {"epoch_s"}),
        ("1294221600123", {"epoch_ms"}),
        ("40548", {"serial"}),
        ("40548.75", {"serial"}),
        ("40548,75", {"serial"}),
        ("5 Jan 2011", {"named"}),
        ("January 5, 2011", {"named"}),
        ("soon", set()),
        ("4", set()),
        ("", set()),
    ],
)
def test_which_notations_a_date_can_be_in(written, fitting):
    (head,) = heads(written)
    assert set(notations(head)) == fitting


def test_the_days_that_notations_make_of_a_date():
    (head,) = heads("05/06/11")
    assert notations(head) == {
        "dmy": date(2011, 6, 5),
        "mdy": date(2011, 5, 6),
        "yymd": date(2005, 6, 11),
    }


@pytest.mark.parametrize(
    ("written", "notation"),
    [
        (["2011-01-05", "2011/02/06 10:00"], "iso"),
        (["05/01/2011", "13/01/2011"], "dmy"),
        (["01/05/2011", "01/13/2011"], "mdy"),
        (["20110105", "20111231"], "ymd"),
        (["1294221600"], "epoch_s"),
        (["1294221600123"], "epoch_ms"),
        (["40548", "40549.5"], "serial"),
        (["5 Jan 2011", "6 February 2011"], "iso"),
    ],
)
def test_one_notation_that_fits_more_dates_than_any_other_is_it(written, notation):
    found, decision = decided(*written)
    assert found == notation
    if "Jan" not in written[0]:
        assert decision.answer == DATES[notation]


def test_days_and_months_that_fit_either_way_are_asked_whatever_they_span():
    """Twelve days of June, or a shop that sells on the sixth of each month: nobody can tell."""
    for written in ("{:02}/06/2011", "06/{:02}/2011", "{:02}/06/11"):
        with pytest.raises(UnreadableFile, match="day/month/year or month/day/year"):
            decided(*(written.format(number) for number in range(1, 13)))


def test_a_year_in_front_that_is_left_out_for_the_time_it_would_span_is_told():
    decision = decided(*(f"{day:02}/06/11" for day in range(1, 31)))[1]
    assert decision.answer == DATES["dmy"]
    assert decision.runner_up == DATES["yymd"]
    assert decision.matters


@pytest.mark.parametrize("written", ["%d-%m-%y", "%m-%d-%y", "%y-%m-%d"])
def test_years_of_two_digits_are_read_in_any_order(written):
    """Days make years of a whole generation, if they are taken for them."""
    days = [date(2011, 1, 1) + timedelta(days=place) for place in range(365)]
    notation = {"d": "dmy", "m": "mdy", "y": "yymd"}[written[1]]
    assert decided(*(day.strftime(written) for day in days))[0] == notation


def test_an_apostrophe_that_keeps_a_spreadsheet_from_changing_a_date_is_no_part_of_it():
    with duckdb.connect() as connection:
        column = "select unnest([$$' 13/01/2011 10:00$$, $$'20110105$$]) as day"
        found = date_heads(connection, f"({column})", "day")
    assert [(head.text, head.length) for head in found] == [("13/01/2011", 16), ("20110105", 8)]


def test_what_fits_two_ways_is_asked():
    with pytest.raises(UnreadableFile, match="Both fit every line") as caught:
        decided("05/06/2011", "06/05/2011")
    assert "{invoice_format: {dates: dmy}}' or mdy" in str(caught.value)
    assert "'05/06/2011'" in str(caught.value)
    for stated in DATES:
        notation, decision = decided("05/06/2011", stated=stated)
        assert (notation, decision.found) == (stated, "declared")


def test_iso_dates_and_names_of_months_are_read_beside_another_notation():
    notation, decision = decided({"13/01/2011": 90, "2011-01-05": 7, "5 Jan 2011": 3})
    assert notation == "dmy"
    assert decision.evidence == (
        "in 90 of 100 lines; year-month-day in 7, read as they are; "
        "names of months in 3, read as they are"
    )
    assert decision.matters
    assert not decided("13/01/2011")[1].matters


def test_days_first_and_months_first_in_one_file_stop():
    with pytest.raises(UnreadableFile, match="are written in more than one way"):
        decided({"13/01/2011": 90, "01/13/2011": 10})
    # One in a hundred is a typing error, and is told as a line that can't be read.
    notation, decision = decided({"13/01/2011": 199, "01/13/2011": 1})
    assert notation == "dmy"
    assert decision.runner_up == DATES["mdy"]
    assert count_only(heads("01/13/2011", "01/02/2011"), "mdy", "dmy") == 1


def test_no_date_at_all():
    assert decided()[0] == "iso"
    with pytest.raises(UnreadableFile, match="no date can be read, the first is '17'"):
        decided("17", "18")


def test_dates_are_gathered_by_their_beginnings():
    with duckdb.connect() as connection:
        connection.execute(
            "create table lines as select unnest(['2011-01-05 10:00', ' 2011-01-05 11:00', "
            "'2011-01-05', '', null, '1294221600', '1294221700', '1294300000', '129422160', "
            "'20110105103000']) as day"
        )
        found = date_heads(connection, "lines", "day")
    assert [(head.text, head.length, head.lines) for head in found] == [
        ("1294000000", 9, 1),
        ("1294000000", 10, 3),
        ("2011-01-05", 10, 1),
        ("2011-01-05", 16, 2),
        ("2011010510", 14, 1),
    ]
    assert found[1].example == "1294221600"
    # Fourteen digits are a day and a time of day, and their day is needed.
    assert set(notations(found[-1])) == {"ymd"}


@pytest.mark.parametrize(
    ("numbers", "mark"),
    [
        (["1.5"], "."),
        (["1,5"], ","),
        (["1.234,5"], ","),
        (["1,234.5"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        ([".125"], "."),
        (["0,125"], ","),
        (["1.2345"], "."),
        (["1234.567"], "."),
        (["1234,567"], ","),
        (["1.500", "1.5"], "."),
        (["1.500", "1,5"], ","),
        (["1 234,50"], ","),
        (["1\u00a0234,50"], ","),
        (["1\u202f234,50"], ","),
        (["1\u2009234.50"], "."),
        (["1'234.50"], "."),
        (["1\u2019234,50"], ","),
        (["\u20ac 1.234,50"], ","),
        (["12,50 \u20ac"], ","),
        (["$12.50"], "."),
        (["(12,50)"], ","),
        (["12,50-"], ","),
        (["-0,5"], ","),
        (["1", "20", None], "."),
    ],
)
def test_the_decimal_mark_is_told_by_numbers_that_leave_no_doubt(numbers, mark):
    assert decide_decimal_mark("a.csv", marks_of(numbers))[0] == mark


def marks_of(*columns):
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        names = [f"column_{place}" for place in range(len(columns))]
        connection.execute(
            "create table numbers as select "
            + ", ".join(f"unnest($1[{place}]) as {name}" for place, name in enumerate(names, 1)),
            [list(columns)],
        )
        return number_marks(connection, "numbers", names)


@pytest.mark.parametrize("number", ["1.500", "1,500", "12.345", "$1,500"])
def test_thousands_or_decimals_is_asked_where_nothing_tells(number):
    with pytest.raises(UnreadableFile, match="a number of thousands or a decimal") as caught:
        decide_decimal_mark("a.csv", marks_of([number, "7"]))
    assert "Say which: VARS='{invoice_format: {decimal_mark: " in str(caught.value)
    for stated in ".,":
        mark, decision = decide_decimal_mark("a.csv", marks_of([number]), stated)
        assert (mark, decision.found) == (stated, "declared")


def test_a_number_of_thousands_in_one_column_is_told_by_another_column():
    assert decide_decimal_mark("a.csv", marks_of(["1.500"], ["1,5"]))[0] == ","


def test_points_and_commas_in_one_file_stop_unless_they_are_typing_errors():
    both = [f"{n}.5" for n in range(60)] + [f"{n},5" for n in range(40)]
    with pytest.raises(UnreadableFile, match="with decimal points and with decimal commas") as said:
        decide_decimal_mark("a.csv", marks_of(both))
    assert "such as '0.5' and '0,5'" in str(said.value)
    few = [f"{n}.5" for n in range(199)] + ["7,5"]
    assert decide_decimal_mark("a.csv", marks_of(few))[0] == "."


@pytest.mark.parametrize(
    ("facts", "name", "kind"),
    [
        # Lines with a discount, with a percent sign, whole numbers, the largest, above the line.
        ((10, 0, 0, 0.25), "discount", "share"),
        ((10, 0, 4, 1.0), "discount", "share"),
        ((10, 0, 10, 1.0), "discount", "money"),
        ((10, 0, 0, 1.01), "discount", "money"),
        ((10, 10, 0, 15.0), "discount", "percent"),
        ((10, 10, 0, 0.5), "discount", "percent"),
        ((10, 9, 0, 15.0), "discount", "money"),
        ((10, 0, 10, 15.0), "Discount %", "percent"),
        ((10, 0, 10, 15.0), "discount_pct", "percent"),
        ((10, 0, 10, 15.0), "LineDiscountPercent", "percent"),
        ((10, 0, 10, 15.0), "rebate", "money"),
        ((10, 0, 10, 100.0, 1), "discount", "percent"),
        ((10, 0, 10, 101.0, 9), "discount", "money"),
        ((10, 0, 4, 1.0, 9), "discount", "share"),
    ],
)
def test_what_the_numbers_of_a_discount_are(facts, name, kind):
    above = facts[4:] or (0,)
    found, decision = decide_discount(name, Discounts(*facts[:4], *above, negative=0, positive=9))
    assert found == kind
    assert decision.matters
    assert decision.lines == 10


def test_what_is_declared_counts_in_files_of_every_kind(tmp_path):
    """A sheet is no matter of text, nor a delimiter one of workbooks; dates are one of both."""
    header = ["Invoice", "Customer", "Date", "Price"]
    (tmp_path / "a.csv").write_text(";".join(header) + "\n1;c1;05/06/2011;1.500\n")
    as_xlsx(tmp_path / "b.xlsx", {"June": [header, ["2", "c2", "06/05/2011", "1.500"]]})
    declared = {"dates": "mdy", "decimal_mark": ",", "sheet": "June", "delimiter": ";"}
    files = land(tmp_path, invoice_format=declared).files
    assert [(file["dates"], file["decimal_mark"]) for file in files] == [("mdy", ",")] * 2


def test_days_in_whole_numbers_of_parquet_are_read(tmp_path):
    """Every type of whole number: eight digits fit into 32 bits too."""
    for number, kind in enumerate(["integer", "bigint", "uinteger"]):
        duckdb.sql(
            f"""
            copy (
                select '1' as Invoice, 'c1' as Customer, 20110105::{kind} as Date, 1.5 as Price
            ) to '{tmp_path}/{number}.parquet' (format parquet)
            """
        )
    assert {file["dates"] for file in land(tmp_path).files} == {"ymd"}
