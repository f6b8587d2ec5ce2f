"""CIFAR: the official layout, damaged files, and pickles that would run something."""

import builtins
import io
import os
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mtgan.data import load_dataset
from mtgan.data.sources import cifar
from mtgan.data.sources.cifar import CIFAR10_TAXONOMY, read_pickle
from mtgan.errors import UserError
from toys import classes_within

GENUINE = Path(__file__).parents[2].parent / "shared/data/cifar-100-python-mini.tar.gz"
BATCHES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Strings and bytes as Python 2 wrote its str: the opcodes U and T."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_py2_str(self, value: str | bytes) -> None:
        raw = value.encode("latin1") if isinstance(value, str) else value
        if len(raw) < 256:
            self.write(b"U" + bytes([len(raw)]) + raw)
        else:
            self.write(b"T" + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[str] = save_py2_str
    dispatch[bytes] = save_py2_str


def python2(value: Any) -> bytes:
    """A pickle as the official ones: protocol 2, with the module names of an old numpy."""
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(value)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def batch(labels: list[int], seed: int) -> dict[str, Any]:
    data = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072)).astype(np.uint8)
    return {
        "batch_label": f"batch {seed}",
        "labels": labels,
        "data": data,
        "filenames": [f"x_{i}.png" for i in range(len(labels))],
    }


def cifar10_files(**changed: bytes) -> dict[str, bytes]:
    files = {"batches.meta": python2({"label_names": list(CIFAR10_TAXONOMY.classes["fine"])})}
    for seed, name in enumerate(BATCHES):
        files[name] = python2(batch([(seed + i) % 10 for i in range(4)], seed))
    return files | changed


def cifar100_files(**changed: bytes) -> dict[str, bytes]:
    """Four fine classes of two coarse ones."""
    files = {
        "meta": python2(
            {"fine_label_names": ["a", "b", "c", "d"], "coarse_label_names": ["x", "y"]}
        )
    }
    for seed, (name, fine) in enumerate({"train": [0, 1, 2, 3, 3], "test": [2, 0]}.items()):
        part = batch(fine, seed)
        del part["labels"]
        labels = {"fine_labels": fine, "coarse_labels": [f % 2 for f in fine]}
        files[name] = python2({**part, **labels})
    return files | changed


def pack(root: Path, name: str, folder: str, files: dict[str, bytes]) -> Path:
    root.mkdir(exist_ok=True)
    with tarfile.open(root / name, "w:gz") as tar:
        for member, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{member}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return root / name


@pytest.fixture
def pack10(tmp_path: Path) -> Callable[..., Path]:
    return lambda **changed: pack(
        tmp_path / "root", "cifar-10-python.tar.gz", "cifar-10-batches-py", cifar10_files(**changed)
    )


@pytest.fixture
def pack100(tmp_path: Path) -> Callable[..., Path]:
    return lambda **changed: pack(
        tmp_path / "root", "cifar-100-python.tar.gz", "cifar-100-python", cifar100_files(**changed)
    )


def load(name: str, archive: Path, split: str = "train"):
    return load_dataset(name, split, root=archive.parent, download=False)


def test_pickles_of_this_test_are_those_of_python_2() -> None:
    content = python2(batch([1], 0))
    assert content[:2] == b"\x80\x02"
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in content
    assert b"U\x06labels" in content
    with pytest.raises(UnicodeDecodeError):  # an array's bytes are a Python 2 str
        pickle.loads(content)


# CIFAR-10


def test_cifar10_archive(pack10) -> None:
    archive = pack10()
    assert [len(load("cifar10", archive, s)) for s in ("train", "test", "all")] == [20, 4, 24]
    test = load("cifar10", archive, "test")
    assert test.shape == (3, 32, 32)
    np.testing.assert_array_equal(test.samples.reshape(4, -1), batch([0] * 4, 5)["data"])
    assert test.labels[:, 0].tolist() == [5, 6, 7, 8]


def test_cifar10_animals_and_vehicles(pack10) -> None:
    data = load("cifar10", pack10())
    taxonomy = data.taxonomy
    assert taxonomy.chain == taxonomy.levels == ("fine", "coarse")
    names = classes_within(taxonomy, "coarse", "vehicle")
    assert names == ["airplane", "automobile", "ship", "truck"]
    np.testing.assert_array_equal(
        data.labels[:, 1], taxonomy.ancestors(data.labels[:, 0], "fine", "coarse")
    )


