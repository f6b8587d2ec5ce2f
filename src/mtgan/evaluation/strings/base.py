"""How a metric of strings registers, and what several of them need.

A file holds one metric: its function on strings, and below that the line that hands it those of a
comparison and says which numbers it gives.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtgan.errors import UserError
from mtgan.evaluation.metrics import Metric, Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.registry import Registry

UNIT = (0.0, 1.0)
MOSES = "Polykovskiy et al. 2020 (MOSES)"


@dataclass(frozen=True)
class StringMetric(Metric):
    """A registered metric; molecules: whether it means something of molecules alone."""

    molecules: bool = False


STRING_METRICS: Registry[StringMetric] = Registry(
    "metric of strings", "mtgan.evaluation.strings", has=("compute", "outputs")
)


def register_string_metric(
    name: str,
    *outputs: Output,
    needs: Mapping[str, Callable[[Any], str]] | None = None,
    source: str = "",
    molecules: bool = False,
) -> Callable[[Callable[[DomainComparison], Outcome]], Callable[[DomainComparison], Outcome]]:
    """Register a function `DomainComparison -> Outcome` as a metric of strings; see `Metric`."""

    def make(compute: Callable[[DomainComparison], Outcome]) -> StringMetric:
        about = (compute.__doc__ or "").partition("\n")[0]
        return StringMetric(
            name,
            outputs,
            compute,
            needs=dict(needs or {}),
            about=about,
            source=source,
            molecules=molecules,
        )

    return STRING_METRICS.register_as(name, make)


def require_strings(strings: Sequence[str], what: str) -> None:
    """UserError where there is no string."""
    if not len(strings):
        raise UserError(f"The {what} strings are none; give at least one.")


def _without_training(comparison: DomainComparison) -> str:
    return "" if len(comparison.context.training) else "there are no training strings"


TRAINING = {"training strings": _without_training}
"""What metrics need; see `Metric.needs`."""
