"""The cluster of every customer under the selected fit of every segmentation."""

import pandas as pd

from segmentation.clusters import nearest_centers
from segmentation.scaling import scale
from segmentation.tables import read_centers, read_customers, read_declarations


def model(dbt, session):
    """Return one row per segmentation and customer."""
    declared = dbt.ref("int_segmentations_declared").order("segmentation, feature_number").df()
    selected = dbt.ref("int_segmentations_fitted").filter("is_selected").df()
    fits = selected.set_index("segmentation")["centers"]
    transformed = dbt.ref("int_customers_transformed")
    tables = [
        pd.DataFrame({"segmentation": [], "customer_id": [], "cluster_id": []}).astype(
            {"segmentation": "string", "customer_id": "string", "cluster_id": "int32"}
        )
    ]
    for declaration in read_declarations(declared):
        if declaration.segmentation not in fits.index:
            continue
        offsets, scales, centers = read_centers(fits[declaration.segmentation])
        customer_ids, features = read_customers(transformed, declaration)
        clusters = nearest_centers(scale(features, offsets, scales), centers) + 1
        tables.append(
            pd.DataFrame(
                {
                    "segmentation": declaration.segmentation,
                    "customer_id": customer_ids,
                    "cluster_id": clusters.astype("int32"),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