def test_cifar10_extracted_folder(tmp_path: Path, pack10) -> None:
    archive = pack10()
    expected = load("cifar10", archive).fingerprint
    place = tmp_path / "loose" / "cifar-10-batches-py"
    place.mkdir(parents=True)
    for name, content in cifar10_files().items():
        (place / name).write_bytes(content)
    for root in (place, place.parent):
        data = load_dataset("cifar10", root=root, download=False)
        assert data.fingerprint == expected
    (place / "data_batch_3").unlink()
    with pytest.raises(UserError, match="data_batch_3 cannot be read: it does not exist"):
        load_dataset("cifar10", root=place, download=False)


def test_missing_archive(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"files of cifar10 \(cifar-10-python.tar.gz\) are in none"):
        load_dataset("cifar10", root=tmp_path, download=False)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: (
            content[:1000] + bytes(b ^ 0x5A for b in content[1000:1200]) + content[1200:]
        ),
        lambda content: content[:1000] + b"\xff" * 2000 + content[3000:],
        lambda content: b"",
        lambda content: b"<html>Not found</html>",
    ],
    ids=["cut", "flipped", "blocks", "empty", "page"],
)
def test_damaged_archive(pack10, damage) -> None:
    archive = pack10()
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz .*truncated or corrupt.*anew"):
        load("cifar10", archive, "all")


def spoil(archive: Path, *infos: tarfile.TarInfo, content: bytes = b"") -> None:
    """Put other members before those of an archive."""
    with tarfile.open(archive) as tar:
        files = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
    with tarfile.open(archive, "w:gz") as tar:
        for info in infos:
            tar.addfile(info, io.BytesIO(content) if info.size else None)
        for name, kept in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(kept)
            tar.addfile(info, io.BytesIO(kept))


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def test_members_of_an_archive_that_lead_elsewhere(tmp_path: Path, pack10) -> None:
    """They are not followed and not written; a file that is only a link is missing."""
    archive = pack10()
    expected = load("cifar10", archive).fingerprint
    secret = tmp_path / "secret"
    secret.write_bytes(python2(batch([1], 0)))
    folder = "cifar-10-batches-py"
    spoil(
        archive,
        member("../outside", size=3),
        member(f"{folder}/../data_batch_1", size=3),
        member(f"{folder}/link", tarfile.SYMTYPE, str(secret)),
        member(f"{folder}/pipe", tarfile.FIFOTYPE),
        content=b"abc",
    )
    assert load("cifar10", archive).fingerprint == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "secret"]
    files = cifar10_files()
    del files["data_batch_2"]
    pack(archive.parent, archive.name, folder, files)
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        spoil(archive, member(f"{folder}/data_batch_2", kind, str(secret)))
        with pytest.raises(UserError, match=r"it has no file cifar-10-batches-py/data_batch_2"):
            load("cifar10", archive)
        pack(archive.parent, archive.name, folder, files)


@pytest.mark.parametrize("name", ["zeros", "cifar-10-batches-py/data_batch_1"])
def test_an_archive_that_unpacks_to_too_much(pack10, monkeypatch, name: str) -> None:
    archive = pack10()
    monkeypatch.setattr(cifar, "_LARGEST_BYTES", 1 << 20)
    assert len(load("cifar10", archive, "all")) == 24
    spoil(archive, member(name, size=3 << 20), content=bytes(3 << 20))
    assert archive.stat().st_size < 1 << 20
    with pytest.raises(
        UserError, match=r"gz is truncated or corrupt \(it holds more than any arch"
    ):
        load("cifar10", archive)


def test_a_sparse_member_is_not_filled_up(pack10, monkeypatch) -> None:
    archive = pack10()
    name = "cifar-10-batches-py/data_batch_1"
    info = member(name, size=512)
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(10**15)}
    with tarfile.open(archive, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(bytes(512)))
    with pytest.raises(UserError, match="it has no file cifar-10-batches-py/data_batch_1"):
        load("cifar10", archive)


