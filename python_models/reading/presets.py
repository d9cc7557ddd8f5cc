"""Known exports: which one a file is, and how its rows become invoice lines.

All that is particular to an export is data, in ``presets.yml``; its first lines explain the keys.
"""

import difflib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path

import yaml

from reading.decisions import UnreadableFile

PRESETS = Path(__file__).with_name("presets.yml")

# What a preset can give, in the order in which preset_query() selects it.
OUR_NAMES = (
    "invoice_id",
    "product_id",
    "customer_id",
    "description",
    "country",
    "quantity",
    "unit_price",
    "line_amount",
    "invoiced_at",
    "discount",
    "currency",
    "order_status",
    "document_type",
    "category",
    "brand",
    "unit_cost",
    "channel",
)
# Worked out by preset_query(), never the name of a column in presets.yml.
WORKED_OUT = ("discount",)
QUERY_COLUMNS = ("line", *OUR_NAMES, "refund", "left_out")

LINE_AMOUNTS = ("discount", "discount_share", "refund", "pieces_back")
ORDER_AMOUNTS = ("subtotal", "discount", "refund")
DATES = ("iso", "dmy", "mdy", "ymd")
ANY, NONE = "any", "none"


class PresetError(ValueError):
    """A preset is written wrongly, or there is none of that name; the message is one line."""


def fold(header):
    """Reduce a header to what it is compared by: lower case, letters and digits only."""
    return "".join(letter for letter in str(header).casefold() if letter.isalnum())


@dataclass(frozen=True)
class Role:
    """A file or relation of a preset that joins several.

    Attributes
    ----------
    signature : tuple of str
        Headers that must all be there.
    key : tuple of (str, str)
        Pairs of an own header and ``role.header`` of an earlier role; empty for the lines.
    optional : bool
        Whether the preset is recognised without it.
    """

    signature: tuple
    key: tuple = ()
    optional: bool = False


@dataclass(frozen=True)
class Preset:
    """The layout of a known export.

    Attributes
    ----------
    name, title, note : str
    signature : tuple of str
        Headers that must all be there; empty where ``tables`` have their own.
    columns : dict of str to tuple of str
        Our name to headers; the first one that has a value in a row counts.
    needs : dict of str to str
        Our name to the sentence to stop with if the file has no column for it.
    fill_down : tuple of str
        The header that tells orders apart, then the headers to fill down.
    clock : tuple of str
        The headers of date and time, if the moment is split in two.
    dates : tuple of str
        How dates are written, if the preset says so.
    keep, not_counted, returns : dict of str to tuple of str, or ``any`` or ``none``
        Rules on rows by header.
    guests : tuple of str
    line_amounts, order_amounts : dict of str to tuple of str
        Kind of money or pieces to headers.
    amount_rows : dict
        Rows on which the order's amounts stand, as ``keep``.
    cancellation_prefix : str
    tables : dict of str to Role
    """

    name: str
    title: str
    columns: dict
    signature: tuple = ()
    needs: dict = field(default_factory=dict)
    fill_down: tuple = ()
    clock: tuple = ()
    dates: tuple = ()
    keep: dict = field(default_factory=dict)
    not_counted: dict = field(default_factory=dict)
    returns: dict = field(default_factory=dict)
    guests: tuple = ()
    line_amounts: dict = field(default_factory=dict)
    order_amounts: dict = field(default_factory=dict)
    amount_rows: dict = field(default_factory=dict)
    cancellation_prefix: str = ""
    note: str = ""
    tables: dict = field(default_factory=dict)

    @property
    def headers(self):
        """All headers that the preset reads, each once; ``role.header`` if it joins tables."""
        lists = [*self.columns.values(), *self.line_amounts.values(), *self.order_amounts.values()]
        lists += [self.fill_down, self.clock]
        lists += [self.keep, self.not_counted, self.returns, self.amount_rows]
        return tuple(dict.fromkeys(header for headers in lists for header in headers))

    def key(self, header):
        """Reduce a header to what it is compared by; the role before its first point is kept."""
        role, point, rest = header.partition(".")
        return f"{role}.{fold(rest)}" if self.tables and point else fold(header)


@dataclass(frozen=True)
class Table:
    """A relation to select rows from.

    Attributes
    ----------
    relation : str
        What stands behind FROM.
    columns : dict of str to str
        Header to the SQL expression of its value.
    line : str
        SQL of a number that tells rows apart and orders them.
    """

    relation: str
    columns: dict
    line: str


# ---------------------------------------------------------------------------------------- loading


def load_presets(path=None):
    """Read and check presets.

    Parameters
    ----------
    path : str or Path, optional
        A YAML file; the project's own by default.

    Returns
    -------
    dict of str to Preset

    Raises
    ------
    PresetError
        In one line: the preset, the key and what is wrong with it.
    """
    path = Path(path or PRESETS)
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PresetError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(written, dict):
        raise PresetError(f"{path.name} must hold presets by name")
    return {str(name): _preset(str(name), spec) for name, spec in written.items()}


