"""load_dataset: names, options, held-out parts, and registering a source."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mtgan.data
from mtgan.data import (
    Dataset,
    Taxonomy,
    list_datasets,
    load_dataset,
    prepare_dataset,
    register_dataset,
)
from mtgan.data.held_out import hold_out
from mtgan.data.load import load_recorded, parse_size
from mtgan.data.registry import SOURCES
from mtgan.errors import UserError


@pytest.fixture
def dummy():
    """A source that the test registers, and that is gone afterwards."""

    @register_dataset("stripes", "Ten stripes.")
    def load(request) -> Dataset:
        samples = np.arange(10 * 3 * 4 * 4, dtype=np.uint8).reshape(10, 3, 4, 4)
        taxonomy = Taxonomy(("fine",), {"fine": ("left", "right")}, {})
        data = Dataset(samples, np.arange(10)[:, None] % 2, taxonomy, "stripes", "all")
        return hold_out(data, request.split)

    yield load
    SOURCES._entries.pop("stripes")


def test_a_registered_source_loads(dummy) -> None:
    assert list_datasets()["stripes"] == "Ten stripes."
    train, test = load_dataset("stripes"), load_dataset("stripes", "test")
    assert (len(train), len(test)) == (8, 2)
    assert train.split == "train"
    assert train.load_split("test").fingerprint == test.fingerprint
    assert load_dataset("stripes", size=8, channels=1).shape == (1, 8, 8)
    own = load_dataset("stripes", taxonomy={"side": {"left": "any", "right": "any"}})
    assert own.taxonomy.levels == ("fine", "side")


def test_a_name_is_registered_once(dummy) -> None:
    with pytest.raises(UserError, match="'stripes' is registered twice"):
        register_dataset("stripes", "Again.")(dummy)


def test_what_is_listed() -> None:
    names = {"fashion-mnist-10k", "fashion-mnist", "cifar10", "cifar100", "digits"}
    assert names <= set(list_datasets())
    assert all(about.endswith(".") for about in list_datasets().values())


def test_unknown_names() -> None:
    with pytest.raises(UserError, match=r"no data set 'cifar11', .* did you mean 'cifar10"):
        load_dataset("cifar11")
    with pytest.raises(UserError, match=r"no data set 'qqqq', .* known: .*digits"):
        load_dataset("qqqq")


def test_a_file_that_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_text("hello")
    with pytest.raises(UserError, match=r"a.zip is neither a folder of images nor an .npz file"):
        load_dataset(path)


def test_options_out_of_range() -> None:
    with pytest.raises(UserError, match="split should be train, test or all; found 'tset'"):
        load_dataset("digits", "tset")
    with pytest.raises(UserError, match="channels should be 1 or 3; found 4"):
        load_dataset("digits", channels=4)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (None, None),
        (32, (32, 32)),
        ("32", (32, 32)),
        ("64x128", (64, 128)),
        ("64X128", (64, 128)),
        ((64, 128), (64, 128)),
        ([28, 28], (28, 28)),
    ],
)
def test_sizes(size, expected) -> None:
    assert parse_size(size) == expected


@pytest.mark.parametrize(
    "size",
    [
        0,
        -3,
        "",
        "big",
        "1x2x3",
        "64x",
        (),
        (0, 32),
        (None, 3),
        4097,
        "32x5000",
        10**11,
        np.inf,
    ],
)
def test_bad_sizes(size) -> None:
    with pytest.raises(UserError, match="like 32, or HxW like 64x128, of 1 to 4,096 pixels; found"):
        load_dataset("digits", size=size)


def test_size_and_channels_of_a_named_set() -> None:
    data = load_dataset("digits", size="16x32", channels=3)
    assert data.shape == (3, 16, 32)
    assert data.load_split("test").shape == (3, 16, 32)


def test_splits_are_disjoint_and_cover() -> None:
    parts = [load_dataset("digits", split) for split in ("train", "test", "all")]
    assert [len(part) for part in parts] == [1438, 359, 1797]
    assert [part.split for part in parts] == ["train", "test", "all"]

    def rows(data: Dataset) -> list[bytes]:
        return sorted(sample.tobytes() for sample in data.samples)

    assert sorted(rows(parts[0]) + rows(parts[1])) == rows(parts[2])


def test_unlabeled_sets_are_held_out_too() -> None:
    samples = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    data = Dataset(samples, np.empty((50, 0), dtype=np.int64), Taxonomy((), {}, {}))
    train, test = (set(hold_out(data, split).samples.ravel()) for split in ("train", "test"))
    assert len(test) == 10
    assert not train & test
    assert len(train | test) == 50


def test_data_does_not_import_torch() -> None:
    code = (
        "import sys, mtgan.data; mtgan.data.load_dataset('fashion-mnist-10k', 'test');"
        "print([m for m in ('torch', 'sklearn', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


def test_names_that_users_see() -> None:
    assert all(hasattr(mtgan.data, name) for name in mtgan.data.__all__)


@pytest.mark.parametrize("name", ["Fashion-MNIST-10k", "fashion_mnist_10K", "FASHIONMNIST10K"])
def test_a_name_in_other_case_or_hyphens(name: str) -> None:
    assert load_dataset(name).spec["name"] == "fashion-mnist-10k"


@pytest.mark.parametrize("name", ["cifar-10", "CIFAR-10", "Cifar_100"])
def test_cifar_by_its_usual_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The files of cifar10"):
        load_dataset(name, root=tmp_path, download=False)


def test_strings_by_their_usual_name(tmp_path: Path) -> None:
    for name in ("NCI_SMILES,length=20", "mols=NCI SMILES,length=20"):
        with pytest.raises(UserError, match=r"first_5K\.smi cannot be read"):
            load_dataset(name, root=tmp_path)


@pytest.mark.parametrize("name", ["", "x" * 5000, "a/" * 3000])
def test_names_of_nothing(name: str) -> None:
    with pytest.raises(UserError, match=r"is empty; write|cannot be read: the name is too long"):
        load_dataset(name)


def test_a_folder_of_such_a_name_is_meant_itself(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CIFAR-10").mkdir()
    with pytest.raises(UserError, match="CIFAR-10"):
        load_dataset("CIFAR-10")


def test_a_root_that_nothing_would_look_at(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((10, 8, 8), dtype=np.uint8))
    for name, reason in (("digits", "it needs no files"), (tmp_path / "x.npz", "from its path")):
        with pytest.raises(UserError, match=f"there: .*{reason}; leave it out"):
            load_dataset(name, root=tmp_path)
    with pytest.raises(UserError, match="leave it out"):
        prepare_dataset("digits", tmp_path / "out", root=tmp_path)


def test_a_root_that_an_earlier_version_recorded_does_not_matter(tmp_path: Path) -> None:
    data = load_dataset("digits")
    again = load_recorded({**data.spec, "root": str(tmp_path)})
    assert again.fingerprint == data.fingerprint


def test_a_root_for_one_of_several_domains(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(str(tmp_path))):  # looked for there, in vain
        load_dataset("digits+nci-smiles", root=tmp_path)
