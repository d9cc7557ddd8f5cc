"""Decide what holds for all lines of a shop: what marks a return, who is nobody, what counts."""

from dataclasses import dataclass, field

from reading.decisions import Decision, UnreadableFile
from reading.files import sql_text
from reading.formats import decide_discount

LINES = "landing.invoice_lines"

# States of an order in which nothing was sold, or no longer is.
NOT_COUNTED = (
    "cancelled canceled cancel failed voided void expired declined rejected unavailable trash "
    "draft refunded fully-refunded checkout-draft abandoned unpaid chargeback deleted"
).split()
# Documents that take goods or money back.
RETURNING = (
    "return returns returned refund refunds refunded credit credit-note creditnote credit-memo "
    "creditmemo chargeback reversal retoure gutschrift storno avoir"
).split()
# At least so many of an invoice prefix's lines must be negative for it to mark returns.
BORNE_OUT = 0.5
# At least so many lines of a code must stand beside sold goods for it to be a discount on them.
BESIDE_SALES = 0.9
# Price x quantity and amount agree if no more than the rounding of each piece lies between.
AGREEING = 0.99


@dataclass
class Shop:
    """What holds for all lines.

    Attributes
    ----------
    cancellation_prefix : str or None
    paid_amounts : dict of int to bool
        By number of the file: whether its line amounts count, and not price times quantity.
    discount_kinds : dict of int to str
        By number of the file: share, percent or money.
    values : list of (str, str, str)
        Column, value as written, and what it means: nobody, not_counted, other_currency, return
        or discount.
    """

    cancellation_prefix: str | None = None
    paid_amounts: dict = field(default_factory=dict)
    discount_kinds: dict = field(default_factory=dict)
    values: list = field(default_factory=list)


def decide_for_the_shop(connection, files, settings):
    """Decide what holds for all lines, and create ``landing.decided_values``.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the view ``landing.invoice_lines``.
    files : list of reading.lines.File
    settings : dict

    Returns
    -------
    Shop
    decisions : list of (int or None, Decision)
        With the number of the file that each is about, or None.
    """
    shop, decisions = Shop(), []
    types = {
        name: str(kind).upper()
        for name, kind, *_ in connection.execute(f"describe from {LINES}").fetchall()
    }
    for decide in (
        decide_cancellations,
        decide_nobody,
        decide_statuses,
        decide_documents,
        decide_currency,
        decide_discount_lines,
        decide_amounts,
        say_what_ids_look_like,
    ):
        decisions += decide(connection, files, settings, types, shop)
    connection.execute(
        "create table landing.decided_values "
        "(column_name varchar, written varchar, meaning varchar)"
    )
    if shop.values:
        connection.executemany(
            "insert into landing.decided_values values (?, ?, ?)", sorted(set(shop.values))
        )
    return shop, decisions


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


def decide_cancellations(connection, files, settings, types, shop):
    """Decide which prefix of an invoice's number marks a return."""
    stated = settings["cancellation_prefix"]
    question = "cancellation prefix"
    if stated != "auto":
        shop.cancellation_prefix = stated or None
        return [(None, Decision(question, stated or "none", "declared"))]
    lines, negative = connection.execute(
        f"""
        select count(*), count(*) filter (where {is_negative_line(types)})
        from {LINES}
        where upper(left(cast(invoice_id as varchar), 1)) = 'C'
        """
    ).fetchone()
    if not lines:
        return [(None, Decision(question, "none", evidence="no invoice number begins with C"))]
    evidence = f"{negative:,} of {lines:,} lines on invoices that begin with C are negative"
    if negative >= BORNE_OUT * lines:
        shop.cancellation_prefix = "C"
        return [
            (
                None,
                Decision(
                    question,
                    "C",
                    evidence=evidence,
                    lines=lines,
                    runner_up="none",
                    setting="{cancellation_prefix: null}",
                ),
            )
        ]
    return [
        (
            None,
            Decision(
                question,
                "none",
                evidence=f"{evidence}, so they are sales",
                lines=lines,
                runner_up="C",
                setting="{cancellation_prefix: C}",
                # A known export has its own way to mark returns.
                matters=not all(file.source.preset for file in files),
            ),
        )
    ]


