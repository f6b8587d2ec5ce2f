"""Contracts for parts of your own: each check raises an AssertionError that says what is wrong.

A test of a plugin calls the check of its kind, with the part or with the name that it is registered
by:

    from mtgan.testing import check_objective

    def test_my_loss():
        check_objective("my-loss")

The package's own parts are held to the same checks. Names that nothing has, and shapes that a
backbone refuses, raise UserError.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.data import Dataset, load_dataset
from mtgan.data.numbers import STEPS
from mtgan.evaluation import evaluate
from mtgan.evaluation.metrics.base import METRICS, Metric
from mtgan.evaluation.scorecard.scoring import AXES, SCALES
from mtgan.nets import HeadOutput
from mtgan.nets.backbone import Backbone, DiscriminatorSettings, GeneratorSettings, Shape
from mtgan.nets.heads import scaled
from mtgan.objectives import AdversarialObjective, Penalty
from mtgan.objectives.heads import HeadLoss
from mtgan.objectives.transforms import Transform
from mtgan.parts import BACKBONES, HEAD_CLASSES, HEAD_LOSSES, OBJECTIVES, PENALTIES, TRANSFORMS

_DIRECTIONS = ("lower", "higher", "like real")
_LATENT = 20


def check_objective(objective: AdversarialObjective | str) -> None:
    """Both losses are finite scalars with right gradients, and pull the scores the right way.

    The discriminator's loss falls as real scores rise and generated ones fall, the generator's as
    generated scores rise, where the discriminator takes the one for the other. Scores of +-1e6
    keep the losses finite. Weights of samples, where the loss takes them, multiply their terms.
    """
    part = OBJECTIVES.get(objective) if isinstance(objective, str) else objective
    real = torch.tensor([-0.6, -0.3, -0.1], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([0.1, 0.4, 0.7], dtype=torch.float64, requires_grad=True)

    def generator(scores: Tensor) -> Tensor:
        return part.generator(scores, real.detach() if part.generator_needs_real else None)

    losses: dict[str, Callable[..., Tensor]] = {
        "discriminator's": part.discriminator,
        "generator's": generator,
    }
    inputs = {"discriminator's": (real, fake), "generator's": (fake,)}
    for name, loss in losses.items():
        _check_scalar(f"The {name} loss", loss(*inputs[name]))
        right = torch.autograd.gradcheck(loss, inputs[name], raise_exception=False)
        assert right, f"The gradient of the {name} loss differs from finite differences."
    for_real, for_fake = torch.autograd.grad(part.discriminator(real, fake), (real, fake))
    assert (for_real < 0).all(), "The discriminator's loss does not fall as real scores rise."
    assert (for_fake > 0).all(), "The discriminator's loss does not fall as generated scores fall."
    (for_generator,) = torch.autograd.grad(generator(fake), fake)
    assert (for_generator < 0).all(), "The generator's loss does not fall as its scores rise."
    huge = torch.tensor([1e6, -1e6, 1e6], dtype=torch.float64)
    for name, loss in losses.items():
        value = loss(*(huge, -huge)[: len(inputs[name])])
        assert value.isfinite(), f"The {name} loss is not finite at scores of +-1e6."
    if part.weighable:
        _check_weights(part.discriminator, real, fake)


def _check_weights(loss: Callable[..., Tensor], real: Tensor, fake: Tensor) -> None:
    """A loss of scores [N] is linear in weights [2, N], and without them where they are 1."""
    ones = torch.ones(2, len(real), dtype=real.dtype)
    assert torch.allclose(loss(real, fake, ones), loss(real, fake)), (
        "The discriminator's loss differs where all weights are 1."
    )
    terms = sum(loss(real, fake, one.view_as(ones)) for one in torch.eye(ones.numel()).to(ones))
    assert torch.allclose(torch.as_tensor(terms), loss(real, fake)), (
        "The discriminator's loss is no sum of its samples' terms by their weights."
    )
    (gradient,) = torch.autograd.grad(loss(real, fake, ones * torch.eye(2)[0, :, None]), fake)
    assert not gradient.any(), "The discriminator's loss learns of samples whose weight is 0."


def check_head_loss(loss: HeadLoss | str) -> None:
    """The loss of a head is a finite scalar with a right gradient, falls as the right class's
    logit rises (or towards the right number), and is 0 without a label, for one batch and for two
    at once."""
    part = HEAD_LOSSES.get(loss)() if isinstance(loss, str) else loss
    of_numbers = getattr(part, "of_numbers", False)
    classes, sizes = HEAD_CLASSES.get("plain"), (0 if of_numbers else 3,)
    labels, none = torch.tensor([0, 2, 1, -1]), torch.full((4,), -1)
    labels = torch.where(labels < 0, labels, labels * (STEPS // 2)) if of_numbers else labels
    embedding = torch.eye(4, dtype=torch.float64) if part.compares_samples else None
    random, count = torch.Generator().manual_seed(0), part.outputs(classes, sizes)
    logits = 0.5 - torch.rand(4, count, dtype=torch.float64, generator=random)
    logits.requires_grad_(True)

    def value(logits: Tensor, y: Tensor = labels) -> Tensor:
        target = part.target(classes, sizes, [y], generated=False)
        return part(HeadOutput(logits, embedding), target)

    _check_scalar("The head's loss", value(logits))
    right = torch.autograd.gradcheck(value, (logits,), raise_exception=False)
    assert right, "The gradient of the head's loss differs from finite differences."
    (gradient,) = torch.autograd.grad(value(logits), logits)
    if of_numbers:
        falls = (gradient[:3, 0] * (scaled(labels[:3]) - logits[:3, 0]) < 0).all()
        assert falls, "The head's loss does not fall towards the right number."
    else:
        falls = (gradient[range(3), labels[:3]] < 0).all()
        assert falls, "The head's loss does not fall as the right class's logit rises."
    assert value(logits, none) == 0, "The head's loss is not 0 without a label."
    assert not gradient[3].any(), "The head's loss learns of a sample without a label."
    assert value(1e6 * logits).isfinite(), "The head's loss is not finite at logits of 1e6."
    two = HeadOutput(logits, embedding).stacked(HeadOutput(logits, embedding))
    target = part.target(classes, sizes, [labels], generated=False)
    both = part(two, torch.stack([target, target]))
    same = both.shape == (2,) and torch.allclose(both, value(logits))
    assert same, "The head's losses of two batches at once are not those of each."
    if of_numbers:
        return
    data = part.of_data(classes, sizes, logits)
    assert data.shape == (4, 3), f"Logits of the data's 3 classes have shape {tuple(data.shape)}."


def check_penalty(penalty: Penalty | str) -> None:
    """Each term is a finite scalar, not negative, whose gradient reaches the discriminator."""
    part = PENALTIES.get(penalty) if isinstance(penalty, str) else penalty
    assert part.terms or not part.differentiates_score, (
        "The penalty has no terms, so it cannot differentiate the score."
    )
    if part.terms is None:
        return
    random = torch.Generator().manual_seed(0)
    real, fake, direction = (torch.randn(5, 2, 3, 3, generator=random) for _ in range(3))
    weight = direction[0].clone().requires_grad_(True)
    epsilon = torch.rand(5, generator=random)
    terms = part.terms(lambda x: (x * weight).flatten(1).sum(1), real, fake, epsilon)
    assert terms, "The penalty's terms are empty."
    for name, value in terms.items():
        _check_scalar(f"The term {name!r}", value)
        assert value >= 0, f"The term {name!r} is negative: {value.item():g}."
        assert value.requires_grad, f"The term {name!r} does not depend on the discriminator."
        (gradient,) = torch.autograd.grad(value, weight, retain_graph=True)
        assert gradient.isfinite().all(), f"The gradient of the term {name!r} is not finite."


def check_transform(transform: Transform | str, shape: Shape = (3, 8, 8)) -> None:
    """As many samples of the same shape, in the order of what was done to each; all classes occur
    in a batch that is large enough; every sample's gradient is its own; nothing is drawn."""
    part = TRANSFORMS.get(transform) if isinstance(transform, str) else transform
    random = torch.Generator().manual_seed(0)
    count = 8 * part.classes
    samples = torch.randn(count, *shape, generator=random).requires_grad_(True)
    made, classes = part.apply(samples)
    assert made.shape == samples.shape, (
        f"The transform makes {list(made.shape)} of {list(samples.shape)}."
    )
    assert classes.dtype == torch.int64, f"The classes are {classes.dtype}, and no int64."
    assert classes.shape == (count,), f"The classes are {list(classes.shape)}, and no [{count}]."
    found = classes.unique().tolist()
    assert found == [*range(part.classes)], f"Of {part.classes} classes, there occur {found}."
    again, same = part.apply(samples)
    constant = torch.equal(made, again) and torch.equal(classes, same)
    assert constant, (
        "The transform differs from call to call, and a resumed training would differ with it."
    )
    (gradient,) = torch.autograd.grad(made[0].square().sum(), samples)
    assert gradient[0].any(), "The transform is not differentiable, or changes the order."
    assert not gradient[1:].any(), "A transformed sample depends on another one, or on its place."


