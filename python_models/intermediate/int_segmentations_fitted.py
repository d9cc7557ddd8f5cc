"""Fits of every declared segmentation for every number of clusters within its bounds."""

import pandas as pd

from segmentation.fitting import fit_segmentation
from segmentation.tables import read_customers, read_declarations, read_prototypes

COLUMNS = {
    "segmentation": "string",
    "algorithm": "string",
    "k": "int32",
    "clusters": "int32",
    "customers": "int32",
    "inertia": "float64",
    "silhouette": "float64",
    "davies_bouldin": "float64",
    "calinski_harabasz": "float64",
    "smallest_cluster_share": "float64",
    "is_selected": "bool",
    "selection_reason": "string",
    "model_version": "string",
    "centers": "string",
}


def model(dbt, session):
    """Return one row per segmentation, algorithm and k."""
    declared = dbt.ref("int_segmentations_declared").order("segmentation, feature_number").df()
    playbooks = declared.groupby("segmentation", sort=False)["playbook"].first()
    prototypes = dbt.ref("segment_prototypes")
    playbook = dbt.ref("segment_playbook").project("playbook, segment_code, segment_order")
    positions = (
        prototypes.join(playbook, "playbook, segment_code")
        .order("playbook, segment_order, feature")
        .df()
    )
    transformed = dbt.ref("int_customers_transformed")
    rows = []
    for declaration in read_declarations(declared):
        of_playbook = positions["playbook"] == playbooks[declaration.segmentation]
        _, features = read_customers(transformed, declaration)
        rows += fit_segmentation(
            declaration, features, read_prototypes(positions[of_playbook], declaration)
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
