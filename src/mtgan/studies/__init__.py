"""Studies: many runs, one table, and what their differences are worth."""

from mtgan.studies.schema import Study, load_study, study_names

__all__ = ["Study", "load_study", "study_names"]