def check_backbone(
    backbone: Callable[[], Backbone] | str, shape: Shape = (3, 32, 32), width: int = 8
) -> None:
    """Its layers make samples of the shape [C, H, W], and features of them, and all of them learn.

    For backbones of pictures, whose generator ends in tanh. Samples are [N, C, H, W] in [-1, 1];
    there are as many features as it says; without normalization none depends on another sample
    (gradient penalties need it); every call makes new layers (heads that leave early need it).
    UserError where the backbone refuses the shape.
    """
    part = (BACKBONES.get(backbone) if isinstance(backbone, str) else backbone)()
    part.check_shape(shape)
    generator = GeneratorSettings(shape, _LATENT, width, 5, "batch")
    samples = _check_layers("generator", part.generator_layers, generator, _LATENT, None)
    assert tuple(samples.shape[1:]) == shape, (
        f"The generator's samples are {list(samples.shape[1:])} and should be {list(shape)}."
    )
    assert samples.abs().max() <= 1, "The generator's samples lie outside [-1, 1]."
    discriminator = DiscriminatorSettings(shape, width, 5)
    features = _check_layers("discriminator", part.discriminator_layers, discriminator, shape)
    count, said = features.flatten(1).shape[1], part.feature_count(discriminator)
    assert count == said, f"The discriminator has {count} features, and feature_count says {said}."


