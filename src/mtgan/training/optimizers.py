"""One optimizer per parameter group, and learning rates over time."""

from typing import Any

import torch
from torch import nn

from mtgan.recipes.schema import Recipe


class Optimizers:
    """The game's parameter groups, each under an optimizer of its own.

    A group that several networks share takes the learning rate of the first of them.
    """

    def __init__(
        self, recipe: Recipe, groups: dict[str, list[nn.Parameter]], device: torch.device
    ) -> None:
        part = recipe.optimizer
        rates = {
            "generator": part.learning_rate,
            "discriminator": part.discriminator_learning_rate or part.learning_rate,
            "classifier": part.classifier_learning_rate or part.learning_rate,
            "weighing": part.discriminator_learning_rate or part.learning_rate,
        }
        self._linear = part.decay == "linear"
        self._steps = recipe.training.steps
        self._rates = {name: rates[name.split("+")[0].split("/")[0]] for name in groups}
        # On a GPU the states stay there, so that a step can be captured.
        on_gpu = device.type == "cuda"
        self._optimizers: dict[str, torch.optim.Optimizer] = {}
        for name, parameters in groups.items():
            if part.kind == "adam":
                # One fused kernel per update; foreach and the loop give the same values, slower.
                self._optimizers[name] = torch.optim.Adam(
                    parameters,
                    self._rates[name],
                    (part.beta1, part.beta2),
                    fused=True,
                    capturable=on_gpu,
                )
            else:
                self._optimizers[name] = torch.optim.RMSprop(
                    parameters, self._rates[name], capturable=on_gpu
                )

    def set_rates(self, iteration: int) -> None:
        """Set the learning rates of an iteration, counted from 0."""
        factor = 1 - iteration / self._steps if self._linear else 1.0
        for name, optimizer in self._optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self._rates[name] * factor

    def step(self, names: tuple[str, ...], bad: torch.Tensor) -> None:
        """Update the groups, unless the scalar `bad` (0 or 1, on the device) is 1."""
        for name in names:
            optimizer: Any = self._optimizers[name]
            if optimizer.defaults.get("fused"):
                optimizer.found_inf = bad  # its kernel leaves everything as it is where this is 1
            else:  # without momentum, a gradient of zero leaves the weights as they are
                for parameter in optimizer.param_groups[0]["params"]:
                    if parameter.grad is not None:
                        parameter.grad = torch.where(bad > 0, 0, parameter.grad)
            optimizer.step()

    def zero_grad(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._optimizers[name].zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, torch.Tensor]:
        """State tensors as "GROUP/INDEX/KEY"."""
        return {
            f"{name}/{index}/{key}": value
            for name, optimizer in self._optimizers.items()
            for index, state in optimizer.state_dict()["state"].items()
            for key, value in state.items()
            if isinstance(value, torch.Tensor)
        }

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Put back what `tensors` gave."""
        states: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in self._optimizers}
        for path, value in tensors.items():
            name, index, key = path.rsplit("/", 2)
            parameter = self._optimizers[name].param_groups[0]["params"][int(index)]
            if value.shape == parameter.shape:
                # In the parameter's memory layout: the fused kernels walk both side by side.
                value = torch.empty_like(parameter).copy_(value)
            states[name].setdefault(int(index), {})[key] = value
        for name, optimizer in self._optimizers.items():
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": states[name], "param_groups": groups})
