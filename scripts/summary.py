"""What a terminal shows after a build or a score: segments, and what needs attention."""

import textwrap

import duckdb
from readings import tell_decisions, tell_rejected, wrap
from settings import printable

ACTION_WIDTH = 48
# A customer with more of the orders, in a shop with at least so many customers, is odd.
ODD_SHARE = 0.15
FEW_CUSTOMERS = 10


def summarise_build(published, primary, of_campaign):
    """Tell what was published.

    Parameters
    ----------
    published : Path
    primary : str
        The primary segmentation.
    of_campaign : str or None
        The segmentation whose segments the campaign's responses are counted by.

    Returns
    -------
    list of str
        Lines for a terminal.
    """
    with duckdb.connect(str(published), read_only=True) as connection:
        warnings = [
            f"Warning: {warning}"
            for warning in [*find_odd_customers(connection), *find_warnings(connection)]
        ]
        return [
            *summarise_lines(connection),
            *tell_rejected(connection),
            *tell_decisions(connection),
            "",
            *summarise_segments(connection, primary),
            *(["", *warnings] if warnings else []),
            *summarise_predictions(connection),
            *summarise_campaign(connection, of_campaign),
        ]


def summarise_lines(connection):
    """Tell where the invoice lines went, and how many customers there are."""
    lines, sales, returns, rejected = connection.execute(
        """
        select
            sum(lines),
            sum(lines) filter (where status = 'kept_sale'),
            sum(lines) filter (where status like '%return'),
            sum(lines) filter (where status = 'rejected')
        from marts.line_accounting
        """
    ).fetchone()
    as_of_at, customers, revenue = connection.execute(
        "select min(as_of_at), count(*), sum(monetary) from marts.customers"
    ).fetchone()
    return [
        f"{lines:,} invoice lines = {sales or 0:,} sales + {returns or 0:,} returns + "
        f"{rejected or 0:,} rejected",
        f"{customers:,} customers, revenue {revenue:,.2f}, as of {as_of_at:%Y-%m-%d %H:%M}",
    ]


def summarise_segments(connection, primary):
    """Lay out the segments of the primary segmentation, those that somebody is in, as a table."""
    rows = connection.execute(
        """
        select segment_name, customers, customer_share, revenue_share, action
        from marts.segments
        where segmentation = ? and segments.customers > 0
        order by segment_order
        """,
        [primary],
    ).fetchall()
    table = head(f"Segment ({primary})", "Revenue", "What to do", ACTION_WIDTH)
    for name, customers, share, revenue_share, action in rows:
        first, *more = textwrap.wrap(printable(action), ACTION_WIDTH) or [""]
        table.append(line(name, f"{customers:,}", f"{share:.0%}", f"{revenue_share:.0%}", first))
        table += [line("", "", "", "", words) for words in more]
    return table


def summarise_predictions(connection):
    """Say that nothing is predicted, where that is so; a column of nulls would not say why."""
    predicted, months = connection.execute(
        "select count(churn_probability), max(months_until_tested) from marts.customer_predictions"
    ).fetchone()
    if predicted:
        return summarise_total(connection)
    if months is None:
        return ["", "No predictions yet: too few customers come and stay away to test any."]
    more = "another month" if months == 1 else f"{months} more months"
    return ["", f"No predictions yet: to test any on the past takes {more} of invoices."]


def summarise_total(connection):
    """Say what all customers are expected to spend, in which range."""
    row = connection.execute(
        """
        select
            prediction_days, predicted, predicted_low, predicted_high, a_year_before, growth,
            expected_from_last_year, is_unlike_last_year
        from marts.prediction_totals
        where is_current and target = 'spend' and predicted_low is not null
        """
    ).fetchone()
    if row is None:
        return []
    days, predicted, low, high, a_year_before, growth, from_last_year, is_unlike = row
    told = f"Revenue expected from today's customers in {days} days: {low:,.0f} to {high:,.0f}."
    if is_unlike:
        grown, perhaps = "", ", or the shop has grown"
        if growth is not None:
            grown, perhaps = f", or {from_last_year:,.0f} with the shop's growth", ""
        told += (
            f" The models expect {predicted:,.0f}. The same days of last year brought "
            f"{a_year_before:,.0f}{grown}. That is further off than the tests were, so the range "
            f"includes it: a season may be about to turn{perhaps}."
        )
    return ["", *wrap(told)]


