"""The report: one page of charts, drawn from the published marts by the analyses."""

from report.page import write_report

__all__ = ["write_report"]
