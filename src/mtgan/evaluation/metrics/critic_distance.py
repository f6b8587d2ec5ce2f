"""Wasserstein distance by a critic of one's own, trained between the two sets alone.

The loss of a WGAN's critic follows the distance of samples and data, but compares with no other
run's (thesis, 3.0.7, which asks for one critic for all). So a critic that is always the same
network, from the same beginning, is trained between samples and real data under a gradient penalty
(Gulrajani et al. 2017), on one half of each, and judges the other half: E[D(real)] - E[D(samples)].
Source: Danihelka et al. 2017, arXiv 1705.05263 ("independent critic").

With a slope of at most 1 it is a lower bound of the Wasserstein distance of the two sets of images
in [-1, 1]. The penalty (weight l) leaves a slope of 1 + W / (2 l) at a distance W, so the value is
divided by the mean slope between the other halves, where that is above 1. A short training does not
find the best critic. Range: any number, below zero by chance; lower is better; in units of the
pixels' Euclidean distance.

Pitfalls: depends on the number of samples and on the critic, so compare at equal N alone, and
beside the value of held-out real data. A critic that has overfitted its half is seen by the other.

N: samples; C, H, W: an image.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import PIXELS, Outcome, Output, register_metric

STEPS, BATCH, PENALTY, RATE, WIDTH = 300, 64, 10.0, 1e-3, 16
_LEAST = 16  # images of a side
_SLOPES = 500  # images of a side at most, between which the mean slope is taken
_CRITIC_SIDE = 4


class _Critic(nn.Module):
    """Convolutions of stride 2 with LeakyReLU until a side is at most 4, and a linear score."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        outputs = WIDTH
        while max(height, width) > _CRITIC_SIDE:
            layers += [nn.Conv2d(channels, outputs, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            channels, outputs = outputs, min(2 * outputs, 8 * WIDTH)
            height, width = -(-height // 2), -(-width // 2)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, 1))

    def forward(self, samples: Tensor) -> Tensor:
        return self.layers(samples)[:, 0]


def critic_distance(
    samples: np.ndarray, reference: np.ndarray, steps: int = STEPS, seed: int = 0
) -> float:
    """Estimate of the Wasserstein distance of images uint8 [M, C, H, W] to [N, C, H, W].

    Args:
        steps: Updates of the critic.
        seed: Of its beginning, the halves and the batches.

    Raises UserError for fewer than 16 images of a side, and shapes that differ.
    """
    if samples.ndim != 4 or samples.shape[1:] != reference.shape[1:]:
        raise UserError(
            f"A critic needs images [N, C, H, W] of one shape; found {list(samples.shape)} and "
            f"{list(reference.shape)}."
        )
    if min(len(samples), len(reference)) < _LEAST:
        raise UserError(f"A critic needs at least {_LEAST} images of each side.")
    random = np.random.default_rng(seed)
    (fake, unseen_fake), (real, unseen_real) = (_halves(x, random) for x in (samples, reference))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = _Critic(samples.shape[1:])
    _train(critic, real, fake, steps, random)
    count = min(len(unseen_real), len(unseen_fake), _SLOPES)
    slopes = _slopes(critic, _tensor(unseen_real[:count]), _tensor(unseen_fake[:count]), random)
    with torch.no_grad():
        gap = _mean_score(critic, unseen_real) - _mean_score(critic, unseen_fake)
    return float(gap / slopes.detach().mean().clamp_min(1.0))


def _halves(images: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = random.permutation(len(images))
    return images[order[: len(order) // 2]], images[order[len(order) // 2 :]]


def _train(
    critic: _Critic, real: np.ndarray, fake: np.ndarray, steps: int, random: np.random.Generator
) -> None:
    optimizer = torch.optim.Adam(critic.parameters(), RATE, betas=(0.0, 0.9))

    def batch(images: np.ndarray) -> Tensor:
        return _tensor(images[random.integers(0, len(images), BATCH)])

    for _ in range(steps):
        x, y = batch(real), batch(fake)
        penalty = (_slopes(critic, x, y, random) - 1).square().mean()
        loss = critic(y).mean() - critic(x).mean() + PENALTY * penalty
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def _slopes(critic: _Critic, x: Tensor, y: Tensor, random: np.random.Generator) -> Tensor:
    """Length of the gradient [N] at a random point between each two images."""
    share = torch.from_numpy(random.random((len(x), 1, 1, 1), dtype=np.float32))
    between = torch.lerp(x, y, share).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return slope.flatten(1).norm(dim=1)


def _tensor(images: np.ndarray) -> Tensor:
    return to_floats(torch.from_numpy(images))


def _mean_score(critic: _Critic, images: np.ndarray) -> Tensor:
    scores = [critic(_tensor(images[i : i + 500])) for i in range(0, len(images), 500)]
    return torch.cat(scores).double().mean()


def too_few(comparison: Comparison) -> str:
    """Why a critic cannot be trained."""
    few = min(len(comparison.generated), len(comparison.reference)) < _LEAST
    return f"fewer than {_LEAST} images of a side" if few else ""


@register_metric(
    "critic_distance",
    Output("critic_distance", "lower", range=(-math.inf, math.inf)),
    slow=True,
    needs={"16 images": too_few},
    space=PIXELS,
    source="independent critic, Danihelka et al. 2017; thesis 2017, 3.0.7",
    function=critic_distance,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Wasserstein distance by a critic trained between halves of both sets, used on the others."""
    value = critic_distance(
        comparison.generated.images, comparison.reference.images, seed=comparison.context.seed
    )
    return Outcome({"critic_distance": value})
