"""One optimizer per parameter group, and learning rates over time.

The arithmetic is PyTorch's, by the functions under its optimizer classes: the classes themselves
import its compiler at the first step, which takes longer than that step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop

from mtgan.recipes import schema
from mtgan.recipes.schema import Recipe


@dataclass(frozen=True)
class _Moved:
    """Parameters of one group that have gradients, and what their rule remembers of each."""

    parameters: list[Tensor]
    gradients: list[Tensor]
    averages: Sequence[list[Tensor]]  # one list for each of the rule's keys
    steps: list[Tensor]
    rate: float | Tensor


def _adam(settings: schema.Optimizer, moved: _Moved, bad: Tensor) -> None:
    """Adam (Kingma & Ba 2015), one fused kernel; PyTorch's other forms give the same, slower."""
    firsts, seconds = moved.averages
    adam(
        moved.parameters,
        moved.gradients,
        firsts,
        seconds,
        [],
        moved.steps,
        fused=True,
        capturable=bad.is_cuda,
        found_inf=bad,  # the kernel leaves everything as it is where this is 1
        lr=moved.rate,
        beta1=settings.beta1,
        beta2=settings.beta2,
        eps=1e-8,
        weight_decay=0.0,
        amsgrad=False,
        maximize=False,
    )


def _rmsprop(settings: schema.Optimizer, moved: _Moved, bad: Tensor) -> None:
    """RMSprop without momentum, which WGAN was published with (Arjovsky et al. 2017)."""
    (squares,) = moved.averages
    rmsprop(
        moved.parameters,
        # A gradient of zero leaves the weights as they are.
        [torch.where(bad > 0, 0, gradient) for gradient in moved.gradients],
        squares,
        [],
        [],
        moved.steps,
        capturable=bad.is_cuda,
        lr=moved.rate,  # type: ignore[arg-type]  # which may be a tensor as for Adam
        alpha=0.99,
        eps=1e-8,
        weight_decay=0.0,
        momentum=0.0,
        centered=False,
    )


def _sgd(weight_decay: float, moved: _Moved, bad: Tensor) -> None:
    """Stochastic gradient descent without momentum; kernels alone decay."""
    for parameter, gradient in zip(moved.parameters, moved.gradients, strict=True):
        if parameter.dim() > 1:
            gradient = gradient.add(parameter, alpha=weight_decay)
        parameter.add_(torch.where(bad > 0, 0, gradient), alpha=-float(moved.rate))


@dataclass(frozen=True)
class Rule:
    """How parameters move: what is remembered of each, and the arithmetic."""

    keys: tuple[str, ...]
    move: Callable[[_Moved, Tensor], None]


def sgd(weight_decay: float) -> Rule:
    """Gradient descent without momentum, which remembers nothing; kernels decay, biases and
    normalization do not."""
    return Rule((), partial(_sgd, weight_decay))


# By the recipes' names.
_RULES: Mapping[str, Callable[[schema.Optimizer], Rule]] = {
    "adam": lambda settings: Rule(("exp_avg", "exp_avg_sq"), partial(_adam, settings)),
    "rmsprop": lambda settings: Rule(("square_avg",), partial(_rmsprop, settings)),
}


class _Group:
    """Parameters that are updated together, and the state of each."""

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float, keys: Sequence[str]):
        self.parameters = list(parameters)
        self.rate: float | Tensor = rate
        # In the parameters' memory layout: the fused kernels walk both side by side.
        self.averages = {key: [torch.zeros_like(p) for p in parameters] for key in keys}
        # On a GPU the counts stay there too, so that a step can be captured.
        self.steps = [torch.zeros((), device=p.device) for p in parameters]

    def set_rate(self, rate: float) -> None:
        if isinstance(self.rate, Tensor):
            self.rate.fill_(rate)
        else:
            self.rate = rate

    def moved(self) -> _Moved:
        index = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        parameters: list[Tensor] = [self.parameters[i] for i in index]
        return _Moved(
            parameters,
            [p.grad for p in parameters if p.grad is not None],
            [[values[i] for i in index] for values in self.averages.values()],
            [self.steps[i] for i in index],
            self.rate,
        )


class Optimizers:
    """Parameter groups by name, each under an optimizer of its own.

    rate: the learning rate of a group in an iteration, counted from 0. A parameter without a
    gradient stays as it is.
    """

    def __init__(
        self,
        rule: Rule,
        groups: Mapping[str, Sequence[nn.Parameter]],
        rate: Callable[[str, int], float],
    ) -> None:
        self._rule, self._rate = rule, rate
        self._groups = {
            name: _Group(parameters, rate(name, 0), rule.keys)
            for name, parameters in groups.items()
        }

    def keep_rates_on_device(self) -> None:
        """Have a captured step read the learning rates, which are numbers otherwise. Plain gradient
        descent cannot."""
        for group in self._groups.values():
            group.rate = torch.tensor(group.rate, device=group.parameters[0].device)

    def set_rates(self, iteration: int) -> None:
        """Set the learning rates of an iteration, counted from 0."""
        for name, group in self._groups.items():
            group.set_rate(self._rate(name, iteration))

    @torch.no_grad()
    def step(self, names: tuple[str, ...], bad: Tensor) -> None:
        """Update the groups, unless the scalar `bad` (0 or 1, on the device) is 1."""
        for name in names:
            self._rule.move(self._groups[name].moved(), bad)

    def zero_grad(self, names: tuple[str, ...]) -> None:
        for name in names:
            for parameter in self._groups[name].parameters:
                parameter.grad = None

    def tensors(self) -> dict[str, Tensor]:
        """State tensors as "GROUP/INDEX/KEY"; none where nothing is remembered."""
        return {
            f"{name}/{index}/{key}": value
            for name, group in self._groups.items()
            if group.averages
            for key, values in {**group.averages, "step": group.steps}.items()
            for index, value in enumerate(values)
        }


def optimizers_of(recipe: Recipe, groups: Mapping[str, Sequence[nn.Parameter]]) -> Optimizers:
    """Those of a game's parameter groups. A group that several networks share takes the learning
    rate of the first of them."""
    part, steps = recipe.optimizer, recipe.training.steps
    rates = {
        "generator": part.learning_rate,
        "discriminator": part.discriminator_learning_rate or part.learning_rate,
        "classifier": part.classifier_learning_rate or part.learning_rate,
        "weighing": part.discriminator_learning_rate or part.learning_rate,
    }

    def rate(group: str, iteration: int) -> float:
        factor = 1 - iteration / steps if part.decay == "linear" else 1.0
        return rates[group.split("+")[0].split("/")[0]] * factor

    return Optimizers(_RULES[part.kind](part), groups, rate)
