"""A trained discriminator as a feature space, in which anything can be measured."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from mtgan.data.pixels import to_floats
from mtgan.training.run import Run, Step


def load_critic_features(run: str | Path | Run, step: Step = None) -> Callable[[Tensor], Tensor]:
    """A function from uint8 [N, C, H, W] to the features [N, D] that a run's discriminator (of
    twins that of `run.twin(NAME)`, else the main one) gives its heads, for `mtgan evaluate
    --features module:function`.

    step: a checkpoint by its iteration, or "best"; the newest when None. UserError where `run` is
    no run folder, or has no such checkpoint.
    """
    opened = run if isinstance(run, Run) else Run.open(run)
    layers = opened.game(step).twin(opened.twin_name).discriminator.layers.eval()

    def features(images: Tensor) -> Tensor:
        x = to_floats(images)
        with torch.no_grad():
            for layer in layers:
                x = layer(x)
        return x.flatten(1)

    return features
