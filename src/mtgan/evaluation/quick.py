"""A small measurement to repeat during training: built once, then cheap."""

import warnings
from pathlib import Path

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.features import (
    FeatureRequest,
    build_extractor,
    extract,
    fit_probes,
)
from mtgan.evaluation.inputs import check_alike, check_labels
from mtgan.evaluation.metrics.frechet_distance import frechet_from_statistics
from mtgan.evaluation.metrics.inception_score import inception_score
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning
from mtgan.evaluation.pairwise.gaussian import GaussianStatistics
from mtgan.evaluation.protocol import Protocol


class QuickEvaluator:
    """Frechet distance, inception-style score and label accuracy of samples, in a second.

    The reference's features and statistics are computed once. Torch's and numpy's global random
    states are left as they were.

    Args:
        reference: Real data; `n` of its samples, drawn by `seed`, are compared with.
        n: Sample size of both sides (fewer when the reference is smaller).
        features: Feature space by name, or "auto".
        device: Where features are computed.
        seed: Seed of the draw.
        weights: Path to a weight file, for feature spaces that take one.

    Attributes:
        n: Samples that each call needs.
        protocol: How the numbers are made, as a dictionary.

    Raises:
        UserError: A feature space that cannot be had for these data.
    """

    def __init__(
        self,
        reference: Dataset,
        n: int = 1_000,
        features: str = "auto",
        *,
        device: str | torch.device = "cpu",
        seed: int = 0,
        weights: str | Path | None = None,
    ) -> None:
        self.reference = reference
        self.n = min(n, len(reference.samples))
        chosen = Path(weights) if weights else None
        self.extractor = build_extractor(
            FeatureRequest(features, reference, chosen, to_device(device))
        )
        rows = np.sort(np.random.default_rng(seed).permutation(len(reference.samples))[: self.n])
        self._images = np.asarray(reference.samples[rows])
        self._statistics = GaussianStatistics.from_features(
            extract(self.extractor, self._images).features
        )
        seeing = self.extractor.sees_content
        self._probes = fit_probes(self.extractor, reference) if seeing else {}
        self.protocol = Protocol.of(
            "training",
            reference,
            self.extractor,
            generated=self.n,
            compared=self.n,
            seed=seed,
        ).as_dict()

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None = None) -> dict[str, float]:
        """Measure the first `n` samples.

        Args:
            samples: uint8 [N, C, H, W], N >= `self.n`.
            labels: int64 [N, L] that the samples were asked to have (-1: none), or None.

        Returns:
            `frechet_distance`; `inception_score` where the features have logits (of the finest
            level); `accuracy/LEVEL` for each level of the reference when labels are given, by the
            features' logits or by a linear probe.

        Raises:
            UserError: Too few samples, another shape, labels that do not fit.
        """
        check_alike(samples, self._images)
        if labels is not None:
            check_labels(labels, len(samples), self.reference)
        if len(samples) < self.n:
            raise UserError(
                f"{len(samples)} samples are fewer than the {self.n} of this measurement: "
                "generate more, or build the evaluator with a smaller n"
            )
        bank = extract(self.extractor, samples[: self.n], cache=False)
        statistics = GaussianStatistics.from_features(bank.features)
        result = {"frechet_distance": frechet_from_statistics(statistics, self._statistics)}
        if bank.logits:
            first = next(iter(bank.logits.values()))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SmallSampleWarning)
                score = inception_score(first, splits=1, inputs="logits")
            result["inception_score"] = score.value
        if labels is not None:
            for column, level in enumerate(self.reference.taxonomy.levels):
                asked = labels[: self.n, column]
                if (asked < 0).all():
                    continue
                if level in bank.logits:
                    guess = bank.logits[level].argmax(axis=1)
                elif level in self._probes:
                    guess = self._probes[level].predict(bank.features)
                else:
                    continue
                result[f"accuracy/{level}"] = float((guess == asked)[asked >= 0].mean())
        return result
