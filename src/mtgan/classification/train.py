"""Training a classifier: epochs of turns, validation after each, the test images once."""

import contextlib
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from mtgan.classification.inputs import augment, crop_center, input_shape, take
from mtgan.classification.network import feature_shape
from mtgan.classification.run import ClassifierRun, is_free, not_finite, remove_cut_off, run_record
from mtgan.classification.schedule import Turn, epoch_turns, learning_rate
from mtgan.classification.schema import ClassifierRecipe
from mtgan.classification.tasks import ClassifierTask, Samples, make_tasks
from mtgan.data import Dataset
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.files import write_json
from mtgan.objectives.tasks import accuracy, cross_entropy
from mtgan.parts import AGGREGATORS
from mtgan.training import TrainingDiverged
from mtgan.training.aggregate import Aggregator
from mtgan.training.batches import mix_seed
from mtgan.training.checkpoints import (
    checkpoint_name,
    prune_checkpoints,
    restore_tensors,
    save_checkpoint,
)
from mtgan.training.devices import choose_device
from mtgan.training.logs import Averages, Progress, RunLog
from mtgan.training.steps import LossTerm, StepResult

_EVALUATION_BATCH = 500


def classify(
    recipe: ClassifierRecipe,
    data: Dataset,
    out: str | Path,
    *,
    auxiliary_data: Dataset | None = None,
    test: Dataset | None = None,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    quiet: bool = False,
) -> ClassifierRun:
    """Train a classifier's recipe into the run folder `out`, and return the run.

    data: the training split; test: its test split (loaded when None). auxiliary_data: the
    auxiliary task's own images, of the same shape. seed: of initialization, order, dropout and of
    which training images are drawn. resume: go on from the newest checkpoint of `out` (on the
    CPU, bit for bit as if never stopped), or begin where there is none.

    Raises UserError for what does not fit or cannot be written, TrainingDiverged when a loss is
    not finite.
    """
    test = test if test is not None else data.load_split("test")
    tasks = make_tasks(recipe, data, test, auxiliary_data, seed)
    shape = input_shape(recipe.augmentation, data.shape)
    feature_shape(recipe.network, shape)  # refused before a folder is made
    record = run_record(data, auxiliary_data, seed)
    folder = Path(out)
    if resume and not is_free(folder) and not remove_cut_off(folder):
        run = _reopen(folder, recipe, record)
    else:
        run = ClassifierRun.create(folder, recipe, tasks, record)
    if run.result is None:
        with torch.random.fork_rng():
            ClassifierTrainer(run, tasks, seed, choose_device(device)).train(quiet)
    return run


