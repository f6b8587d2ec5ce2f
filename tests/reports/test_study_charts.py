"""The pictures of a study."""

import numpy as np
import pytest

from mtgan.reports.study_charts import line_figure
from mtgan.studies.curves import Line


def labels_of(x: list[float]) -> list[str]:
    line = Line(np.array(x), {0: np.ones(len(x))})
    with line_figure({"a": line}, "seconds", "value", points=True, logarithmic=True) as figure:
        figure.draw_without_rendering()
        axis = figure.axes[0].xaxis
        assert not any(tick.get_text() for tick in axis.get_ticklabels(minor=True))
        return [tick.get_text() for tick in axis.get_ticklabels()]


def test_the_points_of_a_logarithmic_axis_have_plain_numbers() -> None:
    assert labels_of([15, 30, 60, 3600]) == ["15", "30", "60", "3,600"]


@pytest.mark.parametrize("count", [9, 20])
def test_many_points_leave_the_numbers_to_the_axis(count: int) -> None:
    shown = labels_of(np.geomspace(1, 1000, count).tolist())
    assert {"1", "10", "100", "1,000"} <= set(shown)
    assert not any("^" in label for label in shown)


@pytest.mark.parametrize(
    ("values", "scale"),
    [([145.0, 9.0, 1.2], "log"), ([6.0, 1.0, 0.5], "linear"), ([145.0, 9.0, -0.1], "linear")],
)
def test_the_first_values_do_not_hide_the_later_ones(values: list[float], scale: str) -> None:
    line = Line(np.arange(3.0), {0: np.array(values), 1: np.array(values)})
    with line_figure({"a": line}, "iterations", "value") as figure:
        figure.draw_without_rendering()
        axes = figure.axes[0]
        assert axes.get_yscale() == scale
        shown = {tick.get_text() for tick in axes.get_yticklabels()}
        assert scale == "linear" or {"2", "10", "100"} <= shown
