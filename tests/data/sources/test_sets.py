"""Image sets side by side, each under a level of its own."""

from pathlib import Path

import numpy as np
import pytest

from mtgan.data import load_dataset, prepare_dataset
from mtgan.data.sources.joined import is_domains
from mtgan.data.sources.sets import is_sets
from mtgan.errors import UserError


def write(path: Path, pixels: np.ndarray, labels: np.ndarray | None, **arrays: object) -> Path:
    """An .npz file of gray images, or of RGB ones."""
    arrays |= {} if labels is None else {"labels": labels}
    np.savez(path, images=pixels.astype(np.uint8), **arrays)  # type: ignore[arg-type]
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten gray images of 6 x 6, all of one value each, in two classes; the last has no label."""
    values = np.arange(10) * 10
    labels = np.where(values < 90, values % 20 // 10, -1)
    return write(tmp_path / "small.npz", np.tile(values[:, None, None, None], (1, 6, 6, 1)), labels)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Five RGB images of 8 x 12 in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 12, 3))
    return write(tmp_path / "large.npz", pixels, np.array([0, 1, 2, 0, 1]))


def test_each_set_has_a_level_at_which_no_other_has_labels(small: Path, large: Path) -> None:
    data = load_dataset(f"sets:a={small}+b={large}", "all")
    assert data.taxonomy.levels == ("a", "b")
    assert data.taxonomy.parents == {}
    assert [data.taxonomy.num_classes(level) for level in "ab"] == [2, 3]
    expected = [[i % 2, -1] for i in range(9)] + [[-1, c] for c in (0, 1, 2, 0, 1)]
    assert data.labels.tolist() == expected
    assert data.name == "a+b"
    assert data.finest_labeled == "a"
    assert data.select(np.arange(9, 14)).finest_labeled == "b"
    assert any("a: 1 of 10 images have no label, and are left out" in note for note in data.notes)


def test_images_take_the_largest_size_and_most_channels_or_those_asked_for(
    small: Path, large: Path
) -> None:
    data = load_dataset(f"sets:a={small}+b={large}", "all")
    assert data.shape == (3, 8, 12)
    # An image of one value stays so, in all channels; those that fit already stay as they are.
    assert (data.samples[:9] == np.arange(0, 90, 10)[:, None, None, None]).all()
    with np.load(large) as file:
        assert np.array_equal(data.samples[9:], file["images"].transpose(0, 3, 1, 2))
    asked = load_dataset(f"sets:a={small}+b={large}", "all", size=4, channels=1)
    assert asked.shape == (1, 4, 4)


def test_splits_are_those_of_the_sets_and_a_name_outlives_the_folder(
    small: Path, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = load_dataset("sets:small.npz+large.npz")
    assert data.taxonomy.levels == ("small.npz", "large.npz")
    test = data.load_split("test")
    counts = [(part.labels >= 0).sum(axis=0).tolist() for part in (data, test)]
    alone = [
        [int((load_dataset(path, split).labels >= 0).sum()) for path in (small, large)]
        for split in ("train", "test")
    ]
    assert counts == alone
    monkeypatch.chdir(tmp_path.parent)
    assert load_dataset(**data.spec).fingerprint == data.fingerprint
    prepared = prepare_dataset(f"sets:a={small}+b={large}", tmp_path / "prepared")
    assert load_dataset(prepared).labels.tolist() == data.labels.tolist()


def test_a_part_is_found_again_in_other_splits(small: Path, large: Path) -> None:
    data = load_dataset(f"sets:a={small}+b={large}").of_classes({"b": ("0", "1", "2")})
    assert (data.labels[:, 0] == -1).all()
    assert (data.load_split("test").labels[:, 0] == -1).all()
    fewer = data.of_classes({"b": ("0", "1")})
    assert data.of_classes({"b": "0"}).of_classes({"b": ("0", "1")}).spec["classes"] == {"b": ["0"]}
    assert set(fewer.load_split("train").labels[:, 1]) <= {0, 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sets:digits+digits", r"Two sets of 'sets:digits\+digits' are called 'digits'"),
        ("sets:a=digits+a=small.npz", "are called 'a', and each becomes a label level"),
        ("sets:a=digits", "names one set; name several"),
        ("sets:digits+", "A set of 'sets:digits.' names no data"),
        ("sets:digits+a=", "names no data; write"),
        ("sets:digits+bare=bare.npz", r"The set 'bare' \(bare.npz\) has no labels"),
        ("sets:digits+nosuch", "There is no data set 'nosuch'"),
        ("sets:digits+words=words.txt", "holds domains, which lie on a canvas"),
    ],
)
def test_what_cannot_be_joined_is_said_in_a_sentence(
    text: str, said: str, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "bare.npz", np.zeros((5, 6, 6, 1)), None)
    (tmp_path / "words.txt").write_text("".join(f"{a}{b}\n" for a in "abcde" for b in "xyzwv"))
    with pytest.raises(UserError, match=said) as raised:
        load_dataset(text)
    assert "\n" not in str(raised.value)


def test_a_name_of_sets_is_none_of_domains() -> None:
    assert is_sets("sets:a=digits+b=cifar10")
    assert not is_domains("sets:a=digits+b=cifar10")
    assert not is_sets("image=digits+text=words.txt")
