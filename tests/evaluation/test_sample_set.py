"""A set of samples and its parts: each row's own number, computed once."""

import numpy as np
import pytest

from mtgan.evaluation.comparison import SampleSet
from mtgan.evaluation.features.base import FeatureExtractor


class FirstPixel(FeatureExtractor):
    name, dim, cacheable, about = "first-pixel", 1, False, {}

    def embed(self, images):
        return images.flatten(1)[:, :1].float(), {}


IMAGES = np.arange(7 * 4, dtype=np.uint8).reshape(7, 1, 2, 2)
LABELS = np.arange(7)[:, None] * 10


@pytest.fixture
def whole() -> SampleSet:
    return SampleSet.of(FirstPixel(), IMAGES, LABELS)


def test_parts_have_the_rows_of_the_whole_which_are_computed_once(whole: SampleSet) -> None:
    asked = []

    def last_pixel(samples: SampleSet) -> np.ndarray:
        asked.append(len(samples))
        return samples.images[:, 0, 1, 1]

    some = whole.take(np.array([6, 2, 2, 3]))
    fewer = some.take(np.array([3, 0]))
    relabelled = some.dealt(np.zeros(4, dtype=int))
    assert fewer.per_sample("last", last_pixel).tolist() == [15, 27]
    assert some.per_sample("last", last_pixel).tolist() == [27, 11, 11, 15]
    assert whole.per_sample("last", last_pixel).tolist() == [3, 7, 11, 15, 19, 23, 27]
    assert relabelled.take(np.array([1])).per_sample("last", last_pixel).tolist() == [11]
    assert asked == [7]
    assert fewer.per_sample("first", lambda x: x.images[:, 0, 0, 0]).tolist() == [12, 24]


def test_parts_have_the_images_features_and_labels_of_their_rows(whole: SampleSet) -> None:
    fewer = whole.take(np.array([6, 2, 3])).take(np.array([2, 0]))
    assert fewer.images.tolist() == IMAGES[[3, 6]].tolist()
    assert fewer.features.tolist() == [[12], [24]]
    assert fewer.labels is not None
    assert fewer.labels.tolist() == [[30], [60]]
    both = fewer.joined(whole.take(np.array([1])))
    assert both.images.tolist() == IMAGES[[3, 6, 1]].tolist()
    assert both.features.tolist() == [[12], [24], [4]]
    assert both.labels is not None
    assert both.labels.tolist() == [[30], [60], [10]]
