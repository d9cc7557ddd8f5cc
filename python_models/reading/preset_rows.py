"""The rows of a known export under our names: one SELECT for the whole of its layout.

A row of the export is a row of the result; none is added and none is dropped. Rows that are no
lines or no sales say so in ``left_out``.
"""

from reading.presets import ANY, NONE, OUR_NAMES, QUERY_COLUMNS, Table
from reading.sql import sql_name, sql_text

# Money as exports write it: 1,234.50, $5.00, -$5.00, ($5.00), USD 5. A comma before fewer than
# three digits is no number here, since it could be a decimal comma.
MONEY = (
    r"[(]?-?'?\s*([A-Z]{1,3}\s*)?\p{Sc}?\s*-?"
    r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)?([.][0-9]+)?"
    r"\s*\p{Sc}?(\s*[A-Z]{3})?[)]?"
)
NOTHING = "cast(null as varchar)"
# All rows of an order, and those up to the row itself, in the order of the file.
_FROM_FIRST = "partition by order_key order by line rows between unbounded preceding and"
WHOLE_ORDER = f"({_FROM_FIRST} unbounded following)"
SO_FAR = f"({_FROM_FIRST} current row)"


def plain_number(text):
    """Give SQL that reads a number with a decimal point from text.

    Parameters
    ----------
    text : str
        SQL of a VARCHAR.

    Returns
    -------
    str
        SQL of a DECIMAL(22, 8), null where the text is no number.
    """
    digits = f"regexp_replace({text}, '[^0-9.]', '', 'g')"
    sign = f"case when regexp_matches({text}, '[-(]') then '-' else '' end"
    # Most numbers are plain and short. Patterns, and casts to more than 18 digits, are for the
    # rest, since they take many times as long.
    return (
        f"case when translate({text}, '-.0123456789', '') = '' then "
        f"coalesce(try_cast({text} as decimal(18, 8)), try_cast({text} as decimal(22, 8))) "
        f"when regexp_full_match({text}, {sql_text(MONEY)}) "
        f"then try_cast({sign} || {digits} as decimal(22, 8)) end"
    )


def joined(preset, tables):
    """Join the files or relations of a preset to one table.

    Rows of the first role are the rows of the result. Where a key occurs twice in another role, its
    first row is taken, so that no line is doubled.

    Parameters
    ----------
    preset : Preset
        One that has ``tables``.
    tables : dict of str to Table
        Role to its relation; optional roles can be missing.

    Returns
    -------
    Table
        Its columns are ``role.header``, as the preset has them.
    """
    keys = [pair for spec in preset.tables.values() for pair in spec.key]
    wanted = {preset.key(header) for header in (*preset.headers, *(other for _, other in keys))}
    columns, relations = [], []
    for role, spec in preset.tables.items():
        if role not in tables:
            continue
        own = [preset.key(f"{role}.{header}") for header, _ in spec.key]
        there = {}
        for header, sql in tables[role].columns.items():
            key = preset.key(f"{role}.{header}")
            if key in wanted or key in own:
                there.setdefault(key, f"{_text(sql)} as {sql_name(key)}")
        columns += there
        selected = ", ".join([f"{tables[role].line} as line_in_file", *there.values()])
        rows = f"select {selected} from {tables[role].relation}"
        if not spec.key:
            relations.append(f"({rows}) as {sql_name(role)}")
            lines = sql_name(role)
            continue
        partition = ", ".join(map(sql_name, own))
        rows += f" qualify row_number() over (partition by {partition} order by line_in_file) = 1"
        on = " and ".join(
            f"{sql_name(role)}.{sql_name(mine)} = "
            f"{sql_name(_role(other))}.{sql_name(preset.key(other))}"
            for mine, (_, other) in zip(own, spec.key, strict=True)
        )
        relations.append(f"left join ({rows}) as {sql_name(role)} on {on}")
    selected = [
        f"{lines}.line_in_file",
        *(f"{sql_name(_role(key))}.{sql_name(key)}" for key in columns),
    ]
    return Table(
        relation=f"(select {', '.join(selected)} from {' '.join(relations)})",
        columns={key: sql_name(key) for key in columns},
        line="line_in_file",
    )


