"""When a shop lives: the query of the macro ``days_of_life``, on shops unlike each other."""

import random
from datetime import date, timedelta

import duckdb
import jinja2
import pytest
from conftest import PROJECT

MACROS = PROJECT / "macros" / "lines" / "life.sql"
END = date(2023, 12, 29)


def life(days):
    """First and last day, the first day left out after them, and how many lines were.

    ``days`` are days of orders with their lines: ``(day, orders, lines of each)``, or days of one
    order of one line.
    """
    lines, number = [], 0
    for told in days:
        day, orders, each = told if isinstance(told, tuple) else (told, 1, 1)
        for _ in range(orders):
            number += 1
            lines += [(day, f"i{number}")] * each
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["setting"] = {"longest_pause_days": 730}.get
    macros = environment.from_string(MACROS.read_text()).module
    with duckdb.connect() as connection:
        connection.execute(
            "create table lines as select unnest(?::date[]) happened_at, unnest(?) invoice_id",
            [*map(list, zip(*lines, strict=True))],
        )
        return connection.execute(
            macros.days_of_life("lines", "happened_at", "invoice_id")
        ).fetchone()


def every(step, first, last, *, orders=2, lines=2):
    """A shop with orders every so many days."""
    count = (last - first).days // step
    return [(first + timedelta(step * place), orders, lines) for place in range(count + 1)]


def december(year):
    """A shop that opens for one month."""
    return every(1, date(year, 12, 1), date(year, 12, 24))


def chance(first, last, share):
    """A shop with orders on some days, drawn the same way every time."""
    drawn = random.Random(1)
    days = [first + timedelta(place) for place in range((last - first).days)]
    return [day for day in days if drawn.random() < share] + [last]


DAILY = every(1, date(2022, 1, 3), END)
KEPT = {
    "daily": DAILY,
    "weekly": every(7, date(2022, 1, 7), END),
    "now and then": chance(date(2022, 1, 1), END, 0.08),
    "twelve orders in all": every(30, date(2023, 1, 1), date(2023, 11, 27), orders=1, lines=1),
    "twelve orders, the last one late": [*every(20, date(2023, 1, 1), date(2023, 7, 20)), END],
    "december, and the first order of the next": [
        *december(2021),
        *december(2022),
        date(2023, 12, 1),
    ],
    "closed in august, one order since": [
        *every(1, date(2022, 1, 1), date(2022, 7, 31)),
        *every(1, date(2022, 9, 1), date(2023, 7, 31)),
        date(2023, 9, 1),
    ],
    "reopened after half a year with three orders": [*DAILY, (END + timedelta(180), 3, 1)],
    "four weeks of holidays": [*DAILY, END + timedelta(28)],
}


@pytest.mark.parametrize("name", KEPT)
def test_what_fits_the_habit_of_a_shop_is_kept(name):
    days = [told[0] if isinstance(told, tuple) else told for told in KEPT[name]]
    assert life(KEPT[name]) == (min(days), max(days), None, 0)


@pytest.mark.parametrize(
    ("name", "late", "lines"),
    [
        ("a year typed too high", [END + timedelta(366)], 1),
        ("an order of many lines", [(END + timedelta(366), 1, 40)], 40),
        ("two of them", [END + timedelta(70), END + timedelta(300)], 2),
        ("five weeks", [END + timedelta(29)], 1),
        (
            "two, and one a century later",
            [END + timedelta(70), END + timedelta(300), date(2123, 1, 5)],
            3,
        ),
    ],
)
def test_one_or_two_orders_that_stand_alone_are_left_out(name, late, lines):
    first = late[0][0] if isinstance(late[0], tuple) else late[0]
    assert life([*DAILY, *late]) == (date(2022, 1, 3), END, first, lines)


def test_a_pause_of_years_ago_is_no_habit():
    days = [*every(1, date(2020, 1, 1), date(2021, 6, 30)), *DAILY]
    assert life([*days, END + timedelta(366)])[1:] == (END, END + timedelta(366), 1)


def test_a_shop_that_comes_back_after_years_keeps_both_lives():
    old = every(1, date(2010, 1, 1), date(2014, 12, 31))
    assert life([*old, *every(1, date(2022, 1, 3), END)])[:2] == (date(2010, 1, 1), END)
    # Of thirty days or of three and a hundredth of the lines, a life counts; a shorter one is told.
    month = every(1, date(2022, 1, 1), date(2022, 1, 30), orders=1, lines=1)
    assert life([*old, *month])[1] == date(2022, 1, 30)
    assert life([*old, *month[:29]]) == (date(2010, 1, 1), old[-1][0], date(2022, 1, 1), 29)
    three = every(1, date(2022, 1, 1), date(2022, 1, 3), orders=30)
    assert life([*old, *three])[1] == date(2022, 1, 3)
    assert life([*old, *three[:2]])[1] == old[-1][0]


def test_default_dates_are_no_life_however_many():
    lines = [(date(1970, 1, 1), 3000, 1), *DAILY, (date(9999, 12, 31), 3000, 1)]
    assert life(lines) == (date(2022, 1, 3), END, date(9999, 12, 31), 3000)


def test_without_a_life_most_lines_decide():
    assert life([date(2001, 1, 1), (date(2011, 1, 1), 2, 1)])[:2] == (date(2011, 1, 1),) * 2
    assert life([date(2001, 1, 1), date(2011, 1, 1)])[:2] == (date(2001, 1, 1),) * 2


def test_lines_that_move_nothing_are_not_left_out():
    """A return is no order, so it can come long after the last sale."""
    environment = jinja2.Environment()
    environment.globals["setting"] = {"longest_pause_days": 730}.get
    query = environment.from_string(MACROS.read_text()).module.days_of_life(
        "lines", "happened_at", "case when quantity > 0 then invoice_id end"
    )
    sold = """
        select day as happened_at, 'i' || day as invoice_id, 1 as quantity
        from unnest(generate_series(date '2023-01-01', date '2023-12-29', interval 1 day)) t (day)
    """
    back = "select date '2024-03-01', 'C1', -1"
    found = duckdb.execute(f"with lines as ({sold} union all {back}) select * from ({query})")
    assert found.fetchone()[1] == date(2024, 3, 1)
