"""Turns the bytes of a file into lines: what kind of file it is, packed or not, in which encoding.

Every other module of text sees one stream of bytes whose lines end in a line feed.
"""

import codecs
import difflib
import gzip
import io
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import partial

from reading.decisions import Decision, UnreadableFile

# Bytes of a line, or of a record of several. Written as UTF-8, a record has at most three times as
# many, which fits into the longest line that DuckDB reads; and no line takes more memory than this.
MOST_BYTES = 1 << 19
BLOCK = 1 << 20
# Lines that are looked at to tell one encoding from another.
MOST_TELLING = 20_000

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# First bytes of files that are no text, whatever their names end in.
SIGNATURES = (
    (b"\x1f\x8b", "it is packed with gzip: let its name end in .gz"),
    (b"%PDF-", "it is a PDF: export the lines as CSV or XLSX"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "it is a workbook in the old format (XLS), or one with a password: save it as XLSX or CSV",
    ),
    (b"PAR1", "it is Parquet: name it .parquet"),
    (b"SQLite format 3\0", "it is an SQLite database: export the table as CSV"),
    (b"BZh", "it is packed with bzip2: unpack it"),
    (b"\xfd7zXZ\0", "it is packed with xz: unpack it"),
    (b"\x28\xb5\x2f\xfd", "it is packed with Zstandard: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it"),
    (b"Rar!\x1a\x07", "it is a RAR archive: unpack it"),
    (b"{\\rtf", "it is a text document (RTF): export the lines as CSV or XLSX"),
)

MARKUP = re.compile(r"\s*<(!doctype\s+html|html|head|body|table|meta|div)\b", re.IGNORECASE)
XML = re.compile(r"\s*<\?xml|\s*<\w+[^<>,;\t|]*>\s*<\w+")
JSON = re.compile(r"\s*(\[\s*(\{\s*[\"}]|\[\s*[\"\[\d])|\{\s*\"[^\"]*\"\s*:)")

# How bytes that are no character travel through a stream that has been rewritten as UTF-8: as bytes
# that are none there either, so that their line is told as not text.
codecs.register_error(
    "reading_undecodable", lambda error: ("\udcff" * (error.end - error.start), error.end)
)


def open_packed(path):
    """Open a file for reading bytes, unpacked where its name ends in .gz."""
    return gzip.open(path, "rb") if str(path).lower().endswith(".gz") else open(path, "rb")


@contextmanager
def told(path):
    """Say in one line that a file can't be opened or unpacked.

    Raises
    ------
    UnreadableFile
    """
    try:
        yield
    except gzip.BadGzipFile as error:
        if "Not a gzipped file" in str(error):
            raise UnreadableFile(
                "it is not packed with gzip: let its name end without .gz"
            ) from error
        raise UnreadableFile(f"it is damaged and can't be unpacked ({error}): copy it again") from (
            error
        )
    except (EOFError, zlib.error) as error:
        raise UnreadableFile(f"it is damaged and can't be unpacked ({error}): copy it again") from (
            error
        )
    except OSError as error:
        raise UnreadableFile(f"it can't be opened ({error.strerror or error})") from error


class Rewritten(io.RawIOBase):
    """A stream of bytes whose line ends are line feeds, in an encoding that keeps ASCII.

    Parameters
    ----------
    stream : binary file
    encoding : str or None
        What to decode; the result is UTF-8. None leaves all bytes but line ends as they are.
    returns : bool
        Whether a carriage return ends a line too.
    """

    def __init__(self, stream, encoding, returns):
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder(encoding or "latin-1")(
            "reading_undecodable" if encoding else "strict"
        )
        if returns:
            self.decoder = io.IncrementalNewlineDecoder(self.decoder, translate=True)
        self.encode = partial(
            codecs.encode, **({"encoding": "utf-8"} if encoding else {"encoding": "latin-1"})
        )
        self.errors = "surrogateescape" if encoding else "strict"
        self.rest = b""
        self.ended = False

    def readable(self):
        """Tell ``io`` that this can be read."""
        return True

    def readinto(self, buffer):
        """Fill a buffer; returns the number of bytes, 0 at the end."""
        while not self.rest and not self.ended:
            block = self.stream.read(1 << 16)
            self.ended = not block
            text = self.decoder.decode(block, final=self.ended)
            self.rest = self.encode(text, errors=self.errors)
        piece = self.rest[: len(buffer)]
        self.rest = self.rest[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self):
        """Close the file behind it too."""
        self.stream.close()
        super().close()


