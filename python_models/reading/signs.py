"""Decide what marks money that comes back: prefixes of invoices, and codes that are money off."""

from reading.decisions import Decision, tell_values
from reading.files import LANDED_LINES

# At least so many of an invoice prefix's lines must be negative for it to mark returns.
BORNE_OUT = 0.5
# At least so many lines of a code must stand beside sold goods for it to be a discount on them.
BESIDE_SALES = 0.9


def is_negative(column, types):
    """Write a condition: a number is written as negative, in any of the usual ways."""
    if types[column] == "VARCHAR":
        # A case, since an expression would look for the pattern in every line.
        return (
            f"case when contains({column}, '-') or contains({column}, '(') "
            f"or contains({column}, '\u2212') "
            f"then regexp_matches({column}, '^[^0-9]*[-(\u2212]|[-)\u2212][^0-9]*$') else false end"
        )
    return f"coalesce({column} < 0, false)"


def is_negative_line(types):
    """Write a condition: the quantity, the price or the amount of a line is negative."""
    parts = [is_negative(column, types) for column in ("quantity", "unit_price", "line_amount")]
    return f"({' or '.join(parts)})"


def decide_cancellations(shop):
    """Decide which prefix of an invoice's number marks a return."""
    stated = shop.settings["cancellation_prefix"]
    question = "cancellation prefix"
    if stated != "auto":
        shop.cancellation_prefix = stated or None
        return [Decision(question, stated or "none", "declared")]
    lines, negative = shop.connection.execute(
        f"""
        select count(*), count(*) filter (where {is_negative_line(shop.types)})
        from {LANDED_LINES}
        where upper(left(cast(invoice_id as varchar), 1)) = 'C'
        """
    ).fetchone()
    if not lines:
        return [Decision(question, "none", evidence="no invoice number begins with C")]
    evidence = f"{negative:,} of {lines:,} lines on invoices that begin with C are negative"
    if negative >= BORNE_OUT * lines:
        shop.cancellation_prefix = "C"
        return [
            Decision(
                question,
                "C",
                evidence=evidence,
                lines=lines,
                runner_up="none",
                setting="{cancellation_prefix: null}",
            ),
        ]
    return [
        Decision(
            question,
            "none",
            evidence=f"{evidence}, so they are sales",
            lines=lines,
            runner_up="C",
            setting="{cancellation_prefix: C}",
            # A known export has its own way to mark returns.
            matters=not shop.is_known_export(),
        ),
    ]


def decide_discount_lines(shop):
    """Find codes that are money off the goods beside them: never sold, always negative.

    A code that is only ever negative can also be that of goods whose sale is older than the file;
    those come back on invoices of their own.
    """
    if not shop.has("product_id"):
        return []
    shop.connection.execute(
        f"""
        create or replace temp table negative_lines as
        select
            cast(product_id as varchar) as product_id,
            cast(invoice_id as varchar) as invoice_id
        from {LANDED_LINES}
        where
            malformed_reason is null
            and product_id is not null
            and {is_negative_line(shop.types)}
        """
    )
    rows = shop.connection.execute(
        f"""
        with negative_codes as (
            select product_id, count(*) as lines
            from negative_lines
            group by product_id
        ),

        all_codes as (
            select cast(product_id as varchar) as product_id, count(*) as lines
            from {LANDED_LINES}
            where
                cast(product_id as varchar) in (select product_id from negative_codes)
                and malformed_reason is null
            group by product_id
        ),

        codes as (
            select product_id
            from all_codes
            inner join negative_codes using (product_id, lines)
        ),

        lines_of_codes as (
            select
                negative_lines.product_id,
                negative_lines.invoice_id
            from negative_lines
            inner join codes on negative_lines.product_id = codes.product_id
        ),

        invoices_with_sales as (
            select distinct cast(invoice_id as varchar) as invoice_id
            from {LANDED_LINES}
            where
                cast(invoice_id as varchar) in (select invoice_id from lines_of_codes)
                and malformed_reason is null
                and not {is_negative_line(shop.types)}
        )

        select
            lines_of_codes.product_id,
            count(*) as lines,
            count(invoices_with_sales.invoice_id) as beside_sales
        from lines_of_codes
        left join invoices_with_sales
            on lines_of_codes.invoice_id = invoices_with_sales.invoice_id
        group by lines_of_codes.product_id
        order by lines desc, lines_of_codes.product_id
        """
    ).fetchall()
    shop.connection.execute("drop table negative_lines")
    found = [(code, lines) for code, lines, beside in rows if beside >= BESIDE_SALES * lines]
    if not found:
        return []
    shop.values += [("product_id", code, "discount") for code, _ in found]
    return [
        Decision(
            "discount lines",
            f"money off the order, no products: {tell_values(found)}",
            evidence="never sold, always negative, beside goods on the same invoice",
            lines=sum(lines for _, lines in found),
            runner_up="returns",
            matters=True,
        ),
    ]
