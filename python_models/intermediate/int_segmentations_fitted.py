"""The fit in use of every declared segmentation, and what it was chosen from."""

import pandas as pd
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note
from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor

from segmentation.tables import (
    read_as_of,
    read_customers,
    read_declarations,
    read_playbook,
    read_versions,
)
from segmentation.versions import keep_or_refit

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
    "source_key": "string",
    "settings_key": "string",
    "playbook_key": "string",
    "is_new": "boolean",
    "as_of_at": "datetime64[us]",
    "fitted_as_of_at": "datetime64[us]",
    "fingerprint": "string",
    "fit": "string",
    "decision": "string",
}


def say(message):
    """Tell whoever watches the build what takes long."""
    fire_event(Note(msg=f"fitting {message}"))


def model(dbt, session):
    """Return one row per segmentation, algorithm and k."""
    declared = dbt.ref("int_segmentations_declared").order("segmentation, feature_number").df()
    settings = declared.groupby("segmentation", sort=False).first()
    playbook = dbt.ref("segment_playbook").order("playbook, segment_order").df()
    prototypes = dbt.ref("segment_prototypes").order("playbook, segment_code, feature").df()
    transformed = dbt.ref("int_customers_transformed")
    versions = dbt.source("kept", "model_versions")
    rows = []
    for declaration in read_declarations(declared):
        own = settings.loc[declaration.segmentation]
        customers = read_customers(transformed, declaration)
        as_of_at = read_as_of(transformed, declaration)
        segments = read_playbook(playbook, prototypes, own["playbook"], declaration)
        keys = {
            "source_key": own["source_key"],
            "settings_key": own["settings_key"],
            "playbook_key": segments.key(),
        }
        candidates, kept = keep_or_refit(
            declaration,
            customers,
            segments,
            read_versions(versions, declaration, **keys),
            as_of_at=as_of_at,
            refit=own["refit"],
            compared=own["compared_algorithms"].split(),
            refits=int(own["stability_refits"]),
            say=say,
            jobs=cpu_count(),
        )
        for row in candidates:
            of_version = {**keys, **kept, "as_of_at": as_of_at} if row["is_selected"] else {}
            rows.append({**row, **of_version})
    # The processes that refits were shared among are not needed any more.
    get_reusable_executor().shutdown()
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
