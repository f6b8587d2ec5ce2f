"""What is kept is whole, of its kind, and of what it depends on; all else counts as missing."""

import json
import os

import pytest
import torch

from mtgan.evaluation.cache import load_json, load_tensors, prune, save_json, save_tensors

DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "zeroed": lambda content: bytes(len(content)),
    "one bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "foreign": lambda content: b"\x80\x04 something else",
    "no UTF-8": lambda content: b"\xff\xfe" + content,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_count_as_missing(tmp_path, damage):
    tensors, value = {"a": torch.arange(6.0).reshape(2, 3)}, {"b": [1.5, "text"], "long": "x" * 40}
    files = tmp_path / "a.safetensors", tmp_path / "a.json"
    assert save_tensors(files[0], tensors, {"fine": "0.5"})
    assert save_json(files[1], value)
    found = load_tensors(files[0])
    assert found is not None
    assert torch.equal(found[0]["a"], tensors["a"])
    assert found[1] == {"fine": "0.5"}
    assert load_json(files[1]) == value
    for file in files:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert load_tensors(files[0]) is None
    assert load_json(files[1]) is None


@pytest.mark.parametrize("other", [[], 3, {"value": 1}, {"mtgan/content": "00", "value": 1}])
def test_other_json_counts_as_missing(tmp_path, other):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(other))
    assert load_json(path) is None


def test_what_is_no_file_counts_as_missing_and_is_waited_for_by_none(tmp_path):
    for make in (os.mkfifo, os.mkdir):
        path = tmp_path / make.__name__
        make(path)
        assert load_tensors(path) is None
        assert load_json(path) is None
        assert not save_json(path, 1)
    assert save_json(tmp_path / "new", float("inf"))
    assert load_json(tmp_path / "new") == float("inf")


def test_two_may_prune_at_once(tmp_path):
    (tmp_path / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a.safetensors").write_bytes(b"x" * 100)
    prune(tmp_path, limit_bytes=10)
    assert not (tmp_path / "a.safetensors").exists()
