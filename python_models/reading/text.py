"""Opens delimited text: checks what the user states about it, and reads it in one of two ways."""

from dataclasses import replace

from reading.decisions import Decision, UnreadableFile
from reading.encoding import as_bytes
from reading.text_fast import fast_source
from reading.text_landed import slow_source
from reading.text_layout import QUOTES

# What the user can state about how a text is written.
TEXT_SETTINGS = ("encoding", "delimiter", "quotes", "header_line")


def open_text(connection, path, name, folder, declared):
    """Open a delimited text file, and lose no line of it.

    A file that DuckDB provably reads right becomes a table, ``landing."text_..."``. Any other file
    is written again, line by line, in a form that DuckDB can read in one way only. In both, empty
    text is null, quoted or not.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        It must not be within a transaction: a file that DuckDB can't read would end it.
    path : str
        A name that ends in .gz is that of a gzipped file.
    name : str
        The name of the file in messages.
    folder : str
        The folder of landed copies; made if it is not there.
    declared : dict
        Settings that replace what would be recognised: ``encoding`` (a name that Python knows),
        ``delimiter`` (one character), ``quotes`` (``"``, ``backslash`` or ``none``),
        ``header_line`` (from 1 on).

    Returns
    -------
    Source

    Raises
    ------
    UnreadableFile
        If it is no delimited text or is damaged, or a setting is wrong.
    """
    declared = checked(declared or {})
    data = as_bytes(path, declared.get("encoding"), declared.get("delimiter"))
    source = fast_source(connection, data, declared) or slow_source(data, declared, folder)
    decisions = [*data.decisions, *source.decisions]
    if not source.lines:
        decisions.append(
            Decision("lines", "none", evidence="it has a header and nothing below", matters=True)
        )
    return replace(source, name=name, decisions=decisions)


def checked(declared):
    """Check what the user states, and drop what is left open.

    Raises
    ------
    UnreadableFile
        If a setting is not known, or can't have this value.
    """
    declared = {key: value for key, value in declared.items() if value is not None}
    for key in declared:
        if key not in TEXT_SETTINGS:
            raise UnreadableFile(
                f"{key} is no setting of text; it can be {', '.join(TEXT_SETTINGS)}"
            )
    delimiter = declared.get("delimiter")
    if delimiter is not None:
        if delimiter in ("\\t", "tab"):
            declared["delimiter"] = delimiter = "\t"
        if len(str(delimiter)) != 1 or delimiter in '"\r\n\0\\':
            raise UnreadableFile(
                f"the delimiter must be one character, no quote and no backslash, got {delimiter!r}"
            )
    quotes = declared.get("quotes")
    if quotes is not None and quotes not in QUOTES:
        raise UnreadableFile(f"quotes can be {', '.join(QUOTES)}, got {quotes!r}")
    header_line = declared.get("header_line")
    if header_line is not None and (type(header_line) is not int or header_line < 1):
        raise UnreadableFile(f"header_line must be a whole number from 1 on, got {header_line!r}")
    return declared
