"""Reads a text line by line, and lands a copy that DuckDB can read in one way only."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from reading.decisions import Decision, Source, UnreadableFile
from reading.records import cut, read_line, records
from reading.sql import sql_path, sql_text
from reading.text_layout import QUOTES, Layout, find_layout, quotes_decision

# Malformed lines are told without being asked if one reason has more than this share of the lines.
FEW = 0.005

# Columns that a landed copy has before those of the file.
LANDED = ("source_line", "line_span", "malformed_reason", "malformed_text")


@dataclass(frozen=True)
class Landed:
    """A landed copy of a file.

    Attributes
    ----------
    layout : Layout
    file : Path
    reasons : Counter
        Lines that are no record, by reason.
    examples : dict
        The first of them, by reason: number and text.
    faults : int
        Lines that have a quote and are no record.
    marks : int
        Records in which a quote begins a value.
    """

    layout: Layout
    file: Path
    reasons: Counter
    examples: dict
    faults: int
    marks: int

    @property
    def malformed(self):
        """Lines that are no record; infinite where the header can't be read."""
        broken = self.layout.broken_header is not None
        return float("inf") if broken else sum(self.reasons.values())


def slow_source(data, declared, folder):
    """Read a file line by line, and write it again so that DuckDB can't misread it.

    Where quotes can be read in several ways, the whole file is read in each of them. The way with
    the fewest malformed lines is taken.

    Parameters
    ----------
    data : Bytes
    declared : dict
    folder : str

    Returns
    -------
    Source

    Raises
    ------
    UnreadableFile
        If the header can't be read, or lines have more fields than it has names.
    """
    usual = declared.get("quotes", '"')
    landed = land(data, find_layout(data, declared, usual), folder)
    found, evidence = "declared", ""
    if "quotes" not in declared:
        found, evidence, landed = better_quotes(data, declared, folder, landed)
    layout = landed.layout
    if layout.broken_header is not None:
        raise UnreadableFile(
            "its header can't be read (a quote is not closed, or something stands behind a "
            f"closed one): {layout.broken_header[:80]!r}"
        )
    if layout.too_long:
        raise UnreadableFile(layout.too_long)
    decisions = list(layout.decisions)
    if data.scan.quotes:
        decisions.append(quotes_decision(layout.dialect.quotes, found, evidence))
    lines = data.scan.lines - layout.skipped
    decisions += malformed_decisions(landed, lines)
    types = ", ".join(
        f"'landed_{name}': 'VARCHAR'" for name in (*LANDED, *range(1, layout.dialect.fields + 1))
    )
    return Source(
        "",
        "text",
        # Options are stated, because DuckDB's sniffer looks at the first lines only and reads
        # 01/12/2010 as a date without asking.
        f"read_csv({sql_path(landed.file)}, auto_detect = false, header = false, "
        f"delim = {sql_text(layout.dialect.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{types}}})",
        layout.columns(),
        "cast(landed_source_line as bigint)",
        span="cast(landed_line_span as integer)",
        reason="landed_malformed_reason",
        text="landed_malformed_text",
        lines=lines,
        decisions=decisions,
    )


def better_quotes(data, declared, folder, usual):
    """Find the way of reading quotes that fits a whole file.

    Parameters
    ----------
    data : Bytes
    declared : dict
    folder : str
    usual : Landed
        The copy for quotes that are written twice inside a value.

    Returns
    -------
    found, evidence : str
    landed : Landed
    """
    best = usual
    found = "recognised" if usual.marks else "default"
    readable = usual.layout.broken_header is None
    if not usual.faults and readable:
        return found, f"{usual.marks:,} records have quoted values", usual
    for quotes in ("backslash", "none"):
        # Quotes that begin as many values as they break, or more, are not plain characters.
        if quotes == "none" and usual.marks >= usual.faults and readable:
            continue
        other = land(data, find_layout(data, declared, quotes), folder)
        if other.malformed < best.malformed:
            best.file.unlink()
            best, found = other, "recognised"
        else:
            other.file.unlink()
    evidence = (
        f"{usual.malformed:,} lines are no record if they are {QUOTES[chr(34)]}, "
        f"{best.malformed:,} so"
        if best is not usual
        else f"{usual.marks:,} records have quoted values, {usual.faults:,} lines can't be split"
    )
    return found, evidence, best


def land(data, layout, folder):
    """Write each line of a file again.

    Parameters
    ----------
    data : Bytes
    layout : Layout
    folder : str

    Returns
    -------
    Landed
        ``file`` is a CSV in UTF-8 without a header, with the delimiter of the source. Its columns
        are ``LANDED``, then those of the source. A malformed line has a reason, its text (cut
        after ``MOST_SHOWN`` characters) and empty fields.
    """
    dialect = layout.dialect
    target = Path(folder) / f"{data.digest}_{list(QUOTES).index(dialect.quotes)}.csv"
    # Other users of the machine must not read the lines of a shop.
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sign, begins = dialect.delimiter, dialect.delimiter + '"'
    reasons, examples = Counter(), {}
    faults = marks = 0
    with data.open() as stream, open(target, "w", encoding="utf-8", newline="") as file:
        for _ in range(layout.skipped):
            read_line(stream)
        writer = csv.writer(file, delimiter=sign, lineterminator="\n")
        nothing = [""] * dialect.fields
        for number, span, reason, text, length, fields in records(
            stream, dialect, layout.skipped + 1
        ):
            if reason:
                reasons[reason] += 1
                shown = cut(text, length)
                examples.setdefault(reason, (number, shown))
                faults += '"' in text and reason not in ("bytes_not_text", "too_long_line")
                writer.writerow([number, 1, reason, shown, *nothing])
            elif fields is None:
                # Most lines have no quote, so the text can be written as it is.
                file.write(f"{number}{sign}1{sign}{sign}{sign}{text}\n")
            else:
                marks += begins in text or text.startswith('"')
                writer.writerow([number, span, "", "", *fields])
    return Landed(layout, target, reasons, examples, faults, marks)


def malformed_decisions(landed, lines):
    """Tell the reasons for which more than a few lines are no record.

    Parameters
    ----------
    landed : Landed
    lines : int
        Lines of the source.

    Returns
    -------
    list of Decision
    """
    settings = {
        "bytes_not_text": "{invoice_format: {encoding: cp1252}}",
        "unclosed_quote": "{invoice_format: {quotes: none}}",
    }
    decisions = []
    for reason, count in sorted(landed.reasons.items()):
        if count > FEW * lines:
            number, text = landed.examples[reason]
            decisions.append(
                Decision(
                    "malformed lines",
                    reason,
                    evidence=f"{count:,} of {lines:,} lines ({count / lines:.1%}), such as line "
                    f"{number:,}: {text[:200]!r}",
                    lines=count,
                    setting=settings.get(reason),
                    matters=True,
                )
            )
    return decisions
