"""Expected sizes of segments one to three months ahead."""

from forecasting.frames import forecast_frame


def model(dbt, session):
    """Return one row per segmentation, forecast date and segment."""
    transitions = (
        dbt.ref("segment_transitions")
        .filter("period = 'month'")
        .order("segmentation, to_date, from_segment_code, to_segment_code")
    )
    return forecast_frame(transitions.df())
