"""A classifier's run: the folder that holds all that came of it, and what can be reused of it.

recipe.yaml, metrics.jsonl (a line per epoch), tensorboard and checkpoints as in a run of a GAN;
data.json (image shape and the tasks' classes); result.json once the training is over.
"""

import inspect
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.classification.inputs import crop_center, input_shape
from mtgan.classification.network import MultitaskClassifier, feature_shape
from mtgan.classification.records import (
    ClassifierInfoRecord,
    ClassifierStateRecord,
    EpochRecord,
    ResultRecord,
)
from mtgan.classification.schema import Augmentation, ClassifierRecipe, load_classifier_recipe
from mtgan.classification.tasks import ClassifierTask
from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.load import load_recorded
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.plugins import opening
from mtgan.recipes import dump_recipe
from mtgan.recipes.records import read_record, validated
from mtgan.recipes.schema import DESCRIPTION
from mtgan.registry import nearest
from mtgan.renamed import renamed_property
from mtgan.text import command, printable
from mtgan.training.begin import begin_folder, first_difference, run_record
from mtgan.training.checkpoints import (
    checkpoint_name,
    first_not_finite,
    list_checkpoints,
    load_checkpoint,
    restore_tensors,
    step_of,
)
from mtgan.training.folders import DATA, RECIPE, is_run_folder, refuse_other_than_classifier
from mtgan.training.logs import read_log

RESULT = "result.json"
_BEFORE = "remove that checkpoint, and --resume goes on from before it"
_ANEW = "train anew into another folder"