def decide_nobody(connection, files, settings, types, shop):
    """Find the customer ids that are nobody's: words for nothing, and guests."""
    words = [str(word).strip().lower() for word in settings["null_words"]]
    guests = [str(word).strip().lower() for word in settings["guests"]]
    exact = sorted({word for word in words + guests if not word.endswith("*")})
    begun = sorted({word[:-1] for word in guests if word.endswith("*") and len(word) > 1})
    conditions = [f"id in ({', '.join(sql_text(word) for word in exact)})"] if exact else []
    conditions += [f"starts_with(id, {sql_text(start)})" for start in begun]
    if not conditions:
        return []
    # Most ids are numbers, and no word begins like them: they need not be counted.
    likely = "true"
    if not any("1" <= word[0] <= "9" for word in exact + begun if word):
        likely = "left(cast(customer_id as varchar), 1) not between '1' and '9'"
    rows = connection.execute(
        f"""
        with ids as (
            select
                cast(customer_id as varchar) as written,
                count(*) as lines
            from {LINES}
            where malformed_reason is null and ({likely})
            group by customer_id
        ),

        folded as (
            select
                *,
                regexp_replace(ltrim(lower(trim(written)), ''''), '^([0-9]+)[.]0+$', '\\1') as id
            from ids
        )

        select written, id, lines
        from folded
        where {" or ".join(conditions)}
        order by lines desc, written
        """
    ).fetchall()
    shop.values += [("customer_id", written, "nobody") for written, _, _ in rows]
    decisions = []
    for question, are_words, setting in (
        ("customers that are a word for nothing", True, "{null_words: []}"),
        ("customers that are guests", False, "{guests: []}"),
    ):
        found = [(written, lines) for written, id, lines in rows if (id in words) == are_words]
        if found:
            told = ", ".join(f"'{written}' ({lines:,} lines)" for written, lines in found[:5])
            more = f" and {len(found) - 5:,} more" if len(found) > 5 else ""
            decisions.append(
                (
                    None,
                    Decision(
                        question,
                        f"{told}{more}",
                        "recognised",
                        evidence="their lines are left out as missing_customer",
                        lines=sum(lines for _, lines in found),
                        setting=setting,
                        matters=True,
                        reject_reason="missing_customer",
                    ),
                )
            )
    return decisions


def written_values(connection, column):
    """Values of a column with the lines that have them, most lines first."""
    return connection.execute(
        f"""
        select cast({column} as varchar) as written, count(*) as lines
        from {LINES}
        where malformed_reason is null and trim(cast({column} as varchar)) <> ''
        group by 1
        order by 2 desc, 1
        limit 1000
        """
    ).fetchall()


def has(files, ours):
    """Whether a file has one of our columns."""
    return any(ours in file.columns for file in files)


def fold_word(value):
    """Write a state as it is compared: lower case, hyphens between words."""
    return "-".join(value.lower().replace("_", " ").replace("-", " ").split())


def tell(values):
    """List values with their lines."""
    told = ", ".join(f"{written} ({lines:,})" for written, lines in values[:8])
    return told + (f" and {len(values) - 8} more" if len(values) > 8 else "")


def decide_statuses(connection, files, settings, types, shop):
    """Decide which states of an order count as sold; a known export says it itself."""
    wanted = settings["order_status"]
    if not has(files, "order_status") or (not wanted and all(file.source.preset for file in files)):
        return []
    values = written_values(connection, "order_status")
    if wanted:
        counted = {fold_word(str(word)) for word in wanted}
        left_out = [value for value in values if fold_word(value[0]) not in counted]
    else:
        left_out = [value for value in values if fold_word(value[0]) in NOT_COUNTED]
    shop.values += [("order_status", written, "not_counted") for written, _ in left_out]
    counting = [value for value in values if value not in left_out]
    return [
        (
            None,
            Decision(
                "order status",
                f"counted: {tell(counting) or 'none'}"
                + (f"; not counted: {tell(left_out)}" if left_out else ""),
                "declared" if wanted else "recognised",
                evidence=f"{len(values)} different states",
                lines=sum(lines for _, lines in left_out),
                setting="{order_status: [the states that count]}",
                matters=bool(left_out),
                reject_reason="order_not_counted",
            ),
        )
    ]


def decide_documents(connection, files, settings, types, shop):
    """Decide which types of document take something back."""
    if not has(files, "document_type"):
        return []
    values = written_values(connection, "document_type")
    returning = [value for value in values if fold_word(value[0]) in RETURNING]
    shop.values += [("document_type", written, "return") for written, _ in returning]
    others = [value for value in values if value not in returning]
    return [
        (
            None,
            Decision(
                "type of document",
                f"sales: {tell(others) or 'none'}"
                + (f"; returns: {tell(returning)}" if returning else ""),
                evidence=f"{len(values)} different types",
                lines=sum(lines for _, lines in returning),
                setting="{invoice_columns: {document_type: null}}",
                matters=len(values) > 1,
            ),
        )
    ]


