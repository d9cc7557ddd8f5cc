"""Values and names that are odd, hostile or long: each is read, or rejected with its reason."""

import csv
import gzip
import re
from datetime import date, datetime
from decimal import Decimal

import duckdb
import yaml
from conftest import DEMO, build, copy_project, dbt, in_addition
from test_inputs import HEADER, Number, as_xlsx, shop, write


def classify(folder, invoices, variables=None):
    """Read and classify invoice lines, and count them; everything behind that is left out."""
    given = {"invoices": str(invoices), "campaign_customers": None, "rejected_limit": 1}
    ran = dbt(
        folder,
        *("build", "--select", "+line_accounting", "rejected_lines", "invoice_lines"),
        *("assert_lines_and_money_add_up", "--exclude-resource-type", "unit_test"),
        *("--vars", in_addition(given, variables)),
    )
    assert ran.code == 0, ran.output + ran.errors
    return ran


def kept(ran, columns):
    """Columns of the kept lines, by invoice."""
    query = f"select invoice_id, {columns} from marts.invoice_lines"
    return {number: values for number, *values in ran.rows(query, file=ran.warehouse)}


def rejected(ran):
    """Reason and text of the rejected lines, by line."""
    query = "select source_line, reject_reason, source_text from marts.rejected_lines"
    return {line: (reason, text) for line, reason, text in ran.rows(query, file=ran.warehouse)}


def cells(lines, *, first_day=date(1899, 12, 30)):
    """Lines as rows of a sheet: numbers as numbers, moments as days since the end of 1899."""
    rows = []
    for line in lines:
        number, code, text, quantity, moment, price, customer, country = line.split(",")
        moment = datetime.fromisoformat(moment)
        days = (moment.date() - first_day).days + (moment.hour * 60 + moment.minute) / 1440
        row = [int(number), code, text, int(quantity), days, float(price), customer, country]
        rows.append(row)
    return rows


def test_odd_cells_of_a_workbook(tmp_path):
    plain = cells(shop())
    dates = {
        **dict.fromkeys(["nan", "inf", "infinity", "-inf", "1e300", "1E+300", "999999999"]),
        **dict.fromkeys(["0", "-1", "2958466", "20111301", "1_000", "0x10", "soon"]),
        "40548.5": datetime(2011, 1, 5, 12),
        "4.05485E4": datetime(2011, 1, 5, 12),
        "20110105": datetime(2011, 1, 5),
    }
    numbers = {
        ("1", "1E-3"): (1, Decimal("0.001")),
        ("2", "1.0000000000000001E-5"): (2, Decimal("0.00001")),
        ("3", "0.30000000000000004"): (3, Decimal("0.3")),
        ("4", "2.5499999999999998"): (4, Decimal("2.55")),
        ("1E3", "1"): (1_000, Decimal(1)),
        ("1.5E0", "1"): (Decimal("1.5"), Decimal(1)),
        ("1E+20", "1"): None,
        ("nan", "1"): None,
        ("1", "inf"): None,
        ("1", "1E+300"): None,
    }
    rows = [
        *([f"d{n}", "A", "mug", 1, Number(text), 1.5, "c1", "UK"] for n, text in enumerate(dates)),
        *([f"t{n}", "A", "mug", 1, text, 1.5, "c1", "UK"] for n, text in enumerate(dates)),
        *(
            [f"n{n}", "A", "mug", Number(quantity), 40548.5, Number(price), "c1", "UK"]
            for n, (quantity, price) in enumerate(numbers)
        ),
    ]
    names = HEADER.replace("UnitPrice", 'Unit"Price').replace("InvoiceDate", "Invoice\nDate")
    path = tmp_path / "odd.xlsx"
    names = names.split(",")
    as_xlsx(path, {"empty": [], "lines": [names, *plain, *rows], "chart": None, "bare": [[None]]})
    ran = classify(tmp_path / "built", path, """{invoice_columns: {unit_price: 'Unit"Price'}}""")
    found = kept(ran, "quantity, unit_price, invoiced_at")
    bad = {row[0] for row in ran.rows("from marts.rejected_lines", file=ran.warehouse)}
    assert bad == {"odd.xlsx, sheet lines"}
    reasons = {
        number: reason
        for number, reason in ran.rows(
            "select invoice_id, reject_reason from marts.rejected_lines", file=ran.warehouse
        )
    }
    for n, moment in enumerate(dates.values()):
        for kind in "dt":
            # As text, 4.05485E4 is no day.
            if moment and not (kind == "t" and "E" in [*dates][n]):
                assert found[f"{kind}{n}"] == [1, Decimal("1.5"), moment]
            else:
                reason = "missing_date" if [*dates][n] == "nan" else "unreadable_value"
                assert reasons[f"{kind}{n}"] == reason, [*dates][n]
    for n, (texts, values) in enumerate(numbers.items()):
        if values:
            assert found[f"n{n}"][:2] == [*values], texts
        else:
            reason = "missing_quantity" if texts[0] == "nan" else "unreadable_value"
            assert reasons[f"n{n}"] == reason, texts
    assert len(found) + len(reasons) == len({row[0] for row in plain}) + len(rows)


