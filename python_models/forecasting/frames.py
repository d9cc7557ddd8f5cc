"""Between tables and arrays."""

import numpy as np
import pandas as pd

from forecasting.methods import Movement, forecast

COLUMNS = {
    "segmentation": "string",
    "forecast_date": "datetime64[us]",
    "months_ahead": "int32",
    "segment_code": "string",
    "from_date": "datetime64[us]",
    "customers": "int32",
    "expected_customers": "float64",
    "expected_new_customers": "float64",
    "low": "float64",
    "high": "float64",
    "model": "string",
    "backtest_months": "int32",
    "size_error": "float64",
    "size_error_everyone_stays": "float64",
    "size_error_last_month": "float64",
    "log_loss": "float64",
    "log_loss_everyone_stays": "float64",
    "log_loss_last_month": "float64",
    "interval_coverage": "float64",
    "interval_checks": "int32",
    "is_last_within": "boolean",
}


def read_movement(transitions):
    """Read the monthly transitions of one segmentation.

    Parameters
    ----------
    transitions : DataFrame
        Columns to_date, is_partial, from_segment_code (``new`` for new customers),
        to_segment_code, customers; a row at least. Months have no gap between them, and only the
        last may be partial.

    Returns
    -------
    codes : list of str
        Segments in the order of the arrays.
    movement : Movement
        Of the whole months, perhaps none.
    sizes : ndarray of shape (n_segments,), float64
        Customers by segment at the last date, which may be in the middle of a month.
    """
    origins = transitions["from_segment_code"]
    codes = sorted({*origins, *transitions["to_segment_code"]} - {"new"})
    dates = pd.DatetimeIndex(sorted(set(transitions["to_date"])))
    # New customers come from one place more.
    places = {code: place for place, code in enumerate([*codes, "new"])}
    counts = np.zeros((len(dates), len(codes) + 1, len(codes)))
    counts[
        dates.get_indexer(transitions["to_date"]),
        origins.map(places),
        transitions["to_segment_code"].map(places),
    ] = transitions["customers"]
    whole = len(dates) - transitions["is_partial"].any()
    return codes, Movement(counts[:whole, :-1], counts[:whole, -1]), counts[-1].sum(axis=0)


def forecast_frame(transitions):
    """Forecast every segmentation.

    Months ahead are counted from the last date, whether a month ends there or not.

    Parameters
    ----------
    transitions : DataFrame
        As `read_movement` takes them, with a column segmentation; perhaps empty.

    Returns
    -------
    DataFrame
        One row per segmentation, forecast date and segment, with `COLUMNS`; a segmentation without
        a whole month has none.
    """
    rows = []
    for segmentation, moves in transitions.groupby("segmentation", sort=True):
        codes, movement, sizes = read_movement(moves)
        if not len(movement):
            continue
        now = moves["to_date"].max()
        is_partial = moves["is_partial"].any()
        # From the second half of a month on, the last whole one is nearer to a month old.
        behind = int(is_partial and now.day > now.days_in_month / 2)
        month = pd.DateOffset(months=1) if is_partial else pd.offsets.MonthEnd()
        for row in forecast(movement, sizes, behind):
            rows.append(
                row
                | {
                    "segmentation": segmentation,
                    "segment_code": codes[row["segment"]],
                    "from_date": now,
                    "forecast_date": now + row["months_ahead"] * month,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
