"""What a feature space is, how one is found by name, and how features are taken once per set.

Legend: n images, C channels, H x W pixels, D features, K classes of one label level.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import (
    array_digest,
    cache_dir,
    digest,
    load_tensors,
    prune,
    save_tensors,
)
from mtgan.parts import FEATURE_SPACES
from mtgan.plugins import remedy

CPU = torch.device("cpu")


class FeatureExtractor(ABC):
    """Maps uint8 images to the features that every measure works on.

    Attributes:
        name: The feature space, printed beside every number (`classifier`, `inception`, ...).
        weights: Hash of all that decides the features besides `name` and `preprocess`; without
            one ("") no features are cached, since nothing would tell when they are out of date.
        preprocess: Resize, channel handling and scaling in words.
        dim: D.
        batch: Images per call that suit the extractor.
        cacheable: Whether features are worth a file (False where they cost nothing).
        sees_content: Whether the features are of what is shown, and not of single pixels.
        least_skill: From which skill on (see `Fitness.skill`) the space may judge. A network that
            was not trained on the data needs a third of what guessing leaves over.
        rival: What is known of another space that `auto` did not take, in a sentence; "" without.
        logit_levels: Keys of the logits that `embed` returns: label levels of the dataset, or
            `imagenet` for networks that know other classes.
        device: Where it runs, and where distances between its features are computed.
    """

    name: str
    weights: str = ""
    preprocess: str = ""
    dim: int = 0
    batch: int = 256
    cacheable: bool = True
    sees_content: bool = True
    least_skill: float = 1 / 3
    rival: str = ""
    logit_levels: tuple[str, ...] = ()
    device: torch.device = CPU

    @abstractmethod
    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """uint8 [n, C, H, W] -> features [n, D] and logits {level: [n, K]}, float32."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides the features of an image."""
        return digest(self.name, self.weights, self.preprocess)

    @property
    def label(self) -> str:
        """The feature space as it is printed: its name and the first digits of its hash."""
        return f"{self.name}@{self.fingerprint[:8]}"


@dataclass(frozen=True)
class FeatureBank:
    """Features of one set, taken once: features float32 [N, D], logits {level: [N, K]}.

    Kept as arrays in memory; `device` is where distances between them are computed.
    """

    features: np.ndarray
    logits: dict[str, np.ndarray] = field(default_factory=dict)
    device: torch.device = CPU

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: np.ndarray) -> "FeatureBank":
        """The bank of the given rows."""
        logits = {level: values[rows] for level, values in self.logits.items()}
        return FeatureBank(self.features[rows], logits, self.device)

    def joined(self, other: "FeatureBank") -> "FeatureBank":
        """Both banks, this one first."""
        logits = {
            level: np.concatenate([values, other.logits[level]])
            for level, values in self.logits.items()
        }
        return FeatureBank(np.concatenate([self.features, other.features]), logits, self.device)


@dataclass(frozen=True)
class FeatureRequest:
    """What a feature space is built from.

    Attributes:
        name: The name asked for (a registered one, or the user's `module:function`).
        reference: The real data; the classifier trains on its training split.
        weights: Path to a weight file, for spaces that take one.
        device: Where the extractor runs.
        progress: Called with a sentence before anything that takes longer than a moment.
    """

    name: str
    reference: Dataset
    weights: Path | None = None
    device: torch.device = CPU
    progress: Callable[[str], None] = lambda message: None

    def refuse_weights(self) -> None:
        """UserError where a file of weights is given, by a space that has none."""
        if self.weights is not None:
            raise UserError(
                f"the features {self.name} have no weights to read from {self.weights}: leave "
                "--weights out"
            )


Builder = Callable[[FeatureRequest], FeatureExtractor]
USER_FUNCTION = "module:function"


def register_features(name: str) -> Callable[[Builder], Builder]:
    """Register a function `build(request: FeatureRequest) -> FeatureExtractor` under a name."""
    return FEATURE_SPACES.register(name)


def feature_spaces() -> dict[str, Builder]:
    """Every registered feature space; modules of this package register by their presence."""
    return dict(FEATURE_SPACES.items())


def build_extractor(request: FeatureRequest) -> FeatureExtractor:
    """The extractor that a request names; torch's global random state is left as it was.

    Raises:
        UserError: Unknown name, or missing weights or packages.
    """
    spaces = feature_spaces()
    key = USER_FUNCTION if ":" in request.name else request.name
    if key not in spaces:
        raise UserError(
            f"there is no feature space {request.name!r}: choose one of "
            f"{', '.join(sorted(spaces))} ({USER_FUNCTION} means your own Python function). "
            f"{remedy()}"
        )
    with torch.random.fork_rng(devices=[]):
        return spaces[key](request)


def extract(extractor: FeatureExtractor, samples: np.ndarray, *, cache: bool = True) -> FeatureBank:
    """Features and logits of a set, in batches, from the cache where they are known already.

    Args:
        extractor: The feature space.
        samples: uint8 [N, C, H, W].
        cache: Whether to look for, and leave, a file in the cache folder.

    Raises:
        UserError: Features that are not finite.
    """
    cache = cache and extractor.cacheable and bool(extractor.weights)
    path = cache_dir("features")
    if cache:
        # The names of the levels are in the file, and the same weights may serve others.
        key = digest(extractor.fingerprint, extractor.logit_levels, array_digest(samples))
        path = path / f"{key}.safetensors"
        known = load_tensors(path)
        if known is not None and _fits(known[0], extractor, len(samples)):
            return _from_tensors(known[0], extractor)
    features: list[Tensor] = []
    logits: dict[str, list[Tensor]] = {level: [] for level in extractor.logit_levels}
    with torch.inference_mode():
        for start in range(0, len(samples), extractor.batch):
            images = torch.from_numpy(np.array(samples[start : start + extractor.batch]))
            batch_features, batch_logits = extractor.embed(images)
            features.append(batch_features.float().cpu())
            for level, values in batch_logits.items():
                logits[level].append(values.float().cpu())
    tensors = {"features": torch.cat(features)}
    tensors |= {f"logits/{level}": torch.cat(values) for level, values in logits.items()}
    bad_rows = int((~torch.isfinite(tensors["features"]).all(dim=1)).sum())
    if bad_rows:
        raise UserError(
            f"{bad_rows} of {len(samples)} samples have features that are not finite in the space "
            f"{extractor.name!r}: look at those images, or choose another --features"
        )
    if cache and save_tensors(path, tensors, {"extractor": extractor.label}):
        prune(path.parent)
    return _from_tensors(tensors, extractor)


def _fits(tensors: dict[str, Tensor], extractor: FeatureExtractor, count: int) -> bool:
    """Whether a file holds the features, and logits of every level, of so many samples."""
    wanted = {"features", *(f"logits/{level}" for level in extractor.logit_levels)}
    return tensors.keys() == wanted and all(
        tensor.dtype == torch.float32 and tensor.ndim == 2 and len(tensor) == count
        for tensor in tensors.values()
    )


def _from_tensors(tensors: dict[str, Tensor], extractor: FeatureExtractor) -> FeatureBank:
    logits = {level: tensors[f"logits/{level}"].numpy() for level in extractor.logit_levels}
    return FeatureBank(tensors["features"].numpy(), logits, extractor.device)
