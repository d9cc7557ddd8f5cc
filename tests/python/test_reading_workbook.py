"""Workbooks: which sheets are read, from which row on, and every cell as the text it means."""

import random
import zipfile
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

import duckdb
import pytest
from test_inputs import as_xlsx, letters

from reading.cell_text import is_date_format
from reading.decisions import UnreadableFile
from reading.workbook import open_workbook

HEADER = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate"]
LINE = ["A1", "mug", 2, 20230531]
READ = ("A1", "mug", "2", "20230531")
STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<numFmts><numFmt numFmtId="164" formatCode="[$-409]d. mmm yyyy;@"/>'
    '<numFmt numFmtId="165" formatCode="[Red]0.00 &quot;days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="20"/></cellXfs>'
    "</styleSheet>"
)


def opened(path, declared=None, connection=None):
    connection = connection or duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    return connection, open_workbook(connection, str(path), path.name, declared)


def values(connection, source):
    """Rows of a source, each with its line."""
    columns = ", ".join(column.sql for column in source.columns)
    return connection.execute(
        f"select {source.line}, {columns} from {source.relation} order by 1"
    ).fetchall()


def told(source):
    return [decision.answer for decision in source.decisions if decision.matters]


def change(path, edits):
    """Edit parts of a workbook: each part by a function of its text, or a part that is new."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    for name, edit in edits.items():
        parts[name] = edit(parts[name]) if callable(edit) else edit
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)


def write_rows(path, rows, *, shared=(), workbook=lambda text: text, sheet=lambda text: text):
    """Write a workbook with one sheet of raw XML rows, and styles."""
    as_xlsx(path, {"lines": [["x"]]})

    def with_rows(text):
        return sheet(text[: text.index("<row")] + rows + text[text.index("</sheetData>") :])

    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    edits = {
        "xl/worksheets/sheet1.xml": with_rows,
        "xl/styles.xml": STYLES,
        "xl/workbook.xml": workbook,
    }
    if shared:
        edits["xl/sharedStrings.xml"] = f"<sst {main}>{''.join(shared)}</sst>"
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        relation = f'<Relationship Id="r99" Type="{kind}" Target="sharedStrings.xml"/>'
        edits["xl/_rels/workbook.xml.rels"] = lambda text: text.replace(
            "</Relationships>", relation + "</Relationships>"
        )
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        edits["[Content_Types].xml"] = lambda text: text.replace(
            "</Types>",
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>',
        )
    change(path, edits)


def raw_row(number, *cells):
    """XML of a row; of each cell what stands behind its place: type, style and value."""
    inside = "".join(
        f'<c r="{letters(column)}{number}"{cell}' for column, cell in enumerate(cells) if cell
    )
    return f'<row r="{number}">{inside}</row>'


def text(value):
    return f' t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(value, style=0):
    return f' s="{style}"><v>{value}</v></c>'


def names(*titles):
    return raw_row(1, *map(text, titles))


def test_sheets_without_a_table_are_left_out_and_told(tmp_path):
    path = tmp_path / "shop[1].xlsx"
    sheets = {"Read me": [["Orders"]], "2022": [HEADER, LINE], "empty": [], "chart": None}
    sheets["2023"] = [["Orders of 2023"], [], HEADER, LINE, [], LINE]
    sheets["notes"] = [["a", "b", "c"], ["all"], ["of"], ["it"]]
    as_xlsx(path, sheets)
    connection, (first, second) = opened(path)
    assert [first.name, second.name] == ["shop[1].xlsx, sheet 2022", "shop[1].xlsx, sheet 2023"]
    assert [column.name for column in second.columns] == HEADER
    assert values(connection, first) == [(2, *READ)]
    assert values(connection, second) == [(4, *READ), (5, *[None] * 4), (6, *READ)]
    assert (first.kind, first.lines, second.lines) == ("sheet", 1, 3)
    reason = "is not read: it has no table"
    assert told(first) == [f"Read me {reason}", f"notes {reason}"]
    assert [(d.question, d.answer, d.found) for d in second.decisions] == [
        ("header line", "row 3", "recognised")
    ]
    _, (chosen,) = opened(path, {"sheet": "2023", "header_line": 4})
    assert ([c.name for c in chosen.columns], chosen.lines) == (["A1", "mug", "2", "20230531"], 2)
    _, chosen = opened(path, {"sheet": ["notes", "2022"]})
    assert [source.name.split()[-1] for source in chosen] == ["2022", "notes"]
    for declared, message in (
        ({"sheet": 2021}, "no sheet '2021'; it has: Read me, 2022, empty, 2023, notes"),
        ({"sheet": "empty"}, "its sheet empty is empty"),
        ({"sheet": "2022", "header_line": 9}, "its sheet 2022 has nothing in row 9"),
        ({"header_line": "first"}, "header_line is 'first'; it must be a row number"),
    ):
        with pytest.raises(UnreadableFile, match=message):
            opened(path, declared)
    as_xlsx(path, {"Read me": [["Orders"]]})
    with pytest.raises(UnreadableFile, match=r"no sheet with a table \(Read me is not read"):
        opened(path)
    as_xlsx(path, {"empty": [], "bare": [[None]]})
    with pytest.raises(UnreadableFile, match="no sheet with a table: it is empty"):
        opened(path)


def test_hidden_sheets_and_pivot_tables_are_left_out_and_told(tmp_path):
    path = tmp_path / "shop.xlsx"
    as_xlsx(path, {"lines": [HEADER, LINE], "old": [HEADER, LINE], "sums": [HEADER, LINE]})
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/pivotTable"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rels = f'<Relationship Id="r1" Type="{kind}" Target="../pivotTables/pivotTable1.xml"/>'
    change(
        path,
        {
            "xl/workbook.xml": lambda text: text.replace('"old"', '"old" state="veryHidden"'),
            # An absolute target means the same.
            "xl/_rels/workbook.xml.rels": lambda text: text.replace('"work', '"/xl/work'),
            "xl/worksheets/_rels/sheet3.xml.rels": f'<Relationships xmlns="{package}">{rels}'
            "</Relationships>",
            "xl/pivotTables/pivotTable1.xml": f"<pivotTableDefinition {main}>"
            '<location ref="A1:D2"/></pivotTableDefinition>',
        },
    )
    connection, (lines,) = opened(path)
    assert values(connection, lines) == [(2, *READ)]
    assert told(lines) == [
        "old is not read: it is hidden",
        "sums is not read: it has a pivot table",
    ]
    _, chosen = opened(path, {"sheet": ["old", "sums"]})
    assert len(chosen) == 2


def test_names_of_columns(tmp_path):
    path = tmp_path / "shop.xlsx"
    head = ["Invoice\r\nNo", None, " Price ", "Price", None, 2011, "Empty", "a_x000D_\nb"]
    as_xlsx(path, {"lines": [head, ["A1", None, 1, 2, "unnamed", 3, None, 4], [None] * 8]})
    connection, (lines,) = opened(path)
    assert [c.name for c in lines.columns] == [
        *("Invoice No", "Price", "Price", "", "2011", "Empty", "a b")
    ]
    assert values(connection, lines) == [(2, "A1", "1", "2", "unnamed", "3", None, "4")]
    as_xlsx(path, {"lines": [HEADER]})
    connection, (lines,) = opened(path)
    assert (lines.lines, values(connection, lines)) == (0, [])


def test_a_cell_far_to_the_right_is_told(tmp_path):
    path = tmp_path / "shop.xlsx"
    row = raw_row(2, number(1), number(2)).replace("</row>", '<c r="XFD2"><v>1</v></c></row>')
    write_rows(path, names("a", "b", "c") + row)
    connection, (lines,) = opened(path)
    assert told(lines) == ["columns after ALL are not read"]
    assert values(connection, lines) == [(2, "1", "2", None)]


def test_dates_are_what_cells_show_as_dates(tmp_path):
    path = tmp_path / "shop.xlsx"
    rows = names("Day", "Number", "Time", "Both")
    rows += raw_row(
        2, number(40695.5, 1), number(45000.5, 3), number(0.75, 4), number(20230531)
    ) + raw_row(3, text("1 June"), number(20230531), None, number(40695, 2))
    write_rows(path, rows)
    connection, (lines,) = opened(path)
    assert values(connection, lines) == [
        (2, "2011-06-01 12:00:00", "45000.5", "18:00:00", "20230531"),
        (3, "1 June", "20230531", None, "2011-06-01 00:00:00"),
    ]
    (told,) = [decision for decision in lines.decisions if decision.matters]
    assert (told.question, told.lines) == ("dates in a column", 1)
    assert told.answer == "numbers in Both that are not shown as dates stay numbers"
    assert told.evidence == "1 shown as dates, 1 as numbers"
    write_rows(
        path,
        rows,
        workbook=lambda text: text.replace("<sheets>", '<workbookPr date1904="1"/><sheets>'),
    )
    connection, (lines,) = opened(path)
    assert [row[1] for row in values(connection, lines)] == ["2015-06-02 12:00:00", "1 June"]
    assert values(connection, lines)[0][3:] == ("18:00:00", "20230531")


@pytest.mark.parametrize(
    ("code", "dated"),
    [
        *(
            ("dd/mm/yyyy", True),
            ("[$-F800]dddd\\,\\ mmmm", True),
            ("[h]:mm", True),
            ("m/d;@", True),
        ),
        *(("General", False), ('0.00 "days"', False), ("[Red]#,##0.00\\ [$USD];0", False)),
        *(("@", False), ("0.00E+00", False), ("0\\d", False), ("_-* #,##0_d", False)),
    ],
)
def test_formats_of_dates(code, dated):
    assert is_date_format(code) is dated


def test_an_empty_shared_text_is_not_the_first_one_of_the_workbook(tmp_path):
    path = tmp_path / "shop.xlsx"
    rows = names("a", "b", "c")
    rows += raw_row(2, ' t="s"/>', ' t="s"><v></v></c>', ' t="s"><v>1</v></c>')
    rows += raw_row(3, ' t="s"><v>0</v></c>', ' t="s"/>', ' t="s"/>') + raw_row(4, ' t="s"/>')
    write_rows(
        path, rows, shared=["<si><t>first</t></si>", "<si><r><t>ri</t></r><r><t>ch</t></r></si>"]
    )
    connection, (lines,) = opened(path)
    assert values(connection, lines) == [(2, None, None, "rich"), (3, "first", None, None)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (raw_row(3, number(1)) + raw_row(2, number(1)), "damaged at row 2: rows are out of order"),
        (
            '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>',
            "row 2: cells are out of",
        ),
        (raw_row(2, ' t="s"><v>7</v></c>'), "row 2: a shared text is missing"),
        ('<row r="2"><c r="a2"><v>1</v></c></row>', "'a' is no column of a sheet"),
        ('<row r="2"><c r="A9"><v>1</v></c></row>', "Cell reference does not match"),
        ('<row r="x"><c r="A9"><v>1</v></c></row>', "damaged XLSX file"),
        ('<row r="2"><c r="A2"><v>1</v>', "damaged XLSX file"),
    ],
)
def test_a_damaged_sheet_is_one_line(tmp_path, rows, message):
    path = tmp_path / "shop.xlsx"
    write_rows(path, names("a", "b", "c") + rows)
    with pytest.raises(UnreadableFile, match=message) as caught:
        opened(path)
    assert "\n" not in str(caught.value)


def archive(parts):
    def write(path):
        with zipfile.ZipFile(path, "w") as book:
            for name, content in parts.items():
                book.writestr(name, content)

    return write


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(5000)
SECRET = "EncryptedPackage".encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (OLE, "old format XLS; open it and save it as XLSX or CSV"),
        (OLE + SECRET, "protected with a password; open it and save it without one"),
        (archive({"xl/workbook.bin": ""}), "binary workbook"),
        (archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
        (archive({"Index/Document.iwa": ""}), "Numbers"),
        (archive({"a": ""}), "archive without a workbook"),
        (archive({"xl/workbook.xml": "<a>"}), "damaged XLSX file"),
        (b"<html><table>", "a page in HTML or XML"),
        (b"a,b,c\n1,2,3\n", "it is text, not an XLSX file; if it is CSV, rename it"),
        (b"PK\3\4 cut off", "damaged XLSX file .*; get it again"),
        (b"", "it is empty"),
        (b"\1\0\2", "no XLSX file"),
    ],
)
def test_other_kinds_of_files_are_one_line(tmp_path, content, message):
    path = tmp_path / "shop.xlsx"
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=message) as caught:
        opened(path)
    assert "\n" not in str(caught.value)


def test_lines_are_exact_in_a_long_sheet(tmp_path, monkeypatch):
    # A full parser would need five times as long for a sheet in the usual form.
    monkeypatch.delattr("reading.sheet_xml.parsed_rows")
    path, last = tmp_path / "shop.xlsx", 260_000
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, last + 1))
    write_rows(path, names("a", "b", "c") + rows)
    connection, (lines,) = opened(path, {"sheet": "lines"})
    connection.execute("set threads = 4")
    column = lines.columns[0].sql
    counted = f"select count(*), count(*) filter ({column} <> cast({lines.line} as varchar))"
    assert connection.execute(f"{counted} from {lines.relation}").fetchone() == (last - 1, 0)
    assert lines.lines == last - 1


def random_cell(chance):
    """XML of a cell behind its place, and the text that it means."""
    day = datetime(2011, 1, 1) + timedelta(seconds=chance.randrange(10**8))
    serial = (day - datetime(1899, 12, 30)) / timedelta(days=1)
    words = [" 12.50", "0012", "1E-3", "x\ny", "\u00fc\u20ac <&>", "45000", "TRUE"]
    word, truth = chance.choice(words), chance.randrange(2)
    return chance.choice(
        [
            ("", None),
            ("/>", None),
            (' s="1"/>', None),
            (text(word), word),
            (text("a_x005F_x000D_b_x000D_"), "a_x000D_b\r"),
            (' t="str"><f>A1&amp;"x"</f><v>cached</v></c>', "cached"),
            (' t="str"><f>A1</f><v></v></c>', None),
            (' t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
            (f' t="b"><v>{truth}</v></c>', ["FALSE", "TRUE"][truth]),
            (' t="d"><v>2011-06-01T12:00:00</v></c>', "2011-06-01 12:00:00"),
            (' t="s"><v>1</v></c>', "second"),
            (' t="s"/>', None),
            (number(serial, chance.choice([1, 2])), f"{day:%Y-%m-%d %H:%M:%S}"),
            ("><f>1+1</f><v>2</v></c>", "2"),
            ("><f>1+1</f></c>", None),
            *((number(n, chance.choice([0, 3])), shown) for n, shown in NUMBERS),
        ]
    )


NUMBERS = [
    *(("20230531", "20230531"), ("45000.5", "45000.5"), ("1E-3", "0.001"), ("39.0", "39")),
    *(("36.159999999999997", "36.16"), ("-1.5E+3", "-1500"), ("1E+20", "100000000000000000000")),
    *(("12345678901234567", "12345678901234567"), ("2.5000000000000001E-7", "0.00000025")),
]


def with_prefix(text):
    for tag in ("worksheet", "sheetData", "row", "c", "v", "f", "is", "t"):
        for before in ("<", "</"):
            for behind in (" ", ">", "/>"):
                text = text.replace(f"{before}{tag}{behind}", f"{before}x:{tag}{behind}")
    return text.replace("xmlns=", "xmlns:x=")


def without_places(text):
    """Rows that follow each other need no numbers."""
    return text.replace('<row r="1">', "<row>").replace('<row r="2">', "<row>")


@pytest.mark.parametrize(
    "written",
    [
        *(lambda text: text, with_prefix, without_places),
        lambda text: text.replace("<sheetData>", "<!-- a comment --><sheetData>"),
        lambda text: text.replace('"><c r="A', '" spans="1:6"><c  r="A'),
    ],
    ids=["usual", "prefix", "no row numbers", "comment", "spaces"],
)
def test_random_workbooks_are_read_cell_by_cell(tmp_path, written):
    path = tmp_path / "shop.xlsx"
    connection = duckdb.connect()
    for seed in range(10):
        chance = random.Random(seed)
        rows, expected = names(*"abcdef"), []
        for place in range(2, 2 + chance.randrange(1, 40)):
            cells = [random_cell(chance) for _ in range(6)]
            if place > 2 and chance.random() < 0.1:
                cells = [("", None)] * 6
            rows += raw_row(place, *(xml for xml, _ in cells))
            expected.append((place, *(meant for _, meant in cells)))
        while expected and not any(expected[-1][1:]):
            del expected[-1]
        shared = ["<si><t>first</t></si>", "<si><t>second</t></si>"]
        write_rows(path, rows, shared=shared, sheet=written)
        _, (lines,) = opened(path, {"header_line": 1, "sheet": "lines"}, connection)
        assert values(connection, lines) == expected, seed
        assert lines.lines == len(expected)


def test_gaps_in_a_column_of_truth_values_stay_empty(tmp_path):
    path = tmp_path / "shop.xlsx"
    truth = ' t="b"><v>1</v></c>'
    rows = names("a", "b", "c") + raw_row(2, number(1), truth) + raw_row(3, number(2), "")
    write_rows(path, rows + raw_row(4, number(3), ' t="b"><v>0</v></c>'))
    connection, (lines,) = opened(path)
    assert [row[2] for row in values(connection, lines)] == ["TRUE", None, "FALSE"]
