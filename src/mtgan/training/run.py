"""A run: the folder that holds all that came of one training, and what can be asked of it."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtgan import files
from mtgan.data import Dataset, load_dataset
from mtgan.data.domains import DOMAIN_LEVEL
from mtgan.errors import UserError
from mtgan.evaluation.domains import evaluate_domain
from mtgan.limits import LARGEST_COUNT, LARGEST_SEED, LARGEST_STEP, check_memory
from mtgan.plugins import opening
from mtgan.recipes import Recipe, load_recipe
from mtgan.text import html_summary, printable
from mtgan.training.batches import columns, draw_latents
from mtgan.training.checkpoints import (
    CheckpointReplaced,
    list_checkpoints,
    load_checkpoint,
    refuse_non_finite,
    restore_tensors,
    state_of,
)
from mtgan.training.facts import DataFacts
from mtgan.training.folders import refuse_other_than_gan
from mtgan.training.game import Game
from mtgan.training.logs import read_log
from mtgan.training.record import RunRecord, validated

RECIPE, DATA = "recipe.yaml", "data.json"
_LOOKS = 50  # at checkpoints that are replaced while they are read


class Run:
    """A finished or unfinished training, opened from its folder.

    path: the folder; recipe: resolved; facts: shape, taxonomy and label distribution of the
    training data. The folder alone is enough to sample: no data set is read.
    """

    def __init__(self, path: Path, recipe: Recipe, facts: DataFacts) -> None:
        self.path = path
        self.recipe = recipe
        self.facts = facts
        self._loaded: tuple[int, Game] | None = None

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Open a run folder; UserError where `path` is none, or a file of it was broken."""
        path = Path(path)
        refuse_other_than_gan(path)
        recipe_file, data_file = path / RECIPE, path / DATA
        if not recipe_file.is_file() or not data_file.is_file():
            raise UserError(
                f"{path} is not a run folder (it has no recipe.yaml or no data.json); give the "
                "folder that `mtgan train` wrote, such as runs/demo."
            )
        with opening(path):
            recipe = load_recipe(recipe_file)
            facts = DataFacts.from_dict(files.read_json(data_file), str(data_file))
        validated(RunRecord, recipe.run, f"{recipe_file}, under `run`,")
        return cls(path, recipe, facts)

    def __repr__(self) -> str:
        return f"Run({printable(f'{str(self.path)!r}: {self._summary()}')})"

    def _repr_html_(self) -> str:
        """For notebooks: what was trained, and the newest samples."""
        pictures = sorted((self.path / "samples").glob("*.png"))
        newest = pictures[-1].read_bytes() if pictures else None
        return html_summary(str(self.path), {"run": self._summary()}, newest)

    def _summary(self) -> str:
        record, steps = self.recipe.run, self.steps
        done = f"{steps[-1]:,} of {self.recipe.training.steps:,}" if steps else "no"
        seed = record.get("seed", "?")
        return f"{self.recipe.name} on {record.get('data_name', '?')}, seed {seed}, {done} steps"

    @property
    def steps(self) -> list[int]:
        """Iterations at which there is a complete checkpoint, oldest first."""
        return [step for step, _ in list_checkpoints(self.path / "checkpoints")]

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl: see mtgan.training.logs.RunLog."""
        return read_log(self.path / "metrics.jsonl")

    def load_data(self, split: str | None = None, whole: bool = False) -> Dataset:
        """The data set that the run was trained on; or another split of it, or all of this one.

        UserError where it can no longer be loaded, or was made of arrays.
        """
        spec = self.recipe.run["data"]
        known = inspect.signature(load_dataset).parameters
        if "name" not in spec or not spec.keys() <= known.keys():
            raise UserError(
                f"{self.path / RECIPE} names no data set that can be loaded (run.data): "
                f"{self.recipe.run['data_name']!r} was made of arrays, or that was changed."
            )
        other = {} if split in {None, spec.get("split")} else {"split": split, "subset": None}
        other |= {"subset": None} if whole else {}
        with opening(self.path):
            return load_dataset(**{**spec, **other}).in_order_of(self.facts.taxonomy)

    def game(self, step: int | None = None) -> Game:
        """The players as of a checkpoint (the newest when `step` is None), on the CPU.

        UserError where there is none, or it is broken, not finite, or of another architecture.
        """
        for _ in range(_LOOKS):
            found, path = self._checkpoint(step)
            if self._loaded is None or self._loaded[0] != found:
                try:
                    self._loaded = (found, self._load(path))
                except CheckpointReplaced:  # by a training that goes on
                    continue
            return self._loaded[1]
        raise UserError(f"The checkpoints of {self.path} change too fast to be read; ask again.")

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

    def _checkpoint(self, step: int | None) -> tuple[int, Path]:
        checkpoints = dict(list_checkpoints(self.path / "checkpoints"))
        if not checkpoints:
            raise UserError(f"{self.path} has no complete checkpoint yet; train on with --resume.")
        step = max(checkpoints) if step is None else step
        if step not in checkpoints:
            raise UserError(
                f"{self.path} has no checkpoint of step {step}; there are "
                f"{', '.join(map(str, checkpoints))}."
            )
        return step, checkpoints[step]

    def _load(self, path: Path) -> Game:
        game = Game(self.recipe, self.facts)
        networks, _, state = load_checkpoint(path)
        state_of(path, state)
        refuse_non_finite(path, networks)
        restore_tensors(game.tensors(), networks, path)
        return game

    def sample(
        self,
        n: int,
        labels: Mapping[str, str | int] | None = None,
        seed: int = 0,
        step: int | None = None,
        batch_size: int = 250,
    ) -> np.ndarray:
        """uint8 [n, C, H, W] from the averaged generator; see sample_with_labels."""
        return self.sample_with_labels(n, labels, seed, step, batch_size)[0]

    def sample_with_labels(
        self,
        n: int,
        labels: Mapping[str, str | int] | None = None,
        seed: int = 0,
        step: int | None = None,
        batch_size: int = 250,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Samples uint8 [n, C, H, W], and the labels int64 [n, L] they were made by.

        n: from 1 to 10,000,000, as far as this machine's memory goes. labels: class (name or index)
        by level; a coarse class draws among its fine ones. Labels are None where the generator
        takes none. seed: from 0 to 2**31 - 1; the same one gives the same samples, whatever the
        batch size (1 to 10,000,000). UserError for numbers out of range, and labels that the
        generator cannot follow.
        """
        check_whole("n", n, 1, LARGEST_COUNT)
        check_whole("seed", seed, 0, LARGEST_SEED)
        check_whole("batch_size", batch_size, 1, LARGEST_COUNT)
        if step is not None:
            check_whole("step", step, 0, LARGEST_STEP)
        check_memory(f"{n:,} samples of {self.path}", n, self.facts.shape)
        game = self.game(step)
        wanted = self._wanted(labels or {})
        conditioned = self.recipe.generator.conditioning != "none"
        if wanted and not conditioned:
            raise UserError(
                f"Recipe {self.recipe.name} trains a generator without labels, so it cannot be "
                f"asked for {', '.join(wanted)}; take a conditional recipe."
            )
        random = torch.Generator().manual_seed(int(seed))
        rows = self.facts.draw_labels(n, random, wanted)
        latents = draw_latents(n, self.recipe.latent.dim, self.recipe.latent.distribution, random)
        images = generate(game, latents, rows, batch_size)
        return images, rows.numpy() if conditioned else None

    def sample_domain(
        self,
        n: int,
        domain: str,
        labels: Mapping[str, str | int] | None = None,
        seed: int = 0,
        step: int | None = None,
    ) -> list[str] | np.ndarray:
        """n strings, or images uint8 [n, C, H, W], of one domain of the run.

        Arguments as of sample_with_labels. A string is "" where its canvas is padding alone.
        UserError for a domain that the run does not have or cannot be asked for.
        """
        described = self.facts.domain(domain)
        if len(self.facts.domains) > 1:
            labels = {**(labels or {}), DOMAIN_LEVEL: domain}
        return described.read(self.sample(n, labels, seed, step))

    def evaluate_domains(
        self,
        training: Dataset,
        held_out: Dataset,
        n: int,
        *,
        features: str = "auto",
        device: str = "cpu",
        seed: int = 0,
    ) -> dict[str, dict[str, Any]]:
        """{"DOMAIN/MEASURE": {"value", "better"}} of n samples of each domain; arguments and
        errors as of mtgan.evaluation.domains.evaluate_domain."""
        values: dict[str, dict[str, Any]] = {}
        training = training.in_order_of(self.facts.taxonomy)
        for domain in self.facts.domains:
            asked = {DOMAIN_LEVEL: domain.name} if len(self.facts.domains) > 1 else None
            canvases, rows = self.sample_with_labels(n, asked, seed)
            values |= evaluate_domain(
                domain,
                canvases,
                rows,
                training,
                held_out,
                features=features,
                device=device,
                seed=seed,
            )
        return values

    def _wanted(self, labels: Mapping[str, str | int]) -> dict[str, int]:
        taxonomy = self.facts.taxonomy
        wanted = {}
        for name, value in labels.items():
            level = self.facts.level(name, f"The label {name}={value}")
            if isinstance(value, str):
                wanted[level] = taxonomy.class_index(level, value)
            else:
                check_whole(
                    f"The class of level {level!r}", value, 0, taxonomy.num_classes(level) - 1
                )
                wanted[level] = int(value)
        return wanted


@torch.no_grad()
def generate(
    game: Game, latents: torch.Tensor, rows: torch.Tensor, batch_size: int = 250
) -> np.ndarray:
    """uint8 [N, C, H, W] from the averaged generator for latents [N, Z] and label rows [N, L].

    With twins, the first one (the main task's) is asked.
    """
    generator = next(iter(game.average.values()))
    device = next(generator.parameters()).device
    parts = []
    for z, y in zip(latents.split(batch_size), rows.split(batch_size), strict=True):
        labels = columns(y.to(device), game.facts.taxonomy.levels)
        samples = generator(z.to(device), labels)
        parts.append(((samples + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8).cpu())
    return torch.cat(parts).numpy()


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """UserError, which says the range, where the value is no whole number from least to most."""
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise UserError(
            f"{name} should be a whole number from {least:,} to {most:,}; found {value!r}."
        )
