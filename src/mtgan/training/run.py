"""A run: the folder that holds all that came of one training, and what can be asked of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mtgan
from mtgan.data import Dataset, load_dataset
from mtgan.data.domains import DOMAIN_LEVEL
from mtgan.errors import UserError
from mtgan.evaluation.domains import evaluate_domain
from mtgan.recipes import Recipe, dump_recipe, load_recipe
from mtgan.training.batches import columns, draw_latents
from mtgan.training.checkpoints import list_checkpoints, load_checkpoint, restore_tensors
from mtgan.training.facts import DataFacts
from mtgan.training.game import Game
from mtgan.training.logs import read_log


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
        """Open a run folder; UserError where `path` is none."""
        path = Path(path)
        if not (path / "recipe.yaml").is_file() or not (path / "data.json").is_file():
            raise UserError(
                f"{path} is not a run folder (it has no recipe.yaml or no data.json); give the "
                "folder that `mtgan train` wrote, such as runs/demo."
            )
        try:
            facts = DataFacts.from_dict(json.loads((path / "data.json").read_text()))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path / 'data.json'} is corrupt: {error!r}.") from error
        return cls(path, load_recipe(path / "recipe.yaml"), facts)

    @classmethod
    def create(
        cls, path: Path, recipe: Recipe, data: Dataset, facts: DataFacts, seed: int
    ) -> "Run":
        """Begin a run folder; UserError where the folder exists and is not empty."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(
                f"{path} exists already; go on with it by --resume, or name another folder with "
                "--out."
            )
        path.mkdir(parents=True, exist_ok=True)
        recorded = recipe.model_copy(
            update={
                "run": {
                    "data": data.spec,
                    "data_name": data.name,
                    "data_fingerprint": data.fingerprint,
                    "samples": len(data),
                    "seed": seed,
                    "versions": {"mtgan": mtgan.__version__, "torch": str(torch.__version__)},
                }
            }
        )
        (path / "data.json").write_text(json.dumps(facts.to_dict()))
        (path / "recipe.yaml").write_text(dump_recipe(recorded))
        return cls(path, recorded, facts)

    @property
    def steps(self) -> list[int]:
        """Iterations at which there is a complete checkpoint, oldest first."""
        return [step for step, _ in list_checkpoints(self.path / "checkpoints")]

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl: see mtgan.training.logs.RunLog."""
        return read_log(self.path / "metrics.jsonl")

    def load_data(self, split: str = "train") -> Dataset:
        """The data set that the run was trained on, or another split of it."""
        data = load_dataset(**{**self.recipe.run["data"], "split": split})
        return data.in_order_of(self.facts.taxonomy)

    def game(self, step: int | None = None) -> Game:
        """The players as of a checkpoint (the newest when `step` is None), on the CPU."""
        checkpoints = dict(list_checkpoints(self.path / "checkpoints"))
        if not checkpoints:
            raise UserError(f"{self.path} has no complete checkpoint yet; train on with --resume.")
        step = max(checkpoints) if step is None else step
        if step not in checkpoints:
            raise UserError(
                f"{self.path} has no checkpoint of step {step}; there are "
                f"{', '.join(map(str, checkpoints))}."
            )
        if self._loaded is None or self._loaded[0] != step:
            game = Game(self.recipe, self.facts)
            networks, _, _ = load_checkpoint(checkpoints[step])
            restore_tensors(game.tensors(), networks)
            self._loaded = (step, game)
        return self._loaded[1]

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

        labels: class (name or index) by level; a coarse class draws among its fine ones. Labels
        are None where the generator takes none. The same seed gives the same samples, whatever
        the batch size. UserError for labels that the generator cannot follow.
        """
        if n < 1:
            raise UserError(f"The number of samples should be at least 1; found {n}.")
        game = self.game(step)
        wanted = self._wanted(labels or {})
        conditioned = self.recipe.generator.conditioning != "none"
        if wanted and not conditioned:
            raise UserError(
                f"Recipe {self.recipe.name} trains a generator without labels, so it cannot be "
                f"asked for {', '.join(wanted)}; take a conditional recipe."
            )
        random = torch.Generator().manual_seed(seed)
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
            elif 0 <= value < taxonomy.num_classes(level):
                wanted[level] = value
            else:
                raise UserError(
                    f"The level {level!r} has classes 0 to {taxonomy.num_classes(level) - 1}; "
                    f"found {value}."
                )
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