@dataclass(frozen=True)
class Scan:
    """What a file's bytes are, counted.

    Attributes
    ----------
    size, feeds, returns, pairs, quotes : int
        Bytes in all; line feeds, carriage returns, those directly before a line feed, and ``"``.
    begins, ends : bytes
        The first 64 KB and the last byte.
    is_ascii, is_utf8, has_nul : bool
    """

    size: int
    feeds: int
    returns: int
    pairs: int
    quotes: int
    begins: bytes
    ends: bytes
    is_ascii: bool
    is_utf8: bool
    has_nul: bool

    @property
    def lines(self):
        """Lines that end in a line feed, and one more where the last has no end."""
        return self.feeds + (self.size > 0 and self.ends != b"\n")


def scan(stream):
    """Count the bytes of a stream that matter, a block at a time.

    Parameters
    ----------
    stream : binary file

    Returns
    -------
    Scan
    """
    counts = Counter()
    begins = ends = b""
    is_ascii, is_utf8, has_nul = True, True, False
    decoder = codecs.getincrementaldecoder("utf-8")()
    while block := stream.read(BLOCK):
        begins = begins or block[: 1 << 16]
        counts["size"] += len(block)
        counts["feeds"] += block.count(b"\n")
        counts["quotes"] += block.count(b'"')
        if returns := block.count(b"\r"):
            counts["returns"] += returns
            counts["pairs"] += block.count(b"\r\n")
        counts["pairs"] += ends == b"\r" and block[:1] == b"\n"
        has_nul = has_nul or b"\0" in block
        if is_utf8 and not (block.isascii() and decoder.getstate()[0] == b""):
            is_ascii = False
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                is_utf8 = False
        ends = block[-1:]
    if decoder.getstate()[0]:
        is_utf8 = False
    return Scan(
        **{name: counts[name] for name in ("size", "feeds", "returns", "pairs", "quotes")},
        begins=begins,
        ends=ends,
        is_ascii=is_ascii,
        is_utf8=is_utf8,
        has_nul=has_nul,
    )


@dataclass(frozen=True)
class Bytes:
    """A file as one stream of lines.

    Attributes
    ----------
    path : str
    encoding : str
        Of the stream that ``open`` gives, a Python codec.
    scan : Scan
        Of that stream.
    rewrites : str or None
        The file's own encoding, where its line ends are not those of ASCII.
    returns : bool
        Whether a carriage return ends a line too.
    decisions : list of Decision
    """

    path: str
    encoding: str
    scan: Scan
    rewrites: str | None
    returns: bool
    decisions: list

    def open(self):
        """Open the stream, behind its byte order mark.

        Returns
        -------
        binary file
        """
        return open_lines(self.path, self.rewrites, self.returns, self.encoding)

    @property
    def mark(self):
        """Bytes of the byte order mark of the file."""
        return mark_length(self.scan.begins, self.encoding)


def mark_length(begins, encoding):
    """Count the bytes of a UTF-8 byte order mark, in text that is UTF-8."""
    return 3 if encoding == "utf-8" and begins.startswith(codecs.BOM_UTF8) else 0


def open_lines(path, rewrites, returns, encoding):
    """Open a file as a stream whose lines end in a line feed, behind its byte order mark."""
    stream = open_packed(path)
    if rewrites or returns:
        stream = io.BufferedReader(Rewritten(stream, rewrites, returns), 1 << 16)
    skipped = mark_length(stream.peek(3)[:3], encoding)
    stream.read(skipped)
    return stream


def as_bytes(path, declared=None, delimiter=None):
    """Find out how to read the lines of a text file.

    Parameters
    ----------
    path : str
    declared : str, optional
        An encoding.
    delimiter : str, optional
        Which may be a control character.

    Returns
    -------
    Bytes

    Raises
    ------
    UnreadableFile
        If it is no text, is empty or damaged, or the encoding is not known.
    """
    with told(path):
        with open_packed(path) as stream:
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
    # A carriage return that does not stand before a line feed ends a line where most lines end so.
    if rewrites:
        with open_lines(path, rewrites, False, "utf-8") as stream:
            found = scan(stream)
        encoding = "utf-8"
    alone = found.returns - found.pairs
    # \r\r\n is one line end, written by a program that put a carriage return before each line feed.
    returns = alone > found.feeds
    if returns:
        with open_lines(path, rewrites, True, encoding) as stream:
            found = scan(stream)
    decisions = [decision]
    if returns:
        decisions.append(Decision("line ends", "carriage return", evidence=f"{alone:,} of them"))
    refuse_what_is_no_text(found, encoding, declared, delimiter)
    return Bytes(str(path), encoding, found, rewrites, returns, decisions)


