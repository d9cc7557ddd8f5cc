"""What the README and the documents show is what there is."""

import csv
import json
import re
from collections import Counter

import duckdb
import pytest
import yaml
from conftest import PROJECT, dbt

from reading.columns import NAMES, fold

DOCUMENTS = [
    PROJECT / "README.md",
    PROJECT / "CHANGELOG.md",
    PROJECT / "data" / "demo" / "README.md",
    *sorted((PROJECT / "docs").glob("*.md")),
    *sorted((PROJECT / "models").rglob("*.md")),
]


def test_sql_in_the_documents_runs(demo, tmp_path, monkeypatch):
    """Readers copy it. One query writes a file, which must not end up in the project."""
    monkeypatch.chdir(tmp_path)
    statements = [
        (document.name, sql)
        for document in DOCUMENTS
        # That of the recipe runs where the recipe is followed.
        if document.name != "add_a_segmentation.md"
        for sql in re.findall(r"^```sql\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    ]
    assert len(statements) > 5
    with duckdb.connect(str(demo.published), read_only=True) as connection:
        for name, sql in statements:
            assert connection.execute(sql).fetchone(), (name, sql)


def test_readme_shows_what_a_build_of_the_demo_prints(demo):
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"^```\n(Building .*?)^```", readme, re.DOTALL | re.MULTILINE)[1]
    # Long sentences go on in the next line; the README cuts them off.
    printed = re.sub(r"\n  (?=\S)", " ", demo.output)
    lines = [line.removesuffix("...").rstrip() for line in shown.splitlines()]
    lines = [line for line in lines if line and not line.startswith("Published")]
    assert len(lines) > 10
    assert [line for line in lines if line not in printed] == []


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if target.startswith("https://"):
                continue
            path, _, heading = target.partition("#")
            place = document.parent / path if path else document
            assert place.exists(), (document.name, target)
            if heading:
                assert heading in headings(place), (document.name, target)


def headings(document):
    """Give the headings of a document as GitHub writes them in addresses."""
    return {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    }


def test_readme_names_every_mart(demo):
    readme = (PROJECT / "README.md").read_text()
    for (mart,) in demo.rows("select table_name from information_schema.tables"):
        if not mart.startswith("int_"):
            assert f"| `{mart}` |" in readme


def rows_of(document, heading):
    """Give the cells of the rows of tables below a heading of a document, without their heads."""
    text = (PROJECT / document).read_text()
    section = re.split(r"^#+ ", text[text.index(f"# {heading}\n") + 2 :], flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)
    return [row.split(" | ") for row in rows if row.startswith("`")]


def test_inputs_lists_every_name_of_a_column():
    listed = {
        ours.strip("`"): tuple(
            tuple(fold(name) for name in names.split(", ")) for names in (first, otherwise)
        )
        for ours, _, first, otherwise in rows_of("docs/inputs.md", "Columns")
    }
    assert listed == {
        ours: tuple(tuple(tier.split()) for tier in tiers) for ours, tiers in NAMES.items()
    }


def test_inputs_lists_every_reason_and_those_that_never_stop_a_build():
    with (PROJECT / "seeds" / "reject_reasons.csv").open(newline="") as file:
        seed = {row["reject_reason"]: row["is_expected"] == "true" for row in csv.DictReader(file)}
    listed = {
        reason: "*" in first
        for first, *_ in rows_of("docs/inputs.md", "What happens to each line")
        for reason in re.findall(r"`(\w+)`", first)
    }
    assert listed == seed


def test_inputs_names_every_setting_of_reading():
    """Those that the plugin gets, and those that say which reasons stop a build."""
    text = (PROJECT / "macros" / "reading" / "files.sql").read_text()
    passed = re.search(r"macro reading_settings\(\) -%}(.*?)endmacro", text, re.DOTALL)[1]
    names = {*re.findall(r"'(\w+)'", passed), "rejected_limit", "accepted_reasons"}
    assert len(names) > 10
    inputs = (PROJECT / "docs" / "inputs.md").read_text()
    assert {n for n in names - {"invoices"} if not re.search(rf"`[^`]*\b{n}\b", inputs)} == set()


def test_codes_that_the_demo_calls_no_products_are_none(demo):
    readme = (PROJECT / "data" / "demo" / "README.md").read_text()
    codes, lines = re.search(
        r"codes that are no products: (.+), gift_\S+ \| (\d+) lines", readme
    ).groups()
    assert set(codes.split(", ")) == {
        code
        for (code,) in demo.rows(
            "select distinct product_id from intermediate.int_invoice_lines_classified"
            " where not is_product and product_id not ilike 'gift%'",
            file=demo.warehouse,
        )
    }
    assert demo.one(
        "select count(*) from intermediate.int_invoice_lines_classified where not is_product",
        file=demo.warehouse,
    ) == (int(lines),)


@pytest.fixture(scope="module")
def manifest(demo):
    return json.loads((demo.folder / "target" / "manifest.json").read_text())


def ours(manifest, *kinds):
    return [
        thing
        for kind in kinds
        for thing in manifest[kind].values()
        if thing["package_name"] == "customer_segments"
    ]


def test_everything_is_described(manifest):
    for node in ours(manifest, "nodes", "sources"):
        if node["resource_type"] in ("test", "operation"):
            continue
        assert node["description"], node["unique_id"]
        if node["resource_type"] != "source":
            assert node["description"].startswith("One row"), node["unique_id"]
        for column in node["columns"].values():
            assert column["description"], (node["unique_id"], column["name"])
    for thing in ours(manifest, "macros", "exposures"):
        assert thing["description"], thing["unique_id"]


def test_no_description_of_a_column_is_written_twice():
    """What several models say of a column is one block of models/docs."""
    texts, blocks = Counter(), set()
    for folder in ("models", "seeds"):
        for path in (PROJECT / folder).rglob("*.yml"):
            tables = yaml.safe_load(path.read_text())
            for table in (tables.get("models") or []) + (tables.get("seeds") or []):
                for column in table.get("columns", []):
                    text = column["description"].strip()
                    found = re.findall(r"{{ doc\('(\w+)'\) }}", text)
                    blocks.update(found)
                    if not re.fullmatch(r"{{ doc\('\w+'\) }}", text) and len(text) > 25:
                        texts[column["name"], text] += 1
    assert [key for key, times in texts.items() if times > 1] == []
    written = {
        name
        for path in (PROJECT / "models" / "docs").glob("*.md")
        for name in re.findall(r"{% docs (\w+) %}", path.read_text())
    }
    assert blocks == written


def test_every_built_column_is_described(demo, manifest):
    described = {
        (node["alias"], column)
        for node in ours(manifest, "nodes")
        if node["resource_type"] in ("model", "seed")
        for column in node["columns"]
    }
    built = set(
        demo.rows(
            "select table_name, column_name from information_schema.columns"
            " where table_schema in ('staging', 'intermediate', 'kept', 'marts', 'reference')",
            file=demo.warehouse,
        )
    )
    # Features are described once, where they are published.
    features = {(table, column) for table, column in built if table == "int_customers_as_of"}
    described |= {
        (table, column) for table, column in features if ("customers", column) in described
    }
    assert built == described


@pytest.mark.parametrize(
    "variables",
    [
        "{}",
        # Without the models of campaigns, with that of trailing windows.
        "{campaign_customers: null, primary_segmentation: recent, segmentations: {recent: "
        "{playbook: lifecycle, features: {recency_days: log1p, monetary_90d: log1p}}}}",
    ],
)
def test_parsing_gives_no_warning(tmp_path, variables):
    """Builds hide warnings, so that nobody would see them."""
    parsed = dbt(tmp_path, "--warn-error", "--no-partial-parse", "parse", "--vars", variables)
    assert parsed.code == 0, parsed.output + parsed.errors


def test_overview_names_every_setting(manifest):
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    overview = manifest["docs"]["doc.customer_segments.__overview__"]["block_contents"]
    assert sorted(re.findall(r"^\| `(\w+)` \|", overview, re.MULTILINE)) == sorted(declared)


def test_marts_are_public_and_all_else_is_private(manifest):
    models = [node for node in ours(manifest, "nodes") if node["resource_type"] == "model"]
    assert {model["group"] for model in models} == {"customer_segments"}
    assert {(model["path"].split("/")[0], model["access"]) for model in models} == {
        ("staging", "private"),
        ("intermediate", "private"),
        ("marts", "public"),
    }


def test_metrics_are_declared_with_their_models(manifest):
    """In the older spec, which dbt 2.0 refuses, semantic models have measures."""
    declared = ours(manifest, "semantic_models", "metrics")
    assert {thing["original_file_path"].split("/")[1] for thing in declared} == {"marts"}
    assert not any(model["measures"] for model in ours(manifest, "semantic_models"))


def test_only_simple_metrics_are_below_a_model():
    """Any other there stops dbt 1.12 when its file changes, for it is still known from before."""
    for path in (PROJECT / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            for metric in model.get("metrics", []):
                assert metric.get("type", "simple") == "simple", (path.name, metric["name"])


def test_exposures_say_what_is_read(manifest):
    exposures = {
        exposure["name"]: set(exposure["depends_on"]["nodes"])
        for exposure in ours(manifest, "exposures")
    }
    read = {"report": set(), "report_of_campaigns": set()}
    for node in ours(manifest, "nodes"):
        # Claims are asked for by themselves.
        if node["resource_type"] == "analysis" and node["name"] != "campaign_claims":
            parents = set(node["depends_on"]["nodes"])
            is_of_campaigns = bool(parents & exposures["bi_of_campaigns"])
            read["report_of_campaigns" if is_of_campaigns else "report"] |= parents
    marts = {
        key
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }
    assert {name: exposures[name] for name in read} == read
    assert exposures["bi"] | exposures["bi_of_campaigns"] == marts
