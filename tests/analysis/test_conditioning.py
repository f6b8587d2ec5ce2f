"""Known truths: real images are conditioned; collapsed, missing and shuffled classes are named."""

import numpy as np
import pytest

from mtgan.analysis.classes import control_p
from mtgan.analysis.conditioning import Conditioning, Options, conditioning, of_run
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.training import Run, train
from toys import small_recipe


@pytest.fixture(scope="module")
def planted(digits: Dataset, unseen: Dataset) -> Conditioning:
    """Real training digits, but 3 is one image with a little noise, 5 and 6 change places, and
    where 8 was asked for there are ones."""
    samples, labels = np.array(digits.samples), np.array(digits.labels)
    fine = labels[:, 0]
    random = np.random.default_rng(0)
    three = samples[fine == 3][:1].astype(int)
    noise = random.integers(-8, 9, (int((fine == 3).sum()), *samples.shape[1:]))
    samples[fine == 3] = np.clip(three + noise, 0, 255)
    ones = digits.samples[fine == 1]
    samples[fine == 8] = ones[random.integers(0, len(ones), int((fine == 8).sum()))]
    swapped = fine.copy()
    swapped[fine == 5], swapped[fine == 6] = 6, 5
    return conditioning(samples, digits.taxonomy.label_rows(swapped), digits, unseen)


def test_real_images_are_conditioned_and_varied(digits: Dataset, unseen: Dataset) -> None:
    found = conditioning(digits.samples[:700], digits.labels[:700], digits, unseen)
    assert found.named("conditioned") == list(digits.taxonomy.classes["fine"])
    assert found.named("collapsed") == []
    assert "10 of 10" in found.verdict
    assert "No class collapsed" in found.verdict
    fine = found.levels[0]
    assert fine.gan_test > 0.95
    assert abs(fine.gan_train - fine.real_train) < 0.1
    assert np.trace(found.confusion) > 1.9


def test_a_collapsed_class_is_named(planted: Conditioning) -> None:
    assert planted.named("collapsed") == ["3"]
    assert "Collapsed: 3." in planted.verdict
    three = next(each for each in planted.classes if each.name == "3")
    assert three.variety is not None
    assert three.variety.spread < 0.3
    assert three.status == "conditioned"


def test_missing_and_uncontrolled_classes_are_named(planted: Conditioning) -> None:
    assert planted.named("missing") == ["8"]
    assert planted.named("uncontrolled") == ["5", "6"]
    assert next(each.shown_as for each in planted.classes if each.name == "8") == "1"
    assert len(planted.named("conditioned")) == 7


def test_a_class_of_two_images_is_collapsed(digits: Dataset, unseen: Dataset) -> None:
    samples = np.array(digits.samples[:700])
    fours = np.flatnonzero(digits.labels[:700, 0] == 4)
    samples[fours] = samples[fours[np.arange(len(fours)) % 2]]
    assert conditioning(samples, digits.labels[:700], digits, unseen).named("collapsed") == ["4"]


def test_labels_that_do_nothing(digits: Dataset, unseen: Dataset) -> None:
    rows = np.random.default_rng(0).permutation(700)
    found = conditioning(digits.samples[:700], digits.labels[rows], digits, unseen)
    assert found.named("conditioned") == []
    assert len(found.named("uncontrolled")) >= 9
    assert found.levels[0].gan_train < 0.5


def test_control_p_is_that_of_a_small_table() -> None:
    """All three hits among three asked, of six: one arrangement in twenty."""
    asked = np.array([1, 1, 1, 0, 0, 0])
    assert control_p(asked, asked, 1) == pytest.approx(1 / 20)


def test_a_run_is_asked_by_itself(run: Run, tmp_path) -> None:
    found = of_run(run, Options(n=300))
    assert found.samples == 300
    assert [each.level for each in found.levels] == list(run.dataset_info.taxonomy.levels)
    assert found.picture(tmp_path / "x.png").stat().st_size > 5000


def test_a_level_that_was_not_asked_for_is_not_judged(digits: Dataset, unseen: Dataset) -> None:
    rows = np.full_like(digits.labels[:50], -1)
    with pytest.raises(UserError, match="not asked for classes of the level 'fine'"):
        conditioning(digits.samples[:50], rows, digits, unseen)


def test_a_generator_without_labels_is_refused(digits: Dataset, tmp_path) -> None:
    recipe = small_recipe("wgan-gp", training__steps=1)
    plain = train(recipe, digits, tmp_path / "run", quiet=True)
    with pytest.raises(UserError, match="without labels"):
        of_run(plain, Options())
