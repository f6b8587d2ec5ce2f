import math

import pytest
import torch

from mtgan.objectives import accuracy, cross_entropy, shared_distance


def test_cross_entropy_by_hand_ignores_missing_labels() -> None:
    logits = torch.tensor([[0.0, math.log(3)], [5.0, 1.0], [0.0, 0.0]])
    labels = torch.tensor([1, -1, 0])
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert cross_entropy(logits, labels).item() == pytest.approx(expected)


def test_a_batch_without_labels_costs_nothing() -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    loss = cross_entropy(logits, torch.full((4,), -1))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


def test_accuracy_counts_labeled_samples_only() -> None:
    logits = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert accuracy(logits, torch.tensor([1, 1, 0, -1])).item() == pytest.approx(2 / 3)
    assert accuracy(logits, torch.full((4,), -1)).item() == 0


def weights(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(4, 3, 2, 2, generator=generator, dtype=torch.float64),
        torch.randn(5, 4, generator=generator, dtype=torch.float64),
    ]


def test_l2_is_the_norm_of_all_weights_together() -> None:
    first, second = weights(0), weights(1)
    flat = torch.cat([(a - b).flatten() for a, b in zip(first, second, strict=True)])
    assert shared_distance("l2", first, second).item() == pytest.approx(flat.norm().item())


def test_trace_norm_is_the_sum_of_singular_values() -> None:
    first, second = weights(0), weights(1)
    expected = sum(
        torch.linalg.svdvals(torch.stack([a.flatten(), b.flatten()])).sum().item()
        for a, b in zip(first, second, strict=True)
    )
    assert shared_distance("trace", first, second).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("norm", ["l2", "trace"])
def test_gradient_equals_finite_differences(norm: str) -> None:
    others = weights(1)
    moving = [w.requires_grad_(True) for w in weights(0)]
    assert torch.autograd.gradcheck(lambda *w: shared_distance(norm, w, others), moving)


@pytest.mark.parametrize("norm", ["l2", "trace"])
def test_equal_weights_give_a_finite_gradient(norm: str) -> None:
    moving = [w.requires_grad_(True) for w in weights(0)]
    value = shared_distance(norm, moving, weights(0))
    value.backward()
    assert all(torch.isfinite(w.grad).all() for w in moving if w.grad is not None)
    if norm == "l2":
        assert value.item() == 0


def test_batches_side_by_side_are_averaged_each_by_itself() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 6, 3, requires_grad=True)
    labels = torch.tensor([[0, 1, 2, -1, 0, 1], [2, -1, -1, 1, 1, 0]])
    for function in (cross_entropy, accuracy):
        both = function(logits, labels)
        each = [function(x, y) for x, y in zip(logits, labels, strict=True)]
        assert torch.allclose(both, torch.stack(each))
    (gradient,) = torch.autograd.grad(cross_entropy(logits, labels)[0], logits)
    assert gradient[0].abs().sum() > 0
    assert gradient[1].abs().sum() == 0


@pytest.mark.parametrize("apart", [1e-6, 0.3, 1.0, 7.0])
def test_l2_of_weights_that_are_near_each_other(apart: float) -> None:
    moving, others = torch.full((4,), apart, dtype=torch.float64), torch.zeros(4).double()
    moving.requires_grad_(True)
    value = shared_distance("l2", [moving], [others])
    assert value.item() == pytest.approx(2 * apart)
    value.backward()
    assert moving.grad is not None
    assert moving.grad.tolist() == pytest.approx([0.5] * 4)
