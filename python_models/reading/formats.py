"""Find how the dates and numbers of a source are written, from all of its lines."""

import re
from dataclasses import dataclass
from datetime import date

from reading.decisions import Decision, UnreadableFile

# Notations that a source can have one of; ISO days and names of months are read beside each.
DATES = {
    "iso": "year-month-day",
    "dmy": "day/month/year",
    "mdy": "month/day/year",
    "yymd": "year/month/day with two digits for the year",
    "ymd": "eight digits, year first",
    "serial": "days since the end of 1899, as spreadsheets count them",
    "epoch_s": "seconds since 1970",
    "epoch_ms": "milliseconds since 1970",
}
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# The most different beginnings of dates that are looked at.
MOST_HEADS = 50_000
# A notation with the year first counts against the others, or they against it, if it makes so many
# times less time of the days.
CLEARLY_SHORTER = 4

TEXTS = ("quantity", "unit_price", "line_amount", "discount", "unit_cost")


@dataclass(frozen=True)
class Head:
    """Dates of a source that begin alike.

    Attributes
    ----------
    text : str
        The first ten characters.
    length : int
        Characters of the whole.
    lines : int
    example : str
    """

    text: str
    length: int
    lines: int
    example: str


def date_heads(connection, relation, column):
    """Gather the beginnings of the dates in a column of text.

    Parameters
    ----------
    connection : DuckDBPyConnection
    relation : str
        What stands behind FROM.
    column : str
        An expression of type VARCHAR.

    Returns
    -------
    list of Head
    """
    # Exports put an apostrophe before what a spreadsheet is not to change.
    text = f"ltrim(trim({column}), ' ''')"
    return [
        Head(*row)
        for row in connection.execute(
            f"""
            with heads as (
                select
                    left({text}, 10) as head,
                    length({text}) as length,
                    count(*) as lines,
                    min({text}) as example
                from {relation}
                where {text} <> ''
                group by all
            )

            select
                -- Moments in digits alone differ in nearly every line.
                case
                    when length <> 14 and regexp_full_match(head, '[0-9]{{9,10}}')
                        then left(head, 4) || '000000'
                    else head
                end,
                length,
                cast(sum(lines) as bigint),
                min(example)
            from heads
            group by all
            order by 1, 2
            limit {MOST_HEADS}
            """
        ).fetchall()
    ]


