"""Land the customers of a marketing campaign, in either of the two shapes that its data have."""

from reading.columns import fold, list_columns
from reading.decisions import UnreadableFile
from reading.files import LANDING, find_paths, open_path, written_out
from reading.sql import sql_text

# Columns of both shapes: the source's names, folded, by ours.
COLUMNS = {
    "income": "income",
    "kids": "kidhome",
    "teens": "teenhome",
    "recency_days": "recency",
    "wine_spend": "mntwines",
    "fruit_spend": "mntfruits",
    "meat_spend": "mntmeatproducts",
    "fish_spend": "mntfishproducts",
    "sweets_spend": "mntsweetproducts",
    "gold_spend": "mntgoldprods",
    "deal_purchases": "numdealspurchases",
    "web_purchases": "numwebpurchases",
    "catalog_purchases": "numcatalogpurchases",
    "store_purchases": "numstorepurchases",
    "web_visits": "numwebvisitsmonth",
    "accepted_1": "acceptedcmp1",
    "accepted_2": "acceptedcmp2",
    "accepted_3": "acceptedcmp3",
    "accepted_4": "acceptedcmp4",
    "accepted_5": "acceptedcmp5",
    "accepted_6": "response",
    "complained": "complain",
    "contact_cost": "zcostcontact",
    "response_revenue": "zrevenue",
}
# Those of the shape as first published: states in words, the day of registration.
IN_WORDS = {
    "customer_id": "id",
    "birth_year": "yearbirth",
    "education": "education",
    "marital_status": "maritalstatus",
    "registered_on": "dtcustomer",
}
# Those of the encoded shape, beside a column for each state of education and marriage.
ENCODED = {"stated_age": "age", "stated_customer_days": "customerdays"}
STATES = {"education": "education_", "marital_status": "marital_"}
PLACE = ("source_file", "source_line", "line_span", "malformed_reason", "malformed_text")


def land_campaign(connection, stated, project, folder):
    """Read the customers of a campaign.

    Parameters
    ----------
    connection : DuckDBPyConnection
    stated : str
        The setting: a path of one file, or ``relation:schema.table``.
    project, folder : str
        Where relative paths start, and where text can be landed.

    Returns
    -------
    DataFrame
        One row per line, every column as text but for the place: ``PLACE``, then our columns of
        both shapes, and ``source_lines``, the lines of the file counted without reading a value.

    Raises
    ------
    UnreadableFile
        If it is not one file, or columns are missing.
    """
    connection.execute(f"create schema if not exists {LANDING}")
    paths = find_paths(stated, project, "VARS='{campaign_customers: marketing_campaign.csv}'")
    if len(paths) > 1:
        raise UnreadableFile(f"one file is read, these are {len(paths)}: {', '.join(paths)}")
    name = paths[0].replace("\\", "/").rpartition("/")[2]
    sources = open_path(connection, paths[0], name, folder, {})
    if len(sources) > 1:
        raise UnreadableFile(f"{name} has several sheets; one is read")
    (source,) = sources
    columns = {fold(column.name): column for column in source.columns if column.name}
    is_encoded = sum(name in columns for name in ENCODED.values()) > sum(
        name in columns for name in IN_WORDS.values()
    )
    wanted = COLUMNS | (ENCODED if is_encoded else IN_WORDS)
    missing = [f"{ours} ({theirs})" for ours, theirs in wanted.items() if theirs not in columns]
    states = {
        ours: [column for column in source.columns if column.name.lower().startswith(prefix)]
        for ours, prefix in STATES.items()
        if is_encoded
    }
    missing += [f"{STATES[ours]}…" for ours, found in states.items() if not found]
    if missing:
        raise UnreadableFile(
            f"{name} has no column for {', '.join(missing)}. It has: "
            f"{list_columns(source.columns)}. docs/inputs.md says what it can "
            "look like; '' leaves the campaign out"
        )
    values = {
        ours: f"nullif(trim({written_out(columns[theirs])}), '')" for ours, theirs in wanted.items()
    }
    if is_encoded:
        # Padded, so that keys sort as rows stand.
        header_lines = 0 if source.kind in ("parquet", "relation") else 1
        values["customer_id"] = (
            f"case when {source.reason} is null then "
            f"lpad(cast({source.line} - {header_lines} as varchar), 9, '0') end"
        )
        values |= {ours: state_of(found, STATES[ours]) for ours, found in states.items()}
    selected = ", ".join(
        f"{values.get(ours, 'cast(null as varchar)')} as {ours}"
        for ours in [*IN_WORDS, *ENCODED, *COLUMNS]
    )
    lines = "count(*) over ()" if source.lines is None else str(source.lines)
    rows = connection.execute(
        f"""
        select
            {sql_text(name)} as source_file,
            cast({source.line} as bigint) as source_line,
            cast({source.span} as integer) as line_span,
            {source.reason} as malformed_reason,
            {source.text} as malformed_text,
            {selected},
            cast({lines} as bigint) as source_lines
        from {source.relation}
        order by source_line
        """
    ).df()
    if source.relation.startswith(f"{LANDING}."):
        connection.execute(f"drop table {source.relation}")
    if rows.empty:
        raise UnreadableFile(f"{name}: no customer is kept: there are no lines at all")
    numbers = {"source_line", "line_span", "source_lines"}
    return rows.astype({name: "str" for name in rows.columns if name not in numbers})


def state_of(columns, prefix):
    """Write the state whose column of several says 1; all of them where a row has more than one."""
    said = ", ".join(
        f"case when lower(trim(cast({column.sql} as varchar))) in ('1', '1.0', 'true') "
        f"then {sql_text(column.name[len(prefix) :])} end"
        for column in columns
    )
    return f"nullif(concat_ws('+', {said}), '')"
