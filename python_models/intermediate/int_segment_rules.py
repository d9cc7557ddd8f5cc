"""A rule in plain SQL for every segment, from a shallow tree over its customers."""

import pandas as pd

from segmentation.rules import fit_rules
from segmentation.tables import read_customers, read_declarations, read_fit, read_segments

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
    selected = dbt.ref("int_segmentations_fitted").filter("is_selected").df()
    fits = selected.set_index("segmentation")["centers"]
    transformed = dbt.ref("int_customers_transformed")
    assigned = dbt.ref("customer_segments")
    rows = []
    for declaration in read_declarations(declared):
        # Too few customers for a fit: the segmentation was left out.
        if declaration.segmentation not in fits.index:
            continue
        customers = read_customers(transformed, declaration)
        rules = fit_rules(
            customers.raw,
            read_segments(assigned, declaration, customers.ids),
            declaration.features,
            read_fit(fits[declaration.segmentation]),
            seed=declaration.seed,
        )
        rows += [{"segmentation": declaration.segmentation, **rule} for rule in rules]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
