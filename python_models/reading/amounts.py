"""Decide what the money of a line is: its amount, or price times quantity less a discount."""

import re
from dataclasses import replace

from reading.decisions import Decision

# Price x quantity and amount agree if no more than the rounding of each piece lies between.
AGREEING = 0.99
# The amount is what was paid if it is the smaller one in so many of the lines that disagree.
BELOW = 0.9


def decide_money(connection, file, stated):
    """Decide what the money of a line is.

    Parameters
    ----------
    connection : DuckDBPyConnection
    file : reading.lines.File
        With its decimal mark.
    stated : dict of str to str
        The source's names by ours, as far as the user says.

    Returns
    -------
    reading.lines.File
        With ``is_line_amount_paid``, ``discount_kind`` and what was decided.
    """
    columns = file.columns
    if file.source.preset:
        # What was paid is worked out when the rows of a known export are read.
        return replace(file, is_line_amount_paid="line_amount" in columns)
    number = {
        ours: rough_number(column.sql, column.type, file.decimal_mark)
        for ours, column in columns.items()
        if ours in ("quantity", "unit_price", "line_amount", "discount")
    }
    is_paid, kind, decisions = "line_amount" in columns, None, list(file.decisions)
    if is_paid and "unit_price" in columns:
        is_stated = columns["line_amount"].name == stated.get("line_amount")
        figures = compare_amounts(connection, file.source.relation, number)
        if figures:
            is_paid, decision = decide_amount(columns["line_amount"].name, is_stated, *figures)
            decisions.append(decision)
    if "discount" in columns and not is_paid:
        column, relation = columns["discount"], file.source.relation
        facts = measure_discounts(connection, relation, column.sql, number["discount"])
        if facts[0]:
            kind, decision = decide_discount(column.name, *facts)
            decisions.append(decision)
    return replace(file, is_line_amount_paid=is_paid, discount_kind=kind, decisions=decisions)


def decide_amount(name, is_stated, lines, agreeing, below, by_price, amount):
    """Decide whether amounts beside prices are what was paid.

    Parameters
    ----------
    name : str
        Of the column of amounts.
    is_stated : bool
        Whether the user says that it is the amount.
    lines, agreeing, below : int
        Lines with both; those in which they agree; those in which the amount is smaller.
    by_price, amount : float
        Sums of price times quantity, and of amounts.

    Returns
    -------
    is_paid : bool
    decision : Decision
    """
    disagreeing = lines - agreeing
    is_paid = is_stated or below >= BELOW * disagreeing
    answers = [f"the amount in {name}", "price x quantity"]
    answer, runner_up = answers if is_paid else answers[::-1]
    return is_paid, Decision(
        "money of a line",
        answer,
        "declared" if is_stated else "recognised",
        evidence=f"price x quantity is {by_price:,.2f}, amounts are {amount:,.2f}; they agree in "
        f"{agreeing:,} of {lines:,} lines",
        lines=disagreeing,
        runner_up=runner_up,
        setting="{invoice_columns: {line_amount: null}}",
        matters=agreeing < AGREEING * lines,
    )


def compare_amounts(connection, relation, number):
    """Hold price times quantity against the amount; None where no line has both."""
    quantity = number.get("quantity", "1.0")
    lines, *figures = connection.execute(
        f"""
        with written as (
            select
                {quantity} as quantity,
                {quantity} * {number["unit_price"]} as by_price,
                {number["line_amount"]} as amount
            from {relation}
        ),

        compared as (
            select
                by_price,
                amount,
                abs(abs(by_price) - abs(amount)) <= 0.011 + 0.005 * abs(quantity) as agrees,
                abs(amount) < abs(by_price) as is_below
            from written
            where by_price is not null and amount is not null
        )

        select
            count(*),
            count(*) filter (where agrees),
            count(*) filter (where not agrees and is_below),
            sum(by_price),
            sum(amount)
        from compared
        """
    ).fetchone()
    return (lines, *figures) if lines else None


def measure_discounts(connection, relation, column, discount):
    """Count lines with a discount, with a percent sign, with a whole number; find the largest."""
    return connection.execute(
        f"""
        select
            count(*),
            count(*) filter (where contains(cast({column} as varchar), '%')),
            count(*) filter (where {discount} = round({discount})),
            max(abs({discount}))
        from {relation}
        where {discount} <> 0
        """
    ).fetchone()


def decide_discount(name, discounted, percents, whole, largest):
    """Decide what the numbers in a column of discounts are.

    Parameters
    ----------
    name : str
        Of the column.
    discounted, percents, whole : int
        Lines with a discount, those written with a percent sign, those that are whole numbers.
    largest : float

    Returns
    -------
    kind : str
        share, percent or money.
    decision : Decision
    """
    runner_up = None
    if percents == discounted or re.search("percent|pct|%", name.lower()):
        kind, said = "percent", f"percent, at most {largest:g}"
    elif largest <= 1 and whole < discounted:
        kind, said, runner_up = "share", f"shares of the price, at most {largest:g}", "money"
    else:
        kind, said, runner_up = "money", f"money off the line, at most {largest:g}", "share"
    return kind, Decision(
        "discounts",
        said,
        evidence=f"in {discounted:,} lines",
        lines=discounted,
        runner_up=runner_up,
        setting="{invoice_columns: {discount: null}}",
        matters=True,
    )


def rough_number(column, kind, mark):
    """Write an expression for about the number that stands in a column: only to count by."""
    if kind != "VARCHAR":
        return f"cast({column} as double)"
    digits = f"regexp_replace({column}, '[^0-9{mark}-]', '', 'g')"
    return f"try_cast(replace({digits}, ',', '.') as double)"
