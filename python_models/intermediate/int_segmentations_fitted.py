"""Fits of every declared segmentation, by every algorithm, for every number of clusters."""

import pandas as pd
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

from segmentation.fitting import fit_segmentation
from segmentation.tables import read_customers, read_declarations, read_playbook

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
    "stability_ari": "float64",
    "stability_spread": "float64",
    "stability_refits": "int32",
    "smallest_cluster_share": "float64",
    "noise_share": "float64",
    "noise_revenue_share": "float64",
    "center_agreement": "float64",
    "eps": "float64",
    "is_selected": "bool",
    "selection_reason": "string",
    "model_version": "string",
    "centers": "string",
    "agreements": "string",
}


def say(message):
    """Tell whoever watches the build what takes long."""
    fire_event(Note(msg=f"fitting {message}"))


def model(dbt, session):
    """Return one row per segmentation, algorithm and k."""
    declared = dbt.ref("int_segmentations_declared").order("segmentation, feature_number").df()
    names = declared.groupby("segmentation", sort=False)["playbook"].first()
    playbook = dbt.ref("segment_playbook").order("playbook, segment_order").df()
    prototypes = dbt.ref("segment_prototypes").order("playbook, segment_code, feature").df()
    transformed = dbt.ref("int_customers_transformed")
    rows = []
    for declaration in read_declarations(declared):
        rows += fit_segmentation(
            declaration,
            read_customers(transformed, declaration),
            read_playbook(playbook, prototypes, names[declaration.segmentation], declaration),
            compared=declared["compared_algorithms"].iloc[0].split(),
            refits=int(declared["stability_refits"].iloc[0]),
            say=say,
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
