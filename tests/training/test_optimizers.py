"""The updates against PyTorch's optimizer classes."""

import copy
import subprocess
import sys

import pytest
import torch
from tests.toys import small_recipe

from mtgan.recipes import load_recipe
from mtgan.training.optimizers import Optimizers, optimizers_of, sgd

CLASSES = {
    "adam": lambda p, rate: torch.optim.Adam(p, rate, (0.3, 0.8), fused=True),
    "rmsprop": lambda p, rate: torch.optim.RMSprop(p, rate),
}


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(3, 5, 3), torch.nn.Conv2d(5, 2, 1), torch.nn.Conv2d(2, 2, 1)
    return torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)


def give_gradients(net: torch.nn.Module, seed: int) -> None:
    """To all layers but the last, which no loss reaches."""
    torch.manual_seed(seed)
    for p in net[:2].parameters():  # type: ignore[index]
        p.grad = torch.randn_like(p)


@pytest.mark.parametrize("kind", CLASSES)
def test_updates_are_those_of_torch_optim(kind: str) -> None:
    ours, theirs = network(), network()
    recipe = load_recipe(
        "wgan-gp",
        {"optimizer.kind": kind, "optimizer.beta1": 0.3, "optimizer.beta2": 0.8},
    )
    optimizers = optimizers_of(recipe, {"generator": list(ours.parameters())})
    reference = CLASSES[kind](list(theirs.parameters()), recipe.optimizer.learning_rate)
    untouched = copy.deepcopy(list(ours[2].parameters()))  # type: ignore[index]
    for seed in range(4):
        for net in (ours, theirs):
            give_gradients(net, seed)
        optimizers.step(("generator",), torch.zeros(()))
        reference.step()
        optimizers.zero_grad(("generator",))
        assert all(p.grad is None for p in ours.parameters())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)
    kept = zip(ours[2].parameters(), untouched, strict=True)  # type: ignore[index]
    assert all(torch.equal(a, b) for a, b in kept)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_bad_move_changes_no_weight(kind: str) -> None:
    net = network()
    optimizers = optimizers_of(
        load_recipe("wgan-gp", {"optimizer.kind": kind}), {"generator": list(net.parameters())}
    )
    before = copy.deepcopy(list(net.parameters()))
    give_gradients(net, 0)
    net[0].weight.grad[0] = float("nan")  # type: ignore[index, union-attr, operator]
    optimizers.step(("generator",), torch.ones(()))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), before, strict=True))


def test_gradient_descent_is_that_of_torch_optim_and_only_kernels_decay() -> None:
    ours, theirs = network(), network()
    optimizers = Optimizers(sgd(0.1), {"all": list(ours.parameters())}, lambda group, epoch: 0.3)
    kernels = [p for p in theirs.parameters() if p.dim() > 1]
    others = [p for p in theirs.parameters() if p.dim() == 1]
    reference = torch.optim.SGD([{"params": kernels, "weight_decay": 0.1}, {"params": others}], 0.3)
    for seed in range(3):
        for net in (ours, theirs):
            give_gradients(net, seed)
        optimizers.step(("all",), torch.zeros(()))
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)
    assert optimizers.tensors() == {}
    before = copy.deepcopy(list(ours.parameters()))
    ours[0].weight.grad[0] = float("nan")  # type: ignore[index, union-attr, operator]
    optimizers.step(("all",), torch.ones(()))
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), before, strict=True))


def test_rates_fall_linearly_and_only_where_asked() -> None:
    recipe = small_recipe("wgan-gp", optimizer__decay="linear", training__steps=4)
    weight = torch.nn.Parameter(torch.zeros(()))
    optimizers = optimizers_of(recipe, {"generator": [weight]})
    moved = []
    for i in range(4):
        before = weight.item()
        weight.grad = torch.ones(())
        optimizers.set_rates(i)
        optimizers.step(("generator",), torch.zeros(()))
        moved.append(before - weight.item())
    rate = recipe.optimizer.learning_rate  # of constant gradients, what Adam moves by
    assert moved == pytest.approx([rate, 0.75 * rate, 0.5 * rate, 0.25 * rate], rel=1e-3)


def test_training_imports_no_compiler() -> None:
    """It takes longer than the rest of a training's beginning."""
    code = (
        "import sys, tempfile; from tests.toys import make_data, small_recipe;"
        "from mtgan.training import train;"
        "train(small_recipe('wgan-gp'), make_data(), tempfile.mkdtemp() + '/run', quiet=True);"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