def refuse_other_formats(path, begins):
    """Stop at a file that is no text, or text of another kind.

    Parameters
    ----------
    path : str
    begins : bytes
        Of the file, unpacked.

    Raises
    ------
    UnreadableFile
    """
    for signature, message in SIGNATURES:
        if begins.startswith(signature):
            raise UnreadableFile(message)
    if begins.startswith(b"PK\x03\x04"):
        raise UnreadableFile(told_archive(path))
    text = begins[:4096].replace(b"\0", b"").decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe")
    if MARKUP.match(text):
        raise UnreadableFile(
            "it is a web page (HTML): open it in a spreadsheet and save it as XLSX or CSV"
        )
    if XML.match(text):
        raise UnreadableFile("it is XML: export the lines as CSV or XLSX")
    if JSON.match(text):
        raise UnreadableFile("it is JSON: export the lines as CSV, XLSX or Parquet")


def told_archive(path):
    """Say what a ZIP file is: a workbook, perhaps."""
    names = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    if "xl/workbook.xml" in names:
        return "it is a workbook (XLSX): name it .xlsx"
    if "xl/workbook.bin" in names:
        return "it is a workbook (XLSB): save it as XLSX or CSV"
    if "content.xml" in names:
        return "it is an OpenDocument file: save it as XLSX or CSV"
    return "it is a ZIP archive: unpack it"


