"""What the reading of a source hands on: where its rows are, and what was decided about them."""

from dataclasses import dataclass, field


class UnreadableFile(ValueError):
    """A file can't be read; the message is one line that says what is wrong and what to do."""


@dataclass(frozen=True)
class Decision:
    """What was decided for the user, and how to decide otherwise.

    Attributes
    ----------
    question : str
        A short phrase, such as ``delimiter``.
    answer : str
    found : str
        declared, recognised or default.
    evidence : str
        What speaks for the answer, such as ``in 137 of 137 lines``; empty where nothing does.
    lines : int or None
        Lines that it touches; None for all lines of the source.
    runner_up : str or None
        The next best answer.
    setting : str or None
        What changes it, as YAML for VARS.
    matters : bool
        Whether the summary tells it without being asked.
    reject_reason : str or None
        Why the lines that it touches are left out, if they are.
    """

    question: str
    answer: str
    found: str = "recognised"
    evidence: str = ""
    lines: int | None = None
    runner_up: str | None = None
    setting: str | None = None
    matters: bool = False
    reject_reason: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of a source.

    Attributes
    ----------
    name : str
        As written in the header, trimmed; empty where it has none.
    type : str
        DuckDB's name of its type, in capitals.
    sql : str
        An expression that gives its value in a query of the source's relation.
    """

    name: str
    type: str
    sql: str


@dataclass(frozen=True)
class Source:
    """A file, a sheet or a relation, ready to be selected from.

    Attributes
    ----------
    name : str
        For people: the path without the folder that all sources share, and the sheet.
    kind : str
        text, parquet, sheet or relation.
    relation : str
        What stands behind FROM.
    columns : list of Column
        In the order of the source. Names can be empty and can repeat.
    line, span : str
        SQL: the line of the file that a row begins on, BIGINT, and how many it covers, INTEGER.
    reason, text : str
        SQL: why a row is no record, and what it says then; null in records.
    lines : int or None
        Lines of the source without those up to the header, counted without reading a value; None
        where the rows of the relation are the count.
    decisions : list of Decision
    preset : str or None
        The known export that its rows were read as; its columns are ours then.
    """

    name: str
    kind: str
    relation: str
    columns: list
    line: str
    span: str = "1"
    reason: str = "cast(null as varchar)"
    text: str = "cast(null as varchar)"
    lines: int | None = None
    decisions: list = field(default_factory=list)
    preset: str | None = None


def tell_values(values):
    """List values with their lines, for the answer of a decision; of many, the first eight."""
    told = ", ".join(f"{written} ({lines:,})" for written, lines in values[:8])
    return told + (f" and {len(values) - 8:,} more" if len(values) > 8 else "")
