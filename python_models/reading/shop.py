"""Decide what holds for all lines of a shop: who is nobody, which orders and currency count."""

from dataclasses import dataclass, field

from reading.decisions import Decision, UnreadableFile, tell_values
from reading.files import LANDED_LINES, LANDING
from reading.signs import decide_cancellations, decide_discount_lines
from reading.sql import sql_text

# States of an order in which nothing was sold, or no longer is.
NOT_COUNTED = (
    "cancelled canceled cancel failed voided void expired declined rejected unavailable trash "
    "draft refunded fully-refunded checkout-draft abandoned unpaid chargeback deleted "
    "storniert annulé annulée annule annullato cancelado cancelada geannuleerd"
).split()
# Documents that take goods or money back.
RETURNING = (
    "return returns returned refund refunds refunded credit credit-note creditnote credit-memo "
    "creditmemo chargeback reversal retoure gutschrift storno avoir"
).split()
# Columns in which a word for nothing leaves the line as it is, without its product or text.
WORDED = ("product_id", "description", "country", "category", "brand", "channel")


@dataclass
class Shop:
    """The landed lines, and what is decided about all of them.

    Attributes
    ----------
    connection : DuckDBPyConnection
        With the view ``landing.invoice_lines``.
    files : list of reading.lines.File
    settings : dict
    types : dict of str to str
        DuckDB's type of each of our columns.
    cancellation_prefix : str or None
    values : list of (str, str, str)
        Column, value as written, and what it means: nobody, not_counted, other_currency, return
        or discount.
    """

    connection: object
    files: list
    settings: dict
    types: dict
    cancellation_prefix: str | None = None
    values: list = field(default_factory=list)

    def has(self, ours):
        """Whether a file has one of our columns."""
        return any(ours in file.columns for file in self.files)

    def is_known_export(self):
        """Whether all files are known exports, which have their own ways to say such things."""
        return all(file.source.preset for file in self.files)

    def written(self, column):
        """Values of a column with the lines that have them, most lines first."""
        return self.connection.execute(
            f"""
            select cast({column} as varchar) as written, count(*) as lines
            from {LANDED_LINES}
            where malformed_reason is null and trim(cast({column} as varchar)) <> ''
            group by 1
            order by 2 desc, 1
            limit 1000
            """
        ).fetchall()

    def says_nothing(self, column):
        """Write a condition: a column is a word for nothing, or empty; null where it is null."""
        words = {str(word).strip().lower() for word in self.settings["null_words"]} | {""}
        listed = ", ".join(sql_text(word) for word in sorted(words))
        return f"lower(trim(cast({column} as varchar))) in ({listed})"


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
    cancellation_prefix : str or None
    decisions : list of Decision
    """
    types = {
        name: str(kind).upper()
        for name, kind, *_ in connection.execute(f"describe from {LANDED_LINES}").fetchall()
    }
    shop, decisions = Shop(connection, files, settings, types), []
    for decide in (
        decide_cancellations,
        decide_nobody,
        say_words_for_nothing,
        decide_statuses,
        decide_documents,
        decide_currency,
        decide_discount_lines,
        say_what_ids_look_like,
    ):
        decisions += decide(shop)
    connection.execute(
        f"create table {LANDING}.decided_values "
        "(column_name varchar, written varchar, meaning varchar)"
    )
    if shop.values:
        connection.executemany(
            f"insert into {LANDING}.decided_values values (?, ?, ?)", sorted(set(shop.values))
        )
    return shop.cancellation_prefix, decisions


def decide_nobody(shop):
    """Find the customer ids that are nobody's: words for nothing, and guests."""
    words = [str(word).strip().lower() for word in shop.settings["null_words"]]
    guests = [str(word).strip().lower() for word in shop.settings["guests"]]
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
    rows = shop.connection.execute(
        f"""
        with ids as (
            select
                cast(customer_id as varchar) as written,
                count(*) as lines
            from {LANDED_LINES}
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
            quoted = [(f"'{written}'", lines) for written, lines in found]
            decisions.append(
                Decision(
                    question,
                    tell_values(quoted),
                    "recognised",
                    evidence="their lines are left out as missing_customer",
                    lines=sum(lines for _, lines in found),
                    setting=setting,
                    matters=True,
                    reject_reason="missing_customer",
                ),
            )
    return decisions


def say_words_for_nothing(shop):
    """Say which words stand for nothing where a product or a text would be."""
    columns = [ours for ours in WORDED if shop.has(ours) and shop.types[ours] == "VARCHAR"]
    if not columns:
        return []
    conditions = {
        ours: f"{ours} <> '' and {shop.says_nothing(ours)}"
        # The country of two letters is Namibia.
        + (f" and trim({ours}) <> 'NA'" if ours == "country" else "")
        for ours in columns
    }
    counts = shop.connection.execute(
        "select "
        + ", ".join(f"count(*) filter (where {condition})" for condition in conditions.values())
        + f" from {LANDED_LINES}"
    ).fetchone()
    decisions = []
    for (ours, condition), lines in zip(conditions.items(), counts, strict=True):
        if not lines:
            continue
        values = shop.connection.execute(
            f"select {ours}, count(*) from {LANDED_LINES} where {condition} group by 1 "
            "order by 2 desc, 1"
        ).fetchall()
        decisions.append(
            Decision(
                f"words for nothing in {ours}",
                tell_values([(f"'{written}'", count) for written, count in values]),
                evidence="taken as if nothing stood there; the lines count",
                lines=lines,
                setting="{null_words: []}",
                matters=ours == "product_id",
            )
        )
    return decisions


def decide_statuses(shop):
    """Decide which states of an order count as sold; a known export says it itself."""
    wanted = shop.settings["order_status"]
    if not shop.has("order_status") or (not wanted and shop.is_known_export()):
        return []
    values = shop.written("order_status")
    if wanted:
        counted = {fold_word(str(word)) for word in wanted}
        left_out = [value for value in values if fold_word(value[0]) not in counted]
    else:
        left_out = [value for value in values if fold_word(value[0]) in NOT_COUNTED]
    shop.values += [("order_status", written, "not_counted") for written, _ in left_out]
    counting = [value for value in values if value not in left_out]
    return [
        Decision(
            "order status",
            f"counted: {tell_values(counting) or 'none'}"
            + (f"; not counted: {tell_values(left_out)}" if left_out else ""),
            "declared" if wanted else "recognised",
            evidence=f"{len(values)} different states",
            lines=sum(lines for _, lines in left_out),
            setting="{order_status: [the states that count]}",
            # A state that means cancelled in a language that is not known here counts, and is told.
            matters=len(values) > 1,
            reject_reason="order_not_counted",
        ),
    ]


def decide_documents(shop):
    """Decide which types of document take something back."""
    if not shop.has("document_type"):
        return []
    values = shop.written("document_type")
    returning = [value for value in values if fold_word(value[0]) in RETURNING]
    shop.values += [("document_type", written, "return") for written, _ in returning]
    others = [value for value in values if value not in returning]
    return [
        Decision(
            "type of document",
            f"sales: {tell_values(others) or 'none'}"
            + (f"; returns: {tell_values(returning)}" if returning else ""),
            evidence=f"{len(values)} different types",
            lines=sum(lines for _, lines in returning),
            setting="{invoice_columns: {document_type: null}}",
            matters=len(values) > 1,
        ),
    ]


def decide_currency(shop):
    """Decide which currency counts; several are never summed without being asked for."""
    wanted = shop.settings["currency"]
    if not shop.has("currency"):
        if wanted:
            raise UnreadableFile(
                f"currency is {wanted}, but no file has a column of currencies. Say which: "
                "VARS='{invoice_columns: {currency: your column}}'"
            )
        return []
    nothing = {str(word).lower() for word in shop.settings["null_words"]}
    values = [
        (written, lines)
        for written, lines in shop.written("currency")
        if written.strip().lower() not in nothing
    ]
    codes = {}
    for written, lines in values:
        code = written.strip().upper()
        codes[code] = codes.get(code, 0) + lines
    told = tell_values(sorted(codes.items(), key=lambda item: (-item[1], item[0])))
    if len(codes) <= 1 and not wanted:
        return [Decision("currency", told or "none is stated")]
    if wanted and wanted.upper() not in codes:
        raise UnreadableFile(f"currency is {wanted}, but the lines are in {told}")
    if not wanted:
        example = next(iter(codes))
        raise UnreadableFile(
            f"amounts are in {len(codes)} currencies, {told} lines, and can't be summed. Keep one: "
            f"VARS='{{currency: {example}}}', or convert: VARS='{{currency: {example}, "
            "currency_rates: rates.csv}' (columns day, currency, rate)"
        )
    (unsaid,) = shop.connection.execute(
        f"select count(*) from {LANDED_LINES} where malformed_reason is null "
        f"and coalesce({shop.says_nothing('currency')}, true)"
    ).fetchone()
    taken = f"; {unsaid:,} lines state none, and are taken as {wanted.upper()}" if unsaid else ""
    if shop.settings["currency_rates"]:
        return [
            Decision(
                "currency",
                f"{wanted.upper()}; others are converted by currency_rates",
                "declared",
                evidence=f"{told} lines{taken}",
                matters=True,
            ),
        ]
    left_out = [(w, n) for w, n in values if w.strip().upper() != wanted.upper()]
    shop.values += [("currency", written, "other_currency") for written, _ in left_out]
    return [
        Decision(
            "currency",
            f"{wanted.upper()}; not counted: {tell_values(left_out) or 'none'}",
            "declared",
            evidence=taken.removeprefix("; "),
            lines=sum(lines for _, lines in left_out),
            setting="{currency_rates: rates.csv}",
            matters=bool(left_out or unsaid),
            reject_reason="other_currency",
        ),
    ]


def fold_word(value):
    """Write a state as it is compared: lower case, hyphens between words."""
    return "-".join(value.lower().replace("_", " ").replace("-", " ").split())


def say_what_ids_look_like(shop):
    """Warn of ids that a spreadsheet rounded, and of codes that differ in case only."""
    decisions = []
    ids = [ours for ours in ("invoice_id", "product_id", "customer_id") if shop.has(ours)]
    text = [ours for ours in ids if shop.types[ours] == "VARCHAR"]
    if text:
        counts = shop.connection.execute(
            "select "
            + ", ".join(
                f"count(*) filter (where case when contains({ours}, 'E+') "
                f"then regexp_full_match({ours}, '[0-9]([.,][0-9]+)?E[+][0-9]+') end)"
                for ours in text
            )
            + f" from {LANDED_LINES}"
        ).fetchone()
        decisions += [
            Decision(
                f"rounded {ours}",
                "taken as written",
                "default",
                evidence=f"{count:,} lines have one like 6.54E+12: a spreadsheet rounded them, "
                "and different ones may be the same now. Export that column as text",
                lines=count,
                matters=True,
            )
            for ours, count in zip(text, counts, strict=True)
            if count
        ]
    if "product_id" in text and not shop.settings["upper_case_products"]:
        in_both, lines = shop.connection.execute(
            f"""
            with codes as (
                select product_id, count(*) as lines
                from {LANDED_LINES}
                where product_id is not null and not {shop.says_nothing("product_id")}
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
    return decisions
