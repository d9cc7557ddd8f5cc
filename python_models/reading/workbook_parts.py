"""Opens the archive that an XLSX file is, and reads its parts other than the cells of sheets."""

import posixpath
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

import duckdb

from reading.decisions import UnreadableFile

BLOCK = 1 << 20
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
SAVE_AS = "open it and save it as XLSX or CSV"


@dataclass(frozen=True)
class Sheet:
    """A sheet as the workbook lists it.

    Attributes
    ----------
    name : str
    part : str or None
        Path of its XML in the archive; None where it has no cells, as a chart has none.
    hidden : bool
    """

    name: str
    part: str | None
    hidden: bool


@contextmanager
def unpacked(path):
    """Open the archive that an XLSX file is.

    Parameters
    ----------
    path : str

    Yields
    ------
    zipfile.ZipFile

    Raises
    ------
    UnreadableFile
        If the file is of another kind, or is damaged.
    """
    with open(path, "rb") as stream:
        start = stream.read(512)
        if start.startswith(OLE):
            raise UnreadableFile(name_ole(stream))
    if not start.startswith(b"PK"):
        raise UnreadableFile(name_other(start))
    try:
        with zipfile.ZipFile(path) as book:
            parts = set(book.namelist())
            if "xl/workbook.xml" not in parts:
                raise UnreadableFile(name_archive(book, parts))
            yield book
    except UnreadableFile:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UnreadableFile(f"it is a damaged XLSX file ({error}); get it again") from None
    except (ElementTree.ParseError, expat.ExpatError, KeyError, ValueError, duckdb.Error) as error:
        fault = str(error).partition("\n")[0]
        raise UnreadableFile(f"it is a damaged XLSX file ({fault}); {SAVE_AS}") from None
    except (RuntimeError, NotImplementedError) as error:
        # What zipfile raises for entries with a password or a rare compression.
        raise UnreadableFile(f"it can't be unpacked ({error}); {SAVE_AS}") from None


def name_ole(stream):
    """Say what a file in Microsoft's container of before 2007 is, and what to do with it."""
    mark, rest = "EncryptedPackage".encode("utf-16-le"), b""
    while block := stream.read(BLOCK):
        if mark in rest + block:
            return "it is protected with a password; open it and save it without one"
        rest = block[-len(mark) :]
    return f"it is a workbook in the old format XLS; {SAVE_AS}"


def name_archive(book, parts):
    """Say what an archive that is no XLSX file is, and what to do with it."""
    if "xl/workbook.bin" in parts:
        return f"it is a binary workbook (XLSB); {SAVE_AS}"
    if "mimetype" in parts and b"opendocument.spreadsheet" in book.read("mimetype"):
        return f"it is an OpenDocument workbook (ODS); {SAVE_AS}"
    if any(part.endswith(".iwa") for part in parts):
        return "it is a workbook of Numbers; export it as XLSX or CSV"
    return f"it is an archive without a workbook in it; {SAVE_AS}"


def name_other(start):
    """Say what a file that is no archive is, by its first bytes, and what to do with it."""
    if not start:
        return "it is empty; get it again"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return f"it is a page in HTML or XML, not an XLSX file; {SAVE_AS}"
    if b"\0" not in start:
        return "it is text, not an XLSX file; if it is CSV, rename it to .csv"
    return f"it is no XLSX file; {SAVE_AS}"


def read_contents(book):
    """Read which sheets a workbook has.

    Parameters
    ----------
    book : zipfile.ZipFile

    Returns
    -------
    sheets : list of Sheet
    from_1904 : bool
        Whether days are counted from 1904 on.
    """
    targets = relations(book, "xl/workbook.xml")
    sheets, from_1904 = [], False
    for element in ElementTree.fromstring(book.read("xl/workbook.xml")).iter():
        if element.tag.endswith("}workbookPr"):
            from_1904 = element.get("date1904", "").lower() in ("1", "true", "on")
        elif element.tag.endswith("}sheet"):
            identifier = next((value for key, value in element.items() if key.endswith("}id")), "")
            kind, part = targets.get(identifier, ("", None))
            sheets.append(
                Sheet(
                    name=element.get("name", ""),
                    part=part if kind == "worksheet" else None,
                    hidden=element.get("state", "visible") != "visible",
                )
            )
    return sheets, from_1904


def relations(book, part):
    """Read the parts to which a part refers: kind and path, by the id of the relation."""
    folder, file = posixpath.split(part)
    path = f"{folder}/_rels/{file}.rels"
    if path not in book.namelist():
        return {}
    return {
        relation.get("Id"): (
            relation.get("Type", "").rsplit("/", 1)[-1],
            posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))[1:],
        )
        for relation in ElementTree.fromstring(book.read(path))
    }


def related(book, part, wanted):
    """Find the parts of a kind to which a part refers, by their paths."""
    return [path for kind, path in relations(book, part).values() if kind == wanted]


def count_texts(book):
    """Count the shared texts of a workbook."""
    part = next(iter(related(book, "xl/workbook.xml", "sharedStrings")), None)
    if part not in book.namelist():
        return 0
    count = 0

    def start(tag, _):
        nonlocal count
        count += tag.rsplit(":", 1)[-1] == "si"

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with book.open(part) as stream:
        while block := stream.read(BLOCK):
            parser.Parse(block)
    return count
