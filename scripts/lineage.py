"""Draw how models make each other, as Mermaid, into the README: from dbt's own manifest."""

import json
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- lineage: written by scripts/lineage.py -->\n", "<!-- end of lineage -->"
LAYERS = {
    "source": "Your export",
    "staging": "staging: names and types",
    "invoice_lines": "intermediate/invoice_lines: what counts",
    "customers": "intermediate/customers: features at every month end",
    "segmentations": "intermediate/segmentations: clusters and their names",
    "predictions": "predictions: what customers will do, and how good that was",
    "campaign": "campaign customers: what counts, features, dimensions",
    "marts": "marts: the published tables",
}


def layer(node):
    """Place a node of the manifest in one of the layers; a seed is in none."""
    if node["resource_type"] == "source":
        return "segmentations" if node["source_name"] == "kept" else "source"
    if node["resource_type"] != "model":
        return None
    folder = node["fqn"][1:]
    if node["original_file_path"].startswith("python_models"):
        for word, place in (("campaign", "campaign"), ("predict", "predictions")):
            if word in node["name"]:
                return place
        return "segmentations"
    return folder[1] if folder[0] == "intermediate" else folder[0]


def draw(manifest):
    """Write a manifest as a Mermaid flowchart.

    Parameters
    ----------
    manifest : dict
        As in target/manifest.json.

    Returns
    -------
    str
    """
    nodes = {**manifest["sources"], **manifest["nodes"]}
    layers = {key: layer(node) for key, node in nodes.items()}
    ids = {
        key: f"{node['source_name']}_{node['name']}" if layers[key] == "source" else node["name"]
        for key, node in nodes.items()
    }
    lines = ["```mermaid", "flowchart LR"]
    for name, title in LAYERS.items():
        lines.append(f'  subgraph layer_{name}["{title}"]')
        lines += [f"    {ids[key]}" for key in sorted(nodes) if layers[key] == name]
        lines.append("  end")
    for key in sorted(nodes):
        parents = nodes[key].get("depends_on", {}).get("nodes", [])
        if layers[key]:
            lines += [
                f"  {ids[parent]} --> {ids[key]}"
                for parent in sorted(parents)
                if layers.get(parent)
            ]
    return "\n".join([*lines, "```", ""])


def put(readme, chart):
    """Replace the chart between the two markers of the README's text."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: BEGIN + chart + END, readme)


if __name__ == "__main__":
    readme = PROJECT / "README.md"
    manifest = json.loads((PROJECT / "target" / "manifest.json").read_text())
    readme.write_text(put(readme.read_text(), draw(manifest)))
