"""Losses of heads: by hand, against sums written out here sample by sample, and in the limits."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from mtgan.nets import HeadOutput, SumSpec
from mtgan.nets.task_head import ClassHead, HeadSpec, SumHead
from mtgan.objectives.heads import HeadObjective
from mtgan.parts import HEAD_CLASSES, HEAD_LOSSES
from mtgan.testing import check_head_loss

K, N = 4, 6
REAL = torch.tensor([0, 3, -1, 1, 1, 2])
FAKE = torch.tensor([2, 0, 3, -1, 0, 0])
COARSE = torch.tensor([0, 1, 1, -1, 0, 1])
GOING = [
    (classes, loss)
    for classes, loss in product(HEAD_CLASSES.names(), HEAD_LOSSES.names())
    if not (HEAD_CLASSES.get(classes).needs_generated and HEAD_LOSSES.get(loss).compares_samples)
    and not HEAD_LOSSES.capability(loss, "of_numbers")
]


def make(classes: str, loss: str, sizes=(K,)) -> HeadObjective:
    return HeadObjective(HEAD_CLASSES.get(classes), HEAD_LOSSES.get(loss)(), list(sizes))


def output(objective: HeadObjective, seed: int, twin: bool = False) -> HeadOutput:
    """Random logits; where samples are compared, of a head of random features."""
    count = objective.loss.outputs(objective.classes, objective.sizes)
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(N, count, generator=random, dtype=torch.float64)
    embedding = None
    if objective.loss.compares_samples:
        embedding = torch.nn.functional.normalize(
            torch.randn(N, 3, generator=random, dtype=torch.float64) * torch.tensor([1, 0.1, 0.1])
        )
        logits = logits.tanh()
    beside = output(objective, seed + 50) if twin else None
    return HeadOutput(logits, embedding, beside)


# Sums of Python floats, written anew: loss of sample i by logits [N][C], the right class of every
# sample (None: not known), and embeddings.


def cross_entropy(s, right, i, f):
    return math.log(sum(math.exp(x) for x in s[i])) - s[i][right[i]]


def hinge(s, right, i, f):
    return max(0.0, 1 - s[i][right[i]] + max(x for c, x in enumerate(s[i]) if c != right[i]))


def data_to_data(s, right, i, f):
    near = math.exp(min(s[i][right[i]] - 0.98, 0) / 0.5)
    apart = 0.0
    for j in range(len(s)):
        if right[j] is not None and right[j] != right[i]:
            cosine = sum(a * b for a, b in zip(f[i], f[j], strict=True))
            apart += math.exp(max(cosine - 0.98, 0) / 0.5)
    return -math.log(near / (near + apart))


ONE_OF_MANY = {"cross-entropy": cross_entropy, "multi-hinge": hinge, "d2d-ce": data_to_data}


def class_of(classes: str, y: int, generated: bool) -> int | None:
    if classes == "fake-class" and generated:
        return K
    if y < 0:
        return None
    return y + K if classes == "real-fake" and generated else y


def mean_by_hand(classes: str, loss: str, said: HeadOutput, y: Tensor, generated: bool) -> float:
    s = said.logits.tolist()
    f = None if said.embedding is None else said.embedding.tolist()
    if loss == "semi-supervised":
        losses = [any_of(s[i], classes, int(y[i]), generated) for i in range(N)]
    elif loss == "omni":
        marks = {"plain": 0, "twin": 0, "fake-class": 1, "real-fake": 2}[classes]
        losses = [omni(s[i], int(y[i]), marks, generated) for i in range(N)]
    else:
        right = [class_of(classes, int(label), generated) for label in y]
        losses = [None if right[i] is None else ONE_OF_MANY[loss](s, right, i, f) for i in range(N)]
    known = [value for value in losses if value is not None]
    return sum(known) / max(len(known), 1)


def any_of(s: list[float], classes: str, y: int, generated: bool) -> float | None:
    right = class_of(classes, y, generated)
    begin = K if generated and classes == "real-fake" else 0
    possible = range(begin, begin + K) if right is None else [right]
    if len(possible) == len(s):
        return None
    return -math.log(sum(math.exp(s[c]) for c in possible) / sum(map(math.exp, s)))


def omni(s: list[float], y: int, marks: int, generated: bool) -> float | None:
    right, wrong = [], []
    if marks and generated:
        wrong += s[:K]
    elif y >= 0:
        right.append(s[y])
        wrong += [x for c, x in enumerate(s[:K]) if c != y]
    if marks == 2:
        (wrong if generated else right).append(s[K])
    if marks:
        (right if generated else wrong).append(s[-1])
    if not right and not wrong:
        return None
    return math.log(1 + sum(map(math.exp, wrong))) + math.log(1 + sum(math.exp(-x) for x in right))


@pytest.mark.parametrize(("classes", "loss"), GOING)
def test_what_the_head_loses(classes: str, loss: str) -> None:
    objective = make(classes, loss)
    real, fake = output(objective, 1), output(objective, 2)
    on_real, on_fake = objective.classifier(real.stacked(fake), [REAL], [FAKE])
    assert on_real.item() == pytest.approx(mean_by_hand(classes, loss, real, REAL, False))
    assert on_fake.item() == pytest.approx(mean_by_hand(classes, loss, fake, FAKE, True))


@pytest.mark.parametrize(("classes", "loss"), GOING)
def test_what_the_generator_gets(classes: str, loss: str) -> None:
    objective = make(classes, loss)
    twin = classes == "twin"
    said = output(objective, 3, twin=twin)
    asked = FAKE if objective.asks_for_classes else torch.full_like(FAKE, -1)
    expected = mean_by_hand(classes, loss, said, asked, False)
    if twin:
        assert said.twin is not None
        expected -= mean_by_hand(classes, loss, said.twin, asked, False)
        assert objective.twin(said, [FAKE]).item() == pytest.approx(
            mean_by_hand(classes, loss, said.twin, FAKE, False)
        )
    elif classes == "real-fake" and loss != "omni":
        expected -= mean_by_hand(classes, loss, said, asked, True)
    assert objective.generator(said, [FAKE]).item() == pytest.approx(expected)


@pytest.mark.parametrize(("classes", "loss"), GOING)
def test_gradients_are_those_of_finite_differences(classes: str, loss: str) -> None:
    objective = make(classes, loss)
    said = output(objective, 4)
    tensors = [x.requires_grad_() for x in (said.logits, said.embedding) if x is not None]

    def loss_of(logits, embedding=None):
        both = HeadOutput(logits, embedding).stacked(HeadOutput(logits, embedding))
        return objective.classifier(both, [REAL], [FAKE]).sum()

    assert torch.autograd.gradcheck(loss_of, tensors)


@pytest.mark.parametrize(("classes", "loss"), GOING)
def test_without_any_label_nothing_is_learned_of_classes(classes: str, loss: str) -> None:
    """But what is generated is still known to be so."""
    objective = make(classes, loss)
    said = output(objective, 5)
    logits = said.logits.requires_grad_()
    none = torch.full((N,), -1)
    on_real, on_fake = objective.classifier(said.stacked(said), [none], [none])
    (gradient,) = torch.autograd.grad(on_real, logits, retain_graph=True)
    if (classes, loss) == ("real-fake", "omni") or (classes, loss) == ("fake-class", "omni"):
        assert gradient[:, :K].abs().max() == 0
        assert gradient[:, K:].abs().min() > 0
    elif loss == "semi-supervised" and classes in {"fake-class", "real-fake"}:
        assert on_real > 0  # a real sample is known to be so
        assert gradient[:, K:].min() > 0  # what lowers the loss is less of "generated"
    else:
        assert on_real == 0
        assert gradient.abs().max() == 0
    knows_of_it = {("real-fake", "omni"), ("real-fake", "semi-supervised")}
    knows = classes == "fake-class" or (classes, loss) in knows_of_it
    assert (on_fake > 0) == knows
    assert objective.accuracy(said, none) == 0


def test_the_semi_supervised_game_by_hand() -> None:
    """Probabilities 1/2 and 1/8 of two classes, 3/8 of "generated" (Salimans et al. 2016)."""
    objective = make("fake-class", "semi-supervised", sizes=(2,))
    said = HeadOutput(torch.tensor([[4.0, 1.0, 3.0]]).log())
    labeled, not_labeled = torch.tensor([1]), torch.tensor([-1])
    one, generated = objective.classifier(said.stacked(said), [labeled], [not_labeled])
    either, _ = objective.classifier(said.stacked(said), [not_labeled], [labeled])
    assert one.item() == pytest.approx(math.log(8))
    assert generated.item() == pytest.approx(math.log(8 / 3))
    assert either.item() == pytest.approx(math.log(8 / 5))
    for asked in (labeled, not_labeled):
        assert objective.generator(said, [asked]).item() == pytest.approx(math.log(8 / 5))


def test_the_generator_of_real_and_generated_classes_in_closed_form() -> None:
    """log p(y, generated) - log p(y, real) is the difference of two logits (Hou et al. 2022)."""
    objective = make("real-fake", "cross-entropy")
    said = output(objective, 6)
    known = FAKE >= 0
    rows = torch.arange(N)[known]
    difference = said.logits[rows, FAKE[known] + K] - said.logits[rows, FAKE[known]]
    assert objective.generator(said, [FAKE]).item() == pytest.approx(difference.mean().item())


def test_a_twin_that_knows_as_much_leaves_the_generator_nothing() -> None:
    objective = make("twin", "cross-entropy")
    said = output(objective, 7)
    same = HeadOutput(said.logits, twin=HeadOutput(said.logits))
    assert objective.generator(same, [FAKE]) == 0


def test_with_one_class_and_the_generated_the_head_is_a_discriminator() -> None:
    """Softplus of the difference of the two logits, the loss of Goodfellow et al. 2014."""
    objective = make("fake-class", "cross-entropy", sizes=(1,))
    zeros = torch.zeros(N, dtype=torch.long)
    said = output(objective, 8)
    on_real, on_fake = objective.classifier(said.stacked(said), [zeros], [zeros])
    score = said.logits[:, 0] - said.logits[:, 1]
    assert on_real.item() == pytest.approx(torch.nn.functional.softplus(-score).mean().item())
    assert on_fake.item() == pytest.approx(torch.nn.functional.softplus(score).mean().item())


def test_all_ancestors_may_be_right_at_once() -> None:
    """By hand: class 1 of two, superclass 0 of two, an attribute that is not known, and real."""
    objective = make("real-fake", "omni", sizes=(2, 2, 3))
    logits = torch.tensor([[0.5, -1.0, 2.0, 0.3, 9.0, 9.0, 9.0, 1.5, -0.7]], dtype=torch.float64)
    labels = [torch.tensor([1]), torch.tensor([0]), torch.tensor([-1])]
    said = HeadOutput(logits)
    right, wrong = [-1.0, 2.0, 1.5], [0.5, 0.3, -0.7]
    expected = math.log(1 + sum(math.exp(-x) for x in right))
    expected += math.log(1 + sum(map(math.exp, wrong)))
    assert objective.generator(said, labels).item() == pytest.approx(expected)
    alone = HeadOutput(logits[:, :1])  # one class at one level: nothing can be wrong
    only = make("plain", "omni", sizes=(1,))
    assert only.generator(alone, [torch.tensor([0])]).item() == pytest.approx(
        math.log(1 + math.exp(-0.5))
    )


def test_samples_of_one_class_are_compared_with_none() -> None:
    objective = make("plain", "d2d-ce")
    said = output(objective, 9)
    assert objective.generator(said, [torch.ones(N, dtype=torch.long)]) == pytest.approx(0.0)


@pytest.mark.parametrize("halves", [1, 2])
def test_a_superclass_has_the_probability_of_its_classes(halves: int) -> None:
    parents = [0, 1, 1, 0, 2]
    head = SumHead(SumSpec("fine", parents, 3, halves))
    logits = torch.randn(N, 5 * halves + 1, generator=torch.Generator().manual_seed(0))
    sums = head(HeadOutput(logits, twin=HeadOutput(2 * logits)))
    assert sums.logits.shape == (N, 3 * halves + 1)
    probabilities = np.exp(logits.numpy())
    expected = np.zeros((N, 3 * halves + 1))
    for half in range(halves):
        for child, parent in enumerate(parents):
            expected[:, 3 * half + parent] += probabilities[:, 5 * half + child]
    expected[:, -1] = probabilities[:, -1]
    assert torch.softmax(sums.logits, 1).numpy() == pytest.approx(
        expected / expected.sum(1, keepdims=True), rel=1e-5
    )
    assert sums.twin is not None
    assert sums.twin.logits.shape == sums.logits.shape


def test_what_a_head_gives_by_its_specification() -> None:
    x = 5 * torch.randn(N, 8, generator=torch.Generator().manual_seed(0))
    plain = ClassHead([], 8, HeadSpec(3))(x)
    assert (plain.logits.shape, plain.embedding, plain.twin) == ((N, 3), None, None)
    head = ClassHead([], 8, HeadSpec(3, unit_sphere=True))
    assert torch.allclose(head(x).logits, head(3 * x).logits)
    both = ClassHead([], 8, HeadSpec(3, embeds=True, twin=True))(x)
    assert both.embedding is not None
    assert torch.allclose(both.embedding.norm(dim=1), torch.ones(N))
    assert both.logits.abs().max() <= 1
    assert both.twin is not None
    assert both.twin.embedding is not None
    first, second = both.stacked(both).split(1)
    assert torch.equal(first.logits[0], both.logits)
    assert second.twin is not None
    assert second.twin.embedding is not None
    assert torch.equal(second.twin.embedding[0], both.twin.embedding)


def test_accuracy_is_that_of_the_datas_classes() -> None:
    """Whether it takes a sample for real or generated does not count."""
    logits = torch.tensor([[0.0, 2.0, 3.0, -1.0], [0.0, 1.0, -2.0, 0.0]])
    objective = make("real-fake", "cross-entropy", sizes=(2,))
    assert objective.accuracy(HeadOutput(logits), torch.tensor([0, 1])) == 1
    extra = make("fake-class", "cross-entropy", sizes=(3,))
    assert extra.accuracy(HeadOutput(logits), torch.tensor([2, 1])) == 1
    assert extra.accuracy(HeadOutput(logits.roll(1, 1)), torch.tensor([2, 2])) == 1


@pytest.mark.parametrize("name", HEAD_LOSSES.names())
def test_the_contract(name: str) -> None:
    check_head_loss(name)


def test_the_contract_finds_what_is_wrong() -> None:
    class Backwards(HEAD_LOSSES.get("cross-entropy")):  # type: ignore[misc]
        def per_sample(self, said, target):
            return -super().per_sample(said, target)

    with pytest.raises(AssertionError, match="does not fall as the right class's logit rises"):
        check_head_loss(Backwards())

    class Forgetful(HEAD_LOSSES.get("cross-entropy")):  # type: ignore[misc]
        def per_sample(self, said, target):
            return super().per_sample(said, target.clamp_min(0))

    with pytest.raises(AssertionError, match="without a label"):
        check_head_loss(Forgetful())
