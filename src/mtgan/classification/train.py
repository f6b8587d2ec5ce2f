"""Training a classifier: epochs of turns, validation after each, the test images once."""

from collections.abc import Sequence
from pathlib import Path

import torch

from mtgan.classification.game import ClassifierGame, ClassifierSnapshots
from mtgan.classification.inputs import input_shape
from mtgan.classification.network import refuse_unfit
from mtgan.classification.run import RESULT, ClassifierRun
from mtgan.classification.schema import ClassifierRecipe
from mtgan.classification.tasks import make_tasks
from mtgan.data import Dataset
from mtgan.files import write_json
from mtgan.training.begin import find_run
from mtgan.training.callbacks import Callback, Listeners
from mtgan.training.devices import choose_device
from mtgan.training.optimizers import Optimizers, sgd
from mtgan.training.trackers import Trackers, chosen_trackers
from mtgan.training.trainer import Schedule, Trainer


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
    log: Sequence[str] | None = None,
    callbacks: Sequence[Callback] = (),
    max_seconds: float | None = None,
) -> ClassifierRun:
    """Train a classifier's recipe into the run folder `out`, and return the run.

    data: the training split; test: its test split (loaded when None). auxiliary_data: the
    auxiliary task's own images, of the same shape. seed: of initialization, order, dropout and of
    which training images are drawn. resume: go on from the newest checkpoint of `out` (on the
    CPU, bit for bit as if never stopped), or begin where there is none; classes that are numbered
    otherwise by now are known by their names.

    log: names of trackers that follow it, as of mtgan.train.
    callbacks: functions called with the epochs done and the values, by name, of every line of
    metrics.jsonl; one that returns True ends the training. max_seconds: of wall-clock time, after
    which it ends, when the epoch is over. After either end the run is saved and has no result yet;
    resume goes on with it.

    Raises UserError for what does not fit or cannot be written, TrainingDiverged when a loss, a
    gradient, a weight or a batch statistic is not finite, Interrupted after Ctrl-C or SIGTERM once
    the epoch is over and saved.
    """
    listeners = Listeners(callbacks, max_seconds)
    names = chosen_trackers(Path(out), log)
    found = find_run(Path(out), resume, ClassifierRun.open, RESULT)
    if found is not None:
        data, auxiliary_data = found.in_its_order(data, auxiliary_data)
    test = data.load_split("test") if test is None else test.in_order_of(data.taxonomy)
    tasks = make_tasks(recipe, data, test, auxiliary_data, seed)
    shape = input_shape(recipe.augmentation, data.shape)
    refuse_unfit(recipe, shape)  # before a folder is made
    if found is None:
        run = ClassifierRun.create(Path(out), recipe, tasks, data, auxiliary_data, seed)
    else:
        run = found
        run.refuse_other(recipe, data, auxiliary_data, seed)
    if run.result is None:
        place = choose_device(device)
        trainer = _make_trainer(run, ClassifierGame(run, tasks, seed, place), seed, place)
        trackers = Trackers(run.path, names, run.recipe.model_dump(mode="json"))
        with torch.random.fork_rng(devices=trainer.rng_devices):
            trainer.fit(quiet, listeners, trackers)
        if trainer.iteration == recipe.training.epochs:
            _conclude(run, trainer.snapshots.game)
    return run


def _make_trainer(
    run: ClassifierRun, game: ClassifierGame, seed: int, device: torch.device
) -> Trainer[ClassifierSnapshots]:
    """A trainer whose iterations are epochs: they are what is seeded, logged and kept."""
    part = run.recipe.training
    return Trainer(
        game,
        lambda phase, iteration, repeat: (),  # a turn brings its batches
        Optimizers(sgd(part.weight_decay), game.groups, game.rate),
        ClassifierSnapshots(run, game),
        Schedule(
            part.epochs,
            part.checkpoint_every,
            unit="epoch",
            line="epoch",
            headline="/accuracy",
            stream="dropout",
        ),
        seed,
        device,
    )


def _conclude(run: ClassifierRun, game: ClassifierGame) -> None:
    """result.json: the maximum over epochs, as in the thesis, and the test images' accuracy at
    that epoch, chosen without them."""
    lines, main = run.epochs(), game.tasks["main"]
    values = [line["values"] for line in lines]
    assert main.test is not None
    game.network.load_state_dict(game.best_weights)
    tested = game.evaluate("main", main.test)
    result = {
        "maximum_validation_accuracy": game.best["accuracy"],
        "minimum_validation_cross_entropy": min(v["main/cross_entropy"] for v in values),
        "chosen_epoch": game.best["epoch"],
        "test_accuracy": tested["accuracy"],
        "test_cross_entropy": tested["cross_entropy"],
        "last_validation_accuracy": values[-1]["main/accuracy"],
        "last_distance": values[-1].get("distance"),
        "training_images": {name: len(task.training) for name, task in game.tasks.items()},
        "validation_images": len(main.validation),
        "test_images": len(main.test),
        "parameters": sum(p.numel() for p in game.network.parameters()),
        "seconds": round(lines[-1]["seconds"], 1),
    }
    write_json(run.path / RESULT, result)
