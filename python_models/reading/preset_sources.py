"""Read known exports as what they are: their rows become invoice lines under our names."""

from dataclasses import replace

from reading.decisions import Column, Decision, UnreadableFile
from reading.files import LANDING
from reading.preset_file import own_presets, preset_named
from reading.preset_rows import joined, preset_query
from reading.presets import OUR_NAMES, Table, check_needs, fold, recognise, recognise_tables

# What turns recognition off.
NOT_WANTED = "none"


def apply_presets(connection, sources, settings):
    """Find known exports among sources, and read them as such.

    Parameters
    ----------
    connection : DuckDBPyConnection
    sources : list of Source
        Whose relations are tables or Parquet files.
    settings : dict

    Returns
    -------
    list of Source
        Several files that belong together are one.

    Raises
    ------
    UnreadableFile
        If a preset is stated that the files don't fit.
    """
    stated = settings["preset"]
    if stated.lower() == NOT_WANTED or (settings["invoice_columns"] and not stated):
        return sources
    if stated and settings["invoice_columns"]:
        raise UnreadableFile(
            "give either the setting preset or invoice_columns: a preset knows its columns"
        )
    headers = {source.name: [column.name for column in source.columns] for source in sources}
    presets = {stated: preset_named(stated)} if stated else own_presets()
    together = recognise_tables(headers, presets)
    if together:
        preset, names = together
        roles = {role: next(s for s in sources if s.name == name) for role, name in names.items()}
        rest = [source.name for source in sources if source.name not in names.values()]
        known = read_known(connection, preset, roles, 1, settings)
        if rest:
            known.decisions.append(
                Decision(
                    "files",
                    f"not read: {', '.join(rest)}",
                    evidence="invoice lines need none of them",
                )
            )
        return [known]
    read = []
    for number, source in enumerate(sources, start=1):
        preset = recognise(headers[source.name], presets)
        if stated and preset is None:
            (preset,) = presets.values()
            check_needs(preset, headers[source.name], source.name)
            wanted = ", ".join(preset.signature) or "several files"
            raise UnreadableFile(
                f"{source.name} is no {preset.title}: that has the columns {wanted}"
            )
        if preset is not None:
            source = read_known(connection, preset, {None: source}, number, settings)
        read.append(source)
    return read


def read_known(connection, preset, roles, number, settings):
    """Read the rows of a known export.

    Parameters
    ----------
    connection : DuckDBPyConnection
    preset : Preset
    roles : dict of str to Source
        The sources that it is made of; the first one has the lines.
    number : int
        That no other export of the run has.
    settings : dict

    Returns
    -------
    Source
    """
    lines = next(iter(roles.values()))
    tables = {
        role: Table(
            f"(select *, {source.line} as line_in_file from {source.relation} "
            f"where {source.reason} is null)",
            {column.name: column.sql for column in source.columns if column.name},
            "line_in_file",
        )
        for role, source in roles.items()
    }
    table = joined(preset, tables) if preset.tables else next(iter(tables.values()))
    check_needs(preset, list(table.columns), lines.name)
    query = preset_query(preset, table.relation, table.columns, line=table.line)
    relation = f"{LANDING}.export_{number}"
    passed = [c for c in lines.columns if c.name in settings["pass_through"]]
    kept = "".join(f", lines.{c.sql} as passed_{place}" for place, c in enumerate(passed))
    whole = ", ".join(f"cast(lines.{column.sql} as varchar)" for column in lines.columns)
    connection.execute(
        f"""
        create table {relation} as
        with read_rows as ({query}),

        lines as (
            select
                *,
                cast({lines.line} as bigint) as line_in_file,
                cast({lines.span} as integer) as lines_in_file,
                {lines.reason} as reason_in_file,
                {lines.text} as text_in_file
            from {lines.relation}
        )

        select
            lines.line_in_file as source_line,
            lines.lines_in_file as line_span,
            coalesce(
                lines.reason_in_file,
                case when read_rows.left_out is not null then 'order_not_counted' end
            ) as malformed_reason,
            coalesce(lines.text_in_file, read_rows.left_out) as malformed_text,
            {", ".join(f"read_rows.{ours}" for ours in OUR_NAMES)},
            hash({whole}) as row_hash
            {kept}
        from lines
        left join read_rows on lines.line_in_file = read_rows.line
        """
    )
    counted = connection.execute(
        f"select {', '.join(f'count({ours})' for ours in OUR_NAMES)} from {relation}"
    ).fetchone()
    ours = [name for name, values in zip(OUR_NAMES, counted, strict=True) if values]
    if preset.line_amounts or preset.order_amounts or preset.returns:
        # The amount is what was paid; list prices and discounts are within it.
        ours = [name for name in ours if name not in ("unit_price", "discount")]
    decisions = [
        *(decision for source in roles.values() for decision in source.decisions),
        Decision(
            "known export",
            preset.title,
            "declared" if settings["preset"] else "recognised",
            evidence=preset.note or "by its columns",
            setting="{preset: none}",
            matters=True,
        ),
        *say_what_is_not_read(preset, roles),
        *say_what_is_joined(connection, roles),
    ]
    return replace(
        lines,
        relation=relation,
        columns=[
            *(Column(name, "VARCHAR", name) for name in ours),
            Column("row_hash", "UBIGINT", "row_hash"),
            *(replace(c, type="VARCHAR", sql=f"passed_{place}") for place, c in enumerate(passed)),
        ],
        line="source_line",
        span="line_span",
        reason="malformed_reason",
        text="malformed_text",
        decisions=decisions,
        preset=preset.name,
    )


def say_what_is_not_read(preset, roles):
    """Name the columns that the export has and the preset does not read."""
    used = {fold(header.rpartition(".")[2]) for header in preset.headers}
    unread = [
        column.name
        for source in roles.values()
        for column in source.columns
        if column.name and fold(column.name) not in used
    ]
    if not unread:
        return []
    return [Decision("columns not read", ", ".join(unread), "default", setting="{preset: none}")]


def say_what_is_joined(connection, roles):
    """Say which files are joined to the lines, and what of them is no record."""
    decisions = []
    for role, source in list(roles.items())[1:]:
        (malformed,) = connection.execute(
            f"select count(*) from {source.relation} where {source.reason} is not null"
        ).fetchone()
        evidence = f"{malformed:,} of its lines are no records" if malformed else ""
        decisions.append(
            Decision(
                f"file of {role}",
                f"{source.name} is joined to the lines",
                evidence=evidence,
                matters=bool(malformed),
            )
        )
    return decisions
