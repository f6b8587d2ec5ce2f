"""A model's samples beside real ones: how many of which class, judged before they are taken, and
the training set of both."""

from mtgan.augmenting.amounts import amounts
from mtgan.augmenting.augment import Judged, augment
from mtgan.augmenting.generated import Generated, generated_for, with_added

__all__ = ["Generated", "Judged", "amounts", "augment", "generated_for", "with_added"]
