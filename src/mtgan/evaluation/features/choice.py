"""Which feature space `auto` means for a dataset."""

from mtgan.data import Dataset
from mtgan.evaluation.features import imagenet_lite
from mtgan.evaluation.features.classifier import label_levels

AUTO = "auto"


def choose_features(name: str, reference: Dataset) -> str:
    """The name itself, or for "auto" the best space that these data and packages allow.

    A classifier where the labels tell at least two classes apart; else the ImageNet network when
    its package is installed and the images are grey or color; else pixels.
    """
    if name != AUTO:
        return name
    if label_levels(reference):
        return "classifier"
    if imagenet_lite.available() and reference.samples.shape[1] in (1, 3, 4):
        return "imagenet-lite"
    return "pixels"
