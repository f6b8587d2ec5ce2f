"""config.json of a model folder: what it holds, and whether it is as it was written."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mtgan
from mtgan.errors import UserError
from mtgan.files import digest, read_json, require_file
from mtgan.recipes.records import Record, validated

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
VERSION = 1
_FORMAT = "mtgan-model-"
AGAIN = "export the model again, or fetch the folder anew"


class ModelRecord(Record):
    """What config.json holds; weights: SHA-256 of model.safetensors; fingerprint: of the rest."""

    format: str
    mtgan: str
    step: int
    recipe: dict[str, Any]
    data: dict[str, Any]  # mtgan.training.dataset_info.DatasetInfo.to_dict
    scorecard: dict[str, Any] | None
    license: str | None
    weights: str
    fingerprint: str


def config_of(values: Mapping[str, Any], weights: Path) -> dict[str, Any]:
    """The values of config.json: format, version, and what guards them and the weights."""
    stamped = {"format": f"{_FORMAT}{VERSION}", "mtgan": mtgan.__version__, **values}
    stamped["weights"] = digest(weights)
    return {**stamped, "fingerprint": fingerprint(stamped)}


def fingerprint(values: Mapping[str, Any]) -> str:
    """SHA-256 of values, whatever their order and layout in the file."""
    own = {key: value for key, value in values.items() if key != "fingerprint"}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def read_config(folder: Path) -> ModelRecord:
    """The record of a model folder whose files are those that were written.

    UserError where it is none, comes from a newer version, or was changed or only partly copied.
    """
    path = folder / CONFIG
    values = read_json(path)
    found = str(values.get("format", "")) if isinstance(values, dict) else ""
    number = re.fullmatch(rf"{_FORMAT}(\d+)", found)
    if number is None:
        raise UserError(
            f"{folder} is no model that mtgan exported: its {CONFIG} names no format of mtgan's."
        )
    if int(number[1]) > VERSION:
        raise UserError(
            f"{folder} was written by a newer mtgan ({values.get('mtgan', '?')}, format "
            f"{number[1]}; this is {mtgan.__version__}, format {VERSION}): update mtgan."
        )
    record = validated(ModelRecord, values, str(path), AGAIN)
    if record.fingerprint != fingerprint(values):
        raise UserError(f"{path} was changed after mtgan had written it; {AGAIN}.")
    require_file(folder / WEIGHTS)
    if record.weights != digest(folder / WEIGHTS):
        raise UserError(
            f"{folder / WEIGHTS} is not the file that {CONFIG} beside it was written with: "
            f"changed, or not copied whole; {AGAIN}."
        )
    return record
