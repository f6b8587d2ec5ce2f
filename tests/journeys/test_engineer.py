"""An engineer who scores folders of samples, and puts a trained generator into a service."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mtgan
from mtgan.errors import UserError
from printed import run
from toys import make_data, small_recipe


def folder(path: Path, count: int, side: int, seed: int) -> Path:
    """Discs of random places and sizes."""
    path.mkdir()
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    for i in range(count):
        cy, cx, r = random.uniform(0.3, 0.7, 3) * (1, 1, 0.5)
        disc = ((y - cy) ** 2 + (x - cx) ** 2 < r**2) * 180
        Image.fromarray((disc + random.integers(0, 40, disc.shape)).astype(np.uint8)).save(
            path / f"{i:03d}.png"
        )
    return path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder that a service would be handed: a conditional generator."""
    out = tmp_path_factory.mktemp("engineer") / "run"
    recipe = small_recipe("ac-wgan-b-real", training__steps=2)
    mtgan.train(recipe, make_data(), out, quiet=True)
    return out


def test_folders_of_unlike_sizes_are_scored_by_one_option(tmp_path: Path) -> None:
    made, real = folder(tmp_path / "made", 40, 24, 1), folder(tmp_path / "real", 90, 16, 2)
    with pytest.raises(AssertionError, match="give both one size by --size HxW"):
        run(["evaluate", str(made), "--data", str(real), "--protocol", "plain"], tmp_path)
    options = ["--size", "16", "--protocol", "plain", "--metrics", "fid,kid", "--json", "-"]
    card = json.loads(run(["evaluate", str(made), "--data", str(real), *options], tmp_path))
    assert set(card["entries"]) == {"frechet_distance", "kernel_distance"}
    assert (card["protocol"]["generated"], card["protocol"]["reference"]) == (40, 90)
    assert card["protocol"]["features"] == "imagenet-lite"
    assert card["overall"] is None


def test_every_caller_gets_pictures_of_his_own(service: Path) -> None:
    opened = mtgan.Run.open(service)
    first, second = opened.sample(2), opened.sample(2)
    assert first.seed != second.seed
    assert (np.asarray(first) != np.asarray(second)).any()
    again = opened.sample(2, seed=first.seed)
    np.testing.assert_array_equal(np.asarray(again), np.asarray(first))


def test_labels_and_latents_of_each_request(service: Path) -> None:
    opened = mtgan.Run.open(service)
    asked = [{"fine": "a"}, {"fine": "d"}, {}]
    samples = opened.sample(labels=asked, seed=3)
    names = opened.dataset_info.taxonomy.classes["fine"]
    assert [names[i] for i in samples.labels[:2, 0]] == ["a", "d"]
    latents = np.zeros((2, opened.recipe.latent.dim), dtype=np.float32)
    both = np.asarray(opened.sample(2, labels={"fine": "a"}, latents=latents))
    np.testing.assert_array_equal(both[0], both[1])
    with pytest.raises(UserError):
        opened.sample(3, labels=asked[:2])


def test_a_set_of_images_goes_into_a_loader() -> None:
    data = make_data()
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    assert sum(len(images) for images, _ in loader) == len(data)
    assert len(repr(data)) < 200