def decide_currency(connection, files, settings, types, shop):
    """Decide which currency counts; several are never summed without being asked for."""
    wanted = settings["currency"]
    if not has(files, "currency"):
        if wanted:
            raise UnreadableFile(
                f"currency is {wanted}, but no file has a column of currencies. Say which: "
                "VARS='{invoice_columns: {currency: your column}}'"
            )
        return []
    values = [
        (written, lines)
        for written, lines in written_values(connection, "currency")
        if written.strip().lower() not in {str(word).lower() for word in settings["null_words"]}
    ]
    codes = {}
    for written, lines in values:
        code = written.strip().upper()
        codes[code] = codes.get(code, 0) + lines
    told = tell(sorted(codes.items(), key=lambda item: (-item[1], item[0])))
    if len(codes) <= 1 and not wanted:
        return [(None, Decision("currency", told or "none is stated"))]
    if wanted and wanted.upper() not in codes:
        raise UnreadableFile(f"currency is {wanted}, but the lines are in {told}")
    if not wanted:
        example = next(iter(codes))
        raise UnreadableFile(
            f"amounts are in {len(codes)} currencies, {told} lines, and can't be summed. Keep one: "
            f"VARS='{{currency: {example}}}', or convert: VARS='{{currency: {example}, "
            "currency_rates: rates.csv}' (columns day, currency, rate)"
        )
    if settings["currency_rates"]:
        return [
            (
                None,
                Decision(
                    "currency",
                    f"{wanted.upper()}; others are converted by currency_rates",
                    "declared",
                    evidence=f"{told} lines",
                    matters=True,
                ),
            )
        ]
    left_out = [(w, n) for w, n in values if w.strip().upper() != wanted.upper()]
    shop.values += [("currency", written, "other_currency") for written, _ in left_out]
    return [
        (
            None,
            Decision(
                "currency",
                f"{wanted.upper()}; not counted: {tell(left_out) or 'none'}",
                "declared",
                lines=sum(lines for _, lines in left_out),
                setting="{currency_rates: rates.csv}",
                matters=bool(left_out),
                reject_reason="other_currency",
            ),
        )
    ]