def notations(head):
    """Which notations a date can be in, with the day that each makes of it.

    Parameters
    ----------
    head : Head

    Returns
    -------
    dict of str to datetime.date or None
        By notation; None where the day is not needed to tell notations apart.
    """
    text = head.text
    if re.match(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", text):
        return {"iso": None}
    if text.isdigit():
        found = {}
        if len(text) == 8 == head.length or head.length == 14:
            found["ymd"] = day(text[:4], text[4:6], text[6:8])
        found = {notation: made for notation, made in found.items() if made}
        if head.length == 10:
            found["epoch_s"] = None
        elif head.length == 13:
            found["epoch_ms"] = None
        elif len(text) == 5:
            found["serial"] = None
        return found
    if re.match(r"\d{5}[.,]\d", text):
        return {"serial": None}
    numbers = re.match(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?!\d)", text)
    if numbers:
        first, second, third = numbers.groups()
        year = third if len(third) == 4 else "20" + third
        found = {"dmy": day(year, second, first), "mdy": day(year, first, second)}
        if len(third) == 2:
            found["yymd"] = day("20" + first, second, third)
        return {notation: made for notation, made in found.items() if made}
    if re.search(MONTHS, text, re.IGNORECASE):
        return {"named": None}
    return {}


def day(year, month, of_month):
    """Make a day of three texts; None where it is none."""
    try:
        return date(int(year), int(month), int(of_month))
    except ValueError:
        return None


def decide_dates(name, heads, stated=None):
    """Decide how the dates of a source are written.

    Parameters
    ----------
    name : str
        Of the source.
    heads : list of Head
    stated : str, optional
        What the user says.

    Returns
    -------
    notation : str
        One of ``DATES``.
    decision : Decision

    Raises
    ------
    UnreadableFile
        If none can be read, or days and months can't be told apart.
    """
    question, setting = "dates", "{invoice_format: {dates: dmy}}"
    if stated:
        return stated, Decision(question, DATES[stated], "declared")
    lines = sum(head.lines for head in heads)
    if not lines:
        return "iso", Decision(question, DATES["iso"], "default", evidence="there are none")
    fits, days, beside = {}, {}, {}
    for head in heads:
        possible = notations(head)
        for notation, made in possible.items():
            if notation in ("iso", "named"):
                beside[notation] = beside.get(notation, 0) + head.lines
                continue
            fits[notation] = fits.get(notation, 0) + head.lines
            if made:
                first, last = days.get(notation, (made, made))
                days[notation] = min(first, made), max(last, made)
    read_anyway = sum(beside.values())
    if not fits:
        if not read_anyway:
            raise UnreadableFile(
                f"{name}: no date can be read, the first is '{heads[0].example}'. Is it the right "
                "column? VARS='{invoice_columns: {invoiced_at: your column}}'"
            )
        answer = DATES["iso"] if "iso" in beside else "names of months"
        return "iso", Decision(
            question, answer, evidence=f"in {read_anyway:,} of {lines:,} lines", setting=setting
        )
    most = max(fits.values())
    best = sorted(notation for notation, count in fits.items() if count == most)
    example = next(head.example for head in heads if best[0] in notations(head))
    if len(best) > 1 and most + read_anyway < lines:
        raise UnreadableFile(in_several_ways(name, example))
    tied = best
    if len(best) > 1:
        best = plausible(best, days)
    if len(best) > 1:
        told = " or ".join(DATES[notation] for notation in best)
        both = "Both fit" if len(best) == 2 else "All fit"
        raise UnreadableFile(
            f"{name}: are dates such as '{example}' {told}? {both} every line. Say which: "
            f"VARS='{{invoice_format: {{dates: {best[0]}}}}}' or {', '.join(best[1:])}"
        )
    (notation,) = best
    rivals = {
        other: count
        for other, count in fits.items()
        if other != notation and count_only(heads, other, notation)
    }
    unread = lines - most - read_anyway
    runner_up = max(rivals, key=rivals.get) if rivals else None
    if len(tied) > 1:
        runner_up = next(other for other in tied if other != notation)
    if runner_up and {notation, runner_up} == {"dmy", "mdy"} and unread > 0.01 * lines:
        raise UnreadableFile(in_several_ways(name, example))
    evidence = f"in {most:,} of {lines:,} lines"
    if len(tied) > 1:
        evidence += f"; {DATES[runner_up]} fits too, but spans far more time"
    for other, count in beside.items():
        kind = "names of months" if other == "named" else DATES[other]
        evidence += f"; {kind} in {count:,}, read as they are"
    return notation, Decision(
        question,
        DATES[notation],
        evidence=evidence,
        runner_up=runner_up and DATES[runner_up],
        setting=setting,
        matters=bool(beside) or len(tied) > 1,
    )


def in_several_ways(name, example):
    """Say that a source writes dates in more than one way, and what to do."""
    others = ", ".join(other for other in DATES if other != "dmy")
    return (
        f"{name}: dates such as '{example}' are written in more than one way. Say which counts: "
        f"VARS='{{invoice_format: {{dates: dmy}}}}', or {others}"
    )


def count_only(heads, notation, other):
    """Lines that fit one notation and not the other."""
    return sum(
        head.lines
        for head in heads
        if notation in (fitting := notations(head)) and other not in fitting
    )


def plausible(best, days):
    """Leave out notations that make far too long a time of the days.

    A year of two digits that is taken for a day, or the other way round, spreads a shop over a
    generation. Days and months can't be told apart so: a shop can sell on the sixth of each month.

    Parameters
    ----------
    best : list of str
        Notations that fit equally.
    days : dict of str to (date, date)
        The first and the last day that each makes.

    Returns
    -------
    list of str
    """
    spans = {name: (days[name][1] - days[name][0]).days for name in best if name in days}
    year_first = spans.pop("yymd", None)
    if year_first is None or not spans:
        return best
    if year_first >= CLEARLY_SHORTER * max(*spans.values(), 30):
        return list(spans)
    if min(spans.values()) >= CLEARLY_SHORTER * max(year_first, 30):
        return ["yymd"]
    return best


def number_marks(connection, relation, columns):
    """Count what speaks for a point and for a comma as the decimal mark.

    Parameters
    ----------
    connection : DuckDBPyConnection
    relation : str
    columns : list of str
        Expressions of type VARCHAR.

    Returns
    -------
    dict of str to (int, str or None)
        Different values and an example of each kind: ``point`` and ``comma`` for values that show
        which mark is the decimal one, ``point_or_thousands`` and ``comma_or_thousands`` for values
        that show neither.
    """
    texts = " union ".join(
        f"select distinct {column} as value from {relation} where {column} is not null"
        for column in columns
    )
    rows = connection.execute(
        f"""
        with written as ({texts}),

        marked as (
            select distinct rtrim(
                regexp_extract(value, '[0-9.,][0-9., ''\u2019\u00a0\u202f\u2009]*'),
                ' ,.''\u2019\u00a0\u202f\u2009'
            ) as value
            from written
        ),

        judged as (
            select
                value,
                case
                    when value like '%.%' and value like '%,%'
                        then if(regexp_matches(value, ',[^.]*$'), 'comma', 'point')
                    when value like '%.%.%' then 'comma'
                    when value like '%,%,%' then 'point'
                    when regexp_matches(value, '^0?[.][0-9]') then 'point'
                    when regexp_matches(value, '^0?,[0-9]') then 'comma'
                    when regexp_matches(value, '[.]([0-9]{{1,2}}|[0-9]{{4,}})$') then 'point'
                    when regexp_matches(value, ',([0-9]{{1,2}}|[0-9]{{4,}})$') then 'comma'
                    when regexp_matches(value, '[0-9]{{4,}}[.][0-9]{{3}}$') then 'point'
                    when regexp_matches(value, '[0-9]{{4,}},[0-9]{{3}}$') then 'comma'
                    when regexp_matches(value, '[.][0-9]{{3}}$') then 'point_or_thousands'
                    when regexp_matches(value, ',[0-9]{{3}}$') then 'comma_or_thousands'
                end as kind
            from marked
        )

        select kind, count(*), min(value)
        from judged
        where kind is not null
        group by kind
        """
    ).fetchall()
    return {kind: (count, example) for kind, count, example in rows}


def decide_decimal_mark(name, marks, stated=None):
    """Decide which mark stands before decimals.

    Parameters
    ----------
    name : str
        Of the source.
    marks : dict of str to (int, str)
        As ``number_marks`` gives them.
    stated : str, optional
        ``.`` or ``,``, if the user says.

    Returns
    -------
    mark : str
    decision : Decision

    Raises
    ------
    UnreadableFile
        If both are used, or if nothing tells a decimal mark from one of thousands.
    """
    setting = "{invoice_format: {decimal_mark: ','}}"
    words = {".": "point", ",": "comma"}
    question = "decimal mark"
    if stated:
        return stated, Decision(question, words[stated], "declared")
    which = 'Say which: VARS=\'{invoice_format: {decimal_mark: "."}}\' or ","'
    (points, point), (commas, comma) = (marks.get(kind, (0, None)) for kind in ("point", "comma"))
    if points and commas and min(points, commas) > 0.01 * (points + commas):
        raise UnreadableFile(
            f"{name}: numbers are written with decimal points and with decimal commas, such as "
            f"'{point}' and '{comma}'. {which.replace('which', 'which counts', 1)}"
        )
    if points or commas:
        mark = "," if commas > points else "."
        _, example = marks["comma" if commas > points else "point"]
        return mark, Decision(
            question, words[mark], evidence=f"by numbers such as {example}", setting=setting
        )
    for kind, shown in (
        ("point_or_thousands", "a decimal point"),
        ("comma_or_thousands", "a decimal comma"),
    ):
        if kind in marks:
            raise UnreadableFile(
                f"{name}: is '{marks[kind][1]}' a number of thousands or {shown}? Nothing in the "
                f"file tells. {which}"
            )
    return ".", Decision(question, "point", "default", evidence="no number has decimals")