def test_days_in_eight_digits_of_a_workbook(tmp_path):
    """A spreadsheet's days would make August 56959 of them."""
    lines = shop()
    rows = cells(lines)
    for row, line in zip(rows, lines, strict=True):
        row[4] = int(line.split(",")[4][:10].replace("-", ""))
    as_xlsx(tmp_path / "days.xlsx", {"lines": [HEADER.split(","), *rows]})
    expected = {line.split(",")[4][:10] for line in lines}
    for name, format in {"recognised": {}, "stated": {"dates": "ymd"}}.items():
        ran = classify(tmp_path / name, tmp_path / "days.xlsx", f"{{invoice_format: {format}}}")
        days = ran.rows("select distinct invoiced_at from marts.invoice_lines", file=ran.warehouse)
        assert {str(day.date()) for (day,) in days} == expected, name


def test_lines_too_long_are_told_and_the_rest_is_read(tmp_path):
    end = ",1,2011-01-05 10:00:00,1.00,c1,UK"
    long = "x" * 400_000 + '\n"quoted", \u20ac' + "y" * 50_000
    quoted = '"' + long.replace('"', '""') + '"'
    lines = {
        "a record": f"900,A,{'m' * 3_000_000}{end}",
        "no record": "z" * 3_000_000,
        "too few fields": f"901,{'f' * 100_000}",
        "a quoted record": f'902,A,"{"q" * 600_000}"{end}',
        "an open quote": f'903,A,"{"o" * 100_000}{end}',
        "bytes": f"904,A,{'b' * 100_000}\0{end}",
        "kept": f"905,A,{quoted}{end}",
        "last": f"906,A,mug{end}",
    }
    body = "\n".join([HEADER, *shop(), *lines.values(), ""]).encode()
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(body))
    ran = classify(tmp_path / "built", path)
    assert kept(ran, "description")["905"] == [long]
    assert kept(ran, "description")["906"] == ["mug"]
    found = rejected(ran)
    places = dict(zip(lines, range(len(shop()) + 2, len(shop()) + 10), strict=False))
    for name, reason in {
        "a record": "too_long_line",
        "no record": "too_long_line",
        "too few fields": "too_few_fields",
        "a quoted record": "too_long_line",
        "an open quote": "unclosed_quote",
        "bytes": "bytes_not_text",
    }.items():
        line = lines[name] + "\n"
        text = line[:2_000].replace("\n", "")
        assert found[places[name]] == (reason, f"{text}\u2026 ({len(line):,} bytes)"), name


