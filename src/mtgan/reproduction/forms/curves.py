"""Values over training, a panel each as the thesis's Figures 2.1 to 2.6 and 5.3 to 5.12."""

from typing import TYPE_CHECKING, Annotated

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field

from mtgan.errors import UserError
from mtgan.lettering import save_figure
from mtgan.reports.study_charts import draw_lines
from mtgan.reproduction.forms import FORMS, Drawn
from mtgan.reproduction.forms.table import printed_beside
from mtgan.reproduction.schema import Asks, Name
from mtgan.studies.measures import Over, title_of

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

Share = Annotated[float, Field(ge=0, le=1)]


class CurveOptions(Asks):
    """values: a panel each; smooth: the moving average's window of each, as a share of its points
    (the thesis: 10 and 20 of 100); over: what x is, the unit of the training when left out."""

    values: Annotated[list[Name], Field(min_length=1)]
    smooth: list[Share] = []
    over: Over | None = None

    def logged(self) -> list[tuple[str, str | None]]:
        return [(value, self.over) for value in self.values]


class Curves:
    """A line for each arm, the mean over seeds in its band."""

    options = CurveOptions

    def draw(self, options: CurveOptions, material: "Material") -> Drawn:
        figure = Figure(figsize=(5.4 * len(options.values), 3.4), layout="constrained")
        panels = figure.subplots(1, len(options.values), squeeze=False)[0]
        notes, curves, points = [], 0, 0
        smooth = [*options.smooth, *([0.0] * len(options.values))]
        for axes, value, share in zip(panels, options.values, smooth, strict=False):
            found = {arm: material.line(value, arm, options.over) for arm in material.arms}
            lines = {arm: line for arm, line in found.items() if line is not None}
            if missing := [arm for arm in found if arm not in lines]:
                notes.append(f"No run of {', '.join(missing)} has logged {title_of(value)}.")
            if not lines:
                continue
            window = max(1, round(share * max(len(line.x) for line in lines.values())))
            over = material.over(value, options.over)
            draw_lines(axes, lines, over, title_of(value), smooth=window)
            curves += len(lines)
            points += sum(int(np.isfinite(line.mean).sum()) for line in lines.values())
        if not curves:
            raise UserError(f"{material.entry.id}: no run has logged {', '.join(options.values)}.")
        file = save_figure(figure, material.out / "figure.png")
        counts = {"panels": len(options.values), "curves": curves, "points": points}
        return Drawn((file,), printed_beside(material), tuple(notes), counts)


FORMS.register("curves")(Curves())
