"""Which feature space `auto` means for a dataset."""

from mtgan.data import Dataset
from mtgan.evaluation.features.classifier import label_levels

AUTO = "auto"


def choose_features(name: str, reference: Dataset) -> str:
    """The name itself, or for "auto" the best space that these data allow.

    A classifier where the labels tell at least two classes apart, else the ImageNet network.
    """
    if name != AUTO:
        return name
    return "classifier" if label_levels(reference) else "imagenet-lite"