def test_each_file_is_read_once_whatever_its_name(tmp_path):
    """Names that a glob takes for patterns, of files and of the folder where text is landed."""
    lines = shop(customers=30)
    names = ["x1.parquet", "x[1].parquet", "a*b.parquet", "acb.parquet", "q?.parquet", "qq.parquet"]
    names += ["w1.xlsx", "w[1].xlsx", "w*.xlsx", "t1.csv", "t[1].csv", "[!t]*.csv", "**.tsv"]
    folder = tmp_path / "in"
    folder.mkdir()
    invoices = {}
    for place, name in enumerate(names):
        own = [f"{10 + place}{line}" for line in lines[place :: len(names)]]
        invoices |= {line.split(",")[0]: line for line in own}
        path = folder / name
        if name.endswith("parquet"):
            write(tmp_path / "plain.csv", own)
            duckdb.read_csv(str(tmp_path / "plain.csv")).write_parquet(str(path))
        elif name.endswith("xlsx"):
            as_xlsx(path, {"lines": [HEADER.split(","), *cells(own)]})
        elif name.endswith("tsv"):
            own = [line.replace(",", "\t") for line in own]
            write(path, own, header=HEADER.replace(",", "\t"))
        else:
            write(path, own)
    ran = classify(tmp_path / "built[1]", folder)
    found = ran.rows("select invoice_id from marts.invoice_lines order by 1", file=ran.warehouse)
    assert found == sorted((number,) for number in invoices)
    assert rejected(ran) == {}


# Read as SQL behind a quote that is not doubled, each of these would say something else.
COUNTRY = 'Country" || (select 42) || "Country'
ODD_NAMES = [
    *('quo"te', "apos'trophe", "semi;colon", "a.b", "'); drop table x; --", '"; select 1; --'),
    *("{{ 7*7 }}", "{% raw %}", "`tick`", "$(touch x)", "landed_1", "source_line", "select", "*"),
    *("\U0001f381", "\u202eright", "<script>", "x" * 300, "Landed_Source_Line", "CASE", "case"),
]


def with_odd_names(lines):
    """Rows of texts under odd names, the first row the names; country under a name of its own."""
    names = [*HEADER.replace("Country", COUNTRY).split(","), *ODD_NAMES]
    return [names, *([*line.split(","), *(f"odd {n}" for n in ODD_NAMES)] for line in lines)]


def test_names_of_columns_are_names_only(tmp_path):
    lines = shop()
    folder = tmp_path / "in"
    folder.mkdir()
    part = len(lines) // 3
    rows = with_odd_names(lines[:part])
    rows[0].append("")
    with open(folder / "a.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*rows[:1], *([*row, "nameless"] for row in rows[1:])])
    rows = with_odd_names(lines[part : 2 * part])
    rows[0] += ["two\nlines", "bell\x07"]
    relation = [[*row, "1", "2"] for row in rows[1:]]
    columns = ", ".join('"' + name.replace('"', '""') + '" varchar' for name in rows[0])
    columns = columns.replace('"CASE" varchar', '"CASE 2" varchar')
    (tmp_path / "relation").mkdir()
    with duckdb.connect(str(tmp_path / "relation" / "customers.duckdb")) as connection:
        connection.execute(f"create schema raw; create table raw.lines ({columns})")
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"insert into raw.lines values ({marks})", relation)
        connection.table("raw.lines").write_parquet(str(folder / "b.parquet"))
    rows = with_odd_names(lines[2 * part :])
    as_xlsx(folder / "c.xlsx", {"lines": rows})
    settings = yaml.safe_dump({"invoice_columns": {"country": COUNTRY}})
    for name, invoices, wanted in (
        ("files", folder, lines),
        ("relation", "relation:raw.lines", lines[part : 2 * part]),
    ):
        ran = classify(tmp_path / name, invoices, settings)
        found = ran.rows("select invoice_id, country from marts.invoice_lines", file=ran.warehouse)
        assert sorted(found) == sorted((line.split(",")[0], "UK") for line in wanted)
        assert rejected(ran) == {}


