"""Loads presets of known exports from YAML, and checks every key of them."""

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from reading.presets import ANY, NONE, OUR_NAMES, Preset, PresetError, Role

PRESETS = Path(__file__).with_name("presets.yml")

KEYS = (
    "title signature columns needs fill_down clock dates keep not_counted returns guests "
    "line_amounts order_amounts cancellation_prefix note tables"
).split()
# The query of a preset works these out, so no column of a file has them.
WORKED_OUT = ("discount",)
LINE_AMOUNTS = ("discount", "discount_share", "refund", "pieces_back")
ORDER_AMOUNTS = ("subtotal", "discount", "refund")
DATES = ("iso", "dmy", "mdy", "ymd")


def load_presets(path=PRESETS):
    """Read and check presets.

    Parameters
    ----------
    path : Path, optional
        A YAML file; the project's own by default.

    Returns
    -------
    dict of str to Preset

    Raises
    ------
    PresetError
        In one line: the preset, the key and what is wrong with it.
    """
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PresetError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(written, dict):
        raise PresetError(f"{path.name} must hold presets by name")
    return {str(name): read_preset(str(name), spec) for name, spec in written.items()}


@cache
def own_presets():
    """Return the presets of the project by name."""
    return load_presets()


def preset_named(name):
    """Return the project's preset of a name.

    Raises
    ------
    PresetError
        In one line, with the names there are, if there is none of this name.
    """
    presets = own_presets()
    if name not in presets:
        raise PresetError(
            f"there is no preset {name}; there are {', '.join(presets)}" + meant(name, presets)
        )
    return presets[name]


