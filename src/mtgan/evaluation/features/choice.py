"""The feature space `auto`: whichever is fitter to judge these data."""

from dataclasses import replace

from mtgan.evaluation.features.base import (
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    register_features,
)
from mtgan.evaluation.features.fitness import (
    Fitness,
    agreement,
    label_levels,
    measure_fitness,
)

AUTO = "auto"


@register_features("auto")
def build(request: FeatureRequest) -> FeatureExtractor:
    """The classifier of the data, or the ImageNet network where that is the fitter judge.

    Without labels the ImageNet network. With labels the classifier trained on the data where it is
    fit to judge, else the ImageNet network where that is, as on a few hundred photographs; where
    neither is, the one that recognizes more. Raw pixels are never chosen.
    """
    general = replace(request, name="imagenet-lite")
    if not label_levels(request.reference):
        return build_extractor(general)
    own = build_extractor(replace(request, name="classifier"))
    known = _finest(own, request)
    if known.passes(own.least_skill):
        return own
    request.progress("comparing two judges on held-out real images (once; it is cached)")
    other = build_extractor(general)
    found = _finest(other, request)
    share = agreement(own, other, request.reference)
    same = f"the two give the same class to {share:.2f} of them"
    if found.passes(other.least_skill) or found.accuracy > known.accuracy:
        other.rival = f"{own.name}, {known.sentence()}; {same}"
        return other
    own.rival = f"{other.name}, {found.sentence()}; {same}"
    return own


def _finest(extractor: FeatureExtractor, request: FeatureRequest) -> Fitness:
    return next(iter(measure_fitness(extractor, request.reference).values()))
