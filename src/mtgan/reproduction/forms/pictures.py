"""Samples, class by class, and the pictures of analyses."""

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mtgan.analysis.plots import new_figure, show_grid
from mtgan.files import write_bytes
from mtgan.lettering import save_figure
from mtgan.reproduction.forms import FORMS, Drawn, Table
from mtgan.reproduction.forms.table import beside, mean, printed_beside
from mtgan.reproduction.schema import Asks, Name
from mtgan.studies.measures import title_of

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

Few = Annotated[int, Field(ge=1, le=100)]


class SampleOptions(Asks):
    """classes: the first ones of the finest level, `each` samples of each, along `rows` (the
    thesis's appendix A) or columns (its Figures 5.20 and 5.21); measures: named beside them;
    most: arms that are shown, where the study has many."""

    classes: Few = 10
    each: Few = 10
    columns: bool = False
    measures: list[Name] = []
    most: Few = 100

    def measured(self) -> list[str]:
        return self.measures


class Samples:
    """A grid of samples for each arm, of its first run."""

    options = SampleOptions

    def draw(self, options: SampleOptions, material: "Material") -> Drawn:
        files = []
        for arm in material.arms[: options.most]:
            images, names = material.samples(arm, options.classes, options.each)
            width, rows, heads = options.each, names, [""] * 0
            if options.columns and names:
                shape = (len(names), options.each, *images.shape[1:])
                images = images.reshape(shape).swapaxes(0, 1).reshape(images.shape)
                width, rows, heads = len(names), [], names
            figure = new_figure(6.5, 6.5, f"{arm}: {material.entry.shows}")
            show_grid(figure.subplots(), images, columns=width, rows=rows, heads=heads)
            files.append(save_figure(figure, material.out / f"{_file(arm)}.png"))
        return Drawn(tuple(files), self._table(options, material), counts={"pictures": len(files)})

    def _table(self, options: SampleOptions, material: "Material") -> Table | None:
        if not options.measures:
            return printed_beside(material)
        rows = {
            arm: tuple(mean(material.values(arm, measure)) for measure in options.measures)
            for arm in material.arms
        }
        return beside([title_of(name) for name in options.measures], rows, material.entry.printed)


class DomainOptions(Asks):
    """first: samples of the first checkpoint that is kept, in place of the last; strings: how many
    of each domain of strings."""

    first: bool = False
    strings: Few = 10


class Domains:
    """Samples of each domain of each arm's first run: a picture, or strings in the table."""

    options = DomainOptions

    def draw(self, options: DomainOptions, material: "Material") -> Drawn:
        files, rows = [], []
        for arm in material.arms:
            step, previews = material.previews(arm, options.first)
            for name, preview in previews:
                stem = material.out / _file(f"{arm}-{name}-{step}")
                if preview.picture is not None:
                    preview.save(stem)
                    files.append(stem.with_name(f"{stem.name}.png"))
                strings = preview.lines[: options.strings]
                rows += [(arm, f"{step:,}", name, string) for string in strings]
        table = Table(("", "iteration", "domain", "sample"), rows)
        return Drawn(tuple(files), table, counts={"pictures": len(files), "rows": len(rows)})


class AnalysisOptions(Asks):
    """name: of the analysis; options: how it is asked (`mtgan analyze`)."""

    name: Name
    options: dict[str, Any] = {}


class AnalysisPictures:
    """An analysis of each arm's first run: its picture, and its verdict in words."""

    options = AnalysisOptions

    def draw(self, options: AnalysisOptions, material: "Material") -> Drawn:
        files, rows = [], []
        for arm in material.arms:
            folders = material.folders(arm)
            if not folders:
                rows.append((arm, "no run has finished"))
                continue
            answer, picture = material.answer(folders[0], options.name, options.options)
            file = material.out / f"{_file(arm)}.png"
            write_bytes(file, picture.read_bytes())
            files.append(file)
            rows.append((arm, str(answer["verdict"])))
        table = Table(("", f"{options.name} says"), rows)
        return Drawn(tuple(files), table, counts={"pictures": len(files), "rows": len(rows)})


def _file(arm: str) -> str:
    return re.sub(r"[^A-Za-z0-9.=+-]+", "-", arm).strip("-") or "arm"


FORMS.register("samples")(Samples())
FORMS.register("domains")(Domains())
FORMS.register("analysis")(AnalysisPictures())