@cache
def _own_presets():
    return load_presets()


KEYS = (
    "title signature columns needs fill_down clock dates keep not_counted returns guests "
    "line_amounts order_amounts cancellation_prefix note tables"
).split()


def _preset(name, spec):
    def wrong(key, why):
        raise PresetError(f"preset {name}: {key} {why}")

    def known(key, words, allowed):
        for word in words:
            if word not in allowed:
                wrong(
                    key,
                    f"does not know {word}; it knows {', '.join(allowed)}" + meant(word, allowed),
                )

    def mapping(key, value):
        if not isinstance(value, dict):
            wrong(key, f"must be a mapping, not {value!r}")
        return value

    def texts(key, value):
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(text, str) and text.strip() for text in values):
            wrong(
                key,
                f"must be text or a list of texts, not {value!r}; quotes make it text",
            )
        return tuple(values)

    def lists(key, value):
        return {
            word: texts(f"{key}.{word}", texts_) for word, texts_ in mapping(key, value).items()
        }

    def rules(key, value):
        return {
            header: values if values in (ANY, NONE) else texts(f"{key}.{header}", values)
            for header, values in mapping(key, value).items()
        }

    spec = mapping("it", spec)
    known("it", spec, KEYS)
    for key in ("title", "columns"):
        if not spec.get(key):
            wrong(key, "is missing")
    if bool(spec.get("signature")) == bool(spec.get("tables")):
        wrong("signature", "must be there, or tables with a signature each, but not both")

    columns = lists("columns", spec["columns"])
    known("columns", columns, [our for our in OUR_NAMES if our not in WORKED_OUT])
    needs = mapping("needs", spec.get("needs", {}))
    known("needs", needs, OUR_NAMES)
    for our in needs:
        if our not in columns:
            wrong(f"needs.{our}", "has no entry in columns")

    fill_down, clock = (), ()
    if "fill_down" in spec:
        given = mapping("fill_down", spec["fill_down"])
        if set(given) != {"by", "columns"}:
            wrong("fill_down", "must have by and columns")
        fill_down = (
            *texts("fill_down.by", given["by"])[:1],
            *texts("fill_down.columns", given["columns"]),
        )
    if "clock" in spec:
        given = mapping("clock", spec["clock"])
        if set(given) != {"date", "time"}:
            wrong("clock", "must have date and time")
        clock = (*texts("clock.date", given["date"]), *texts("clock.time", given["time"]))
    if ("invoiced_at" in columns) == bool(clock):
        wrong("columns.invoiced_at", "must be there, or clock, but not both")
    if not {"unit_price", "line_amount"} & set(columns):
        wrong("columns", "must have unit_price or line_amount")

    dates = texts("dates", spec["dates"]) if "dates" in spec else ()
    for date in dates:
        if date not in DATES and "%" not in date:
            wrong("dates", f"must be {', '.join(DATES)} or patterns of strptime, not {date}")

    line_amounts = lists("line_amounts", spec.get("line_amounts", {}))
    known("line_amounts", line_amounts, LINE_AMOUNTS)
    if {"discount", "discount_share"} <= set(line_amounts):
        wrong("line_amounts", "can have discount or discount_share, not both")
    if "pieces_back" in line_amounts and "quantity" not in columns:
        wrong("line_amounts.pieces_back", "needs columns.quantity")
    order_amounts = dict(mapping("order_amounts", spec.get("order_amounts", {})))
    amount_rows = rules("order_amounts.rows", order_amounts.pop("rows", {}))
    order_amounts = lists("order_amounts", order_amounts)
    known("order_amounts", order_amounts, ORDER_AMOUNTS)
    if order_amounts and "invoice_id" not in columns:
        wrong("order_amounts", "needs columns.invoice_id")

    preset = Preset(
        name=name,
        title=texts("title", spec["title"])[0],
        signature=texts("signature", spec["signature"]) if "signature" in spec else (),
        columns=columns,
        needs={our: " ".join(texts(f"needs.{our}", text)) for our, text in needs.items()},
        fill_down=fill_down,
        clock=clock,
        dates=dates,
        keep=rules("keep", spec.get("keep", {})),
        not_counted=rules("not_counted", spec.get("not_counted", {})),
        returns=rules("returns", spec.get("returns", {})),
        guests=texts("guests", spec["guests"]) if "guests" in spec else (),
        line_amounts=line_amounts,
        order_amounts=order_amounts,
        amount_rows=amount_rows,
        cancellation_prefix=str(spec.get("cancellation_prefix") or ""),
        note=" ".join(texts("note", spec["note"])) if "note" in spec else "",
        tables=_roles(spec["tables"], wrong, mapping, texts) if "tables" in spec else {},
    )
    for header in preset.headers if preset.tables else ():
        if header.partition(".")[0] not in preset.tables or not header.partition(".")[2]:
            wrong("tables", f"has no role for {header}; it has {', '.join(preset.tables)}")
    return preset


