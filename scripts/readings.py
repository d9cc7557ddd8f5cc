"""What a terminal tells about how files were read, and which of their lines were left out."""

import textwrap

from settings import printable

WIDTH = 100
# The decisions that a build tells without being asked.
MOST_TOLD = 6
# Share of the lines or of the money from which on a reason is told.
WORTH_TELLING = 0.005
# Reasons that are told however few lines they cost: one of them moves the day of measurement, the
# other is a conflict of two files.
ALWAYS_TOLD = ("implausible_date", "replaced_later")


def tell_decisions(connection):
    """Tell the decisions that matter, with what would change them.

    Parameters
    ----------
    connection : DuckDBPyConnection
        To the published file, or to a warehouse.

    Returns
    -------
    list of str
        Lines for a terminal; few, however many decisions there are.
    """
    rows = connection.execute(
        """
        select question, answer, evidence, setting, count(*), any_value(source_file)
        from marts.readings
        where matters
        group by question, answer, evidence, setting
        order by max(amount) desc nulls last, max(lines) desc, min(reading_order)
        """
    ).fetchall()
    told = []
    for question, answer, evidence, setting, files, file in rows[:MOST_TOLD]:
        where = "" if file == "all files" or files > 1 else f" in {file}"
        because = f" ({evidence})" if evidence else ""
        change = f" To change it: VARS='{setting}'" if setting else ""
        told += wrap(f"Decided: {question}{where}: {answer}{because}.{change}")
    if len(rows) > MOST_TOLD:
        told.append(f"Decided: {len(rows) - MOST_TOLD} more; make check tells all of them.")
    (unread,) = connection.execute(
        "select string_agg(distinct answer, '; ') from marts.readings "
        "where question = 'columns not read'"
    ).fetchone()
    if unread:
        told += wrap(f"Columns not read: {unread}")
    return told


def wrap(line):
    """Break a line for a terminal, so that what goes on is indented."""
    return textwrap.wrap(printable(line), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def tell_rejected(connection, examples=0, threshold=WORTH_TELLING):
    """Tell why lines were left out, with the share of lines and money, and an example.

    Parameters
    ----------
    connection : DuckDBPyConnection
    examples : int
        Lines that are shown of each reason below it; 0 for one in the same line.
    threshold : float
        Share of the lines or the money from which on a reason is told.

    Returns
    -------
    list of str
    """
    rows = connection.execute(
        """
        select reason, lines, amount, line_share, amount_share
        from marts.line_accounting
        where status = 'rejected'
        order by amount_share desc, lines desc, reason
        """
    ).fetchall()
    told = []
    for reason, lines, amount, line_share, amount_share in rows:
        if max(line_share, amount_share) <= threshold and reason not in ALWAYS_TOLD:
            continue
        shown = show_rejected(connection, reason, max(examples, 1))
        line = (
            f"Rejected: {lines:,} {reason} ({line_share:.1%} of lines, "
            f"{amount_share:.1%} of money, {amount:,.2f} net)"
        )
        if examples:
            told.append(line)
            told += [printable(f"    {example}") for example in shown]
        else:
            told += wrap(f"{line}, such as {shown[0]}")
    return told


def show_rejected(connection, reason, most):
    """Show lines that were rejected for a reason, with their places."""
    rows = connection.execute(
        """
        select
            source_file,
            source_line,
            coalesce(
                left(source_text, 100),
                concat_ws(
                    ', ',
                    'invoice ' || invoice_id,
                    'product ' || product_id,
                    'customer ' || customer_id,
                    concat_ws(
                        ' x ',
                        rtrim(rtrim(cast(quantity as varchar), '0'), '.'),
                        coalesce(rtrim(rtrim(cast(unit_price as varchar), '0'), '.'), 'no price')
                    ),
                    'on ' || cast(cast(invoiced_at as date) as varchar)
                )
            )
        from marts.rejected_lines
        where reject_reason = ?
        order by source_file, source_line
        limit ?
        """,
        [reason, most],
    ).fetchall()
    return [f"line {line} of {file}: {text or '(nothing)'}" for file, line, text in rows]


def tell_check(connection, limit, accepted):
    """Tell all that was decided about files, and what becomes of their lines.

    Parameters
    ----------
    connection : DuckDBPyConnection
        To a warehouse in which lines have been classified.
    limit : float
        Share of money from which on a reason stops a build.
    accepted : list of str
        Reasons that do not.

    Returns
    -------
    list of str
        Lines for a terminal.
    """
    told = []
    rows = connection.execute(
        """
        select source_file, question, answer, found, evidence, runner_up, setting, matters
        from marts.readings
        order by source_file = 'all files' desc, source_file, reading_order
        """
    ).fetchall()
    file = None
    for source_file, question, answer, found, evidence, runner_up, setting, matters in rows:
        if source_file != file:
            file = source_file
            told += ["", printable(f"How {file} {'are' if file == 'all files' else 'is'} read")]
        details = "; ".join(
            part
            for part in (
                found,
                evidence,
                runner_up and f"next best: {runner_up}",
                matters and setting and f"to change it: VARS='{setting}'",
            )
            if part
        )
        told.append(printable(f"  {'!' if matters else ' '} {question}: {answer} ({details})"))
    lines, sales, returns, rejected, amount = connection.execute(
        """
        select
            coalesce(sum(lines), 0),
            coalesce(sum(lines) filter (where status = 'kept_sale'), 0),
            coalesce(sum(lines) filter (where status like '%return'), 0),
            coalesce(sum(lines) filter (where status = 'rejected'), 0),
            coalesce(sum(amount) filter (where status = 'kept_sale'), 0)
        from marts.line_accounting
        """
    ).fetchone()
    told += [
        "",
        "What becomes of the lines",
        f"  {lines:,} lines = {sales:,} sales worth {amount:,.2f} + {returns:,} returns + "
        f"{rejected:,} rejected",
    ]
    told += [f"  {line}" for line in tell_rejected(connection, examples=3, threshold=0)]
    told += [f"  {line}" for line in tell_stops(connection, limit, accepted)]
    return told[1:]


def tell_stops(connection, limit, accepted):
    """Tell which reasons would stop a build, and what to do about each."""
    rows = connection.execute(
        """
        select reason, lost_share, remedy
        from marts.line_accounting
        inner join reference.reject_reasons on reason = reject_reason
        where status = 'rejected' and not is_expected and lost_share > ?
        order by lost_share desc, reason
        """,
        [limit],
    ).fetchall()
    return [
        printable(
            f"A build stops here: {reason} costs {share:.1%}. "
            + (f"What to do: {remedy}. " if remedy else "")
            + f"Or accept it: VARS='{{accepted_reasons: [{', '.join([*accepted, reason])}]}}'"
        )
        for reason, share, remedy in rows
        if reason not in accepted
    ]
