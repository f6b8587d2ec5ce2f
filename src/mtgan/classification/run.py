"""A classifier's run: the folder that holds all that came of it, and what can be reused of it.

recipe.yaml, metrics.jsonl (a line per epoch), tensorboard and checkpoints as in a run of a GAN;
data.json (image shape and the tasks' classes); result.json once the training is over.
"""

import inspect
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import mtgan
from mtgan.classification.inputs import crop_center, input_shape
from mtgan.classification.network import MultitaskClassifier, feature_shape
from mtgan.classification.records import Epoch, Facts, Result, State
from mtgan.classification.schema import Augmentation, ClassifierRecipe, load_classifier_recipe
from mtgan.classification.tasks import ClassifierTask
from mtgan.data import Dataset, load_dataset
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.files import new_folder, write_text, writing
from mtgan.plugins import opening
from mtgan.recipes import dump_recipe
from mtgan.recipes.records import read_record, validated
from mtgan.registry import plugin_versions
from mtgan.text import printable
from mtgan.training.checkpoints import (
    checkpoint_name,
    list_checkpoints,
    load_checkpoint,
    restore_tensors,
)
from mtgan.training.folders import refuse_other_than_classifier
from mtgan.training.logs import read_log

_RECIPE, _DATA = "recipe.yaml", "data.json"
_BEFORE = "remove that checkpoint, and --resume goes on from before it"
_ANEW = "train anew into another folder"


class ClassifierRun:
    """A finished or unfinished training, opened from its folder.

    path: the folder; recipe: resolved; facts: image shape, and level and classes by task.
    """

    def __init__(self, path: Path, recipe: ClassifierRecipe, facts: dict[str, Any]) -> None:
        self.path = path
        self.recipe = recipe
        self.facts = facts

    def __repr__(self) -> str:
        done = "finished" if (self.path / "result.json").exists() else "not finished"
        data = self.recipe.run.get("data_name", "?")
        text = f"{str(self.path)!r}: {self.recipe.name} on {data}, {done}"
        return f"ClassifierRun({printable(text)})"

    @classmethod
    def open(cls, path: str | Path) -> "ClassifierRun":
        """Open a run folder; UserError where `path` is none."""
        path = Path(path)
        refuse_other_than_classifier(path)
        if not (path / _DATA).is_file() or not (path / _RECIPE).is_file():
            raise UserError(
                f"{path} is not the run of a classifier (it has no recipe.yaml or no data.json); "
                "give a folder that `mtgan classify` wrote."
            )
        facts = read_record(path / _DATA, Facts, _ANEW)
        with opening(path):
            recipe = load_classifier_recipe(path / _RECIPE)
        return cls(path, recipe, facts)

    def load_data(self) -> tuple[Dataset, Dataset | None]:
        """The training split that the run was trained on, and that of its auxiliary task where it
        has one of its own; UserError where they can no longer be loaded, or were made of arrays."""
        recorded, known = self.recipe.run, inspect.signature(load_dataset).parameters
        found: list[Dataset | None] = []
        for key in ("data", "auxiliary_data"):
            spec = recorded.get(key)
            if spec is None and key == "auxiliary_data":
                found.append(None)
                continue
            if not isinstance(spec, dict) or "name" not in spec or not spec.keys() <= known.keys():
                raise UserError(
                    f"{self.path / _RECIPE} names no data set that can be loaded (run.{key}): it "
                    "was made of arrays, or that was changed; name recipe and data again."
                )
            found.append(load_dataset(**spec))
        assert found[0] is not None
        return found[0], found[1]

    @classmethod
    def create(
        cls,
        path: Path,
        recipe: ClassifierRecipe,
        tasks: Mapping[str, ClassifierTask],
        record: dict[str, Any],
    ) -> "ClassifierRun":
        """Begin a run folder, whole or not at all; UserError where the folder exists and is not
        empty."""
        if not is_free(path):
            raise UserError(
                f"{path} exists already; go on with it by --resume, or name another folder with "
                "--out."
            )
        facts = {
            "shape": list(tasks["main"].training.samples.shape[1:]),
            "tasks": {
                name: {"level": task.level, "classes": list(task.classes)}
                for name, task in tasks.items()
            },
        }
        recorded = recipe.model_copy(update={"run": record})
        with new_folder(path) as folder:
            write_text(folder / _DATA, json.dumps(facts, indent=2))
            write_text(folder / _RECIPE, dump_recipe(recorded))
        return cls(path, recorded, facts)

    def metrics(self) -> list[dict[str, Any]]:
        """A line per epoch: {"step": epochs done, "values": {"main/accuracy": ..., ...}, ...}.

        UserError where the file holds something else, as one edited by hand.
        """
        file = self.path / "metrics.jsonl"
        lines = [validated(line, Epoch, file, _ANEW) for line in read_log(file)]
        steps = [line["step"] for line in lines]
        if steps != list(range(1, len(lines) + 1)):
            raise UserError(
                f"{file} should hold a line per epoch, from 1 on; found {steps[:20]}; {_ANEW}."
            )
        return lines

    def epochs(self) -> list[dict[str, Any]]:
        """The lines of metrics() of a training that is over; UserError where some are missing."""
        lines, count = self.metrics(), self.recipe.training.epochs
        if len(lines) != count:
            raise UserError(
                f"{self.path / 'metrics.jsonl'} should hold {count} epochs, and holds "
                f"{len(lines)}; {_ANEW}."
            )
        return lines

    @property
    def result(self) -> dict[str, Any] | None:
        """What result.json says; None while the training is not over. UserError where the file
        holds something else."""
        file = self.path / "result.json"
        remedy = "remove it, and --resume measures anew"
        return read_record(file, Result, remedy) if file.exists() else None

    def newest_checkpoint(
        self, device: torch.device | str = "cpu"
    ) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Weights ("live/..." and "best/...") and state; None where there is none yet. UserError
        where it is broken, not finite, or of another epoch than its name says."""
        checkpoints = list_checkpoints(self.path / "checkpoints")
        if not checkpoints:
            return None
        epoch, path = checkpoints[-1]
        weights, _, values = load_checkpoint(path, device)
        state = validated(values, State, path / "state.json", _BEFORE)
        if state["epoch"] != epoch:
            raise UserError(
                f"The checkpoint {path} is of epoch {state['epoch']}, and its folder was renamed; "
                f"name it {checkpoint_name(state['epoch'])} again."
            )
        if name := not_finite(weights):
            raise UserError(
                f"The checkpoint {path} holds values that are not finite, in {name}: {_BEFORE}."
            )
        return weights, state

    def make_network(self, seed: int = 0) -> MultitaskClassifier:
        """The untrained network of this recipe and these data."""
        shape = input_shape(self.recipe.augmentation, tuple(self.facts["shape"]))
        classes = {name: len(task["classes"]) for name, task in self.facts["tasks"].items()}
        return MultitaskClassifier(self.recipe.network, self.recipe.sharing, shape, classes, seed)

    def network(self, which: str = "best") -> MultitaskClassifier:
        """The trained network in evaluation mode: of the epoch of the highest validation accuracy
        ("best") or of the newest checkpoint ("live")."""
        found = self.newest_checkpoint()
        if found is None:
            raise UserError(f"{self.path} has no complete checkpoint yet; train on with --resume.")
        tensors, _ = found
        network = self.make_network()
        saved = {
            name.removeprefix(f"{which}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{which}/")
        }
        restore_tensors(network.state_dict(), saved)
        return network.eval()


def not_finite(tensors: Mapping[str, Tensor]) -> str:
    """The name of the first tensor that holds infinities or NaN; "" where all is finite."""
    return next((name for name, x in tensors.items() if not x.isfinite().all()), "")


def is_free(folder: Path) -> bool:
    """Whether nothing is there yet: no folder, or an empty one."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def remove_cut_off(folder: Path) -> bool:
    """Remove what a start left that was killed before recipe and data were whole, as of earlier
    versions; False where there is anything else."""
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {""}
    if not names <= {_RECIPE, _DATA} or names == {_RECIPE, _DATA}:
        return False
    with writing(folder):
        shutil.rmtree(folder)
    return True