def _roles(written, wrong, mapping, texts):
    roles = {}
    for role, spec in mapping("tables", written).items():
        spec = mapping(f"tables.{role}", spec)
        if not set(spec) <= {"signature", "key", "optional"} or "signature" not in spec:
            wrong(f"tables.{role}", "must have signature, and can have key and optional")
        on = mapping(f"tables.{role}.key", spec.get("key", {}))
        if bool(on) != bool(roles):
            wrong(
                f"tables.{role}", "must have key, unless it is the first role, which has the lines"
            )
        for other in on.values():
            if str(other).partition(".")[0] not in roles:
                wrong(f"tables.{role}.key", f"must point to an earlier role, not {other}")
        roles[role] = Role(
            signature=texts(f"tables.{role}.signature", spec["signature"]),
            key=tuple((str(own), str(other)) for own, other in on.items()),
            optional=spec.get("optional") is True,
        )
    return roles


def meant(word, known):
    """Suggest the known word that is closest, as the end of a sentence."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f". Did you mean {close[0]}?" if close else ""


def preset_named(name, presets=None):
    """Return the preset of a name.

    Raises
    ------
    PresetError
        In one line, with the names there are, if there is none of this name.
    """
    presets = _own_presets() if presets is None else presets
    if name not in presets:
        raise PresetError(
            f"there is no preset {name}; there are {', '.join(presets)}" + meant(name, presets)
        )
    return presets[name]


# ------------------------------------------------------------------------------------ recognising


def _has(signature, folded):
    # A header that occurs twice leaves a doubt about which one is meant.
    return all(folded.get(fold(header)) == 1 for header in signature)


def recognise(headers, presets=None):
    """Recognise the known export that has these headers.

    Parameters
    ----------
    headers : list of str
    presets : dict of str to Preset, optional

    Returns
    -------
    Preset or None
        None too if several presets fit, since that leaves a doubt.
    """
    presets = _own_presets() if presets is None else presets
    folded = Counter(map(fold, headers))
    fits = [one for one in presets.values() if one.signature and _has(one.signature, folded)]
    return fits[0] if len(fits) == 1 else None


def recognise_tables(headers, presets=None):
    """Recognise a known export of several files or relations.

    Parameters
    ----------
    headers : dict of str to list of str
        Name of a file or relation to its headers. Files that no role needs do no harm.
    presets : dict of str to Preset, optional

    Returns
    -------
    (Preset, dict of str to str) or None
        The preset, and the name for each role.

    Raises
    ------
    UnreadableFile
        If two files could have the same role.
    """
    presets = _own_presets() if presets is None else presets
    folded = {name: Counter(map(fold, names)) for name, names in headers.items()}
    found = []
    for preset in presets.values():
        fits = {
            role: [name for name, names in folded.items() if _has(spec.signature, names)]
            for role, spec in preset.tables.items()
        }
        fits = {
            role: names for role, names in fits.items() if names or not preset.tables[role].optional
        }
        if not fits or not all(fits.values()):
            continue
        # One file can have the signatures of two roles, but only one role.
        ways = [
            dict(zip(fits, names, strict=True))
            for names in product(*fits.values())
            if len(set(names)) == len(names)
        ]
        if len(ways) > 1:
            role = next(role for role in fits if len({way[role] for way in ways}) > 1)
            several = sorted({way[role] for way in ways})
            raise UnreadableFile(
                f"{preset.title}: {' and '.join(several)} could both be the file of {role}. "
                "Leave one of them out, or put their rows into one file"
            )
        found += [(preset, way) for way in ways]
    return found[0] if len(found) == 1 else None


def column_for(preset, our_name, headers):
    """Return the headers of a file that a preset reads for one of our names, in their order.

    Parameters
    ----------
    preset : Preset
    our_name : str
    headers : iterable of str
        As in the file, or ``role.header``.

    Returns
    -------
    list of str
    """
    have = {preset.key(header): header for header in headers}
    keys = map(preset.key, preset.columns.get(our_name, ()))
    return [have[key] for key in keys if key in have]


def check_needs(preset, headers, source):
    """Stop if a file lacks a column that the preset explains the need of.

    Raises
    ------
    UnreadableFile
    """
    for our_name, sentence in preset.needs.items():
        if not column_for(preset, our_name, headers):
            raise UnreadableFile(f"{source} has no column for {our_name}. {sentence}")
