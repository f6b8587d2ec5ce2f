"""A run as one self-contained HTML page."""

from mtgan.reports.page import write_report

__all__ = ["write_report"]
