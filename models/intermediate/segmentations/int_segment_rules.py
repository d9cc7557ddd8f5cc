"""A rule in plain SQL for every segment, from a shallow tree over its customers."""

import pandas as pd

from segmentation.customers import read_assigned, read_customers
from segmentation.declarations import read_declarations
from segmentation.rules import fit_rules
from segmentation.stored_fit import check_assigned, read_fit, read_rows

COLUMNS = {
    "segmentation": "string",
    "segment_code": "string",
    "rule_sql": "string",
    "fidelity": "float64",
    "baseline_fidelity": "float64",
    "precision": "float64",
    "recall": "float64",
    "tested_customers": "int32",
}


def model(dbt, session):
    """Return one row per segmentation and segment that has customers."""
    declared = dbt.ref("int_segmentations_declared").order("segmentation, feature_number").df()
    centers = read_rows(dbt.ref("cluster_centers"))
    transformed = dbt.ref("int_customers_transformed")
    customer_segments = dbt.ref("customer_segments")
    rows = []
    for declaration in read_declarations(declared):
        # Too few customers for a fit: the segmentation was left out.
        if declaration.segmentation not in centers:
            continue
        customers = read_customers(transformed, declaration)
        assigned = read_assigned(customer_segments, declaration, customers.ids)
        fit = read_fit(centers[declaration.segmentation])
        check_assigned(declaration, customers, assigned, fit)
        rules = fit_rules(
            customers.raw, assigned.codes, declaration.features, fit, seed=declaration.seed
        )
        rows += [{"segmentation": declaration.segmentation, **rule} for rule in rules]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