def summarise_campaign(connection, segmentation):
    """Lay out where the campaign's lines went and who accepted; nothing without a campaign."""
    marts = connection.execute("select table_name from information_schema.tables").fetchall()
    if ("campaign_accounting",) not in marts:
        return []
    lines, kept, accepted = connection.execute(
        """
        select
            sum(lines),
            sum(lines) filter (where status = 'kept'),
            (select avg(cast(accepted_6 as integer)) from marts.campaign_customers)
        from marts.campaign_accounting
        """
    ).fetchone()
    told = [
        "",
        f"Campaign: {lines:,} lines = {kept:,} customers + {lines - kept:,} rejected; "
        f"{accepted:.1%} accepted the last offer",
    ]
    rows = connection.execute(
        """
        select segment_name, segments.customers, customer_share, revenue_share, rate
        from marts.segments
        left join marts.campaign_response
            on dimension = 'segment' and campaign = 'campaign_6' and value = segment_name
        where segmentation = ? and segments.customers > 0
        order by segment_order
        """,
        [segmentation],
    ).fetchall()
    if rows:
        told += head(f"Segment ({segmentation})", "Spend", "Accepted last", 13)
    for name, customers, share, spend_share, rate in rows:
        told.append(
            line(
                name,
                f"{customers:,}",
                f"{share:.0%}",
                f"{spend_share:.0%}",
                "" if rate is None else f"{rate:>13.1%}",
            )
        )
    return told


def find_odd_customers(connection):
    """Find a customer who orders so much that it may be nobody: the account of all guests."""
    rows = connection.execute(
        """
        select customer_id, frequency / sum(frequency) over () as share, count(*) over ()
        from marts.customers
        order by frequency desc, customer_id
        limit 1
        """
    ).fetchall()
    return [
        printable(
            f"customer {customer} has {share:.0%} of all orders. If that id stands for guests: "
            f"VARS='{{guests: [\"{customer}\"]}}'"
        )
        for customer, share, customers in rows
        if share > ODD_SHARE and customers >= FEW_CUSTOMERS
    ]


def shorten(reasons):
    """Tell the first of several reasons, and where the others stand."""
    first, *others = reasons.split("; ")
    more = f"; {len(others):,} more in refit_decisions" if others else ""
    return f"{first}{more}"


def find_warnings(connection):
    """Find segmentations that are not what their declarations let people expect."""
    decisions = connection.execute(
        """
        select
            segmentation, decision, reason, name_conflict is not null,
            concat_ws('; ', names_withheld, actions_replaced)
        from marts.refit_decisions
        qualify as_of_date = max(as_of_date) over (partition by segmentation)
        order by segmentation
        """
    ).fetchall()
    shared = connection.execute(
        """
        select
            segmentation,
            cast(sum(clusters) as integer),
            count(*),
            string_agg(clusters || ' clusters are ' || segment_name, ', ' order by segment_order)
                filter (where clusters > 1)
        from marts.segments
        where
            (segmentation, segment_code) not in (
                select segmentation, segment_code
                from marts.cluster_centers
                where outlier_features is not null
            )
        group by segmentation
        having max(clusters) > 1
        order by segmentation
        """
    ).fetchall()
    found = [
        f"{segmentation} is left out: {reason}."
        for segmentation, decision, reason, *_ in decisions
        if decision == "left_out"
    ]
    found += [
        f"{segmentation}: {clusters} clusters share {names} names: {which}. Declare a smaller k, "
        "or add segments to the playbook."
        for segmentation, clusters, names, which in shared
    ]
    way_out = " To name all clusters anew: VARS='{refit: always}'"
    found += [
        f"{segmentation}: {reason}.{way_out if decision == 'keep' else ''}"
        for segmentation, decision, reason, is_conflict, _ in decisions
        if is_conflict
    ]
    found += [
        f"{segmentation}: {shorten(reasons)}." for segmentation, *_, reasons in decisions if reasons
    ]
    return [printable(warning) for warning in found]


def summarise_score(scored, published, primary):
    """Tell how many customers a score assigned and predicted, and how many of them are new.

    Parameters
    ----------
    scored, published : Path
    primary : str

    Returns
    -------
    list of str
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach {text(scored)} as scored (read_only)")
        connection.execute(f"attach {text(published)} as published (read_only)")
        customers, new, moved = connection.execute(
            """
            select
                count(*),
                count(*) filter (where customers.customer_id is null),
                count(*) filter (where customers.segment_code <> customer_segments.segment_code)
            from scored.marts.customer_segments
            left join published.marts.customers using (customer_id)
            where segmentation = ?
            """,
            [primary],
        ).fetchone()
        days, predicted, leaving = connection.execute(
            """
            select
                any_value(prediction_days),
                count(churn_probability),
                count(*) filter (where churn_probability > 0.5)
            from scored.marts.customer_predictions
            """
        ).fetchone()
    told = [
        f"{customers:,} customers scored ({primary}); since the last build {new:,} are new and "
        f"{moved:,} have another segment"
    ]
    if predicted:
        told.append(f"{leaving:,} of them will probably buy nothing in {days} days")
    return told


def head(title, share_of, last, width):
    """Write the first two lines of a table."""
    return [
        line(title, "Customers", "", share_of, last),
        line("-" * 26, "-" * 9, "-" * 4, "-" * 7, "-" * width),
    ]


def line(segment, customers, share, revenue, last):
    """Write one line of a table."""
    return f"{printable(segment):<26.26}  {customers:>9}  {share:>4}  {revenue:>7}  {last}".rstrip()


def text(path):
    """Write a path as a text in SQL."""
    return "'" + str(path).replace("'", "''") + "'"
