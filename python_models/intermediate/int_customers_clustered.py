"""The cluster of every customer under the selected fit of every segmentation."""

import pandas as pd

from segmentation.tables import read_customers, read_declarations, read_fit


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
        customers = read_customers(transformed, declaration)
        fit = read_fit(fits[declaration.segmentation])
        tables.append(
            pd.DataFrame(
                {
                    "segmentation": declaration.segmentation,
                    "customer_id": customers.ids,
                    "cluster_id": fit.assign(customers.transformed, customers.raw).astype("int32"),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