def preset_query(preset, relation, columns, *, line, number=plain_number):
    """Give a SELECT over a relation with the columns of a preset under our names.

    What a line is worth
        With ``line_amounts``, ``order_amounts`` or ``returns``, ``line_amount`` is what was paid
        for the line and kept by the shop: its amount, or price times quantity, less its discount,
        the pieces that came back, its refund, and its part of the order's discount and refund.
        ``discount`` and ``refund`` say how much that was; they are not to be subtracted again. In
        other presets ``line_amount`` is the text of its column.
    Money of whole orders
        It is split among the lines that count, in proportion to what they are worth by then. What
        is due to an order's first lines together is rounded to the cent, and each line takes what
        the lines before it left. So nothing is left over, no line goes below zero, and an order
        gives back no more than its goods cost.
    Goods that come back
        They have a negative quantity and amount, whatever their sign was.
    Values that can't be read
        If a value that the amount depends on is no number, ``line_amount`` is its text, so that the
        line is rejected as unreadable instead of being worth something else.

    Parameters
    ----------
    preset : Preset
    relation : str
        What stands behind FROM.
    columns : dict of str to str
        Header, or ``role.header``, to the SQL of its value. Other headers do no harm.
    line : str
        SQL of a number that tells rows apart and orders them.
    number : callable, optional
        SQL of a VARCHAR to SQL of a DECIMAL(22, 8) that is null where the text is no number.

    Returns
    -------
    str
        Selects ``line``, our names, ``refund`` and ``left_out``, which is null in lines; all but
        ``line`` are VARCHAR.
    """
    return _Query(preset, columns, number).sql(relation, line)


