"""The recipe for a new segmentation, followed to the letter."""

import re

from conftest import PROJECT, build, copy_project, differences

RECIPE = (PROJECT / "docs" / "add_a_segmentation.md").read_text(encoding="utf-8")


def block(kind):
    """The text between the fences of a kind."""
    (text,) = re.findall(rf"```{kind}\n(.*?)```", RECIPE, flags=re.DOTALL)
    return text


def test_a_segmentation_is_added_as_the_recipe_says(demo, tmp_path):
    project = copy_project(tmp_path)
    settings = project / "dbt_project.yml"
    declared = "".join(f"    {line}\n" for line in block("yaml").splitlines())
    text = settings.read_text(encoding="utf-8")
    assert text.count("  segmentations:\n") == 1
    settings.write_text(text.replace("  segmentations:\n", f"  segmentations:\n{declared}"))
    for seed in ("segment_playbook", "segment_prototypes", "segment_claims"):
        with (project / "seeds" / f"{seed}.csv").open("a", encoding="utf-8") as file:
            file.write(block(f"csv {seed}"))

    built = build(tmp_path, project=project)
    assert built.code == 0, built.errors
    assert "Warning" not in built.output
    found = built.rows(block("sql"))
    assert [name for name, *_ in found] == ["Explorers", "Few Favourites", "Returners"]
    assert all(customers > 30 for _, customers, *_ in found)
    assert built.one(
        """
        select count(*) from marts.cluster_centers
        where segmentation = 'range' and segment_code <> prototype_segment_code
        """
    ) == (0,)
    # The names say what is so.
    medians = dict(
        built.rows(
            """
            select row(segment_code, feature), median from marts.segment_profiles
            where segmentation = 'range'
            """
        )
    )
    products = {
        code: medians[code, "distinct_products"] for code in ("explorers", "few_favourites")
    }
    assert products["explorers"] > 2 * products["few_favourites"]
    assert medians["returners", "return_share"] > 0.3 > medians["explorers", "return_share"]
    # And nothing else has changed.
    others = ["customers", "line_accounting", "product_pairs"]
    assert differences(demo, built, others) == dict.fromkeys(others, 0)
