"""Recipe and data to a run: what belongs to a training is checked, made or found again."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mtgan import processes
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.limits import LARGEST_SEED, check_whole
from mtgan.recipes import Recipe
from mtgan.recipes.rules import RecipeWarning
from mtgan.training.batches import BatchLoader, LabeledShare
from mtgan.training.begin import begin_run, find_run, refuse_other_run
from mtgan.training.callbacks import Callback, Listeners
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.devices import choose_device, refuse_compiling, with_precision
from mtgan.training.draws import Draws
from mtgan.training.game import Game
from mtgan.training.gan_snapshots import GanSnapshots
from mtgan.training.graphs import graphs_of
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.inputs import as_data, as_recipe, usual_folder
from mtgan.training.instruments import Evaluator, Instruments
from mtgan.training.model import Model, Step
from mtgan.training.noise_scale import NoiseScale
from mtgan.training.optimizers import optimizers_of
from mtgan.training.phases import Phase
from mtgan.training.run import Run
from mtgan.training.start import Start, refuse_other_start
from mtgan.training.trackers import Trackers, chosen_trackers
from mtgan.training.trainer import Schedule, Trainer
from mtgan.training.twins import own_samples


def train(
    recipe: Recipe | str | Path,
    data: Dataset | str | Path,
    out: str | Path | None = None,
    *,
    steps: int | None = None,
    scale: str = "full",
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    precision: str | None = None,
    compile: bool = False,
    graphs: str = "auto",
    quiet: bool = False,
    log: Sequence[str] | None = None,
    callbacks: Sequence[Callback] = (),
    max_seconds: float | None = None,
    instruments: Instruments | None = None,
    start: Model | str | Path | None = None,
    start_step: Step = None,
) -> Run:
    """Train a recipe on a data set into the run folder `out`, and return the Run.

    recipe: whole, or by its name or file, then with the scale and overrides of load_recipe; data:
    whole, or by a name or path that load_dataset takes. out: runs/RECIPE-DATA-sSEED when None.
    steps: instead of the recipe's training.steps.
    seed: of initialization, order, noise and labels; from 0 to 2**31 - 1. resume: go on from the
    newest complete checkpoint of `out` (on the CPU, bit for bit as if never stopped, the logged
    values too), or begin where there is none; the recipe and the data must be those of the run,
    except that training.steps may grow. device: auto, cpu, cuda or mps; precision: 32, bf16
    (networks run in mixed bfloat16, weights stay float32) or auto (bf16 where the hardware
    multiplies it) instead of the recipe's training.precision.
    compile: the networks by torch.compile, wherever they are differentiated once. graphs: whether
    moves are captured as CUDA graphs and replayed; auto (on a GPU), on or off.

    log: names of trackers that follow it beside TensorBoard (wandb, mlflow, trackio; see
    mtgan.training.trackers); those that the run has when None.
    callbacks: functions called with the iterations done and the values, by name, of every line of
    metrics.jsonl; one that returns True ends the training. max_seconds: of wall-clock time, after
    which it ends. Either end is one as after the last step, evaluated and saved, and can be gone on
    with by resume.
    instruments: what evaluates samples meanwhile, and clusters classes; mtgan.train brings the
    usual ones, mtgan.training.train none.
    start: a model that the networks begin from (what mtgan.load gives, or a run by its folder), as
    of its checkpoint start_step (an iteration, "best", or the newest): layers that fit are taken,
    rows of classes by name, and what was taken is printed and kept in start.json of the run. The
    optimizers begin anew. The model stays as it is.

    Where torchrun started several processes, all of them call this alike, and train one run as
    one process would; see mtgan.processes.

    Raises UserError for what does not fit or cannot be written, TrainingDiverged when a loss or
    gradient (or, at a checkpoint, a weight or statistic) is not finite, Interrupted after Ctrl-C
    or SIGTERM once the state is saved.
    """
    listeners = Listeners(callbacks, max_seconds)
    recipe = as_recipe(recipe, scale, steps, overrides)
    if recipe.training.evaluate_every and instruments is None:
        raise UserError(
            "Samples are to be evaluated while the training goes on, and nothing that measures was "
            "handed over; take mtgan.train, or set training.evaluate_every=0."
        )
    begins = None if start is None else Start.of(start, start_step)
    if begins is None and start_step is not None:
        raise UserError("start_step is a checkpoint of start; name that, or leave it out.")
    data = as_data(data, recipe)
    folder = usual_folder(recipe.name, data.name, seed) if out is None else Path(out)
    names = chosen_trackers(folder, log)  # before a folder is made
    trainer = prepare(
        recipe,
        data,
        folder,
        seed=seed,
        resume=resume,
        device=device,
        precision=precision,
        compile=compile,
        graphs=graphs,
        instruments=instruments,
        start=begins,
    )
    trackers = Trackers(folder, names, trainer.snapshots.run.recipe.model_dump(mode="json"))
    with torch.random.fork_rng(devices=trainer.rng_devices):
        trainer.fit(quiet, listeners, trackers)
    return trainer.snapshots.run


def prepare(
    recipe: Recipe,
    data: Dataset,
    out: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    precision: str | None = None,
    compile: bool = False,
    graphs: str = "auto",
    instruments: Instruments | None = None,
    start: Start | None = None,
) -> Trainer[GanSnapshots]:
    """A trainer in the run folder `out`, at the newest checkpoint; arguments and errors as of
    `train`. Without instruments it can do iterations, but not evaluate."""
    check_whole("seed", seed, 0, LARGEST_SEED)
    place = choose_device(device)
    recipe = with_precision(recipe, precision, place)
    processes.join(place)
    captured = graphs_of(graphs, place)
    processes.refuse_differences([recipe.model_dump(), data.fingerprint, seed])
    found = processes.on_first_process(partial(find_run, out, resume, Run.open))
    data = _under_its_levels(data, recipe, found, instruments)
    if len(data) < recipe.training.batch_size:
        raise UserError(
            f"{data.name} has {len(data)} training samples, fewer than one batch of "
            f"{recipe.training.batch_size}; set training.batch_size to at most {len(data)}."
        )
    info = DatasetInfo.of(data)
    game = Game(recipe, info, seed)
    _warn_of_untold_tasks(game)
    _refuse_few_of_a_twin(game)
    _refuse_uneven_shares(game.phases)
    if compile:
        refuse_compiling(place)
    record, taken, notes = _begun_from(game, start, found)
    if found is None:
        found = processes.on_first_process(
            partial(begin_run, out, recipe, data, info, seed, record, taken)
        )
    refuse_other_run(found, recipe, data, seed)
    refuse_other_start(found, record)
    game.to(place)
    if compile:
        _compile(game)

    def make_evaluator(own_level: str | None) -> Evaluator:
        assert instruments is not None
        part = recipe.training
        return instruments.evaluator(
            own_samples(data, own_level),
            part.evaluate_samples,
            place,
            protocol=part.evaluate_protocol,
            features=part.evaluate_features,
            metrics=part.evaluate_metrics,
        )

    loader = BatchLoader(
        data,
        game.requests,
        place,
        seed,
        recipe.data.flip,
        recipe.schedule.domains,
        game.vicinity,
        recipe.data.dequantize,
        recipe.training.steps,
        _labeled_share(game),
    )
    optimizers = optimizers_of(recipe, game.groups)
    one_latent = recipe.schedule.latents == "each-iteration"
    return Trainer(
        game,
        Draws(loader, game.requests, recipe.latent, seed, place, one_latent),
        optimizers,
        GanSnapshots(found, recipe, game, optimizers, seed, make_evaluator, notes),
        _schedule(recipe),
        seed,
        place,
        captured,
        NoiseScale(
            recipe.training.noise_scale_every, game.networks, recipe.training.precision, place
        ),
    )


def _begun_from(
    game: Game, start: Start | None, found: Run | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[str]]:
    """Fill the game from a model, unless a checkpoint will: its record, what was taken, and notes
    of that."""
    if start is None:
        recipe = game.recipe
        if found is None and recipe.freeze.discriminator:
            warnings.warn(
                f"Recipe {recipe.name}: freeze.discriminator={recipe.freeze.discriminator} keeps "
                "layers that have learned nothing; begin from a run (--from RUN), or set it to 0.",
                RecipeWarning,
                stacklevel=3,
            )
        return None, None, []
    if found is not None and found.steps:
        return start.record(), None, []
    taken = start.fill(game)
    return start.record(), taken.to_dict(), [*start.notes(taken)]


def _under_its_levels(
    data: Dataset, recipe: Recipe, found: Run | None, instruments: Instruments | None
) -> Dataset:
    """The data under the levels that the recipe makes; of a run that is gone on with, as they were:
    a clustering may come out otherwise elsewhere, and an order of classes."""
    if found is None:
        confusion = None if instruments is None else instruments.confusion
        return with_hierarchies(data, recipe.hierarchy, confusion)
    was = found.dataset_info.taxonomy
    return data.with_taxonomy(was) if recipe.hierarchy else data.in_order_of(was)


def _labeled_share(game: Game) -> LabeledShare | None:
    """UserError where the data have no label to draw by."""
    recipe, info, share = game.recipe, game.dataset_info, game.recipe.data.labeled_share
    if share is None:
        return None
    asked = [*(level for _, level in game.tasks), *map(info.level_called, recipe.conditions)]
    known = [level for level in asked if level in info.own_levels]
    if not known:
        raise UserError(
            f"Recipe {recipe.name} has data.labeled_share={share:g}, and neither a task nor "
            "condition_on names a label level of the data; leave it out."
        )
    return LabeledShare(known[0], share)


def _compile(game: Game) -> None:
    """Calls alone: penalties call Discriminator.score instead, since a compiled graph cannot be
    differentiated twice."""
    for network in game.networks.values():
        network.compile(dynamic=False)


def _schedule(recipe: Recipe) -> Schedule:
    part = recipe.training
    return Schedule(
        part.steps,
        part.checkpoint_every,
        part.log_every,
        part.evaluate_every,
        part.sample_every,
        part.precision,
        frozenset(part.snapshot_steps),
    )


def _warn_of_untold_tasks(game: Game) -> None:
    """A task that asks the generator for what it is not told has nothing to teach it."""
    if untold := game.untold_tasks():
        told = [level for twin in game.twins for level in twin.generator.levels]
        levels = ",".join(dict.fromkeys([*told, *untold]))
        warnings.warn(
            f"Recipe {game.recipe.name}: a task judges samples by {', '.join(map(repr, untold))}, "
            f"of which the generator is told nothing; set condition_on=[{levels}].",
            RecipeWarning,
            stacklevel=2,
        )


def _refuse_few_of_a_twin(game: Game) -> None:
    """UserError where a twin learns from samples of its own, and they are fewer than a batch."""
    size = game.recipe.training.batch_size
    for twin in game.twins:
        count = game.requests.among(twin.own_level).count
        if twin.own_level is not None and count < size:
            raise UserError(
                f"The twin {twin.label.removeprefix('/')!r} has {count} training samples of its "
                f"own, those with a label of {twin.level!r}, fewer than one batch of {size}; set "
                f"training.batch_size to at most {count}."
            )


def _refuse_uneven_shares(phases: Sequence[Phase]) -> None:
    """UserError where processes would get batches of different sizes, or not one sample."""
    for size in sorted({phase.batch_size for phase in phases}):
        if size % processes.count():
            raise UserError(
                f"A batch of {size} cannot be shared evenly by {processes.count()} processes; "
                "set training.batch_size (and generator_batch_size) to a multiple of them."
            )
