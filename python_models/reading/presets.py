"""Recognises known exports: what a preset is, and which preset fits the headers of a file.

Everything that is particular to an export is data, in ``presets.yml``. Its first lines explain the
keys, and ``preset_file`` loads it.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import product

from reading.decisions import UnreadableFile

# Our names, in the order in which the query of a preset selects them.
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
QUERY_COLUMNS = ("line", *OUR_NAMES, "refund", "left_out")
# What a rule on rows can say instead of values: that there is one, or that there is none.
ANY, NONE = "any", "none"


class PresetError(ValueError):
    """A preset is written wrongly, or none has the name; the message is one line."""


def fold(header):
    """Reduce a header to the form in which it is compared: lower case, letters and digits only."""
    return "".join(letter for letter in str(header).casefold() if letter.isalnum())


@dataclass(frozen=True)
class Role:
    """A file or relation of a preset that joins several.

    Attributes
    ----------
    signature : tuple of str
        Headers that must all be there.
    key : tuple of (str, str)
        Pairs of a header of this role and ``role.header`` of an earlier one; empty for the lines.
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
        Headers that must all be there; empty if ``tables`` have their own.
    columns : dict of str to tuple of str
        Our name to headers; in each row, the first one with a value counts.
    needs : dict of str to str
        Our name to the sentence that says why its column is needed.
    fill_down : tuple of str
        The header that tells orders apart, then the headers to fill down.
    clock : tuple of str
        The headers of date and time, if these are separate columns.
    dates : tuple of str
        How dates are written, if the preset says so.
    keep, not_counted, returns : dict of str to tuple of str, or ``any`` or ``none``
        Rules on rows by header.
    guests : tuple of str
    line_amounts, order_amounts : dict of str to tuple of str
        Kind of money or pieces to headers, such as ``discount`` or ``pieces_back``.
    amount_rows : dict
        Rules on the rows that have the order's amounts, as ``keep``.
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
        """Reduce a header as ``fold`` does, but keep the role before its first point."""
        role, point, rest = header.partition(".")
        return f"{role}.{fold(rest)}" if self.tables and point else fold(header)


@dataclass(frozen=True)
class Table:
    """A relation to select rows from.

    Attributes
    ----------
    relation : str
        What follows FROM.
    columns : dict of str to str
        Header to the SQL expression of its value.
    line : str
        SQL of a number that identifies and orders the rows.
    """

    relation: str
    columns: dict
    line: str


def has(signature, folded):
    """Tell whether folded headers, with their counts, have each header of a signature once."""
    # If a header occurs twice, it is not clear which one is meant.
    return all(folded.get(fold(header)) == 1 for header in signature)


def recognise(headers, presets):
    """Recognise the known export that has these headers.

    Parameters
    ----------
    headers : list of str
    presets : dict of str to Preset

    Returns
    -------
    Preset or None
        None also if several presets fit, since it is not clear which one is meant.
    """
    folded = Counter(map(fold, headers))
    fits = [one for one in presets.values() if one.signature and has(one.signature, folded)]
    return fits[0] if len(fits) == 1 else None


def recognise_tables(headers, presets):
    """Recognise a known export of several files or relations.

    Parameters
    ----------
    headers : dict of str to list of str
        Name of a file or relation to its headers. Files that no role needs do no harm.
    presets : dict of str to Preset

    Returns
    -------
    (Preset, dict of str to str) or None
        The preset, and the name for each role.

    Raises
    ------
    UnreadableFile
        If two files could have the same role.
    """
    folded = {name: Counter(map(fold, names)) for name, names in headers.items()}
    found = []
    for preset in presets.values():
        fits = {
            role: [name for name, names in folded.items() if has(spec.signature, names)]
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
    """Return the headers of a file that a preset reads for one of our names, in the preset's order.

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
    """Stop if a file lacks a column that the preset says it needs.

    Raises
    ------
    UnreadableFile
    """
    for our_name, sentence in preset.needs.items():
        if not column_for(preset, our_name, headers):
            raise UnreadableFile(f"{source} has no column for {our_name}. {sentence}")
