"""Finds how to read the bytes of a text file: which encoding it has, and what ends its lines."""

import codecs
import difflib
from encodings.aliases import aliases
from functools import partial

from reading.central_european import western_or_central
from reading.decisions import Decision, UnreadableFile
from reading.file_bytes import (
    MOST_BYTES,
    Bytes,
    one_line_errors,
    open_lines,
    open_packed,
    scan,
)
from reading.other_formats import refuse_binary, refuse_other_formats

# The most lines that are looked at to tell one encoding from another, and bytes of each.
MOST_TELLING = 20_000
MOST_OF_LINE = 4096

# UTF-32 comes first: its byte order mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def as_bytes(path, declared=None, delimiter=None):
    """Find out how to read the lines of a text file.

    Parameters
    ----------
    path : str
    declared : str, optional
        The encoding that the user states.
    delimiter : str, optional
        The delimiter that the user states; it may be a control character.

    Returns
    -------
    Bytes

    Raises
    ------
    UnreadableFile
        If it is no text, is empty or damaged, or the encoding is not known.
    """
    with one_line_errors(), open_packed(path) as stream:
        found = scan(stream)
    if not found.size:
        raise UnreadableFile("it is empty")
    refuse_other_formats(path, found.begins)
    if declared:
        encoding = known_encoding(declared, found.begins)
        decision = Decision("encoding", encoding, "declared")
    else:
        encoding, decision = recognise_encoding(path, found)
    rewrites = None if keeps_ascii(encoding) else encoding
    if rewrites:
        with open_lines(path, rewrites, False, "utf-8") as stream:
            found = scan(stream)
        encoding = "utf-8"
    # A carriage return without a line feed ends a line only where most lines end so. \r\r\n is one
    # line end, written by a program that put a carriage return before each line feed.
    alone = found.returns - found.pairs
    returns = alone > found.feeds
    decisions = [decision]
    if returns:
        with open_lines(path, rewrites, True, encoding) as stream:
            found = scan(stream)
        decisions.append(Decision("line ends", "carriage return", evidence=f"{alone:,} of them"))
    refuse_binary(found, encoding, declared, delimiter)
    return Bytes(str(path), encoding, found, rewrites, returns, decisions)


def known_encoding(declared, begins):
    """Look up an encoding that the user states.

    Parameters
    ----------
    declared : str
    begins : bytes
        The first bytes of the file, for its byte order mark.

    Returns
    -------
    str
        The name that Python has for it, with the order of bytes.

    Raises
    ------
    UnreadableFile
        If Python has no encoding of that name, or the byte order mark is that of another.
    """
    name = str(declared).strip()
    try:
        encoding = codecs.lookup(name).name
        "a".encode(encoding)
        if "\n\r,;\t".encode(encoding).decode(encoding) != "\n\r,;\t":
            raise LookupError
    except (LookupError, UnicodeError, ValueError):
        names = {*aliases, *aliases.values(), *(key.replace("_", "-") for key in aliases)}
        near = difflib.get_close_matches(name.lower(), sorted(names), 3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnreadableFile(
            f"encoding {name!r} is not known; it can be utf-8, utf-16, cp1252, cp1250, cp1251, "
            f"iso-8859-2, shift_jis, gbk or another one that Python has.{hint}"
        ) from None
    if encoding == "utf-8-sig":
        encoding = "utf-8"
    marked = marked_encoding(begins)
    if encoding in ("utf-16", "utf-32"):
        ordered = marked if marked and marked.startswith(encoding) else None
        return ordered or by_position_of_nul(begins) or f"{encoding}-le"
    if marked and marked != "utf-8" and not encoding.startswith(marked[:6]):
        raise UnreadableFile(
            f"its encoding is set to {name}, but it begins with the byte order mark of "
            f"{marked[:6].upper()}: leave the encoding out"
        )
    return encoding


def marked_encoding(begins):
    """Find the encoding that a byte order mark states; None without one."""
    return next((encoding for mark, encoding in MARKS if begins.startswith(mark)), None)


def keeps_ascii(encoding):
    """Whether lines and fields can be told apart before the bytes are decoded."""
    signs = '\n\r,;\t|"'
    return signs.encode(encoding) == signs.encode("ascii")


def by_position_of_nul(begins):
    """Recognise UTF-16 without a byte order mark by its zero bytes.

    A character of ASCII has one zero byte, after it or before it. Delimiters, digits and line ends
    are ASCII in text of any script. Few zero bytes are on the other side.

    Parameters
    ----------
    begins : bytes

    Returns
    -------
    str or None
    """
    begins = begins[: len(begins) // 2 * 2]
    first, second = begins[::2].count(0), begins[1::2].count(0)
    enough = len(begins) / 2 * 0.3
    for zeros, others, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if zeros > enough and others < zeros / 20:
            return encoding
    return None


def recognise_encoding(path, found):
    """Find the encoding that fits the bytes of a file.

    Parameters
    ----------
    path : str
    found : Scan
        The counts of the file, before anything is rewritten.

    Returns
    -------
    encoding : str
    decision : Decision
        It matters where the encoding is a guess: any encoding but Unicode is one.
    """
    if encoding := marked_encoding(found.begins):
        return encoding, Decision("encoding", encoding, evidence="byte order mark")
    if found.has_nul and (encoding := by_position_of_nul(found.begins)):
        return encoding, Decision("encoding", encoding, evidence="every second byte is zero")
    if found.is_utf8:
        evidence = "only ASCII characters" if found.is_ascii else "all of it is UTF-8"
        return "utf-8", Decision("encoding", "utf-8", evidence=evidence)
    good, bad, examples = count_utf8(path)
    if good >= bad:
        encoding, runner_up = "utf-8", "cp1252"
        evidence = f"{good:,} of {good + bad:,} lines that are not ASCII"
    else:
        encoding, runner_up, letters = western_or_central(examples)
        evidence = f"{bad:,} of {good + bad:,} lines that are not ASCII are not UTF-8; {letters}"
    return encoding, Decision(
        "encoding",
        encoding,
        evidence=evidence,
        runner_up=runner_up,
        setting=f"{{invoice_format: {{encoding: {runner_up}}}}}",
        matters=encoding != "utf-8",
    )


def count_utf8(path):
    """Count the lines that are not ASCII, by whether they are UTF-8.

    Parameters
    ----------
    path : str

    Returns
    -------
    good, bad : int
        Lines that are UTF-8, and lines that are not.
    examples : list of bytes
        The beginnings of the first lines that are not.
    """
    good, bad, examples = 0, 0, []
    with open_packed(path) as stream:
        for raw in iter(partial(stream.readline, MOST_BYTES), b""):
            if raw.isascii():
                continue
            try:
                raw.decode("utf-8")
                good += 1
            except UnicodeDecodeError as error:
                bad += 1
                if len(examples) < MOST_TELLING:
                    # The bytes that tell are those around the one that is not UTF-8.
                    begin = max(0, error.start - MOST_OF_LINE // 2)
                    examples.append(raw[begin : begin + MOST_OF_LINE])
    return good, bad, examples
