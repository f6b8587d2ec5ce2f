"""The feature space `auto`: whichever is fitter to judge these data."""

from dataclasses import replace

from mtgan.evaluation.features.base import (
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    register_features,
)
from mtgan.evaluation.features.fitness import Fitness, label_levels, measure_fitness

AUTO = "auto"

CLEARLY_FIT = 0.7
"""From this skill on, the classifier of the data is taken without a look at another space."""


@register_features(AUTO)
def build(request: FeatureRequest) -> FeatureExtractor:
    """The classifier of the data, or the ImageNet network where that is the fitter judge.

    Without labels the ImageNet network. With labels the classifier trained on the data, unless it
    recognizes fewer held-out images than a linear probe of the ImageNet network does: so it is for
    a few hundred photographs. Raw pixels are never chosen.
    """
    general = replace(request, name="imagenet-lite")
    if not label_levels(request.reference):
        return build_extractor(general)
    own = build_extractor(replace(request, name="classifier"))
    known = _finest(own, request)
    if known.skill(known.interval[0]) >= CLEARLY_FIT:
        return own
    request.progress("comparing two judges on held-out real images (once; it is cached)")
    other = build_extractor(general)
    return other if _finest(other, request).accuracy > known.accuracy else own


def _finest(extractor: FeatureExtractor, request: FeatureRequest) -> Fitness:
    return next(iter(measure_fitness(extractor, request.reference).values()))
