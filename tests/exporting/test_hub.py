"""Models of a hub: what huggingface_hub is asked for, without the network."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import mtgan
from mtgan.errors import UserError
from mtgan.exporting import Pretrained
from needed import need_package


@pytest.fixture(scope="module")
def model(runs, tmp_path_factory) -> Pretrained:
    folder = tmp_path_factory.mktemp("hub") / "model"
    found = mtgan.load(mtgan.export(runs("wgan-gp"), folder, license="mit"))
    assert isinstance(found, Pretrained)
    return found


class Hub:
    """A hub of one model, in a folder: what the mixin asks of HfApi."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.fetched = folder, []

    def __call__(self, token=None):
        return self

    def create_repo(self, repo_id, private, exist_ok):
        assert exist_ok
        return type("Repository", (), {"repo_id": repo_id})

    def upload_folder(self, *, repo_id, folder_path, commit_message, **options):
        self.folder.mkdir()
        shutil.copytree(folder_path, self.folder / repo_id)
        return f"the address of {commit_message}"

    def hf_hub_download(self, repo_id, filename, **options):
        self.fetched.append((filename, options))
        return str(self.folder / repo_id / filename)


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Hub:
    need_package("huggingface_hub")
    made = Hub(tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", made)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", made.hf_hub_download)
    return made


def test_a_model_goes_to_a_hub_and_comes_back(model, hub) -> None:
    address = model.push_to_hub("somebody/clothes", commit_message="first", private=True)
    assert address == "the address of first"
    uploaded = hub.folder / "somebody" / "clothes"
    for name in ("config.json", "model.safetensors", "README.md", "samples.png"):
        assert (uploaded / name).read_bytes() == (model.path / name).read_bytes()
    back = mtgan.load("somebody/clothes", revision="v1")
    np.testing.assert_array_equal(back.sample(3, seed=0), model.sample(3, seed=0))
    files = ["config.json", "model.safetensors", "README.md"]
    assert hub.fetched == [(name, {"revision": "v1"}) for name in files]


def test_what_a_hub_refuses_is_one_sentence(model, hub, monkeypatch) -> None:
    def fails(*args: object, **options: object) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fails)
    with pytest.raises(UserError) as error:
        mtgan.load("somebody/nothing")
    wanted = "The hub has not fetched somebody/nothing (ConnectionError: no route)."
    assert str(error.value) == wanted
    monkeypatch.setattr(hub, "create_repo", fails)
    with pytest.raises(UserError, match="has not uploaded a/b"):
        model.push_to_hub("a/b")


@pytest.mark.parametrize("name", ["nothing", "a/b/c", "/x/y", "../a/b"])
def test_a_path_is_not_looked_for_on_a_hub(name, hub) -> None:
    with pytest.raises(UserError, match=f"There is no folder {name}; mtgan.load takes a folder"):
        mtgan.load(name)
    assert hub.fetched == []


def test_without_the_extra_a_folder_is_loaded_and_a_hub_is_explained(model, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    mtgan.load(model.path)
    with pytest.raises(UserError, match=r"There is no folder a/b.*pip install 'mtgan\[hub\]'"):
        mtgan.load("a/b")
    with pytest.raises(UserError, match=r"pip install 'mtgan\[hub\]'"):
        model.push_to_hub("a/b")
    with pytest.raises(UserError, match="revision is of a hub"):
        mtgan.load(model.path, revision="main")
