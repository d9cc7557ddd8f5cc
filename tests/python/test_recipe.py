"""The recipe for a new segmentation, followed to the letter."""

import re

import pytest
from conftest import PROJECT, build, copy_project, differences

RECIPE = (PROJECT / "docs" / "add_a_segmentation.md").read_text(encoding="utf-8")


def block(kind):
    """The text between the fences of a kind."""
    (text,) = re.findall(rf"```{kind}\n(.*?)```", RECIPE, flags=re.DOTALL)
    return text


# Two more, of campaign customers: ranks, values that are held, outliers apart.
FURTHER = """
ranked: {playbook: campaign, population: campaign_customers, scaler: min_max, \
outliers: {winsorise: [0.05, 0.95]}, features: {income: rank, total_spend: log1p, web_visits: sqrt}}
apart: {playbook: guests, population: campaign_customers, scaler: robust, k: 2, k_min: 2, \
outliers: {separate: [total_spend]}, features: {total_spend: none, web_visits: none}}
"""


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """A build of the project with segmentations that were added."""
    folder = tmp_path_factory.mktemp("added")
    project = copy_project(folder)
    settings = project / "dbt_project.yml"
    lines = (block("yaml") + FURTHER).splitlines()
    declared = "".join(f"    {line}\n" for line in lines if line)
    text = settings.read_text(encoding="utf-8")
    assert text.count("  segmentations:\n") == 1
    settings.write_text(text.replace("  segmentations:\n", f"  segmentations:\n{declared}"))
    seeds = {
        seed: block(f"csv {seed}")
        for seed in ("segment_playbook", "segment_prototypes", "segment_claims", "segment_actions")
    }
    seeds["segment_playbook"] += (
        "guests,rich,Rich,1,#000000,a,b,c,d,total_spend,\n"
        "guests,many,Many,2,#111111,a,b,c,d,,\nguests,few,Few,3,#222222,a,b,c,d,,\n"
    )
    for feature in ("total_spend", "web_visits"):
        seeds["segment_prototypes"] += f"guests,many,{feature},1\nguests,few,{feature},-1\n"
    for seed, rows in seeds.items():
        with (project / "seeds" / f"{seed}.csv").open("a", encoding="utf-8") as file:
            file.write(rows)
    built = build(folder, project=project)
    assert built.code == 0, built.errors
    return built


def test_a_segmentation_is_added_as_the_recipe_says(demo, added):
    built = added
    assert "Warning: range" not in built.output
    found = built.rows(block("sql"))
    assert [name for name, *_ in found] == ["Explorers", "Few Favourites", "Returners"]
    assert all(customers > 30 for _, customers, *_ in found)
    assert found[0][-1] == "Show new products first, and ask what is missing."
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


def test_any_declaration_can_be_of_campaign_customers(added):
    """By the same code, with names from a playbook."""
    built = added
    customers = built.one("select count(*) from marts.campaign_customers")[0]
    sizes = built.rows(
        """
        select segmentation, sum(customers), count(*) filter (where customers > 0)
        from marts.segments where segmentation in ('apart', 'ranked') group by all order by all
        """
    )
    assert sizes == [("apart", customers, 3), ("ranked", customers, 3)]
    # Whose segment is rich lies beyond the fence; the first declared one stands in the mart.
    assert built.one(
        """
        select max(total_spend) filter (where apart.segment_code <> 'rich')
                < min(total_spend) filter (where apart.segment_code = 'rich'),
            bool_and(campaign_customers.segment_code = ranked.segment_code)
        from marts.campaign_customers
        inner join marts.customer_segments as apart using (customer_id)
        inner join marts.customer_segments as ranked using (customer_id)
        where apart.segmentation = 'apart' and ranked.segmentation = 'ranked'
        """
    ) == (True, True)