def refuse_what_is_no_text(found, encoding, declared, delimiter):
    """Stop at bytes that are text in no encoding.

    Parameters
    ----------
    found : Scan
        Of the stream of lines.
    encoding : str
        Of that stream.
    declared, delimiter : str or None

    Raises
    ------
    UnreadableFile
        If its first line holds control characters, and many of its first bytes are some.
    """
    begins = found.begins[mark_length(found.begins, encoding) :]
    if delimiter:
        begins = begins.replace(delimiter.encode(), b" ")
    control = len(re.findall(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]", begins))
    head = begins.split(b"\n", 1)[0]
    if control > len(begins) / 100 and re.search(rb"[\x00-\x08]", head):
        hint = f" in {declared}" if declared else ""
        raise UnreadableFile(
            f"it is no text{hint}: {control:,} of its first {len(begins):,} bytes are control "
            "characters"
        )


def known_encoding(declared, begins):
    """Look an encoding up.

    Parameters
    ----------
    declared : str
    begins : bytes
        Of the file, for its byte order mark.

    Returns
    -------
    str
        As Python names it, and with the order of bytes.

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
    marked = next((found for mark, found in MARKS if begins.startswith(mark)), None)
    if encoding in ("utf-16", "utf-32"):
        ordered = marked if marked and marked.startswith(encoding) else None
        return ordered or by_position_of_nul(begins) or f"{encoding}-le"
    if marked and marked != "utf-8" and not encoding.startswith(marked[:6]):
        raise UnreadableFile(
            f"its encoding is set to {name}, but it begins with the byte order mark of "
            f"{marked[:6].upper()}: leave the encoding out"
        )
    return encoding


def keeps_ascii(encoding):
    """Whether lines and fields can be told apart before the bytes are decoded."""
    signs = '\n\r,;\t|"'
    return signs.encode(encoding) == signs.encode("ascii")


def by_position_of_nul(begins):
    """Tell UTF-16 without a byte order mark by its zeros.

    Parameters
    ----------
    begins : bytes

    Returns
    -------
    str or None
        Every character of ASCII has one zero byte, behind it or before it: among text of any
        script, delimiters, digits and line ends have them, and no zero stands elsewhere.
    """
    begins = begins[: len(begins) // 2 * 2]
    first, second = begins[::2].count(0), begins[1::2].count(0)
    enough = len(begins) / 2 * 0.3
    for zeros, others, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if zeros > enough and others < zeros / 20:
            return encoding
    return None


def recognise_encoding(path, found):
    """Find the encoding that fits a file's bytes.

    Parameters
    ----------
    path : str
    found : Scan
        Of the file as it is.

    Returns
    -------
    encoding : str
    decision : Decision
        Told without being asked where it is a guess, which any encoding but Unicode is.
    """
    for mark, encoding in MARKS:
        if found.begins.startswith(mark):
            return encoding, Decision("encoding", encoding, evidence="byte order mark")
    if found.has_nul and (encoding := by_position_of_nul(found.begins)):
        return encoding, Decision("encoding", encoding, evidence="every second byte is zero")
    if found.is_utf8:
        evidence = "only ASCII characters" if found.is_ascii else "all of it is UTF-8"
        return "utf-8", Decision("encoding", "utf-8", evidence=evidence)
    good, bad = 0, []
    n_bad = 0
    with open_packed(path) as stream:
        for raw in iter(partial(stream.readline, MOST_BYTES), b""):
            if raw.isascii():
                continue
            try:
                raw.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                n_bad += 1
                if len(bad) < MOST_TELLING:
                    bad.append(raw[:4096])
    if good >= n_bad:
        return "utf-8", Decision(
            "encoding",
            "utf-8",
            evidence=f"{good:,} of {good + n_bad:,} lines that are not ASCII",
            runner_up="cp1252",
            setting="{invoice_format: {encoding: cp1252}}",
        )
    encoding, runner_up, evidence = western_or_central(bad)
    return encoding, Decision(
        "encoding",
        encoding,
        evidence=f"{n_bad:,} of {good + n_bad:,} lines that are not ASCII are not UTF-8; "
        f"{evidence}",
        runner_up=runner_up,
        setting=f"{{invoice_format: {{encoding: {runner_up}}}}}",
        matters=True,
    )


def western_or_central(lines):
    """Tell CP1252 from CP1250 by what their letters would be.

    Parameters
    ----------
    lines : list of bytes
        Not ASCII.

    Returns
    -------
    encoding, runner_up, evidence : str
    """
    speaks = Counter()
    seen = {"cp1250": "", "cp1252": ""}
    foreign = words = 0
    for raw in lines:
        central = raw.decode("cp1250", "replace")
        western = raw.decode("cp1252", "replace")
        for place, letter in enumerate(central):
            if letter.isascii():
                continue
            favoured = favours(
                central[place - 1] if place else " ",
                letter,
                western[place],
                central[place + 1] if place + 1 < len(central) else " ",
            )
            if favoured:
                speaks[favoured] += 1
                text = central if favoured == "cp1250" else western
                seen[favoured] = seen[favoured] or word_at(text, place)
        for word in re.findall(r"[^\W\d_]{3,}", western):
            if not word.isascii():
                words += 1
                foreign += all(letter > "\xbf" for letter in word)
    example = lines[0]
    if words and foreign > words / 2:
        word = next(
            word
            for raw in lines
            for word in re.findall(r"[^\W\d_]{3,}", raw.decode("cp1252", "replace"))
            if all(letter > "\xbf" for letter in word)
        )
        return (
            "cp1252",
            "cp1251",
            f"words such as {word} speak for another alphabet: set the encoding "
            f"(cp1251 makes it {word.encode('cp1252').decode('cp1251', 'replace')})",
        )
    encoding = "cp1250" if speaks["cp1250"] > speaks["cp1252"] else "cp1252"
    other = "cp1252" if encoding == "cp1250" else "cp1250"
    if not speaks:
        place = next(index for index, byte in enumerate(example) if byte > 127)
        word = word_at(example.decode(encoding, "replace"), place)
        return encoding, other, f"nothing tells it from {other}; such as {word}"
    evidence = (
        f"letters such as in {seen[encoding]} ({speaks[encoding]:,} for, {speaks[other]:,} against)"
    )
    return encoding, other, evidence


def word_at(text, place):
    """Find the word that a character is part of."""
    start = max(text.rfind(sign, 0, place) for sign in ' ,;\t|"') + 1
    return re.match(r"[^ ,;\t|\"\r\n]*", text[start:])[0]


def favours(before, central, western, after):
    """Say which encoding a character speaks for.

    Parameters
    ----------
    before, after : str
        Its neighbours, as CP1250 has them.
    central, western : str
        What it is in CP1250 and in CP1252.

    Returns
    -------
    str or None
        cp1250, cp1252 or None: it may be either.
    """
    inside = before.isalpha() and after.isalpha()
    low = central.lower()
    if central == western:
        # The same in both, but Western words have neither.
        return "cp1250" if low in "\u0161\u017e" and (before.isalpha() or after.isalpha()) else None
    if western == "\ufffd" and central.isalpha():
        return "cp1250"
    if western.lower() == "\u0153":
        return "cp1252" if after.lower() in ("i", "u") else "cp1250"
    is_letter = western.isalpha() and western not in "\xaa\xba\u0192"
    if central.isalpha() != is_letter:
        # A sign, such as a superscript three, in the middle of a word is none.
        return ("cp1250" if central.isalpha() else "cp1252") if inside else None
    if not is_letter:
        return None
    if low in "\u0155\u013a":
        return "cp1252"
    if low in "\u011b\u016f":
        return "cp1250" if after.isalpha() else None
    if low == "\u0144":
        return "cp1252" if is_vowel(after) else "cp1250"
    if low in "\u0103\u0151":
        return "cp1252" if after.lower() in ("e", "o") else None
    if is_vowel(western) and not is_vowel(central):
        # A vowel between consonants, a consonant between vowels. The end of a word is neither, so
        # there the letter before it decides, and a word of one letter is a vowel.
        neighbours = [is_vowel(letter) for letter in (before, after) if letter.isalpha()]
        if not any(neighbours):
            return "cp1252"
        return "cp1250" if all(neighbours) else None
    return None


def is_vowel(letter):
    """Whether a letter is a vowel, with an accent or without."""
    plain = unicodedata.normalize("NFD", letter.lower())[:1]
    return plain in ("a", "e", "i", "o", "u", "y", "\xe6", "\xf8", "\u0153")
