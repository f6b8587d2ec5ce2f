"""A run: the folder that holds all that came of one training, and what can be asked of it."""

import copy
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtgan import files
from mtgan.data import Dataset, load_dataset
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.load import load_recorded
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.limits import LARGEST_COUNT, LARGEST_STEP, check_memory, check_whole
from mtgan.plugins import opening
from mtgan.recipes import Recipe, load_recipe
from mtgan.recipes.records import validated
from mtgan.renamed import renamed_property
from mtgan.text import html_summary, printable
from mtgan.training.batches import draw_latents
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.devices import choose_device
from mtgan.training.folders import (
    DATA,
    RECIPE,
    is_run_folder,
    refuse_other_than_gan,
)
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.logs import read_log
from mtgan.training.records import BestRecord, RunRecord
from mtgan.training.requests import Requests
from mtgan.training.samples import (
    Labels,
    RequestedLabels,
    as_latents,
    count_of,
    drawn_seed,
    with_class,
)
from mtgan.training.saved_games import SavedGames
from mtgan.training.twins import folder_of, own_lines, twin_called

Step = int | str | None
"""A checkpoint by its iteration; "best"; None: the newest."""


class Run:
    """A finished or unfinished training, opened from its folder.

    path: the folder; recipe: resolved; dataset_info: shape, taxonomy and label distribution of the
    training data. The folder alone is enough to sample: no data set is read.

    twin_name: whose generator and discriminator are asked, by the recipe's name of a twin; see
    `twin`.
    """

    facts = renamed_property("dataset_info")

    def __init__(self, path: Path, recipe: Recipe, dataset_info: DatasetInfo) -> None:
        self.path = path
        self.recipe = recipe
        self.dataset_info = dataset_info
        self.twin_name: str | None = None
        self._saved = SavedGames(path, recipe, dataset_info)

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Open a run folder; UserError where `path` is none, or a file of it was broken."""
        path = Path(path)
        refuse_other_than_gan(path)
        recipe_file, data_file = path / RECIPE, path / DATA
        if not is_run_folder(path):
            raise UserError(
                f"{path} is not a run folder (it has no recipe.yaml or no data.json); give the "
                "folder that `mtgan train` wrote, such as runs/demo."
            )
        with opening(path):
            recipe = load_recipe(recipe_file)
            info = DatasetInfo.from_dict(files.read_json(data_file), str(data_file))
        validated(RunRecord, recipe.run, f"{recipe_file}, under `run`,")
        return cls(path, recipe, info)

    def __repr__(self) -> str:
        return f"Run({printable(f'{str(self.path)!r}: {self._summary()}')})"

    def _repr_html_(self) -> str:
        """For notebooks: what was trained, and the newest samples."""
        pictures = sorted((self.folder / "samples").glob("*.png"))
        newest = pictures[-1].read_bytes() if pictures else None
        return html_summary(str(self.path), {"run": self._summary()}, newest)

    def _summary(self) -> str:
        record, steps = self.recipe.run, self.steps
        done = f"{steps[-1]:,} of {self.recipe.training.steps:,}" if steps else "no"
        seed = record.get("seed", "?")
        twin = "" if self.twin_name is None else f", twin {self.twin_name!r}"
        return (
            f"{self.recipe.name} on {record.get('data_name', '?')}, seed {seed}, {done} steps{twin}"
        )

    @property
    def twins(self) -> tuple[str, ...]:
        """Names of its twins, the main one first; none where one generator was trained."""
        return tuple(self.recipe.twins)

    def twin(self, name: str | None = None) -> "Run":
        """The run as of one of its twins, by its name or its label level: samples, evaluations,
        analyses and the log are then that twin's. The main one where no name is given; of a run
        without twins itself.

        UserError for a twin that it does not have.
        """
        found = copy.copy(self)
        found.twin_name = twin_called(name, self.recipe, self.dataset_info)
        return found

    def each_twin(self) -> "list[Run]":
        """The run as of each of its twins; of a run without twins itself."""
        return [self.twin(name) for name in self.twins] or [self]

    @property
    def folder(self) -> Path:
        """Where pictures, evaluations and answers lie: the run's folder, or of a twin but the main
        one RUN/twins/NAME."""
        return folder_of(self.path, self.recipe, self.twin_name)

    @property
    def steps(self) -> list[int]:
        """Iterations at which there is a complete checkpoint, oldest first."""
        return self._saved.steps

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl: see mtgan.training.logs.RunLog. As of a twin, what it has
        logged, by the names that one GAN alone would have."""
        lines = read_log(self.path / "metrics.jsonl")
        return lines if self.twin_name is None else own_lines(lines, self.recipe, self.twin_name)

    def load_data(
        self,
        split: str | None = None,
        *,
        whole: bool = False,
        size: tuple[int, int] | int | None = None,
        subset: float | None = None,
    ) -> Dataset:
        """The data set that the run was trained on; or another split of it, or all of this one; or
        with images of another size, or another part of them.

        UserError where it can no longer be loaded, or was made of arrays.
        """
        spec = self.recipe.run["data"]
        known = inspect.signature(load_dataset).parameters
        if "name" not in spec or not spec.keys() <= known.keys():
            raise UserError(
                f"{self.path / RECIPE} names no data set that can be loaded (run.data): "
                f"{self.recipe.run['data_name']!r} was made of arrays, or that was changed; name "
                "the data by --data, or in Python hand them over."
            )
        other: dict[str, Any] = {}
        if whole or split not in {None, spec.get("split")}:
            other = {"split": split or spec.get("split", "train"), "subset": None, "labeled": None}
        asked: dict[str, Any] = {"size": size, "subset": subset}
        other |= {key: value for key, value in asked.items() if value is not None}
        with opening(self.path):
            return load_recorded({**spec, **other}).in_order_of(self.dataset_info.taxonomy)

    @property
    def best_step(self) -> int:
        """The iteration of the lowest Frechet distance while it was trained, whose checkpoint is
        kept; UserError where none was measured."""
        return self.best.step

    @property
    def best(self) -> BestRecord:
        """The lowest Frechet distance while it was trained and its iteration; see best_step. It is
        the least of many, and so flattered: judge that step anew."""
        best = self._saved.newest_state().best_of(self.recipe, self.twin_name)
        if best is None:
            raise UserError(
                f"{self.path} was not evaluated while it was trained, so no step is known to be "
                f"the best; name one ({', '.join(map(str, self.steps))})."
            )
        return best

    def resolve(self, step: Step) -> int | None:
        """The iteration that is meant; None for the newest. UserError where it can be none."""
        if step is None:
            return None
        if step == "best":
            return self.best_step
        if isinstance(step, str):
            raise UserError(f'step should be a whole number, or "best"; found {step!r}.')
        check_whole("step", step, 0, LARGEST_STEP)
        return int(step)

    def game(self, step: Step = None) -> Game:
        """The players as of a checkpoint (the newest when `step` is None), on the CPU.

        step: an iteration, or "best"; see best_step.

        UserError where there is none, or it is broken, not finite, or of another architecture.
        """
        return self._saved.game(self.resolve(step))

    def games(self) -> Iterator[tuple[int, Game]]:
        """(step, players) of every checkpoint, oldest first; those are passed over that a training
        which goes on removes meanwhile."""
        for step in self.steps:
            try:
                game = self.game(step)
            except UserError:
                if step in self.steps:
                    raise
            else:
                yield step, game

    def asking(self, step: Step = None) -> Requests:
        """What the averaged generator can be asked for as of a checkpoint; errors as of `game`."""
        return self.game(step).asking(self.twin_name)

    def sample(
        self,
        n: int | None = None,
        labels: Labels | None = None,
        seed: int | None = None,
        step: Step = None,
        batch_size: int = 250,
        *,
        latents: np.ndarray | torch.Tensor | None = None,
        device: str = "cpu",
        twin: str | None = None,
    ) -> Samples:
        """Samples uint8 [n, C, H, W] from the averaged generator, as an array.

        Args:
            n: From 1 to 10,000,000, as far as this machine's memory goes; may be left out where
                labels or latents are given for each sample.
            labels: What the samples should show, for all of them or for each: {level: class}, a
                list of these, {level: [class, ...]}, names of classes, or int64 [n, L]. A class is
                a name or an index, a number lies within the range of the training data; a coarse
                class draws among its fine ones, and what is not asked for is drawn as it occurs in
                the training data.
            seed: From 0 to 2**31 - 1; the same one gives the same samples, whatever the batch size,
                and the same latents whatever the labels. Where there is none, one is drawn.
            step: The checkpoint's; "best": that of the lowest Frechet distance while it was
                trained; the newest when left out.
            batch_size: Samples that are made at once, from 1 to 10,000,000.
            latents: [n, Z] to make them from, instead of drawn ones.
            device: cpu, cuda, or auto (the GPU where there is one).
            twin: Which one is asked, of a run with twins; the main one when left out.

        Returns:
            An array that also has the attributes `labels` (what the generator was given: int64
            [n, L], or None), `numbers`, `seed`, `latents`, `taxonomy` and `notes`.

        Raises:
            UserError: Numbers out of range; labels that the generator is not told, that exclude
                each other, or that no training sample has; a checkpoint or a twin that is not
                there.
        """
        if twin is not None:
            other = self.twin(twin)
            return other.sample(n, labels, seed, step, batch_size, latents=latents, device=device)
        count = count_of(n, labels, latents)
        seed = drawn_seed(seed)
        check_whole("batch_size", batch_size, 1, LARGEST_COUNT)
        check_memory(f"{count:,} samples of {self.path}", count, self.dataset_info.shape)
        place = choose_device(device)
        game = self.game(step)
        requests = game.asking(self.twin_name)
        conditioned = bool(requests.taken)
        if labels is not None and len(labels) and not conditioned:
            raise UserError(
                f"Recipe {self.recipe.name} has told the generator no labels by that step "
                "(schedule.conditioning), so it cannot be asked for any; take a later step."
                if game.requests.taken
                else f"Recipe {self.recipe.name} trains a generator without labels, so it cannot "
                "be asked for any; take a conditional recipe."
            )
        requested = RequestedLabels(labels, count, requests)
        random = torch.Generator().manual_seed(seed)
        rows = requests.draw(count, random)
        part = self.recipe.latent
        if latents is None:
            z = draw_latents(count, part.dim, part.distribution, random)
        else:
            z = as_latents(latents, count, part.dim)
        if (requested.rows >= 0).any():
            # By a stream of their own, so that other labels have the same latents.
            rows = requested.draw(torch.Generator().manual_seed(seed))
        images = generate(game, z, rows, batch_size, place, self.twin_name)
        given, taxonomy, numbers = game.dataset_info.without_numbers(requests.given(rows.numpy()))
        return Samples.of(
            *(images, given if conditioned else None, taxonomy, seed, z.numpy(), requested.notes),
            numbers={name: v for name, v in numbers.items() if name in requests.taken},
        )

    def sample_with_labels(
        self,
        n: int | None = None,
        labels: Labels | None = None,
        seed: int | None = None,
        step: Step = None,
        batch_size: int = 250,
    ) -> tuple[Samples, np.ndarray | None]:
        """Samples, and the labels int64 [n, L] that the generator was given; see `sample`.

        Labels are -1 at levels that the generator is not told and that follow from none of those;
        None where it takes none.
        """
        found = self.sample(n, labels, seed, step, batch_size)
        return found, found.labels

    def sample_domain(
        self,
        n: int,
        domain: str,
        labels: Labels | None = None,
        seed: int | None = None,
        step: Step = None,
    ) -> Any:
        """n strings, or images uint8 [n, C, H, W], or what else one domain of the run has.

        Arguments as of `sample`. A string is "" where its canvas is padding alone. UserError for a
        domain that the run does not have or cannot be asked for.
        """
        described = self.dataset_info.domain(domain)
        made = self.sample(n, self.of_domain(domain, labels), seed, step)
        return described.decode(np.asarray(made))

    def of_domain(self, domain: str, labels: Labels | None = None) -> Labels | None:
        """Labels that ask for samples of one domain of the run, and for what `labels` ask."""
        if len(self.dataset_info.domains) < 2:
            return labels
        return with_class(labels, DOMAIN_LEVEL, self.dataset_info.domain(domain).name)
