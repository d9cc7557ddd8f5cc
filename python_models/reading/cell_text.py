"""Reads the cells of a sheet as text: DuckDB reads the values, the layout says what they mean.

Limits: dates before March 1900 are a day late, since Excel counts a 29 February 1900. Numbers have
15 significant digits, as in Excel, and at most 20 decimals. A formula without a stored value is
empty.
"""

import base64
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree

import duckdb

from reading.sheet_xml import DATE, ISO_DATE, NO_TEXT, NUMBER, TEXT, TRUTH, Layout, column_letters
from reading.sql import sql_text

# A single cell far to the right would make DuckDB hold thousands of columns in memory.
MOST_COLUMNS = 1_000
# Excel's last day is 9999-12-31. The 1904 calendar of some workbooks begins this many days later.
LAST_DAY = 2958465
DAYS_TO_1904 = 1462

# Built-in formats of dates and times, with those of East Asian calendars.
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
# Parts of a number format that are shown as they are, or choose a colour, currency or condition.
SHOWN_AS_IS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|General|Standard', re.I)


def date_styles(book):
    """Find the styles of cells that show a number as a date or a time.

    Parameters
    ----------
    book : zipfile.ZipFile

    Returns
    -------
    set of int
        The numbers by which cells refer to them.
    """
    if "xl/styles.xml" not in book.namelist():
        return set()
    formats, styles = {}, set()
    for element in ElementTree.fromstring(book.read("xl/styles.xml")):
        if element.tag.endswith("}numFmts"):
            formats = {one.get("numFmtId"): one.get("formatCode", "") for one in element}
        elif element.tag.endswith("}cellXfs"):
            for number, style in enumerate(element):
                identifier = style.get("numFmtId", "0")
                code = formats.get(identifier)
                if int(identifier) in DATE_FORMATS if code is None else is_date_format(code):
                    styles.add(number)
    return styles


def is_date_format(code):
    """Tell whether a number format shows dates or times.

    Parameters
    ----------
    code : str
        Such as ``dd/mm/yyyy`` or ``[Red]0.00 "days"``.

    Returns
    -------
    bool
    """
    return bool(re.search("[ymdhs]", SHOWN_AS_IS.sub("", code).split(";")[0], re.I))


