"""A run, a study or a survey as one self-contained HTML page."""

from mtgan.reports.compare import write_comparison
from mtgan.reports.page import write_report
from mtgan.reports.pages import open_run, write_pages
from mtgan.reports.study import write_study_report
from mtgan.reports.survey import write_survey_report

__all__ = [
    "open_run",
    "write_comparison",
    "write_pages",
    "write_report",
    "write_study_report",
    "write_survey_report",
]
