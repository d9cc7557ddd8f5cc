"""The fit in use of every declared segmentation, kept from an earlier build or made by this one."""

from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note
from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor

from segmentation.customers import read_customers, read_gap, read_period
from segmentation.declarations import read_declarations, read_playbook
from segmentation.fit_rows import fit_row, fits_relation, read_versions
from segmentation.versions import keep_or_refit


def say(message):
    """Tell whoever watches the build what takes long."""
    fire_event(Note(msg=f"fitting {message}"))


def model(dbt, session):
    """Return one row per segmentation."""
    declared = dbt.ref("int_segmentations_declared").order("segmentation, feature_number").df()
    settings = declared.groupby("segmentation", sort=False).first()
    playbook = dbt.ref("segment_playbook").order("playbook, segment_order").df()
    prototypes = dbt.ref("segment_prototypes").order("playbook, segment_code, feature").df()
    order = "playbook, segment_code, feature, statistic desc, comparison desc, number"
    claims = dbt.ref("segment_claims").order(order).df()
    transformed = dbt.ref("int_customers_transformed")
    kept = dbt.ref("int_fits_kept")
    gap = read_gap(dbt.ref("int_as_of_dates"))
    rows = []
    for declaration in read_declarations(declared):
        own = settings.loc[declaration.segmentation]
        segments = read_playbook(playbook, prototypes, own["playbook"], declaration, claims)
        keys = {
            "source_key": own["source_key"],
            "settings_key": own["settings_key"],
            "playbook_key": segments.key(),
        }
        as_of_at, days = read_period(transformed, declaration)
        decided = keep_or_refit(
            declaration,
            read_customers(
                transformed,
                declaration,
                gap if own["population"] == "invoice_customers" else None,
            ),
            segments,
            read_versions(kept, declaration, keys),
            as_of_at=as_of_at,
            days=days,
            refit=dbt.config.meta_get("refit"),
            compared=dbt.config.meta_get("compared_algorithms"),
            refits=dbt.config.meta_get("stability_refits"),
            say=say,
            jobs=cpu_count(),
        )
        rows.append(fit_row(declaration.segmentation, keys, as_of_at, decided))
    # The processes that refits were shared among are not needed any more.
    get_reusable_executor().shutdown()
    return fits_relation(session, rows, kept)