def _check_layers(
    name: str, make: Callable[[Any], list[nn.Module]], settings: Any, inputs: Any, *y: None
) -> Tensor:
    """What the layers make of four random inputs."""
    first, again = make(settings), make(settings)
    assert first, f"The {name} has no layers."
    assert not {*_parameters(first)} & {*_parameters(again)}, (
        f"Two calls of {name}_layers share parameters; make new layers at each call."
    )
    sizes = (inputs,) if isinstance(inputs, int) else inputs
    x = torch.randn(4, *sizes, generator=torch.Generator().manual_seed(0))
    made = _through(first, x, *y)
    assert len(made) == 4, f"The {name} makes {len(made)} outputs of 4 inputs."
    assert made.isfinite().all(), f"The {name}'s outputs are not finite."
    random = torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
    if made.requires_grad:
        (made * random).sum().backward()
    idle = [p for p in _parameters(first) if p.grad is None]
    assert not idle, f"{len(idle)} parameters of the {name} get no gradient, and never learn."
    if getattr(settings, "normalization", "none") == "none":
        alone = _through(first, torch.cat([x[:1], -x[1:]]), *y)[0]
        assert torch.allclose(made[0], alone, atol=1e-4), (
            f"An output of the {name} depends on the other samples of its batch."
        )
    return made.detach()


