"""People judge samples: surveys planned, asked, and told what came of them."""

from mtgan.surveys.folder import Survey, is_survey_folder
from mtgan.surveys.schema import Rules, Settings

__all__ = ["Rules", "Settings", "Survey", "is_survey_folder"]
