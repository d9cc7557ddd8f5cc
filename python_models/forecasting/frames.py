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
}


def read_movement(transitions):
    """Read the monthly transitions of one segmentation.

    Parameters
    ----------
    transitions : DataFrame
        Columns to_date, from_segment_code (``new`` for new customers), to_segment_code, customers;
        whole months without a gap between them, a row at least.

    Returns
    -------
    codes : list of str
        Segments in the order of the arrays.
    dates : DatetimeIndex
        Ends of the months.
    movement : Movement
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
    months = dates.month.to_numpy("int64")
    return codes, dates, Movement(months, counts[:, :-1], counts[:, -1])


def forecast_frame(transitions):
    """Forecast every segmentation.

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
        codes, dates, movement = read_movement(moves)
        for row in forecast(movement):
            ahead = pd.offsets.MonthEnd(row["months_ahead"])
            rows.append(
                row
                | {
                    "segmentation": segmentation,
                    "segment_code": codes[row["segment"]],
                    "from_date": dates[-1],
                    "forecast_date": dates[-1] + ahead,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
