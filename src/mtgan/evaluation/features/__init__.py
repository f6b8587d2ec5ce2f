"""Feature spaces, one file each, found by their presence in this folder."""

from mtgan.evaluation.features.base import (
    FeatureBank,
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    extract,
    feature_spaces,
    register_features,
)
from mtgan.evaluation.features.choice import choose_features

__all__ = [
    "FeatureBank",
    "FeatureExtractor",
    "FeatureRequest",
    "build_extractor",
    "choose_features",
    "extract",
    "feature_spaces",
    "register_features",
]