def test_a_folder_of_pictures_with_a_file_called_meta(tmp_path: Path, paint) -> None:
    paint(tmp_path / "set" / "a" / "0.png")
    (tmp_path / "set" / "meta").write_text("hello")
    assert load_dataset(tmp_path / "set", "all").taxonomy.levels == ("fine",)


def test_a_pipe_among_the_files_is_not_waited_for(tmp_path: Path) -> None:
    for name, content in cifar10_files().items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "data_batch_2").unlink()
    os.mkfifo(tmp_path / "data_batch_2")
    with pytest.raises(UserError, match=r"data_batch_2 cannot be read: it is no regular file"):
        load_dataset("cifar10", root=tmp_path, download=False)


def test_archive_without_a_member(tmp_path: Path) -> None:
    files = cifar10_files()
    del files["data_batch_2"]
    archive = pack(tmp_path / "root", "cifar-10-python.tar.gz", "cifar-10-batches-py", files)
    with pytest.raises(UserError, match=r"corrupt: it has no file .*-py/data_batch_2"):
        load("cifar10", archive)


GOOD = batch([0, 1], 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (python2(GOOD)[:-300], r"\(cifar-10-batches-py/data_batch_1\) is truncated or corrupt"),
        (b"", "is truncated or corrupt"),
        (b"nonsense", "is truncated or corrupt"),
        (python2([1, 2]), "it holds no dictionary"),
        (python2({"data": GOOD["data"]}), "cifar10: a file has no 'labels'; it is of another"),
        (python2({"labels": [0, 1]}), "holds no rows of 3072 bytes"),
        (python2({**GOOD, "data": GOOD["data"][:, 1:]}), "holds no rows of 3072 bytes"),
        (python2({**GOOD, "data": GOOD["data"].astype(float)}), "holds no rows of 3072 bytes"),
        (python2({**GOOD, "labels": [0]}), "cifar10: labels should be integers"),
        (python2({**GOOD, "labels": ["cat", "dog"]}), "'labels' .* are no list of whole numbers"),
        (python2({**GOOD, "labels": [0, 10]}), "label 10 of level 'fine' is outside the taxonomy"),
        (python2({**GOOD, "labels": [0, -7]}), "label -7 of level 'fine' is outside the taxonomy"),
    ],
)
def test_damaged_pickle(pack10, content: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load("cifar10", pack10(data_batch_1=content))


# CIFAR-100


def test_cifar100_learns_its_taxonomy(pack100) -> None:
    archive = pack100()
    parts = {split: load("cifar100", archive, split) for split in ("train", "test", "all")}
    assert [len(part) for part in parts.values()] == [5, 2, 7]
    for part in parts.values():
        assert part.taxonomy.classes == {"fine": ("a", "b", "c", "d"), "coarse": ("x", "y")}
        assert part.taxonomy.parents == {"fine": ("coarse", (0, 1, 0, 1))}
    assert parts["test"].labels.tolist() == [[2, 0], [0, 0]]


def changed_labels(fine: list, coarse: list) -> bytes:
    part = batch([0] * len(fine), 0)
    return python2({"data": part["data"], "fine_labels": fine, "coarse_labels": coarse})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"train": changed_labels([0, 1, 1, 3], [0, 1, 0, 1])}, "no superclass, or two"),
        ({"train": changed_labels([0, 1], [0, 1])}, "no superclass, or two"),
        ({"train": changed_labels([0, 1, 2, 4], [0, 1, 0, 1])}, "outside the names"),
        ({"train": changed_labels([0, 1, 2, 3], [0, 1, 0, 2])}, "outside the names"),
        ({"train": changed_labels([0, -1, 2, 3], [0, 1, 0, 1])}, "outside the names"),
        ({"train": changed_labels([0, 1, 2, 3], [0, 1])}, "4 fine .*2 coarse"),
        ({"meta": python2({"label_names": ["a"]})}, "no names of the classes"),
        ({"meta": python2({"fine_label_names": 3, "coarse_label_names": None})}, "no names"),
    ],
)
def test_cifar100_labels_that_do_not_fit(pack100, changed, sentence: str) -> None:
    with pytest.raises(UserError, match=f"cifar100: .*{sentence}"):
        load("cifar100", pack100(**changed))


