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
from mtgan.evaluation.features.choice import AUTO
from mtgan.evaluation.features.fitness import Fitness, fit_probes, label_levels, measure_fitness

__all__ = [
    "AUTO",
    "FeatureBank",
    "FeatureExtractor",
    "FeatureRequest",
    "Fitness",
    "build_extractor",
    "extract",
    "feature_spaces",
    "fit_probes",
    "label_levels",
    "measure_fitness",
    "register_features",
]