def _through(layers: Iterable[nn.Module], x: Tensor, *y: None) -> Tensor:
    for layer in layers:
        x = layer(x, *y)
    return x


def _parameters(layers: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [parameter for layer in layers for parameter in layer.parameters()]


def check_metric(metric: Metric | str, data: Dataset | str = "digits") -> None:
    """It says what its numbers mean, and they are what it says.

    Every output has a direction, an axis and scale that there are, and a range; measured on samples
    of the data, its numbers bear the names of its outputs, lie in their ranges, and are the same
    when measured again. A metric that was not registered, and one that lacks what it needs
    there, is held to the first half alone.
    """
    part = METRICS.get(metric) if isinstance(metric, str) else metric
    assert part.about.endswith("."), (
        f"The metric {part.name!r} needs a docstring whose first line ends with a full stop."
    )
    assert part.outputs, f"The metric {part.name!r} has no outputs."
    for output in part.outputs:
        where = f"The output {output.name!r} has"
        assert output.better in _DIRECTIONS, (
            f"{where} better={output.better!r}, which is none of {', '.join(_DIRECTIONS)}."
        )
        assert output.axis in {"", *AXES}, f"{where} axis={output.axis!r}, which there is not."
        assert output.scale in SCALES, f"{where} scale={output.scale!r}, which there is not."
        assert output.scale != "distance" or output.better == "lower", (
            f"{where} the scale of distances, which are better lower, and not {output.better!r}."
        )
        assert output.range[0] < output.range[1], f"{where} an empty range, {output.range}."
    if part.name in METRICS:
        _check_values(part, load_dataset(data, "test") if isinstance(data, str) else data)


def _check_values(metric: Metric, data: Dataset) -> None:
    first, again = (
        evaluate(data, data, features="pixels", metrics=metric.name, protocol="training", n=100)
        for _ in range(2)
    )
    for key, value in first.items():
        output = metric.output(key)
        assert output is not None  # evaluate has seen to that
        low, high = output.range
        assert low <= value <= high, f"{key} is {value:g}, outside its range, {low:g} to {high:g}."
        assert math.isclose(value, again[key], rel_tol=1e-6), (
            f"{key} is {value:g} once and {again[key]:g} the second time; take randomness from the "
            "comparison's seed."
        )


def check_source(name: str, **options: Any) -> None:
    """The data set of that name (or path) has the splits train, test and all, which fit together.

    options: others of load_dataset. Every load gives the same samples; the splits are of one
    taxonomy and shape; `all` has as many samples as both, and few of the test samples are among the
    training samples.
    """
    train, test, whole = (
        load_dataset(name, split, **options) for split in ("train", "test", "all")
    )
    for split, data in (("train", train), ("test", test), ("all", whole)):
        assert len(data), f"The split {split!r} of {name} is empty."
        assert data.split == split, f"{name} gives {data.split!r} where {split!r} is asked for."
        assert data.taxonomy == train.taxonomy, f"The taxonomy of {name} differs in {split!r}."
        assert data.shape == train.shape, (
            f"The shape of the samples of {name} differs in {split!r}."
        )
    again = load_dataset(name, "train", **options)
    assert again.fingerprint == train.fingerprint, f"Loading {name} twice gives different samples."
    assert len(whole) == len(train) + len(test), (
        f"{name} has {len(train)} training and {len(test)} test samples, and {len(whole)} in all."
    )
    known = {np.asarray(sample).tobytes() for sample in train.samples}
    both = sum(np.asarray(sample).tobytes() in known for sample in test.samples)
    assert both <= len(test) / 2, (
        f"{both} of {len(test)} test samples of {name} are among its training samples."
    )


def _check_scalar(what: str, value: Tensor) -> None:
    assert value.shape == (), f"{what} should be a scalar; it is {list(value.shape)}."
    assert value.isfinite(), f"{what} is not finite."