NASTY = [
    *('"', "'", "\\", "\\'; --", "-", "%", "_", "%s%n", "&lt;b&gt;", "..", "C:\\x"),
    *("'; drop table marts.customers; --", '"; create table pwned as select 1; --'),
    *("{{ 7*7 }}", "{% raw %}", "{# note", "{{ env_var('HOME') }}", "${HOME}", "$(touch X)"),
    *("`touch X`", "<script>alert(1)</script>", "</script>", "<img src=x onerror=alert(1)>"),
    *(
        "\x1b[31mred",
        "\x07bell",
        "two\nlines",
        "tab\tbed",
        "\u202ertl",
        "\u05d0\u05d1",
        "\U0001f381",
    ),
    *("\ufeff", "\u200b", "x" * 5_000, '=HYPERLINK("http://x")', "+1+1", "@SUM(1)", "null", "nan"),
    *("1_000", "1e3", "0x10", "infinity", "\u0661", "1,2,3", "1.2.3", "2011-01-05x", "epoch"),
]
# A header ends with its line.
NASTY_NAMES = [text for text in NASTY if "\n" not in text]
NASTY_FILES = [
    *("'; drop table x; --", '"quoted"', "{{ 7*7 }}", "{% raw %}", "`touch X`", "$(touch X)"),
    *("<script>", "\x1b[31m", "two\nlines", "\u202ertl", "\U0001f381", "x" * 200, "NULL", "x[1]"),
    *("x1", "=HYPERLINK(1)", "-rf", "~", "#", "%s", "a;b", "$HOME", "\\"),
]


# Words that mean nothing is there, among these, and what is missing then.
NOTHING = ["-", "null", "nan"]
MISSING = {
    "InvoiceNo": "missing_invoice",
    "Quantity": "missing_quantity",
    "InvoiceDate": "missing_date",
    "UnitPrice": "missing_price",
    "CustomerID": "missing_customer",
}


def nasty_lines():
    """A line for each column and string: its fields, and why it is rejected, if it is."""
    plain = ["A", "mug", "1", "2011-03-05 10:00:00", "900.50", "c1", "UK"]
    for place, column in enumerate(HEADER.split(",")):
        for number, text in enumerate(NASTY):
            fields = [f"{place}-{number}", *plain]
            fields[place] = text
            reason = None
            if column in MISSING and text in NOTHING:
                reason = MISSING[column]
            elif column in ("Quantity", "InvoiceDate", "UnitPrice"):
                reason = "unreadable_value"
            yield fields, reason
    for number, (quantity, price, reason) in enumerate(
        [
            ("2147483647", "99999999999999", "amount_too_large"),
            ("-2147483647", "99999999999999", "amount_too_large"),
            ("2147483648", "1", "unreadable_value"),
            ("-2147483648", "1", "unreadable_value"),
            ("1000000000000", "0.01", "unreadable_value"),
            ("1", "100000000000000", "unreadable_value"),
            ("1", "9" * 400, "unreadable_value"),
            ("1", "999999999999.99", None),
            ("1", "0.00000001", None),
            ("-1", "999999999999.99", None),
        ]
    ):
        yield [f"big-{number}", "A", "mug", quantity, plain[3], price, f"big {price}", "UK"], reason


def write_nasty_invoices(folder):
    """Write these lines into files of odd names, under more odd columns.

    Returns the fields of each line to keep, and the reason of each other by file and line.
    """
    rows, reasons = [], {}
    lines = [*nasty_lines()]
    for place, name in enumerate(NASTY_FILES):
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*HEADER.split(","), *NASTY_NAMES])
            line = 2
            for fields, reason in lines[place :: len(NASTY_FILES)]:
                writer.writerow([*fields, *NASTY_NAMES])
                if reason:
                    reasons[f"{name}.csv", line] = reason
                else:
                    rows.append(fields)
                line += 1 + sum(field.count("\n") for field in fields)
            file.write("nul\0,1\n" + "z" * 600_000)
            reasons[f"{name}.csv", line] = "bytes_not_text"
            reasons[f"{name}.csv", line + 1] = "too_long_line"
    return rows, reasons


