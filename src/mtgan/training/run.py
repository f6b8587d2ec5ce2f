"""A run: the folder that holds all that came of one training, and what can be asked of it."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mtgan import files
from mtgan.data import Dataset, load_dataset
from mtgan.data.load import load_recorded
from mtgan.errors import UserError
from mtgan.limits import LARGEST_STEP, check_whole
from mtgan.plugins import opening
from mtgan.recipes import Recipe, load_recipe
from mtgan.recipes.records import validated
from mtgan.renamed import renamed_property
from mtgan.text import html_summary, printable
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.folders import (
    DATA,
    RECIPE,
    is_run_folder,
    refuse_other_than_gan,
)
from mtgan.training.game import Game
from mtgan.training.logs import read_log
from mtgan.training.model import Model, Step
from mtgan.training.records import BestRecord, RunRecord
from mtgan.training.saved_games import SavedGames
from mtgan.training.twins import folder_of, own_level, own_lines, own_samples


class Run(Model):
    """A finished or unfinished training, opened from its folder.

    path: the folder, which alone is enough to sample: no data set is read. See Model.
    """

    facts = renamed_property("dataset_info")

    def __init__(self, path: Path, recipe: Recipe, dataset_info: DatasetInfo) -> None:
        super().__init__(path, recipe, dataset_info)
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
        classes: Mapping[str, list[str]] | None = None,
    ) -> Dataset:
        """The data set that the run was trained on; or another split of it, or all of this one; or
        with images of another size, or another part of them (classes by level, a subset of them).
        As of a twin that learned from samples of its own, these (see `own_samples`).

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
        asked: dict[str, Any] = {"size": size, "subset": subset, "classes": classes}
        other |= {key: value for key, value in asked.items() if value is not None}
        with opening(self.path):
            data = load_recorded({**spec, **other}).in_order_of(self.dataset_info.taxonomy)
        return self.own_samples(data)

    def own_samples(self, data: Dataset) -> Dataset:
        """Of data such as the run's those that it is judged against: of a twin that learned from
        samples of its own, as of image sets side by side, these, and all of any other run."""
        return own_samples(data, own_level(self.recipe, self.dataset_info, self.twin_name))

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

    def iteration(self, step: Step = None) -> int:
        found = self.resolve(step)
        return self._saved.newest_state().iteration if found is None else found

    def weights(self, step: Step = None) -> Path:
        return self._saved.weights(self.resolve(step))

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
