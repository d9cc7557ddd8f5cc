"""Land the small tables beside the lines: accounts of one person, rates of currencies."""

from reading.columns import fold, list_columns
from reading.decisions import Decision, UnreadableFile
from reading.files import LANDING, find_paths, open_path

TABLES = {
    # Setting: its columns, by the names under which they are known.
    "customer_ids": {
        "old_id": "oldid old from account accountid alias",
        "customer_id": "customerid newid new to person personid",
    },
    "currency_rates": {
        "day": "day date validfrom",
        "currency": "currency currencycode",
        "rate": "rate exchangerate",
    },
}


def land_lookups(connection, settings, folder):
    """Land the tables that are given.

    Parameters
    ----------
    connection : DuckDBPyConnection
    settings : dict
    folder : str
        Where text can be landed.

    Returns
    -------
    list of Decision
        What was read, and how many rows.

    Raises
    ------
    UnreadableFile
        If a table is not one file with the columns that it needs, or its rows contradict each
        other.
    """
    decisions = []
    if settings["customer_ids"]:
        decisions.append(land_customer_ids(connection, settings, folder))
    if settings["currency_rates"]:
        decisions.append(land_currency_rates(connection, settings, folder))
    return decisions


def open_lookup(connection, setting, settings, folder):
    """Open the one file of a setting; its name, relation, condition of a record and columns."""
    paths = find_paths(
        settings[setting], settings["project"], f"VARS='{{{setting}: {setting}.csv}}'"
    )
    if len(paths) > 1:
        raise UnreadableFile(f"var {setting}: one file is read, these are {len(paths)}")
    name = paths[0].replace("\\", "/").rpartition("/")[2]
    sources = open_path(connection, paths[0], name, folder, {})
    source = sources[0]
    known = {fold(column.name): column.sql for column in source.columns}
    columns = {}
    for ours, names in TABLES[setting].items():
        found = [known[name] for name in [fold(ours), *names.split()] if name in known]
        if not found:
            raise UnreadableFile(
                f"var {setting}: {name} has no column {ours}. It needs "
                f"{', '.join(TABLES[setting])}, and has: {list_columns(source.columns)}"
            )
        columns[ours] = f"nullif(trim(cast({found[0]} as varchar)), '')"
    return name, source.relation, f"{source.reason} is null", columns


def land_customer_ids(connection, settings, folder):
    """Create ``landing.customer_ids``: the customer that each old id belongs to."""
    name, relation, is_record, columns = open_lookup(connection, "customer_ids", settings, folder)
    connection.execute(
        f"""
        create table {LANDING}.customer_ids as
        select distinct {columns["old_id"]} as customer_id, {columns["customer_id"]} as person_id
        from {relation}
        where
            {is_record}
            and {columns["old_id"]} is not null
            and {columns["customer_id"]} is not null
        """
    )
    twice = connection.execute(
        f"select customer_id from {LANDING}.customer_ids group by 1 having count(*) > 1 order by 1"
    ).fetchone()
    if twice:
        raise UnreadableFile(
            f"var customer_ids: {name} gives {twice[0]} to more than one customer; each old id "
            "belongs to one"
        )
    chained = connection.execute(
        f"""
        select a.person_id
        from {LANDING}.customer_ids as a
        inner join {LANDING}.customer_ids as b on a.person_id = b.customer_id
        where b.person_id <> b.customer_id
        order by 1
        """
    ).fetchone()
    if chained:
        raise UnreadableFile(
            f"var customer_ids: {name} sends ids to {chained[0]}, which is itself an old id. Send "
            "each to the last one"
        )
    rows, people = connection.execute(
        f"select count(*), count(distinct person_id) from {LANDING}.customer_ids"
    ).fetchone()
    (lines,) = connection.execute(
        f"""
        select count(*)
        from {LANDING}.invoice_lines
        where cast(customer_id as varchar) in (select customer_id from {LANDING}.customer_ids)
        """
    ).fetchone()
    return Decision(
        "accounts of one person",
        f"{rows:,} old ids are {people:,} customers",
        "declared",
        evidence=f"by {name}",
        lines=lines,
        setting="{customer_ids: null}",
        matters=True,
    )


def land_currency_rates(connection, settings, folder):
    """Create ``landing.currency_rates``: what a currency is worth from a day until the next one."""
    name, relation, is_record, columns = open_lookup(connection, "currency_rates", settings, folder)
    connection.execute(
        f"""
        create table {LANDING}.currency_rates as
        with rates as (
            select
                upper({columns["currency"]}) as currency,
                try_cast({columns["day"]} as date) as valid_from,
                try_cast({columns["rate"]} as decimal(18, 8)) as rate,
                {columns["day"]} as written_day,
                {columns["rate"]} as written_rate
            from {relation}
            where {is_record}
        )

        select
            *,
            coalesce(
                lead(valid_from) over (partition by currency order by valid_from), date '9999-12-31'
            ) as valid_until
        from rates
        """
    )
    wrong = connection.execute(
        f"""
        select currency, written_day, written_rate
        from {LANDING}.currency_rates
        where
            currency is null
            or valid_from is null
            or rate is null
            or rate <= 0
            or valid_from = valid_until
        order by 1, 2
        """
    ).fetchone()
    if wrong:
        raise UnreadableFile(
            f"var currency_rates: {name} has a row that is no rate: day {wrong[1]}, currency "
            f"{wrong[0]}, rate {wrong[2]}. Days are written 2023-05-31, once for each currency, "
            "and rates with a decimal point"
        )
    rows, told = connection.execute(
        f"select count(*), string_agg(distinct currency, ', ') from {LANDING}.currency_rates"
    ).fetchone()
    return Decision(
        "rates of currencies",
        f"{rows:,} rates of {told}",
        "declared",
        evidence=f"by {name}; a rate counts from its day until the next",
        setting="{currency_rates: null}",
    )
