"""Opens a file as a stream of bytes, unpacks it, and counts the bytes that matter.

The other modules of text see one stream of bytes whose lines end in a line feed.
"""

import codecs
import gzip
import hashlib
import io
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

from reading.decisions import UnreadableFile

# The most bytes of a line, or of a record of several lines. Written as UTF-8, a record takes at
# most three times as many, which fits into the longest line that DuckDB reads. It also bounds the
# memory that one line can take.
MOST_BYTES = 1 << 19
BLOCK = 1 << 20

# Bytes that are no character must survive the rewriting of a stream as UTF-8. They become bytes
# that are no character in UTF-8 either, so their line is reported as not text.
codecs.register_error(
    "reading_undecodable", lambda error: ("\udcff" * (error.end - error.start), error.end)
)


def is_packed(path):
    """Whether a file is packed with gzip, by its name."""
    return str(path).lower().endswith(".gz")


def open_packed(path):
    """Open a file for reading bytes, unpacked where its name ends in .gz."""
    return gzip.open(path, "rb") if is_packed(path) else open(path, "rb")


@contextmanager
def one_line_errors():
    """Say in one line that a file can't be opened or unpacked.

    Raises
    ------
    UnreadableFile
    """
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        if "Not a gzipped file" in str(error):
            message = "it is not packed with gzip: let its name end without .gz"
        else:
            message = f"it is damaged and can't be unpacked ({error}): copy it again"
        raise UnreadableFile(message) from error
    except OSError as error:
        raise UnreadableFile(f"it can't be opened ({error.strerror or error})") from error


class Rewritten(io.RawIOBase):
    """A stream of bytes whose line ends are line feeds, in an encoding that keeps ASCII.

    Parameters
    ----------
    stream : binary file
    encoding : str or None
        The encoding of the stream; the result is UTF-8. None changes only line ends.
    returns : bool
        Whether a carriage return ends a line too.
    """

    def __init__(self, stream, encoding, returns):
        self.stream = stream
        # Latin-1 maps every byte to one character and back.
        self.decoder = codecs.getincrementaldecoder(encoding or "latin-1")(
            "reading_undecodable" if encoding else "strict"
        )
        if returns:
            self.decoder = io.IncrementalNewlineDecoder(self.decoder, translate=True)
        self.encoding = "utf-8" if encoding else "latin-1"
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
            self.rest = text.encode(self.encoding, self.errors)
        piece = self.rest[: len(buffer)]
        self.rest = self.rest[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self):
        """Close the underlying file too."""
        self.stream.close()
        super().close()


@dataclass(frozen=True)
class Scan:
    """Counts of the bytes of a file.

    Attributes
    ----------
    size, feeds, returns, pairs, quotes : int
        All bytes; line feeds; carriage returns; carriage returns directly before a line feed;
        and ``"``.
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
    """Count the bytes of a stream that matter, one block at a time.

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
        The encoding of the stream that ``open`` gives, as Python names it.
    scan : Scan
        The counts of that stream.
    rewrites : str or None
        The encoding of the file, where its line ends are not those of ASCII.
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
        """Open the stream after its byte order mark; returns a binary file."""
        return open_lines(self.path, self.rewrites, self.returns, self.encoding)

    @property
    def mark(self):
        """Bytes of the byte order mark of the file."""
        return mark_length(self.scan.begins, self.encoding)

    @property
    def digest(self):
        """Part of the names of the tables and files that are landed from this file."""
        return hashlib.sha256(self.path.encode()).hexdigest()[:16]


def mark_length(begins, encoding):
    """Count the bytes of a UTF-8 byte order mark, in text that is UTF-8."""
    return 3 if encoding == "utf-8" and begins.startswith(codecs.BOM_UTF8) else 0


def open_lines(path, rewrites, returns, encoding):
    """Open a file, after its byte order mark, as a stream whose lines end in a line feed."""
    stream = open_packed(path)
    if rewrites or returns:
        stream = io.BufferedReader(Rewritten(stream, rewrites, returns), 1 << 16)
    skipped = mark_length(stream.peek(3)[:3], encoding)
    stream.read(skipped)
    return stream
