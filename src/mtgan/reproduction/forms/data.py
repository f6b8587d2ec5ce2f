"""Real data and mathematics alone: hierarchies, disturbed images, data sets side by side, and
distances that can be computed."""

from typing import TYPE_CHECKING, Annotated

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field
from scipy.stats import wasserstein_distance

from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.lettering import save_figure
from mtgan.reproduction.forms import FORMS, Drawn, Table, with_counts
from mtgan.reproduction.material import TINY, Fact
from mtgan.reproduction.schema import Asks, Name

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

_FEW = 200  # images at the scale tiny


class Hierarchy:
    """The superclasses of the data, and the classes in each, as the thesis's Figure 1.4."""

    options = Asks

    def draw(self, options: Asks, material: "Material") -> Drawn:
        taxonomy = material.data().taxonomy
        fine = taxonomy.levels[0]
        if fine not in taxonomy.parents:
            raise UserError(
                f"{material.entry.id} needs a second label level above {fine!r}, and "
                f"{material.data().name} has none; name other data with --data."
            )
        coarse, parents = taxonomy.parents[fine]
        rows = [
            (
                name,
                ", ".join(
                    c for c, p in zip(taxonomy.classes[fine], parents, strict=True) if p == index
                ),
            )
            for index, name in enumerate(taxonomy.classes[coarse])
        ]
        return with_counts(Table((coarse, fine), rows))


class DisturbedOptions(Asks):
    """metrics: over the strength of each disturbance."""

    metrics: list[Name] = ["fid", "is"]
    n: int = 2000


class Disturbed:
    """Metrics over the strength of known disturbances, as the thesis's Figure 3.1."""

    options = DisturbedOptions

    def draw(self, options: DisturbedOptions, material: "Material") -> Drawn:
        from mtgan.evaluation.corruption_curves import corruption_curves

        count = _FEW if material.scale == TINY else options.n
        found = corruption_curves(material.data(), metrics=options.metrics, n=count)
        file = found.picture(material.out / "figure.png")
        missed = found.setbacks("frechet_distance")
        material.facts += [
            Fact(
                f"steps of {name} that the Frechet distance misses",
                str(len(missed.get(name, []))),
                "0",
            )
            for name in found.values
        ]
        rows = [
            (name, metric, *(f"{value:.4g}" for value in values))
            for name, metrics in found.values.items()
            for metric, values in metrics.items()
        ]
        table = Table(("disturbance", "metric", *(f"{s:g}" for s in found.strengths)), rows)
        counts = {"curves": len(rows), "points": len(rows) * len(found.strengths)}
        return Drawn((file,), table, counts=counts)


class RealSetOptions(Asks):
    """sets: data sets at the scales below full; full: at full size."""

    sets: Annotated[list[Name], Field(min_length=2)]
    full: Annotated[list[Name], Field(min_length=2)]


class RealSets:
    """Real data sets against themselves and each other (thesis 3.0.3)."""

    options = RealSetOptions

    def draw(self, options: RealSetOptions, material: "Material") -> Drawn:
        from mtgan.evaluation.real_sets import judge_real_sets

        names = options.full if material.scale == "full" else options.sets
        count = _FEW if material.scale == TINY else None
        features = "inception" if material.scale == "full" else "imagenet-lite"
        sets = {name: load_dataset(name) for name in names}
        found = judge_real_sets(sets, n=count, features=features)
        printed = material.entry.printed
        distances, scores = (
            _ratio([spread.mean for spread in spreads.values()])
            for spreads in (found.frechet_distance, found.inception_score)
        )
        material.facts += [
            Fact("Frechet distances within a fifth of each other", _said(distances <= 1.2), "yes"),
            Fact("inception scores further apart than they", _said(scores > distances), "yes"),
        ]
        rows: list[tuple[str, ...]] = [
            (
                f"{name}, ours",
                str(found.frechet_distance[name]),
                str(found.inception_score.get(name, "–")),
            )
            for name in sets
        ]
        theirs = printed.rows if printed else {}
        rows += [(f"{name}, source", *map(str, row)) for name, row in theirs.items()]
        table = Table(("real set", "Frechet distance", "inception score"), rows)
        return Drawn(table=table, notes=(found.verdict,), counts={"rows": len(rows), "columns": 3})


def _ratio(values: list[float]) -> float:
    """Of the largest to the smallest; infinite where there are none."""
    return max(values) / min(values) if values else np.inf


def _said(found: bool) -> str:
    return "yes" if found else "no"


class TransportOptions(Asks):
    """Masses f and g at the places 0, 1, 2, ...; printed: the distance that the source names."""

    f: Annotated[list[float], Field(min_length=1)]
    g: Annotated[list[float], Field(min_length=1)]
    printed: float


class Transport:
    """The Wasserstein distance of two discrete distributions, as the thesis's Figure 3.3."""

    options = TransportOptions

    def draw(self, options: TransportOptions, material: "Material") -> Drawn:
        places = np.arange(len(options.f)), np.arange(len(options.g))
        distance = float(wasserstein_distance(*places, options.f, options.g))
        figure = Figure(figsize=(6.0, 2.6), layout="constrained")
        both = (("f", places[0], options.f), ("g", places[1], options.g))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (name, at, masses) in zip(panels, both, strict=True):
            axes.bar(at, masses, width=0.9, color="#3b82c4")
            axes.set_title(name)
        figure.suptitle(f"W(f, g) = {distance:g}")
        material.facts.append(Fact("W(f, g)", f"{distance:g}", f"{options.printed:g}"))
        file = save_figure(figure, material.out / "figure.png")
        return Drawn((file,), counts={"panels": 2, "bars": len(options.f) + len(options.g)})


FORMS.register("hierarchy")(Hierarchy())
FORMS.register("disturbed")(Disturbed())
FORMS.register("real-sets")(RealSets())
FORMS.register("transport")(Transport())
