"""The contracts for parts of other people: ours keep them, and parts that are wrong are found."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from mtgan.data import Dataset, Taxonomy, register_dataset
from mtgan.data.registry import SOURCES
from mtgan.errors import UserError
from mtgan.evaluation.metrics import METRICS, Outcome, Output, register_metric
from mtgan.objectives import AdversarialObjective, Penalty
from mtgan.parts import OBJECTIVES, PENALTIES
from mtgan.testing import (
    check_backbone,
    check_metric,
    check_objective,
    check_penalty,
    check_source,
)


def mean(scores: torch.Tensor) -> torch.Tensor:
    return scores.mean()


@pytest.mark.parametrize("name", [n for n, part in OBJECTIVES.items() if part.scores])
def test_our_objectives(name: str) -> None:
    check_objective(name)


@pytest.mark.parametrize("name", PENALTIES.names())
def test_our_penalties(name: str) -> None:
    check_penalty(name)


def test_our_sources() -> None:
    check_source("digits")


def test_the_loss_of_the_docs() -> None:
    """Whose discriminator no longer wants real scores up where they are above one."""
    check_objective(
        AdversarialObjective(
            lambda real, fake: (real - 1).square().mean() + fake.square().mean(),
            lambda fake, real: (fake - 1).square().mean(),
        )
    )


def test_names_that_nothing_has() -> None:
    with pytest.raises(UserError, match="no adversarial objective 'hindge': did you mean 'hinge'"):
        check_objective("hindge")


@pytest.mark.parametrize(
    ("discriminator", "generator", "sentence"),
    [
        (lambda r, f: f - r, lambda f, r: -f.mean(), "discriminator's loss should be a scalar"),
        (lambda r, f: (f - r).mean() / 0, lambda f, r: -f.mean(), "loss is not finite"),
        (lambda r, f: (r - f).mean(), lambda f, r: -f.mean(), "does not fall as real scores rise"),
        (lambda r, f: -(r + f).mean(), lambda f, r: -f.mean(), "as generated scores fall"),
        (lambda r, f: (f - r).mean(), lambda f, r: f.mean(), "generator's loss does not fall"),
        (
            lambda r, f: (f - r).mean().detach() + (f - r).mean() * 0,
            lambda f, r: -f.mean(),
            "finite",
        ),
        (
            lambda r, f: (1 + f.exp()).log().mean() - r.mean(),
            lambda f, r: -f.mean(),
            "discriminator's loss is not finite at scores of",
        ),
    ],
)
def test_wrong_objectives(discriminator, generator, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_objective(AdversarialObjective(discriminator, generator))


@pytest.mark.parametrize(
    ("penalty", "sentence"),
    [
        (Penalty(differentiates_score=True), "has no terms"),
        (Penalty(lambda score, real, fake, epsilon: {}), "terms are empty"),
        (Penalty(lambda score, real, fake, epsilon: {"a": score(real)}), "'a' should be a scalar"),
        (
            Penalty(lambda score, real, fake, epsilon: {"a": -score(real).square().mean()}),
            "negative",
        ),
        (Penalty(lambda score, real, fake, epsilon: {"a": real.square().mean()}), "depend on the"),
    ],
)
def test_wrong_penalties(penalty: Penalty, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_penalty(penalty)


class Layer(nn.Module):
    def __init__(self, inputs: int, outputs: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.linear, self.shape = nn.Linear(inputs, outputs), shape

    def forward(self, x, y=None):
        return self.linear(x.flatten(1)).tanh().view(-1, *self.shape)


class Flat:
    """A backbone that is right, of one layer each; those below are wrong in one way each."""

    def check_shape(self, shape) -> None:
        if min(shape[1:]) < 2:
            raise UserError("too small")

    def generator_layers(self, settings):
        return [Layer(settings.inputs, int(np.prod(settings.shape)), settings.shape)]

    def discriminator_layers(self, settings):
        return [Layer(int(np.prod(settings.shape)), settings.width, (settings.width,))]

    def feature_count(self, settings):
        return settings.width


def wrong(**methods) -> type[Flat]:
    return type("Wrong", (Flat,), methods)


class Idle(Layer):
    def forward(self, x, y=None):
        return x.flatten(1)[:, : self.shape[0]]


class Mixing(Layer):
    def forward(self, x, y=None):
        return super().forward(x) - super().forward(x).mean(0)


class Loud(Layer):
    def forward(self, x, y=None):
        return 9 * super().forward(x)


KEPT = Layer(3 * 4 * 4, 8, (8,))
WRONG = [
    (wrong(discriminator_layers=lambda self, s: [KEPT]), "Two calls of discriminator_layers share"),
    (wrong(discriminator_layers=lambda self, s: [Idle(48, 8, (8,))]), "get no gradient"),
    (
        wrong(discriminator_layers=lambda self, s: [Mixing(48, 8, (8,))]),
        "depends on the other samp",
    ),
    (wrong(discriminator_layers=lambda self, s: []), "discriminator has no layers"),
    (wrong(feature_count=lambda self, s: 9), "has 8 features, and feature_count says 9"),
    (wrong(generator_layers=lambda self, s: [Layer(20, 16, (1, 4, 4))]), r"\[1, 4, 4\] and should"),
    (wrong(generator_layers=lambda self, s: [Loud(20, 48, (3, 4, 4))]), r"outside \[-1, 1\]"),
    (wrong(generator_layers=lambda self, s: [Layer(20, 48, (3, 2, 4))]), "makes 8 outputs of 4"),
]


@pytest.mark.parametrize(("backbone", "sentence"), WRONG)
def test_wrong_backbones(backbone, sentence: str) -> None:
    check_backbone(Flat, (3, 4, 4))
    with pytest.raises(UserError, match="too small"):
        check_backbone(Flat, (3, 1, 4))
    with pytest.raises(AssertionError, match=sentence):
        check_backbone(backbone, (3, 4, 4))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"outputs": ()}, "has no outputs"),
        ({"about": "No full stop"}, "full stop"),
        ({"outputs": (Output("a", "best"),)}, "better='best', which is none of lower, higher"),
        ({"outputs": (Output("a", "lower", "speed"),)}, "axis='speed'"),
        ({"outputs": (Output("a", "lower", scale="round"),)}, "scale='round'"),
        ({"outputs": (Output("a", "higher", scale="distance"),)}, "better lower, and not 'higher'"),
        ({"outputs": (Output("a", "lower", range=(1, 0)),)}, "an empty range"),
    ],
)
def test_metrics_that_say_what_is_wrong(changes, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_metric(dataclasses.replace(METRICS.get("vendi_score"), name="a", **changes))


CALLS: list[None] = []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (lambda: {"test_metric": 0.5}, ""),
        (lambda: {"test_metric": 1.5}, "test_metric is 1.5, outside its range, 0 to 1"),
        (lambda: {"other": 0.5}, "test_metric gave other, which it did not announce"),
        (lambda: CALLS.append(None) or {"test_metric": len(CALLS) / 9}, "the second time"),
    ],
)
def test_metrics_whose_numbers_are_wrong(values, sentence: str, digits) -> None:
    @register_metric("test_metric", Output("test_metric", "lower", range=(0, 1)))
    def compute(comparison):
        """A number."""
        return Outcome(values())

    try:
        if sentence:
            with pytest.raises(AssertionError, match=sentence):
                check_metric("test_metric", digits)
        else:
            check_metric("test_metric", digits)
    finally:
        del METRICS._entries["test_metric"]


def noise(split: str, seed: int = 0, count: int = 20) -> Dataset:
    images = np.random.default_rng(seed).integers(0, 256, (count, 1, 8, 8), dtype=np.uint8)
    taxonomy = Taxonomy(("fine",), {"fine": ("left", "right")}, {})
    return Dataset(images, np.arange(count)[:, None] % 2, taxonomy, "test-source", split)


SIZES = {"train": 20, "test": 10, "all": 30}


@pytest.mark.parametrize(
    ("load", "sentence"),
    [
        (lambda split: noise(split, len(split), SIZES[split]), ""),
        (lambda split: noise(split, 0, SIZES[split]), "10 of 10 test samples .* training samples"),
        (lambda split: noise(split, len(split), 20), "20 training and 20 test .* and 20 in all"),
        (
            lambda split: noise("all", len(split), SIZES[split]),
            "gives 'all' where 'train' is asked for",
        ),
        (
            lambda split: noise(split, CALLS.append(None) or len(CALLS), SIZES[split]),
            "twice gives different samples",
        ),
    ],
)
def test_wrong_sources(load, sentence: str) -> None:
    register_dataset("test-source", "Noise.")(lambda request: load(request.split))
    try:
        if sentence:
            with pytest.raises(AssertionError, match=sentence):
                check_source("test-source")
        else:
            check_source("test-source")
    finally:
        del SOURCES._entries["test-source"]