def decide_discount_lines(connection, files, settings, types, shop):
    """Find codes that are money off the goods beside them: never sold, always negative.

    A code that is only ever negative can also be that of goods whose sale is older than the file;
    those come back on invoices of their own.
    """
    if not has(files, "product_id"):
        return []
    connection.execute(
        f"""
        create or replace temp table negative_lines as
        select
            cast(product_id as varchar) as product_id,
            cast(invoice_id as varchar) as invoice_id
        from {LINES}
        where
            malformed_reason is null
            and product_id is not null
            and {is_negative_line(types)}
        """
    )
    rows = connection.execute(
        f"""
        with negative_codes as (
            select product_id, count(*) as lines
            from negative_lines
            group by product_id
        ),

        all_codes as (
            select cast(product_id as varchar) as product_id, count(*) as lines
            from {LINES}
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
            from {LINES}
            where
                cast(invoice_id as varchar) in (select invoice_id from lines_of_codes)
                and malformed_reason is null
                and not {is_negative_line(types)}
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
    connection.execute("drop table negative_lines")
    found = [(code, lines) for code, lines, beside in rows if beside >= BESIDE_SALES * lines]
    if not found:
        return []
    shop.values += [("product_id", code, "discount") for code, _ in found]
    return [
        (
            None,
            Decision(
                "discount lines",
                f"money off the order, no products: {tell(found)}",
                evidence="never sold, always negative, beside goods on the same invoice",
                lines=sum(lines for _, lines in found),
                runner_up="returns",
                matters=True,
            ),
        )
    ]


def rough_number(column, kind, mark):
    """Write an expression for about the number that stands in a column: only to count by."""
    if kind != "VARCHAR":
        return f"cast({column} as double)"
    digits = f"regexp_replace({column}, '[^0-9{mark}-]', '', 'g')"
    return f"try_cast(replace({digits}, ',', '.') as double)"


def decide_amounts(connection, files, settings, types, shop):
    """Decide what a line's money is in each file: price x quantity less discount, or its amount."""
    decisions = []
    for file in files:
        columns = file.columns
        number = {
            ours: rough_number(column.sql, column.type, file.decimal_mark)
            for ours, column in columns.items()
            if ours in ("quantity", "unit_price", "line_amount", "discount")
        }
        relation = file.source.relation
        if file.source.preset:
            # What was paid is worked out when the rows are read.
            shop.paid_amounts[file.number] = "line_amount" in columns
            continue
        if "line_amount" in columns:
            found = "unit_price" in columns and compare_amounts(connection, relation, number)
            shop.paid_amounts[file.number] = True
            if found:
                lines, agreeing, below, by_price, amount = found
                evidence = (
                    f"price x quantity is {by_price:,.2f}, amounts are {amount:,.2f}; they agree "
                    f"in {agreeing:,} of {lines:,} lines"
                )
                disagreeing = lines - agreeing
                are_paid = below >= 0.9 * disagreeing
                known = columns["line_amount"].name in settings["invoice_columns"].values()
                shop.paid_amounts[file.number] = are_paid or known
                decisions.append(
                    (
                        file.number,
                        Decision(
                            "money of a line",
                            f"the amount in {columns['line_amount'].name}"
                            if shop.paid_amounts[file.number]
                            else "price x quantity",
                            "declared" if known else "recognised",
                            evidence=evidence,
                            lines=disagreeing,
                            runner_up="price x quantity"
                            if shop.paid_amounts[file.number]
                            else f"the amount in {columns['line_amount'].name}",
                            setting="{invoice_columns: {line_amount: null}}",
                            matters=agreeing < AGREEING * lines,
                        ),
                    )
                )
        if "discount" in columns and not shop.paid_amounts.get(file.number):
            decision = decide_discounts(connection, file, number["discount"], shop)
            decisions += [(file.number, decision)] if decision else []
    return decisions


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


def decide_discounts(connection, file, discount, shop):
    """Decide what the numbers in a file's column of discounts are; None where there are none."""
    column = file.columns["discount"]
    facts = connection.execute(
        f"""
        select
            count(*),
            count(*) filter (where contains(cast({column.sql} as varchar), '%')),
            count(*) filter (where {discount} = round({discount})),
            max(abs({discount}))
        from {file.source.relation}
        where {discount} <> 0
        """
    ).fetchone()
    if not facts[0]:
        return None
    shop.discount_kinds[file.number], decision = decide_discount(
        file.source.name, facts, column.name
    )
    return decision


def say_what_ids_look_like(connection, files, settings, types, shop):
    """Warn of ids that a spreadsheet rounded, and of codes that differ in case only."""
    decisions = []
    ids = [ours for ours in ("invoice_id", "product_id", "customer_id") if has(files, ours)]
    text = [ours for ours in ids if types[ours] == "VARCHAR"]
    if text:
        counts = connection.execute(
            "select "
            + ", ".join(
                f"count(*) filter (where case when contains({ours}, 'E+') "
                f"then regexp_full_match({ours}, '[0-9]([.,][0-9]+)?E[+][0-9]+') end)"
                for ours in text
            )
            + f" from {LINES}"
        ).fetchone()
        decisions += [
            (
                None,
                Decision(
                    f"rounded {ours}",
                    "taken as written",
                    "default",
                    evidence=f"{count:,} lines have one like 6.54E+12: a spreadsheet rounded them, "
                    "and different ones may be the same now. Export that column as text",
                    lines=count,
                    matters=True,
                ),
            )
            for ours, count in zip(text, counts, strict=True)
            if count
        ]
    if "product_id" in text and not settings["upper_case_products"]:
        in_both, lines = connection.execute(
            f"""
            with codes as (
                select product_id, count(*) as lines
                from {LINES}
                where product_id is not null
                group by product_id
            ),

            folded as (
                select upper(trim(product_id)) as code, count(*) as spellings, sum(lines) as lines
                from codes
                group by 1
                having count(distinct trim(product_id)) > 1
            )

            select count(*), coalesce(sum(lines), 0) from folded
            """
        ).fetchone()
        if in_both:
            decisions.append(
                (
                    None,
                    Decision(
                        "product codes that differ in case only",
                        "different products",
                        "default",
                        evidence=f"{in_both:,} codes are written in more than one case",
                        lines=int(lines),
                        runner_up="one product each",
                        setting="{upper_case_products: true}",
                        matters=True,
                    ),
                )
            )
    return decisions
