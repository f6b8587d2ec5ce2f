"""A classifier as players of a game: its tasks take turns, an epoch of them in each iteration.

N: samples; C, H, W: sample.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mtgan.classification.inputs import augment, crop_center, take
from mtgan.classification.run import ClassifierRun
from mtgan.classification.schedule import Turn, epoch_turns, learning_rate
from mtgan.classification.tasks import ClassifierTask, TaskSamples
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.objectives.tasks import accuracy, cross_entropy
from mtgan.parts import AGGREGATORS
from mtgan.training.aggregate import Aggregator
from mtgan.training.logs import RunLog
from mtgan.training.phases import Phase
from mtgan.training.records import StateRecord, SumRecord
from mtgan.training.seeds import mix_seed
from mtgan.training.snapshots import Snapshots
from mtgan.training.steps import LossTerm, StepResult

_EVALUATION_BATCH = 500
_GROUP = "network"


class ClassifierGame:
    """The network, which is one parameter group, and the turns of its tasks.

    best: epoch and validation accuracy of the best epoch so far; best_weights: the network's then.
    """

    def __init__(
        self, run: ClassifierRun, tasks: dict[str, ClassifierTask], seed: int, device: torch.device
    ) -> None:
        self.recipe, self.tasks, self.device = run.recipe, tasks, device
        # On CPU, too, convolutions are faster in this memory layout (by a third, measured).
        network = run.make_network(seed).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.groups = {_GROUP: list(self.network.parameters())}
        self.aggregator = make_aggregator(self.recipe.sharing.aggregator, self.recipe.tasks)
        self.samples = {name: _on(task.training, device) for name, task in tasks.items()}
        self.best: dict[str, float] = {"epoch": 0, "accuracy": -1.0}
        self.best_weights = _copy(self.network)

    # Training

    def begin(self, iteration: int) -> None:
        """Nothing of the network depends on the epoch."""

    def phases_at(self, iteration: int, seed: int) -> Iterator[Phase]:
        """The turns of an epoch: each of one task, or of all together under an aggregator."""
        counts = {name: len(task.training) for name, task in self.tasks.items()}
        size, together = self.recipe.training.batch_size, self.recipe.sharing.aggregator is not None
        crops = torch.Generator().manual_seed(mix_seed(seed, "crops", iteration))
        self.network.train()
        for turns in epoch_turns(counts, size, seed, iteration, together):
            name = "+".join(turn.task for turn in turns)
            step = partial(self._step, turns, crops)
            yield Phase(name, step, (_GROUP,), aggregator=self.aggregator)

    def _step(self, turns: Sequence[Turn], crops: torch.Generator) -> StepResult:
        result = StepResult()
        for turn in turns:
            self._add(result, turn, crops)
        return result

    def _add(self, result: StepResult, turn: Turn, crops: torch.Generator) -> None:
        """Cross-entropy, plus lambda times the distance under soft sharing (thesis, eq. 2.1)."""
        samples, labels = self.samples[turn.task]
        images = augment(take(samples, turn.rows), self.recipe.augmentation, crops)
        targets = labels[torch.from_numpy(turn.rows).to(self.device)]
        logits = self.network(images, turn.task)
        entropy = cross_entropy(logits, targets)
        result.terms[f"{turn.task}/cross_entropy"] = LossTerm(entropy, task=turn.task)
        sharing = self.recipe.sharing
        if sharing.kind == "soft":
            distance = self.network.distance(turn.task)
            result.terms[f"{turn.task}/distance"] = LossTerm(distance, sharing.weight, turn.task)
        result.logs[f"{turn.task}/train_cross_entropy"] = entropy
        result.logs[f"{turn.task}/train_accuracy"] = accuracy(logits, targets)

    def rate(self, group: str, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        part = self.recipe.training
        return learning_rate(part.learning_rates, epoch, part.epochs)

    # What is measured

    def logged(self, phase: Phase, loss: Tensor, result: StepResult) -> Mapping[str, Tensor]:
        """Cross-entropy and accuracy of each task on its training batches."""
        return result.logs

    def summary(self, iterations: int, means: Mapping[str, float]) -> dict[str, float]:
        """The means over an epoch, and what its network is worth on the validation images. The
        weights of the best epoch are kept."""
        values = dict(means)
        for name, task in self.tasks.items():
            for key, value in self.evaluate(name, task.validation).items():
                values[f"{name}/{key}"] = value
        values["learning_rate"] = self.rate(_GROUP, iterations - 1)
        if self.recipe.sharing.kind == "soft":
            values["distance"] = self.network.distance().item()
        if values["main/accuracy"] > self.best["accuracy"]:
            self.best = {"epoch": iterations, "accuracy": values["main/accuracy"]}
            self.best_weights = _copy(self.network)
        return values

    @torch.no_grad()
    def evaluate(self, name: str, part: TaskSamples) -> dict[str, float]:
        """Accuracy in [0, 1] and cross-entropy in nats of a task on whole, unaugmented images."""
        self.network.eval()
        samples, labels = _on(part, self.device)
        entropy, right = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for pixels, targets in zip(
            samples.split(_EVALUATION_BATCH), labels.split(_EVALUATION_BATCH), strict=True
        ):
            images = crop_center(to_floats(pixels), self.recipe.augmentation)
            logits = self.network(images, name)
            known = (targets >= 0).sum()
            entropy += cross_entropy(logits, targets) * known
            right += accuracy(logits, targets) * known
        labeled = max(int((labels >= 0).sum()), 1)
        return {"accuracy": right.item() / labeled, "cross_entropy": entropy.item() / labeled}


class ClassifierSnapshots(Snapshots):
    """The newest weights, and those of the best epoch; see Snapshots."""

    remedy = "Lower training.learning_rates."

    def __init__(self, run: ClassifierRun, game: ClassifierGame) -> None:
        super().__init__(run.path, keep=1)
        self.run, self.game = run, game

    def tensors(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        both = {"live": self.game.network.state_dict(), "best": self.game.best_weights}
        return {
            f"{which}/{key}": x for which, named in both.items() for key, x in named.items()
        }, {}

    def state(self, iteration: int, log: RunLog, averages: Sequence[SumRecord]) -> dict[str, Any]:
        return {"epoch": iteration, "best": self.game.best}

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
        weights, state = self.run.read_checkpoint(path)
        return weights, {}, state

    def accept(self, state: dict[str, Any]) -> StateRecord:
        self.game.best = state["best"]
        return StateRecord(iteration=state["epoch"], best=None)

    def how_to_resume(self) -> str:
        return self.run.how_to_resume()


def make_aggregator(name: str | None, tasks: tuple[str, ...]) -> Aggregator:
    """The aggregator of a recipe: the tasks' gradients of a trunk to one. UserError for an
    unknown one, and for one that has weights of its own to learn."""
    aggregator = AGGREGATORS.get(name or "sum")(tasks)
    if isinstance(aggregator, nn.Module):
        raise UserError(
            f"sharing.aggregator={name} learns weights of its own, beside an adversarial loss; "
            "take one that only combines gradients, such as upgrad."
        )
    return aggregator


def _on(part: TaskSamples, device: torch.device) -> tuple[Tensor, Tensor]:
    # A copy, since samples may be a read-only memory map.
    return torch.tensor(part.samples, device=device), torch.tensor(part.labels, device=device)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in network.state_dict().items()}
