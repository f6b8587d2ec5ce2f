"""A schedule of conditioning: which levels the networks are told, from which iteration on.

Shahbazi et al. 2022 ("Collapse by Conditioning: Training Class-conditional GANs with Limited
Data", arXiv 2201.06578) train without labels first, and multiply the label's embedding and the
conditional losses by a factor that rises from 0 to 1 between two iterations; TaxaDiffusion (Monsefi
et al. 2025) goes on from coarse to fine.
"""

from collections.abc import Mapping

from mtgan.nets import Discriminator, Generator
from mtgan.nets.heads import LabelVector, Strengths
from mtgan.recipes import Recipe
from mtgan.training.dataset_info import DatasetInfo


class Conditioning:
    """Sets the strengths, in [0, 1], of the levels in a generator and its discriminator.

    A level that is off is all zeros to both, as a missing label is. Heads go on learning it from
    real samples; what a task learns of generated ones, and the generator of the task, is
    multiplied by how strongly the generator is told the task's level, directly or by a finer one.
    A task on a level that it is never told is left as it is.
    """

    def __init__(
        self, recipe: Recipe, info: DatasetInfo, generator: Generator, discriminator: Discriminator
    ) -> None:
        self.taxonomy = info.taxonomy
        self.levels = generator.levels
        asked_by = f"Recipe {recipe.name}"
        self._stages: list[tuple[int, int, frozenset[str]]] = []  # begin, over, levels
        begin = 0
        for stage in recipe.schedule.conditioning:
            levels = frozenset(info.level(name, asked_by) for name in stage.levels)
            self._stages.append((begin, stage.over, levels))
            begin = stage.until or begin
        if recipe.schedule.conditioning[-1].until is not None:
            self._stages.append((begin, 0, frozenset(self.levels)))
        vectors = [
            module
            for network in (generator, discriminator)
            for module in network.modules()
            if isinstance(module, LabelVector)
        ]
        self._told = [Strengths(tuple(vector.classes)) for vector in vectors]
        for vector, strengths in zip(vectors, self._told, strict=True):
            vector.strengths = strengths
        self._known = generator.strengths = Strengths(self.taxonomy.levels)
        self.set(0)

    def set(self, iteration: int) -> None:
        """Set all strengths to those of an iteration, counted from 0."""
        told = {level: self.strength(level, iteration) for level in self.levels}
        for strengths in self._told:
            strengths.set(told)
        self._known.set(self._implied(told))

    def strength(self, level: str, iteration: int) -> float:
        """How strongly a level is told in an iteration: 0 while it is off, 1 while it is on,
        and between where it is blended in."""
        place = sum(begin <= iteration for begin, _, _ in self._stages) - 1
        begin, over, levels = self._stages[place]
        if level not in levels:
            return 0.0
        stays = place > 0 and level in self._stages[place - 1][2]
        return 1.0 if stays or not over else min(1.0, (iteration - begin) / over)

    def _implied(self, told: Mapping[str, float]) -> dict[str, float]:
        """Strengths of every level of the taxonomy."""
        known: dict[str, float] = {}
        for level, strength in told.items():
            for above in (level, *self.taxonomy.above(level)):
                known[above] = max(strength, known.get(above, 0.0))
        return {level: known.get(level, 1.0) for level in self.taxonomy.levels}