class ClassifierRun:
    """A finished or unfinished training, opened from its folder.

    path: the folder; recipe: resolved; dataset_info: image shape, and level and classes by task.
    """

    facts = renamed_property("dataset_info")

    def __init__(self, path: Path, recipe: ClassifierRecipe, dataset_info: dict[str, Any]) -> None:
        self.path = path
        self.recipe = recipe
        self.dataset_info = dataset_info

    def __repr__(self) -> str:
        done = "finished" if (self.path / RESULT).exists() else "not finished"
        data = self.recipe.run.get("data_name", "?")
        text = f"{str(self.path)!r}: {self.recipe.name} on {data}, {done}"
        return f"ClassifierRun({printable(text)})"

    @classmethod
    def open(cls, path: str | Path) -> "ClassifierRun":
        """Open a run folder; UserError where `path` is none."""
        path = Path(path)
        refuse_other_than_classifier(path)
        if not is_run_folder(path):
            raise UserError(
                f"{path} is not the run of a classifier (it has no recipe.yaml or no data.json); "
                "give a folder that `mtgan classify` wrote."
            )
        info = read_record(path / DATA, ClassifierInfoRecord, _ANEW)
        with opening(path):
            recipe = load_classifier_recipe(path / RECIPE)
        return cls(path, recipe, info)

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
                    f"{self.path / RECIPE} names no data set that can be loaded (run.{key}): it "
                    "was made of arrays, or that was changed; name recipe and data again."
                )
            found.append(load_recorded(spec))
        assert found[0] is not None
        return found[0], found[1]

    @classmethod
    def create(
        cls,
        path: Path,
        recipe: ClassifierRecipe,
        tasks: Mapping[str, ClassifierTask],
        data: Dataset,
        auxiliary: Dataset | None,
        seed: int,
    ) -> "ClassifierRun":
        """Make a run's folder; see mtgan.training.begin.begin_folder."""
        record, sets = run_record(data, seed), {"data": data}
        if auxiliary is not None:
            sets["auxiliary_data"] = auxiliary
            for key in ("data", "data_name", "data_fingerprint"):
                record[f"auxiliary_{key}"] = run_record(auxiliary, seed)[key]
        info = {
            "shape": list(data.shape),
            "tasks": {
                name: {"level": task.level, "classes": list(task.classes)}
                for name, task in tasks.items()
            },
            "taxonomies": {key: data.taxonomy.to_dict() for key, data in sets.items()},
        }
        recorded = recipe.model_copy(update={"run": record})
        texts = {DATA: json.dumps(info, indent=2), RECIPE: dump_recipe(recorded)}
        begin_folder(path, texts)
        return cls(path, recorded, info)

    def in_its_order(
        self, data: Dataset, auxiliary: Dataset | None
    ) -> tuple[Dataset, Dataset | None]:
        """Both data sets with their classes numbered as the run numbered them, where they have the
        same names."""
        kept = self.dataset_info["taxonomies"]
        if "data" in kept:
            data = data.in_order_of(Taxonomy.from_dict(kept["data"]))
        if auxiliary is not None and "auxiliary_data" in kept:
            auxiliary = auxiliary.in_order_of(Taxonomy.from_dict(kept["auxiliary_data"]))
        return data, auxiliary

    def refuse_other(
        self, recipe: ClassifierRecipe, data: Dataset, auxiliary: Dataset | None, seed: int
    ) -> None:
        """UserError where recipe, data or seed differ from what the run recorded."""
        recorded = self.recipe.run
        if recorded.get("seed") != seed:
            raise UserError(
                f"{self.path} was trained with another seed ({recorded.get('seed')} then, {seed} "
                "now); resume with the same, or train into another folder."
            )
        for key, given in (("data", data), ("auxiliary_data", auxiliary)):
            was = recorded.get(f"{key}_fingerprint")
            now = given.fingerprint if given is not None else None
            if was != now:
                raise UserError(
                    f"{self.path} was trained with another {key.replace('_', ' ')} fingerprint "
                    f"({_short(was)} then, {_short(now)} now): the images, their order, labels or "
                    "the names of classes have changed; resume with the same, or train into "
                    "another folder."
                )
        aside = set(DESCRIPTION - {"name"})  # what a newer version tells of it
        then, today = (r.model_dump(exclude=aside) for r in (self.recipe, recipe))
        if then != today:
            raise UserError(
                f"{self.path} was trained with another recipe: {first_difference(then, today)} "
                "differs; resume with the same, or train into another folder."
            )

    def how_to_resume(self) -> str:
        """The end of a sentence: what goes on with this run."""
        spec = self.recipe.run.get("data")
        if isinstance(spec, dict) and "name" in spec:
            return f"go on by {command('mtgan', 'classify', '--resume', self.path)}"
        return f"go on by mtgan.classify(..., out={str(self.path)!r}, resume=True)"

    def metrics(self) -> list[dict[str, Any]]:
        """A line per epoch: {"step": epochs done, "values": {"main/accuracy": ..., ...}, ...}.

        UserError where the file holds something else, as one edited by hand.
        """
        file = self.path / "metrics.jsonl"
        lines = [
            validated(EpochRecord, line, str(file), _ANEW).model_dump() for line in read_log(file)
        ]
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
        file = self.path / RESULT
        remedy = "remove it, and --resume measures anew"
        return read_record(file, ResultRecord, remedy) if file.exists() else None

    def read_checkpoint(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Weights ("live/..." and "best/...") and state; UserError where it is broken, not finite,
        or of another epoch than its name says."""
        weights, _, values = load_checkpoint(path)
        state = validated(
            ClassifierStateRecord, values, str(path / "state.json"), _BEFORE
        ).model_dump()
        if state["epoch"] != step_of(path):
            raise UserError(
                f"The checkpoint {path} is of epoch {state['epoch']}, and its folder was renamed; "
                f"name it {checkpoint_name(state['epoch'])} again."
            )
        if name := first_not_finite(weights):
            raise UserError(
                f"The checkpoint {path} holds values that are not finite, in {name}: {_BEFORE}."
            )
        return weights, state

    def make_network(self, seed: int = 0) -> MultitaskClassifier:
        """The untrained network of this recipe and these data."""
        shape = input_shape(self.recipe.augmentation, tuple(self.dataset_info["shape"]))
        classes = {name: len(task["classes"]) for name, task in self.dataset_info["tasks"].items()}
        return MultitaskClassifier(self.recipe.network, self.recipe.sharing, shape, classes, seed)

    def network(self, which: str = "best") -> MultitaskClassifier:
        """The trained network in evaluation mode: of the epoch of the highest validation accuracy
        ("best") or of the newest checkpoint ("live")."""
        checkpoints = list_checkpoints(self.path / "checkpoints")
        if not checkpoints:
            raise UserError(f"{self.path} has no complete checkpoint yet; {self.how_to_resume()}.")
        tensors, _ = self.read_checkpoint(checkpoints[-1][1])
        network = self.make_network()
        saved = {
            name.removeprefix(f"{which}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{which}/")
        }
        restore_tensors(network.state_dict(), saved)
        return network.eval()

    @torch.no_grad()
    def predict(
        self, samples: np.ndarray, task: str = "main", which: str = "best", batch_size: int = 500
    ) -> np.ndarray:
        """The class of each sample uint8 [N, C, H, W] by a task's trained network, int64 [N], as an
        index of dataset_info["tasks"][task]["classes"]. which: see `network`.

        UserError for samples of another shape, and a task that the run does not have.
        """
        known = self.dataset_info["tasks"]
        if task not in known:
            raise UserError(f"{self.path} has no task {task!r}: {nearest(task, [*known])}")
        if list(samples.shape[1:]) != list(self.dataset_info["shape"]) or samples.dtype != np.uint8:
            raise UserError(
                f"{self.path} classifies uint8 samples [N, C, H, W] of shape "
                f"{list(self.dataset_info['shape'])}; found {samples.dtype} {list(samples.shape)}."
            )
        network, found = self.network(which), [np.zeros(0, dtype=np.int64)]
        for first in range(0, len(samples), batch_size):
            pixels = torch.from_numpy(np.array(samples[first : first + batch_size]))
            images = crop_center(to_floats(pixels), self.recipe.augmentation)
            found.append(network(images, task).argmax(1).numpy())
        return np.concatenate(found)


def _short(fingerprint: str | None) -> str:
    return fingerprint[:12] if fingerprint else "none"


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
    """The first `layers` layers of a run's main network (all of them when None), as of the
    epoch of the highest validation accuracy, in evaluation mode.

    UserError where `run` is no finished or begun run, or has fewer layers.
    """
    opened = run if isinstance(run, ClassifierRun) else ClassifierRun.open(run)
    whole = opened.network().layers_of("main")
    depth = len(whole)
    count = depth if layers is None else layers
    if not 1 <= count <= depth:
        raise UserError(f"{opened.path} has {depth} layers; take layers from 1 to {depth}.")
    part = opened.recipe.augmentation
    shape = input_shape(part, tuple(opened.dataset_info["shape"]))
    features = math.prod(feature_shape(opened.recipe.network, shape, count))
    return Trunk(whole[:count], features, part).eval()


def load_features(run: str | Path, layers: int | None = None) -> Callable[[Tensor], Tensor]:
    """A function from uint8 [N, C, H, W] to features [N, D], for `mtgan evaluate --features
    module:function`."""
    trunk = load_trunk(run, layers)

    def features(images: Tensor) -> Tensor:
        with torch.no_grad():
            return trunk(to_floats(images))

    return features
