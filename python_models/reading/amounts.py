"""Decide what the money of a line is: its amount, or price times quantity less a discount."""

import re
from dataclasses import dataclass, replace

from reading.decisions import Decision
from reading.signs import is_negative

# Price x quantity and amount agree if no more than the rounding of each piece lies between.
AGREEING = 0.99
# The amount is what was paid if it is the smaller one in so many of the lines that disagree.
BELOW = 0.9
# Discounts are percent if, as money, more than so many would be above what their lines cost.
ABOVE = 0.05


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
        column = columns["discount"]
        facts = measure_discounts(connection, file.source.relation, column, number)
        if facts.discounted:
            kind, decision = decide_discount(column.name, facts)
            decisions += [decision, *say_signs(facts)]
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


@dataclass(frozen=True)
class Discounts:
    """What stands in a column of discounts.

    Attributes
    ----------
    discounted, percents, whole : int
        Lines with a discount, those written with a percent sign, those that are whole numbers.
    largest : float
        Without its sign.
    above : int
        Lines in which it is more than price times quantity, if it is money.
    negative, positive : int
        Lines with a negative and a positive discount, without those that are negative themselves.
    """

    discounted: int
    percents: int
    whole: int
    largest: float | None
    above: int
    negative: int
    positive: int


def measure_discounts(connection, relation, column, number):
    """Count lines by their discounts.

    Parameters
    ----------
    connection : DuckDBPyConnection
    relation : str
    column : reading.decisions.Column
        Of the discounts.
    number : dict of str to str
        Expressions of numbers by our names.

    Returns
    -------
    Discounts
    """
    is_minus = is_negative("written", {"written": column.type})
    return Discounts(
        *connection.execute(
            f"""
            with lines as (
                select
                    {column.sql} as written,
                    {number["discount"]} as discount,
                    {number.get("quantity", "1.0")} as quantity,
                    {number["unit_price"]} as unit_price
                from {relation}
            )

            select
                count(*),
                count(*) filter (where contains(cast(written as varchar), '%')),
                count(*) filter (where discount = round(discount)),
                max(abs(discount)),
                count(*) filter (
                    where unit_price <> 0 and abs(discount) > abs(quantity * unit_price) + 0.01
                ),
                count(*) filter (where quantity > 0 and unit_price > 0 and {is_minus}),
                count(*) filter (where quantity > 0 and unit_price > 0 and not {is_minus})
            from lines
            where discount <> 0
            """
        ).fetchone()
    )


def decide_discount(name, facts):
    """Decide what the numbers in a column of discounts are.

    Parameters
    ----------
    name : str
        Of the column.
    facts : Discounts

    Returns
    -------
    kind : str
        share, percent or money.
    decision : Decision
    """
    largest, discounted = facts.largest, facts.discounted
    runner_up, evidence = None, f"in {discounted:,} lines"
    if facts.percents == discounted or re.search("percent|pct|%", name.lower()):
        kind, said = "percent", f"percent, at most {largest:g}"
    elif largest <= 1 and facts.whole < discounted:
        kind, said, runner_up = "share", f"shares of the price, at most {largest:g}", "money"
    elif largest <= 100 and facts.above > ABOVE * discounted:
        kind, said, runner_up = "percent", f"percent, at most {largest:g}", "money"
        evidence += f"; as money, {facts.above:,} would be more than the line costs"
    else:
        kind, said, runner_up = "money", f"money off the line, at most {largest:g}", "share"
        if facts.above:
            evidence += f"; in {facts.above:,} more than the line costs, so they are returns"
    if facts.negative and not facts.positive:
        evidence += "; written as negative numbers"
    return kind, Decision(
        "discounts",
        said,
        evidence=evidence,
        lines=discounted,
        runner_up=runner_up,
        setting="{invoice_columns: {discount: null}}",
        matters=True,
    )


def say_signs(facts):
    """Say that discounts of both signs are taken off, if there are both."""
    if not (facts.negative and facts.positive):
        return []
    return [
        Decision(
            "discounts of both signs",
            "all are taken off the price",
            "default",
            evidence=f"{facts.positive:,} sales have a positive one, {facts.negative:,} a negative "
            "one, which can be a surcharge",
            lines=min(facts.positive, facts.negative),
            runner_up="added to the price",
            setting="{invoice_columns: {discount: null}}",
            matters=True,
        )
    ]


def rough_number(column, kind, mark):
    """Write an expression for about the number that stands in a column: only to count by."""
    if kind != "VARCHAR":
        return f"cast({column} as double)"
    digits = f"replace(regexp_replace({column}, '[^0-9{mark}]', '', 'g'), ',', '.')"
    sign = f"case when {is_negative(column, {column: kind})} then '-' else '' end"
    return f"try_cast({sign} || {digits} as double)"