@pytest.mark.skipif(not GENUINE.is_file(), reason="the genuine rows are not here")
def test_cifar100_superclasses_of_the_genuine_rows(tmp_path: Path) -> None:
    (tmp_path / "cifar-100-python.tar.gz").symlink_to(GENUINE)
    data = load_dataset("cifar100", "all", root=tmp_path, download=False)
    taxonomy = data.taxonomy
    assert [taxonomy.num_classes(level) for level in taxonomy.levels] == [100, 20]
    _, parents = taxonomy.parents["fine"]
    assert np.bincount(parents).tolist() == [5] * 20
    # The files' own coarse labels, read independently of the loader.
    with tarfile.open(GENUINE) as tar:
        own = []
        for name in ("train", "test"):
            file = tar.extractfile(f"cifar-100-python/{name}")
            assert file is not None
            values = read_pickle(file.read(), name)
            own += list(zip(values["fine_labels"], values["coarse_labels"], strict=True))
    assert data.labels.tolist() == [list(pair) for pair in own]
    lifted = taxonomy.ancestors(data.labels[:, 0], "fine", "coarse")
    np.testing.assert_array_equal(lifted, data.labels[:, 1])
    apple = taxonomy.class_index("fine", "apple")
    assert taxonomy.classes["coarse"][parents[apple]] == "fruit_and_vegetables"
    assert 60 < data.samples.mean() < 180


# Hostile pickles


class Runs:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("how", ["os.system", "builtins.open", "builtins.eval"])
@pytest.mark.parametrize("loose", [False, True], ids=["archive", "folder"])
def test_hostile_pickle_is_refused_and_not_run(
    tmp_path: Path, pack10, how: str, loose: bool
) -> None:
    marker = tmp_path / "marker"
    call = {
        "os.system": Runs(os.system, f"touch {marker}"),
        "builtins.open": Runs(builtins.open, str(marker), "w"),
        "builtins.eval": Runs(builtins.eval, f"open({str(marker)!r}, 'w')"),
    }[how]
    content = pickle.dumps({"labels": call, **batch([0], 0), "more": call}, protocol=2)
    archive = pack10(data_batch_1=content)
    root = archive.parent
    if loose:
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path / "loose", filter="data")
        root = tmp_path / "loose"
    with pytest.raises(
        UserError, match=r"data_batch_1.*refused: the file names (posix|nt|_?io|__builtin__)\."
    ):
        load_dataset("cifar10", root=root, download=False)
    assert not marker.exists()
    pickle.loads(content)["more"]  # the marker shows that the pickle is hostile indeed
    assert marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("numpy.core.multiarray", "scalar"),
        ("_codecs", "decode"),
        ("builtins", "getattr"),
        ("mtgan.data.sources.cifar", "fetch"),
    ],
)
def test_neighbors_of_the_known_names_are_refused(module: str, name: str) -> None:
    content = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode()
    content += b"\x8c" + bytes([len(name)]) + name.encode() + b"\x93."
    with pytest.raises(UserError, match=f"x: refused: the file names {module}.{name}, which no"):
        read_pickle(content, "x")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02]r\xff\xff\xff\xff.",  # a memo of four thousand million entries
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",  # a byte array of 1 TiB
        b"\x80\x02cnumpy\nndarray\n" + pickle.dumps((1 << 40,), 2)[2:-1] + b"\x85R.",
        b"\x80\x02" + b"]" * 3000 + b".",
        b"\x80\x02" + b"(" * 3000 + b".",
        b"\x80\x02c_codecs\nencode\n" + pickle.dumps(("a" * 9, "punycode"), 2)[2:-1] + b"R.",
    ],
    ids=["memo", "bytes", "array", "lists", "marks", "encoding"],
)
def test_pickles_that_ask_for_too_much(content: bytes, monkeypatch) -> None:
    monkeypatch.setattr(cifar._Counted, "left", 2000)
    with pytest.raises(UserError, match=r"x is truncated or corrupt \(.*\); fetch it anew"):
        read_pickle(content, "x")


def test_an_array_of_another_type_is_refused() -> None:
    content = python2(np.zeros(2, np.uint8)).replace(b"cnumpy\nndarray\n", b"cnumpy\ndtype\n")
    with pytest.raises(UserError, match=r"x is truncated or corrupt \(an array of another type\)"):
        read_pickle(content, "x")