class ClassifierTrainer:
    """One training: network, optimizer, the tasks' data, and the epochs done."""

    def __init__(
        self, run: ClassifierRun, tasks: dict[str, ClassifierTask], seed: int, device: torch.device
    ) -> None:
        self.run, self.tasks, self.seed, self.device = run, tasks, seed, device
        self.recipe = run.recipe
        self.part = run.recipe.training
        # On CPU, too, convolutions are faster in this memory layout (by a third, measured).
        network = run.make_network(seed).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        kernels = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() == 1]
        self.optimizer = torch.optim.SGD(
            [
                {"params": kernels, "weight_decay": self.part.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self.part.learning_rates[0],
        )
        self.aggregator = make_aggregator(self.recipe.sharing.aggregator, self.recipe.tasks)
        self.samples = {name: _on(task.training, device) for name, task in tasks.items()}
        self.epoch = 0  # epochs done
        self.best: dict[str, float] = {"epoch": 0, "accuracy": -1.0}
        self.best_weights: dict[str, Tensor] = {}
        self._restore()

    def train(self, quiet: bool) -> None:
        """From the epochs done to the last one, then result.json."""
        counts = {name: len(task.training) for name, task in self.tasks.items()}
        log = RunLog(self.run.path, self.epoch)
        updates = len(self._turns(counts, 0))
        total, done = self.part.epochs * updates, self.epoch * updates
        with contextlib.closing(log), Progress(total, done, quiet) as progress:
            while self.epoch < self.part.epochs:
                began = time.perf_counter()
                averages = Averages()
                self._set_up_epoch()
                for update in self._turns(counts, self.epoch):
                    self._move(update, averages)
                self.epoch += 1
                self._refuse_non_finite()
                rate = updates / (time.perf_counter() - began)
                values = averages.read() | self._validate()
                log.write("epoch", self.epoch, values)
                progress.show(self.epoch * updates, rate, _headline(values))
                progress.advance(self.epoch * updates)
                if self.epoch % self.part.checkpoint_every == 0 or self.epoch == self.part.epochs:
                    log.flush()
                    self._save()
            self._conclude(log.seconds)

    # An epoch

    def _turns(self, counts: dict[str, int], epoch: int) -> list[tuple[Turn, ...]]:
        together = self.recipe.sharing.aggregator is not None
        return epoch_turns(counts, self.part.batch_size, self.seed, epoch, together)

    def _set_up_epoch(self) -> None:
        # All randomness follows from the seed and the epoch, so that resuming needs no luck.
        torch.manual_seed(mix_seed(self.seed, "dropout", self.epoch))
        self.crops = torch.Generator().manual_seed(mix_seed(self.seed, "crops", self.epoch))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.part.learning_rates, self.epoch, self.part.epochs)
        self.network.train()

    def _move(self, update: tuple[Turn, ...], averages: Averages) -> None:
        """One update: of the task whose turn it is, or of all together under an aggregator."""
        losses = {t.task: LossTerm(self._loss(t, averages), task=t.task) for t in update}
        self.optimizer.zero_grad(set_to_none=True)
        self.aggregator.backward(StepResult(losses), list(self.network.parameters()))
        self.optimizer.step()

    def _loss(self, turn: Turn, averages: Averages) -> Tensor:
        """Cross-entropy, plus lambda times the distance under soft sharing (thesis, eq. 2.1)."""
        samples, labels = self.samples[turn.task]
        images = augment(take(samples, turn.rows), self.recipe.augmentation, self.crops)
        targets = labels[torch.from_numpy(turn.rows).to(self.device)]
        logits = self.network(images, turn.task)
        entropy = cross_entropy(logits, targets)
        loss = entropy
        if self.recipe.sharing.kind == "soft":
            loss = loss + self.recipe.sharing.weight * self.network.distance(turn.task)
        if not math.isfinite(loss.item()):
            raise TrainingDiverged(
                f"The loss of the task {turn.task!r} is not finite in epoch {self.epoch + 1}; "
                "stopped before the update. Lower training.learning_rates."
            )
        values = {"train_cross_entropy": entropy, "train_accuracy": accuracy(logits, targets)}
        averages.add({f"{turn.task}/{name}": value for name, value in values.items()})
        return loss

    def _refuse_non_finite(self) -> None:
        if name := not_finite(self.network.state_dict()):  # buffers count
            raise TrainingDiverged(
                f"{name} is not finite after epoch {self.epoch}; stopped, and not saved. Lower "
                "training.learning_rates."
            )

    # What is measured

    def _validate(self) -> dict[str, float]:
        values = {}
        for name, task in self.tasks.items():
            for key, value in self.evaluate(name, task.validation).items():
                values[f"{name}/{key}"] = value
        values["learning_rate"] = self.optimizer.param_groups[0]["lr"]
        if self.recipe.sharing.kind == "soft":
            values["distance"] = self.network.distance().item()
        if values["main/accuracy"] > self.best["accuracy"]:
            self.best = {"epoch": self.epoch, "accuracy": values["main/accuracy"]}
            weights = self.network.state_dict()
            self.best_weights = {key: value.detach().clone() for key, value in weights.items()}
        return values

    @torch.no_grad()
    def evaluate(self, name: str, part: Samples) -> dict[str, float]:
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

    def _conclude(self, seconds: float) -> None:
        """result.json: the maximum over epochs, as in the thesis, and the test images' accuracy
        at that epoch, chosen without them."""
        values = [line["values"] for line in self.run.epochs()]
        main = self.tasks["main"]
        assert main.test is not None
        self.network.load_state_dict(self.best_weights)
        tested = self.evaluate("main", main.test)
        result = {
            "maximum_validation_accuracy": self.best["accuracy"],
            "minimum_validation_cross_entropy": min(v["main/cross_entropy"] for v in values),
            "chosen_epoch": self.best["epoch"],
            "test_accuracy": tested["accuracy"],
            "test_cross_entropy": tested["cross_entropy"],
            "last_validation_accuracy": values[-1]["main/accuracy"],
            "last_distance": values[-1].get("distance"),
            "training_images": {name: len(task.training) for name, task in self.tasks.items()},
            "validation_images": len(main.validation),
            "test_images": len(main.test),
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "seconds": round(seconds, 1),
        }
        write_json(self.run.path / "result.json", result)

    # Checkpoints

    def _save(self) -> None:
        weights = {
            **{f"live/{key}": value for key, value in self.network.state_dict().items()},
            **{f"best/{key}": value for key, value in self.best_weights.items()},
        }
        folder = self.run.path / "checkpoints"
        # SGD without momentum has no state of its own.
        state = {"epoch": self.epoch, "best": self.best}
        save_checkpoint(folder / checkpoint_name(self.epoch), weights, {}, state)
        prune_checkpoints(folder, keep=1)

    def _restore(self) -> None:
        found = self.run.newest_checkpoint(self.device)
        if found is None:
            return
        weights, state = found
        network = self.network.state_dict()
        self.best_weights = {name: tensor.clone() for name, tensor in network.items()}
        both = {"live": network, "best": self.best_weights}
        restore_tensors(
            {f"{which}/{name}": x for which, named in both.items() for name, x in named.items()},
            weights,
        )
        self.epoch, self.best = state["epoch"], state["best"]


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


def _on(part: Samples, device: torch.device) -> tuple[Tensor, Tensor]:
    # A copy, since samples may be a read-only memory map.
    return torch.tensor(part.samples, device=device), torch.tensor(part.labels, device=device)


def _headline(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name.endswith("/accuracy")}


def _reopen(folder: Path, recipe: ClassifierRecipe, record: dict[str, object]) -> ClassifierRun:
    """The run to resume; UserError where recipe, data or seed differ from what it recorded."""
    run = ClassifierRun.open(folder)
    for key in ("seed", "data_fingerprint", "auxiliary_data_fingerprint"):
        was, now = run.recipe.run.get(key), record.get(key)
        if was != now:
            raise UserError(
                f"{folder} was trained with another {key.replace('_', ' ')} ({was} then, {now} "
                "now); resume with the same, or train into another folder."
            )
    was, now = (r.model_dump(exclude={"run", "extends"}) for r in (run.recipe, recipe))
    for part in was:
        if was[part] != now[part]:
            raise UserError(
                f"{folder} was trained with another recipe: {part} differs ({was[part]} then, "
                f"{now[part]} now); resume with the same, or train into another folder."
            )
    return run