def meant(word, known):
    """Suggest the known word that is closest, as the end of a sentence."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f". Did you mean {close[0]}?" if close else ""


@dataclass(frozen=True)
class Checks:
    """Checks values of one preset; each stops with one line that names the preset and the key.

    Attributes
    ----------
    name : str
        Name of the preset.
    """

    name: str

    def wrong(self, key, why):
        """Stop because a key is wrong."""
        raise PresetError(f"preset {self.name}: {key} {why}")

    def known(self, key, words, allowed):
        """Stop if one of the words is not allowed."""
        for word in words:
            if word not in allowed:
                knows = f"does not know {word}; it knows {', '.join(allowed)}"
                self.wrong(key, knows + meant(word, allowed))

    def mapping(self, key, value):
        """Return a value that must be a mapping."""
        if not isinstance(value, dict):
            self.wrong(key, f"must be a mapping, not {value!r}")
        return value

    def parts(self, key, value, names):
        """Return the texts of a mapping with exactly these keys, in their order."""
        if set(self.mapping(key, value)) != set(names):
            self.wrong(key, f"must have {' and '.join(names)}")
        return [self.texts(f"{key}.{name}", value[name]) for name in names]

    def texts(self, key, value):
        """Return a text or a list of texts as a tuple."""
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(text, str) and text.strip() for text in values):
            self.wrong(key, f"must be text or a list of texts, not {value!r}; quotes make it text")
        return tuple(values)

    def lists(self, key, value):
        """Return a mapping to texts."""
        return {
            word: self.texts(f"{key}.{word}", texts)
            for word, texts in self.mapping(key, value).items()
        }

    def rules(self, key, value):
        """Return rules on rows: a mapping of headers to texts, ``any`` or ``none``."""
        return {
            header: values if values in (ANY, NONE) else self.texts(f"{key}.{header}", values)
            for header, values in self.mapping(key, value).items()
        }


def read_preset(name, spec):
    """Make a preset from its entry in the YAML.

    Parameters
    ----------
    name : str
    spec : object
        The entry; anything but a mapping is an error.

    Returns
    -------
    Preset

    Raises
    ------
    PresetError
    """
    check = Checks(name)
    check.known("it", check.mapping("it", spec), KEYS)
    for key in ("title", "columns"):
        if not spec.get(key):
            check.wrong(key, "is missing")
    if bool(spec.get("signature")) == bool(spec.get("tables")):
        check.wrong("signature", "must be there, or tables with a signature each, but not both")

    columns = check.lists("columns", spec["columns"])
    check.known("columns", columns, [our for our in OUR_NAMES if our not in WORKED_OUT])
    needs = check.mapping("needs", spec.get("needs", {}))
    check.known("needs", needs, OUR_NAMES)
    for our in needs:
        if our not in columns:
            check.wrong(f"needs.{our}", "has no entry in columns")

    fill_down, clock = (), ()
    if "fill_down" in spec:
        by, filled = check.parts("fill_down", spec["fill_down"], ("by", "columns"))
        fill_down = (by[0], *filled)
    if "clock" in spec:
        date, time = check.parts("clock", spec["clock"], ("date", "time"))
        clock = date + time
    if ("invoiced_at" in columns) == bool(clock):
        check.wrong("columns.invoiced_at", "must be there, or clock, but not both")
    if not {"unit_price", "line_amount"} & set(columns):
        check.wrong("columns", "must have unit_price or line_amount")

    def optional(key):
        return check.texts(key, spec[key]) if key in spec else ()

    dates = optional("dates")
    for date in dates:
        if date not in DATES and "%" not in date:
            check.wrong("dates", f"must be {', '.join(DATES)} or patterns of strptime, not {date}")

    amounts = read_amounts(check, spec, columns)
    preset = Preset(
        name=name,
        title=check.texts("title", spec["title"])[0],
        signature=optional("signature"),
        columns=columns,
        needs={our: " ".join(check.texts(f"needs.{our}", text)) for our, text in needs.items()},
        fill_down=fill_down,
        clock=clock,
        dates=dates,
        keep=check.rules("keep", spec.get("keep", {})),
        not_counted=check.rules("not_counted", spec.get("not_counted", {})),
        returns=check.rules("returns", spec.get("returns", {})),
        guests=optional("guests"),
        **amounts,
        cancellation_prefix=str(spec.get("cancellation_prefix") or ""),
        note=" ".join(optional("note")),
        tables=read_roles(check, spec["tables"]) if "tables" in spec else {},
    )
    for header in preset.headers if preset.tables else ():
        role, _, rest = header.partition(".")
        if role not in preset.tables or not rest:
            check.wrong("tables", f"has no role for {header}; it has {', '.join(preset.tables)}")
    return preset


def read_amounts(check, spec, columns):
    """Read the amounts of lines and orders, as a dict of attributes of ``Preset``."""
    line_amounts = check.lists("line_amounts", spec.get("line_amounts", {}))
    check.known("line_amounts", line_amounts, LINE_AMOUNTS)
    if {"discount", "discount_share"} <= set(line_amounts):
        check.wrong("line_amounts", "can have discount or discount_share, not both")
    if "pieces_back" in line_amounts and "quantity" not in columns:
        check.wrong("line_amounts.pieces_back", "needs columns.quantity")

    written = dict(check.mapping("order_amounts", spec.get("order_amounts", {})))
    amount_rows = check.rules("order_amounts.rows", written.pop("rows", {}))
    order_amounts = check.lists("order_amounts", written)
    check.known("order_amounts", order_amounts, ORDER_AMOUNTS)
    if order_amounts and "invoice_id" not in columns:
        check.wrong("order_amounts", "needs columns.invoice_id")
    return {
        "line_amounts": line_amounts,
        "order_amounts": order_amounts,
        "amount_rows": amount_rows,
    }


def read_roles(check, written):
    """Read the roles of a preset that joins tables, by their names."""
    roles = {}
    for role, spec in check.mapping("tables", written).items():
        key = f"tables.{role}"
        check.mapping(key, spec)
        if not set(spec) <= {"signature", "key", "optional"} or "signature" not in spec:
            check.wrong(key, "must have signature, and can have key and optional")
        on = check.mapping(f"{key}.key", spec.get("key", {}))
        if bool(on) != bool(roles):
            check.wrong(key, "must have key, unless it is the first role, which has the lines")
        for other in on.values():
            if str(other).partition(".")[0] not in roles:
                check.wrong(f"{key}.key", f"must point to an earlier role, not {other}")
        roles[role] = Role(
            signature=check.texts(f"{key}.signature", spec["signature"]),
            key=tuple((str(own), str(other)) for own, other in on.items()),
            optional=spec.get("optional") is True,
        )
    return roles