class _Query:
    """The steps of one query; each method gives the body of a CTE or a part of one."""

    def __init__(self, preset, columns, number):
        self.preset, self.number = preset, number
        have = {}
        for header, sql in columns.items():
            have.setdefault(preset.key(header), sql)
        # What the preset reads and the file has.
        keys = dict.fromkeys(map(preset.key, preset.headers))
        self.have = {key: have[key] for key in keys if key in have}
        self.priced = bool(preset.line_amounts or preset.order_amounts or preset.returns)
        self.counts_pieces = bool(self.there(preset.columns.get("quantity", ())))
        self.has_amount = bool(self.there(preset.columns.get("line_amount", ())))
        self.amount = "line_amount" if self.has_amount else "unit_price"
        self.pieces_back = self.there(preset.line_amounts.get("pieces_back", ()))

    def sql(self, relation, line):
        steps = {
            "given": self.given(relation, line),
            "keyed": self.keyed(),
            "filled": self.filled(),
            "named": self.named(),
        }
        if self.priced:
            steps |= {
                "numbers": self.numbers(),
                "measured": self.measured(),
                "checked": self.checked(),
                **self.own_worth(),
                "weighed": self.weighed(),
                **self.split("discount", "weighed", weight="weight", rest="after_discount"),
                **self.split(
                    "refund", "split_discount", weight="after_discount", rest="after_refund"
                ),
            }
        steps["final"] = self.final(source=list(steps)[-1])
        ctes = ",\n".join(f"{name} as (\n    {body}\n)" for name, body in steps.items())
        return f"with {ctes}\nselect {', '.join(QUERY_COLUMNS)} from final"

    # ------------------------------------------------------------------------------------- texts

    def there(self, headers):
        """Give the columns of these headers that the file has, in the preset's order."""
        keys = dict.fromkeys(map(self.preset.key, headers))
        return [sql_name(key) for key in keys if key in self.have]

    def first(self, headers):
        """Give the first value of several columns."""
        return _coalesce(self.there(headers))

    def holds(self, rules):
        """Give header, column and condition for each rule whose header the file has."""
        for header, values in rules.items():
            for column in self.there([header]):
                if values == ANY:
                    condition = f"{column} is not null"
                elif values == NONE:
                    condition = f"{column} is null"
                else:
                    words = ", ".join(sql_text(value.casefold()) for value in values)
                    condition = f"coalesce(lower({column}) in ({words}), false)"
                yield header, column, condition

    def given(self, relation, line):
        texts = [f"{_text(sql)} as {sql_name(key)}" for key, sql in self.have.items()]
        return f"select {', '.join([f'{line} as line', *texts])} from {relation}"

    def keyed(self):
        by = self.preset.fill_down[:1] or self.preset.columns.get("invoice_id", ())
        # A row without an order number belongs to no other row.
        key = f"coalesce('order ' || {self.first(by)}, 'line ' || line)"
        return f"select *, {key} as order_key from given"

    def filled(self):
        down = self.there(self.preset.fill_down[1:])
        values = [
            f"coalesce({column}, first_value({column} ignore nulls) over {WHOLE_ORDER}) as {column}"
            for column in down
        ]
        return (
            f"select * replace ({', '.join(values)}) from keyed" if down else "select * from keyed"
        )

    def named(self):
        preset = self.preset
        written = {our: self.first(preset.columns.get(our, ())) for our in OUR_NAMES}
        written |= {"customer_id": self.customer(), "invoiced_at": self.moment()}
        written["left_out"] = self.left_out()
        if self.priced:
            conditions = [condition for *_, condition in self.holds(preset.returns)]
            written["comes_back"] = " or ".join(conditions) or "false"
            for kind in ("discount", "discount_share", "refund"):
                written[f"line_{kind}"] = self.first(preset.line_amounts.get(kind, ()))
            for n, column in enumerate(self.pieces_back):
                written[f"pieces_back_{n}"] = column
            # Rows that are no lines count here: the money of an order can stand on one of them.
            conditions = [condition for *_, condition in self.holds(preset.amount_rows)]
            where = " and ".join(conditions) or "true"
            for kind in ("subtotal", "discount", "refund"):
                column = self.first(preset.order_amounts.get(kind, ()))
                value = f"first_value(case when {where} then {column} end ignore nulls)"
                written[f"order_{kind}"] = (
                    NOTHING if column == NOTHING else f"{value} over {WHOLE_ORDER}"
                )
        columns = ", ".join(f"{sql} as {name}" for name, sql in written.items())
        return f"select line, order_key, {columns} from filled"

    def left_out(self):
        cases = [
            f"when {negation}({condition}) "
            f"then {sql_text(f'{header} is ')} || coalesce({column}, 'empty')"
            for rules, negation in ((self.preset.keep, "not "), (self.preset.not_counted, ""))
            for header, column, condition in self.holds(rules)
        ]
        return f"case {' '.join(cases)} end" if cases else NOTHING

    def customer(self):
        there = self.there(self.preset.columns.get("customer_id", ()))
        guests = ", ".join(sql_text(guest.casefold()) for guest in self.preset.guests)
        if guests:
            there = [f"case when lower({one}) not in ({guests}) then {one} end" for one in there]
        return _coalesce(there)

    def moment(self):
        if self.preset.clock:
            date, time = (self.first([header]) for header in self.preset.clock)
            moment = f"{date} || coalesce(' ' || {time}, '')"
        else:
            moment = self.first(self.preset.columns["invoiced_at"])
        patterns = ", ".join(sql_text(pattern) for pattern in self.preset.dates if "%" in pattern)
        if patterns:
            read = f"strftime(try_strptime({moment}, [{patterns}]), '%Y-%m-%d %H:%M:%S')"
            moment = f"coalesce({read}, {moment})"
        return moment

    # ------------------------------------------------------------------------------------- money
    # All of it is in whole cents, so that sums and shares are exact.

    def number_texts(self):
        texts = ["quantity", self.amount, "line_discount", "line_discount_share", "line_refund"]
        texts += [f"pieces_back_{n}" for n in range(len(self.pieces_back))]
        return [*texts, "order_subtotal", "order_discount", "order_refund"]

    def numbers(self):
        read = [f"{self.number(text)} as {text}_number" for text in self.number_texts()]
        return f"select *, {', '.join(read)} from named"

    def measured(self):
        pieces = "try_cast(quantity_number as decimal(14, 3))" if self.counts_pieces else "1.000"
        money = f"{self.amount}_number" + ("" if self.has_amount else f" * {pieces}")
        return f"select *, {pieces} as pieces, {_cents(money)} as gross from numbers"

    def checked(self):
        """Keep the first text that should be a number and is not, or is no number that can be."""
        unread = [
            f"case when {text} is not null and {text}_number is null then {text} end"
            for text in self.number_texts()
        ]
        unread += [
            # More than all of it can't have been taken off.
            "case when line_discount_share_number not between 0 and 1 then line_discount_share end",
            # Too large for any shop.
            "case when quantity_number is not null and pieces is null then quantity end",
            f"case when {self.amount}_number is not null and pieces is not null and gross is null "
            f"then {self.amount} end",
        ]
        back = " + ".join(
            f"abs(coalesce(pieces_back_{n}_number, 0))" for n in range(len(self.pieces_back))
        )
        return (
            f"select *, coalesce({', '.join(unread)}) as unread, "
            "case when comes_back then abs(gross) else gross end as worth, "
            f"least({back or 0}, abs(pieces)) as pieces_gone from measured"
        )

    def own_worth(self):
        """Take off what stands on the line itself, unless the line is negative."""
        paid = _cents("worth * 0.01 * (1 - cast(line_discount_share_number as decimal(9, 8)))")
        discount, refund = (
            _cents(f"abs(coalesce(line_{kind}_number, 0))") for kind in ("discount", "refund")
        )
        off = (
            f"case when line_discount_share is not null then worth - {paid} "
            f"else least({discount}, worth) end"
        )
        pieces = ("1000 * (abs(pieces) - pieces_gone)", "1000 * abs(pieces)")
        left = _part("worth - taken_off", *pieces)
        back = f"case when remaining > 0 then least({refund}, remaining) else 0 end"
        return {
            "reduced": f"select *, case when worth > 0 and unread is null then {off} else 0 end "
            "as taken_off from checked",
            "kept_pieces": "select *, case when worth > 0 and pieces_gone > 0 "
            f"then {left} else worth - taken_off end as remaining from reduced",
            "own_worth": f"select *, remaining - {back} as own_worth from kept_pieces",
        }

    def weighed(self):
        """Weigh the lines that take part in the discount and refund of their order."""
        takes_part = "left_out is null and unread is null and not comes_back and own_worth > 0"
        return (
            f"select *, case when {takes_part} then own_worth else 0 end as weight from own_worth"
        )

    def split(self, kind, source, weight, rest):
        """Split an order's discount or refund among its lines."""
        off = f"least(coalesce({_cents(f'abs(order_{kind}_number)')}, 0), order_worth)"
        if kind == "discount":
            subtotal = f"greatest({_cents('order_subtotal_number')}, 0)"
            off = (
                "case when order_subtotal_number is not null "
                f"then greatest(order_worth - {subtotal}, 0) else {off} end"
            )
        until, before = (
            _part("order_off", one, "order_worth") for one in ("so_far", f"(so_far - {weight})")
        )
        share = f"case when order_off > 0 then {until} - {before} else 0 end"
        return {
            f"summed_{kind}": f"select *, sum({weight}) over {WHOLE_ORDER} as order_worth, "
            f"sum({weight}) over {SO_FAR} as so_far from {source}",
            f"offs_{kind}": f"select *, {off} as order_off from summed_{kind}",
            f"shares_{kind}": f"select * exclude (order_worth, so_far, order_off), "
            f"{share} as share_of_{kind} from offs_{kind}",
            f"split_{kind}": f"select *, {weight} - share_of_{kind} as {rest} from shares_{kind}",
        }

    def final(self, source):
        if not self.priced:
            return f"select *, {NOTHING} as refund from {source}"
        sign = "case when comes_back then -1 else 1 end"
        ours = {
            "line_amount": "coalesce(unread, "
            + _money(f"{sign} * (own_worth - share_of_discount - share_of_refund)")
            + ")",
            "discount": _money("taken_off + share_of_discount"),
        }
        if self.counts_pieces:
            # As it is written, unless something was done about it.
            left = "rtrim(rtrim(cast(abs(pieces) - pieces_gone as varchar), '0'), '.')"
            done = "pieces is not null and (comes_back or pieces_gone > 0)"
            minus = "case when comes_back then '-' else '' end"
            ours["quantity"] = f"case when {done} then {minus} || {left} else quantity end"
        columns = ", ".join(f"{ours[our]} as {our}" if our in ours else our for our in OUR_NAMES)
        refund = _money("worth - taken_off - own_worth + share_of_refund")
        return f"select line, {columns}, {refund} as refund, left_out from {source}"


def _role(key):
    return key.partition(".")[0]


def _text(sql):
    return f"nullif(trim(cast({sql} as varchar)), '')"


def _coalesce(columns):
    return f"coalesce({', '.join(columns)})" if columns else NOTHING


def _cents(amount):
    """Give SQL of an amount in whole cents, BIGINT; null if it is too large for any shop."""
    return f"cast(100 * try_cast(round({amount}, 2) as decimal(17, 2)) as bigint)"


def _money(cents):
    """Give SQL of cents as text with a decimal point."""
    return f"cast(cast({cents} as decimal(20, 0)) * 0.01 as varchar)"


def _part(amount, part, whole):
    """Give SQL of amount * part / whole in whole cents, a half up, for what is not negative."""
    amount, part, whole = (f"cast({one} as hugeint)" for one in (amount, part, whole))
    return f"((2 * {amount} * {part} + {whole}) // (2 * {whole}))"
