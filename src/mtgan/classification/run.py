"""A classifier's run: the folder that holds all that came of it, and what can be reused of it.

recipe.yaml, metrics.jsonl (a line per epoch), tensorboard and checkpoints as in a run of a GAN;
data.json (image shape and the tasks' classes); result.json once the training is over.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import mtgan
from mtgan.classification.inputs import crop_center, input_shape, scale
from mtgan.classification.network import MultitaskClassifier, feature_shape
from mtgan.classification.schema import Augmentation, ClassifierRecipe, load_classifier_recipe
from mtgan.classification.tasks import Task
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.recipes import dump_recipe
from mtgan.training.checkpoints import list_checkpoints, load_checkpoint, restore_tensors
from mtgan.training.logs import read_log


class ClassifierRun:
    """A finished or unfinished training, opened from its folder.

    path: the folder; recipe: resolved; facts: image shape, and level and classes by task.
    """

    def __init__(self, path: Path, recipe: ClassifierRecipe, facts: dict[str, Any]) -> None:
        self.path = path
        self.recipe = recipe
        self.facts = facts

    @classmethod
    def open(cls, path: str | Path) -> "ClassifierRun":
        """Open a run folder; UserError where `path` is none."""
        path = Path(path)
        try:
            facts = json.loads((path / "data.json").read_text())
            recipe = load_classifier_recipe(path / "recipe.yaml")
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path} is not the run of a classifier ({error}); give a folder that "
                "`mtgan classify` wrote."
            ) from error
        return cls(path, recipe, facts)

    @classmethod
    def create(
        cls, path: Path, recipe: ClassifierRecipe, tasks: Mapping[str, Task], record: dict[str, Any]
    ) -> "ClassifierRun":
        """Begin a run folder; UserError where the folder exists and is not empty."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(
                f"{path} exists already; go on with it by --resume, or name another folder with "
                "--out."
            )
        path.mkdir(parents=True, exist_ok=True)
        facts = {
            "shape": list(tasks["main"].training.samples.shape[1:]),
            "tasks": {
                name: {"level": task.level, "classes": list(task.classes)}
                for name, task in tasks.items()
            },
        }
        recorded = recipe.model_copy(update={"run": record})
        (path / "data.json").write_text(json.dumps(facts, indent=2))
        (path / "recipe.yaml").write_text(dump_recipe(recorded))
        return cls(path, recorded, facts)

    def metrics(self) -> list[dict[str, Any]]:
        """A line per epoch: {"step": epochs done, "values": {"main/accuracy": ..., ...}, ...}."""
        return read_log(self.path / "metrics.jsonl")

    @property
    def result(self) -> dict[str, Any] | None:
        """What result.json says; None while the training is not over."""
        file = self.path / "result.json"
        return json.loads(file.read_text()) if file.is_file() else None

    def make_network(self, seed: int = 0) -> MultitaskClassifier:
        """The untrained network of this recipe and these data."""
        shape = input_shape(self.recipe.augmentation, tuple(self.facts["shape"]))
        classes = {name: len(task["classes"]) for name, task in self.facts["tasks"].items()}
        return MultitaskClassifier(self.recipe.network, self.recipe.sharing, shape, classes, seed)

    def network(self, which: str = "best") -> MultitaskClassifier:
        """The trained network in evaluation mode: of the epoch of the highest validation accuracy
        ("best") or of the newest checkpoint ("live")."""
        checkpoints = list_checkpoints(self.path / "checkpoints")
        if not checkpoints:
            raise UserError(f"{self.path} has no complete checkpoint yet; train on with --resume.")
        tensors, _, _ = load_checkpoint(checkpoints[-1][1])
        network = self.make_network()
        saved = {
            name.removeprefix(f"{which}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{which}/")
        }
        restore_tensors(network.state_dict(), saved)
        return network.eval()


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
            return trunk(scale(images))

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
    if auxiliary is not None:
        record |= {
            "auxiliary_data": auxiliary.spec,
            "auxiliary_data_name": auxiliary.name,
            "auxiliary_data_fingerprint": auxiliary.fingerprint,
        }
    return record
