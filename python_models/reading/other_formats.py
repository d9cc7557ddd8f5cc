"""Refuses files that are no delimited text, and says what to do with them."""

import re
import zipfile

from reading.decisions import UnreadableFile
from reading.file_bytes import mark_length

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


def refuse_other_formats(path, begins):
    """Stop at a file that is no text, or text of another kind.

    Parameters
    ----------
    path : str
    begins : bytes
        The first bytes of the file, unpacked.

    Raises
    ------
    UnreadableFile
    """
    for signature, message in SIGNATURES:
        if begins.startswith(signature):
            raise UnreadableFile(message)
    if begins.startswith(b"PK\x03\x04"):
        raise UnreadableFile(archive_message(path))
    text = begins[:4096].replace(b"\0", b"").decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe")
    if MARKUP.match(text):
        raise UnreadableFile(
            "it is a web page (HTML): open it in a spreadsheet and save it as XLSX or CSV"
        )
    if XML.match(text):
        raise UnreadableFile("it is XML: export the lines as CSV or XLSX")
    if JSON.match(text):
        raise UnreadableFile("it is JSON: export the lines as CSV, XLSX or Parquet")


def archive_message(path):
    """Say what kind of file a ZIP archive is; it may be a workbook."""
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


def refuse_binary(found, encoding, declared, delimiter):
    """Stop at bytes that are text in no encoding.

    Parameters
    ----------
    found : Scan
        The counts of the stream of lines.
    encoding : str
        The encoding of that stream.
    declared, delimiter : str or None
        The encoding and the delimiter that the user states.

    Raises
    ------
    UnreadableFile
        If control characters are in the first line, and are more than 1% of the first bytes.
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
