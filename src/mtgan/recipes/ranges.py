"""Of what kind the values of recipes' keys are, and between which limits."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mtgan.limits import LARGEST_SEED, LARGEST_SIDE, LARGEST_STEP
from mtgan.parts import (
    AGGREGATORS,
    AUGMENTATIONS,
    BACKBONES,
    FEATURE_SPACES,
    HEAD_CLASSES,
    HEAD_LOSSES,
    HEADS,
    HIERARCHIES,
    INITIALIZATIONS,
    METRICS,
    NORMALIZATIONS,
    NORMS,
    OBJECTIVES,
    OUTPUTS,
    PENALTIES,
    PROTOCOLS,
    TRANSFORMS,
)


def _no_truth(value: Any) -> Any:
    """true is 1 to Python, and nobody means it so."""
    if isinstance(value, bool):
        raise PydanticCustomError("truth_value", "a truth value is no number")
    return value


def _sides(value: Any) -> Any:
    """A size in words: "64x128", as the option --size takes it, is [64, 128]; "64" is 64."""
    found = re.fullmatch(r"(\d+)(?:[xX](\d+))?", value) if isinstance(value, str) else None
    if found is None:
        return value
    height, width = found.groups()
    return int(height) if width is None else [int(height), int(width)]


def _listed(value: Any) -> Any:
    """One name is a list of one."""
    return [value] if isinstance(value, str) else value


Number = BeforeValidator(_no_truth)
_LARGEST = 1e38  # of float32

Positive = Annotated[int, Number, Field(ge=1, le=LARGEST_STEP)]
NonNegative = Annotated[int, Number, Field(ge=0, le=LARGEST_STEP)]
Width = Annotated[int, Number, Field(ge=1, le=65_536)]
Few = Annotated[int, Number, Field(ge=1, le=1_000)]
Batch = Annotated[int, Number, Field(ge=2, le=1_000_000)]
Side = Annotated[int, Number, Field(ge=1, le=LARGEST_SIDE)]
Size = Annotated[Side | tuple[Side, Side] | None, BeforeValidator(_sides)]
OneOrMore = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
Seed = Annotated[int, Number, Field(ge=0, le=LARGEST_SEED)]
Weight = Annotated[float, Number, Field(ge=0, le=_LARGEST)]
Rate = Annotated[float, Number, Field(gt=0, le=_LARGEST)]
Share = Annotated[float, Number, Field(ge=0, le=1)]
FreeShare = Annotated[float, Number, Field(gt=0, le=1)]
LessThanOne = Annotated[float, Number, Field(ge=0, lt=1)]
ObjectiveName = Annotated[str, AfterValidator(OBJECTIVES.check)]
PenaltyName = Annotated[str, AfterValidator(PENALTIES.check)]
HeadName = Annotated[str, AfterValidator(HEADS.check)]
HeadClassesName = Annotated[str, AfterValidator(HEAD_CLASSES.check)]
HeadLossName = Annotated[str, AfterValidator(HEAD_LOSSES.check)]
OutputName = Annotated[str, AfterValidator(OUTPUTS.check)]
BackboneName = Annotated[str, AfterValidator(BACKBONES.check)]
NormalizationName = Annotated[str, AfterValidator(NORMALIZATIONS.check)]
AugmentationName = Annotated[str, AfterValidator(AUGMENTATIONS.check)]
InitializationName = Annotated[str, AfterValidator(INITIALIZATIONS.check)]
HierarchyName = Annotated[str, AfterValidator(HIERARCHIES.check)]
TransformName = Annotated[str, AfterValidator(TRANSFORMS.check)]
NormName = Annotated[str, AfterValidator(NORMS.check)]
AggregatorName = Annotated[str, AfterValidator(AGGREGATORS.check)]
ProtocolName = Annotated[str, AfterValidator(PROTOCOLS.check)]
FeaturesName = Annotated[str, AfterValidator(FEATURE_SPACES.check)]
MetricName = Annotated[str, AfterValidator(METRICS.check)]
PrecisionName = Literal["32", "bf16"]
Precision = Annotated[PrecisionName, BeforeValidator(str)]  # YAML reads 32 as a number


class Part(BaseModel):
    """Keys of a file that users write: unknown ones are refused, and values are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