@dataclass(frozen=True)
class SheetReader:
    """Selects the cells of a sheet as text, each by its kind in the layout.

    Methods take rows as the first and the last number, from 1, and a column as its number, from 0.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
    path, sheet : str
    layout : Layout
    from_1904 : bool
    """

    connection: duckdb.DuckDBPyConnection
    path: str
    sheet: str
    layout: Layout
    from_1904: bool

    @cached_property
    def width(self):
        """Number of columns that are read."""
        return min(self.layout.width(), MOST_COLUMNS)

    def relation(self, first, last):
        """Write what follows FROM, with the columns ``sheet_row``, ``c0``, ``c1`` and so on.

        It has no rows where the last one is before the first.
        """
        names = ", ".join(f"c{number}" for number in range(self.width))
        cells = f"A{first}:{column_letters(self.width - 1)}{max(first, last)}"
        # In a path, the reader takes [, * and ? for a pattern.
        path = re.sub(r"([*?\[])", r"[\1]", str(self.path))
        # The reader gives rows in order, from one thread at a time, whatever the settings are.
        return (
            f"(select *, row_number() over () + {first - 1} as sheet_row from read_xlsx("
            f"{sql_text(path)}, sheet = {sql_text(self.sheet)}, range = '{cells}', header = false, "
            f"all_varchar = true, stop_at_empty = false) as cells ({names})"
            f"{' limit 0' if last < first else ''}) as sheet"
        )

    def rows(self, first, last):
        """Read the values of these rows: a tuple for each row, even an empty one."""
        filled = self.layout.count(*self.layout.between(first, last))
        values = ", ".join(
            self.expression(column, first, last) if column in filled else "null"
            for column in range(self.width)
        )
        # A limit ends the reader early. The end of a range does not, and ORDER BY would prevent it.
        relation = self.relation(first, max(last, self.layout.numbers[-1]))
        rows = self.connection.execute(
            f"select sheet_row, {values} from {relation} limit {last - first + 1}"
        ).fetchall()
        return [row[1:] for row in sorted(rows, key=lambda row: row[0])]

    def expression(self, column, first, last):
        """Write SQL for the plain text of a column in these rows."""
        raw = f"c{column}"
        begin, end = self.layout.between(first, last)
        count = self.layout.count(begin, end).get(column, Counter())
        usual = max(count, key=count.get, default=TEXT)
        cases = [
            f"when {self.is_a(other, column, first, begin, end)} then {self.plain(other, raw)}"
            for other in sorted(count)
            if other != usual
        ]
        plain = self.plain(usual, raw)
        return f"case {' '.join(cases)} else {plain} end" if cases else plain

    def is_a(self, wanted, column, first, begin, end):
        """Write SQL that tells whether a cell is of a kind, from a text with one bit per row."""
        fitting = [row.get(column) == wanted for row in self.layout.rows]
        bits = bytearray((self.layout.numbers[end - 1] - first) // 8 + 1)
        for place in range(begin, end):
            if fitting[self.layout.kinds[place]]:
                offset = self.layout.numbers[place] - first
                bits[offset // 8] |= 128 >> offset % 8
        text = base64.b64encode(bits).decode()
        return f"get_bit(cast(from_base64('{text}') as bit), cast(sheet_row - {first} as int)) = 1"

    def plain(self, kind, raw):
        """Write SQL for the plain text of a cell whose kind is known."""
        if kind == NO_TEXT:
            return "cast(null as varchar)"
        if kind == NUMBER:
            return number_sql(raw)
        if kind == DATE:
            return date_sql(raw, self.from_1904)
        if kind == TRUTH:
            return f"case {raw} when '1' then 'TRUE' when '0' then 'FALSE' else upper({raw}) end"
        return iso_sql(raw) if kind == ISO_DATE else text_sql(raw)


def text_sql(raw):
    """Write SQL for a text without Excel's escapes; null where it is empty."""
    # An escaped underscore is set apart first, so that it never begins another escape.
    apart = "'_' || chr(57344)"
    plain = f"replace({raw}, '_x005F_', {apart})"
    for escape, code in (("000D", 13), ("000A", 10), ("0009", 9)):
        plain = f"replace({plain}, '_x{escape}_', chr({code}))"
    plain = f"replace({plain}, {apart}, '_')"
    return f"nullif(case when contains({raw}, '_x00') then {plain} else {raw} end, '')"


def double_sql(raw):
    """Write SQL for a text as a DOUBLE; a cast alone would take 1_000 for a thousand."""
    return f"try_cast(replace({raw}, '_', 'x') as double)"


def number_sql(raw):
    """Write SQL for a number in digits: 15 of them, as in Excel, or all if it is whole."""
    whole = f"regexp_replace(trim({raw}), '[.]0+$', '')"
    short = f"format('{{:.15g}}', {double_sql(raw)})"
    # Zeros after the point mean nothing. A number without a point keeps its zeros.
    wide = f"rtrim(rtrim(cast(try_cast({short} as decimal(38, 20)) as varchar), '0'), '.')"
    huge = f"cast(try_cast({short} as decimal(38, 0)) as varchar)"
    return (
        f"case when regexp_full_match({whole}, '-?[0-9]+') then {whole} "
        f"when regexp_matches({short}, '^-?[0-9]+([.][0-9]+)?$') then {short} "
        f"else coalesce({wide}, {huge}, {raw}) end"
    )


def date_sql(raw, from_1904):
    """Write SQL for the timestamp of a number of days, or the time alone if it has no day."""
    first_day = "1904-01-01" if from_1904 else "1899-12-30"
    last_day = LAST_DAY - (DAYS_TO_1904 if from_1904 else 0)
    days = double_sql(raw)
    seconds = f"round({days} * 86400)"
    moment = f"timestamp '{first_day}' + to_seconds(cast({seconds} as bigint))"
    return (
        f"case when {days} >= 0 and {seconds} < 86400 "
        f"then strftime({moment}, '%H:%M:%S') "
        f"when {days} > 0 and {seconds} < {(last_day + 1) * 86400} "
        f"then cast({moment} as varchar) else {number_sql(raw)} end"
    )


def iso_sql(raw):
    """Write SQL for a date that is written as one."""
    return f"coalesce(cast(try_cast({raw} as timestamp) as varchar), {raw})"