def write_nasty_campaign(path):
    """Write the demo's customers, and others for each string in some columns.

    Returns identifier, education and reason, if it is rejected, of each of the others.
    """
    with open(DEMO / "campaign_customers.csv", newline="", encoding="utf-8") as file:
        header, *customers = csv.reader(file, delimiter="\t")
    reasons = {"ID": None, "Education": None, "Marital_Status": "unknown_marital_status"}
    reasons |= dict.fromkeys(["Income", "Dt_Customer", "MntWines", "Complain"], "unreadable_value")
    fates = []
    for column, reason in reasons.items():
        for number, text in enumerate(NASTY):
            fields = dict(zip(header, customers[number], strict=True))
            fields |= {"Year_Birth": "1980", "Marital_Status": "Married", "Income": "50000"}
            fields |= {"ID": f"{column}-{number}"} | {column: text}
            customers.append([*fields.values()])
            fates.append((fields["ID"], fields["Education"], reason))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n", delimiter="\t")
        writer.writerows([*fields, *NASTY_NAMES] for fields in [header, *customers])
    return fates


def make_seeds_nasty(seeds):
    """Make each string a code that is no product, and part of an action plan."""
    with open(seeds / "non_product_codes.csv", "a", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([text.upper(), "fee"] for text in NASTY)
    with open(seeds / "segment_playbook.csv", newline="", encoding="utf-8") as file:
        names, *segments = csv.reader(file)
    # In each of them, since only segments in use are shown.
    for segment in segments:
        for column in ("key_characteristics", "action", "channel", "offer"):
            segment[names.index(column)] = " ".join(NASTY)
    with open(seeds / "segment_playbook.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *segments])


def test_nothing_in_a_file_is_more_than_a_value(tmp_path):
    """Each string in each column, in names of columns and files, in the campaign and in seeds."""
    project = copy_project(tmp_path)
    make_seeds_nasty(project / "seeds")
    folder = tmp_path / "in"
    write(folder / "plain.csv", shop())
    rows, reasons = write_nasty_invoices(folder)
    fates = write_nasty_campaign(tmp_path / "campaign.csv")
    settings = {
        "campaign_customers": str(tmp_path / "campaign.csv"),
        "invoice_format": {"decimal_mark": "."},
        "rejected_limit": 1,
    }
    built = build(
        tmp_path / "built",
        project=project,
        invoices=folder,
        variables=yaml.safe_dump(settings),
        report=True,
    )
    assert built.code == 0, built.errors
    assert built.errors == ""
    assert "Traceback" not in built.output
    assert built.output.replace("\n", "").isprintable()
    assert not [*tmp_path.rglob("X")]
    found = built.rows(
        "select invoice_id, product_id, description, quantity, invoiced_at, unit_price, "
        "customer_id, country, line_amount, is_product from marts.invoice_lines"
    )
    # A word for nothing is no product, description or country.
    known = dict.fromkeys(NOTHING)
    expected = [
        (
            fields[0],
            *(known.get(text, text) for text in fields[1:3]),
            Decimal(fields[3]),
            datetime.fromisoformat(fields[4]),
            Decimal(fields[5]),
            fields[6],
            known.get(fields[7], fields[7]),
            (Decimal(fields[3]) * Decimal(fields[5])).quantize(Decimal("0.01")),
            known.get(fields[1], fields[1]) not in NASTY,
        )
        for fields in [*rows, *(line.split(",") for line in shop())]
    ]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    found = built.rows("select source_file, source_line, reject_reason from marts.rejected_lines")
    assert {(file, line): reason for file, line, reason in found} == reasons
    found = built.rows(
        "select customer_id, education, reject_reason "
        "from intermediate.int_campaign_customers_classified order by source_line",
        file=built.warehouse,
    )
    assert found[-len(fates) :] == fates
    tables = built.rows("select table_name from duckdb_tables()", file=built.warehouse)
    assert ("pwned",) not in tables
    page = built.report.read_text(encoding="utf-8")
    assert "alert(1)" in page
    assert not re.search("<script>alert|<img src=x", page)