class Trunk(nn.Module):
    """The first layers of the main task's trained network: samples float [N, C, H, W] in [-1, 1]
    to features [N, D]. `layers` are ordinary modules, and can begin another network."""

    def __init__(self, layers: list[nn.Module], features: int, part: Augmentation) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.features = features
        self.augmentation = part

    def forward(self, samples: Tensor) -> Tensor:
        x = crop_center(samples, self.augmentation)
        for layer in self.layers:
            x = layer(x)
        return x.flatten(1)


def load_trunk(run: str | Path | ClassifierRun, layers: int | None = None) -> Trunk:
    """The first `layers` layers of a run's main network (all convolutions when None), as of the
    epoch of the highest validation accuracy, in evaluation mode.

    UserError where `run` is no finished or begun run, or has fewer layers.
    """
    opened = run if isinstance(run, ClassifierRun) else ClassifierRun.open(run)
    depth = len(opened.recipe.network.channels)
    count = depth if layers is None else layers
    if not 1 <= count <= depth:
        raise UserError(f"{opened.path} has {depth} layers; take layers from 1 to {depth}.")
    part = opened.recipe.augmentation
    shape = input_shape(part, tuple(opened.facts["shape"]))
    channels, height, width = feature_shape(opened.recipe.network, shape, count)
    trained = opened.network().layers_of("main")[:count]
    return Trunk(trained, channels * height * width, part).eval()


def load_features(run: str | Path, layers: int | None = None) -> Callable[[Tensor], Tensor]:
    """A function from uint8 [N, C, H, W] to features [N, D], for `mtgan evaluate --features
    module:function`."""
    trunk = load_trunk(run, layers)

    def features(images: Tensor) -> Tensor:
        with torch.no_grad():
            return trunk(to_floats(images))

    return features


def run_record(data: Dataset, auxiliary: Dataset | None, seed: int) -> dict[str, Any]:
    """What a run keeps of its data sets, seed and versions."""
    record: dict[str, Any] = {
        "data": data.spec,
        "data_name": data.name,
        "data_fingerprint": data.fingerprint,
        "seed": seed,
        "versions": {"mtgan": mtgan.__version__, "torch": str(torch.__version__)},
    }
    if kept := plugin_versions():
        record["plugins"] = kept
    if auxiliary is not None:
        record |= {
            "auxiliary_data": auxiliary.spec,
            "auxiliary_data_name": auxiliary.name,
            "auxiliary_data_fingerprint": auxiliary.fingerprint,
        }
    return record
