"""What the README shows is what there is."""

import json

from conftest import PROJECT
from lineage import draw, put


def test_lineage_in_the_readme_is_that_of_the_models(demo):
    manifest = json.loads((demo.folder / "target" / "manifest.json").read_text())
    readme = (PROJECT / "README.md").read_text()
    assert put(readme, draw(manifest)) == readme, "run: dbt parse && python scripts/lineage.py"


def test_readme_names_every_mart(demo):
    readme = (PROJECT / "README.md").read_text()
    for (mart,) in demo.rows("select table_name from information_schema.tables"):
        if not mart.startswith("int_"):
            assert f"| `{mart}` |" in readme
