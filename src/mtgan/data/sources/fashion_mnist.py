"""Fashion-MNIST (Xiao et al. 2017): the official files, whole or the embedded 10,000."""

from importlib import resources
from pathlib import Path

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.download import fetch
from mtgan.data.held_out import hold_out
from mtgan.data.idx import read_idx
from mtgan.data.registry import register_dataset
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError

_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_SYSTEM = Path("/usr/share/datasets/fashion-mnist")  # of Debian's dataset-fashion-mnist
_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}

# Class names are the data set's; the coarser levels are those of Seo & Shin 2019 (B-CNN), table 1.
_FINE = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_COARSE_OF = {
    "T-shirt/top": "tops",
    "Trouser": "bottoms",
    "Pullover": "tops",
    "Dress": "dresses",
    "Coat": "outers",
    "Sandal": "shoes",
    "Shirt": "tops",
    "Sneaker": "shoes",
    "Bag": "accessories",
    "Ankle boot": "shoes",
}
_TOP_OF = {
    "tops": "clothes",
    "bottoms": "clothes",
    "dresses": "clothes",
    "outers": "clothes",
    "shoes": "goods",
    "accessories": "goods",
}
TAXONOMY = Taxonomy(("fine",), {"fine": _FINE}, {}).with_hierarchy(
    {"coarse": _COARSE_OF, "top": _TOP_OF}
)


@register_dataset(
    "fashion-mnist-10k",
    "Embedded: 10,000 clothes, 28 x 28 grey, 10/6/2 classes (8,000/2,000).",
    files=False,
)
def load_embedded(request: Request) -> Dataset:
    folder = resources.files("mtgan.data") / "embedded"
    with resources.as_file(folder) as path:
        images, labels = _read(path, "t10k")
    data = Dataset(images, TAXONOMY.label_rows(labels), TAXONOMY, "fashion-mnist-10k", "all")
    return hold_out(data, request.split)


@register_dataset("fashion-mnist", "70,000 clothes, 28 x 28 grey, 10/6/2 classes (60,000/10,000).")
def load_whole(request: Request) -> Dataset:
    folder = fetch(
        "fashion-mnist",
        {name: (_ADDRESS + name, checksum) for name, checksum in _CHECKSUMS.items()},
        [path for path in (request.root, _SYSTEM) if path],
        request.download,
    )
    parts = {"train": ["train"], "test": ["t10k"], "all": ["train", "t10k"]}[request.split]
    read = [_read(folder, part) for part in parts]
    images = np.concatenate([images for images, _ in read])
    labels = np.concatenate([labels for _, labels in read])
    return Dataset(images, TAXONOMY.label_rows(labels), TAXONOMY, "fashion-mnist", request.split)


def _read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 [N, 1, 28, 28], int64 [N]) of one of the two parts."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", "fetch it anew")
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", "fetch it anew")
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise UserError(
            f"{folder}: the {part} files hold {list(images.shape)} images and "
            f"{list(labels.shape)} labels, which do not fit together; fetch them anew."
        )
    return images[:, None], labels.astype(np.int64)
