"""Studies: many runs, one table, and what their differences are worth."""

from mtgan.studies.load import load_study, study_names
from mtgan.studies.schema import Study

__all__ = ["Study", "load_study", "study_names"]
