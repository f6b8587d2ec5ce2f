"""A fixed piece of work, by which the CPU seconds of several machines compare.

It is what a training does, in plain PyTorch on one thread: five steps of a convolutional critic
under a gradient penalty and one of its generator (Gulrajani et al. 2017, algorithm 1), on noise.
As it is no code of the trainer's, a faster trainer is faster by it, too.
"""

import time

import torch
from torch import Tensor, nn

ITERATIONS, WARMING = 12, 2
REFERENCE_SECONDS = 3.9
"""CPU seconds of the work on the machine of our tables, on which 100 iterations of the demo of then
(`wgan-gp` at scale tiny) took 24.1. Where the demo of then and this work were timed in turns, the
work took 0.162 (0.158 to 0.167 in four turns) of those 100 iterations."""

_BATCH, _LATENT, _STEPS = 32, 128, 5


def _players() -> tuple[nn.Sequential, nn.Sequential]:
    generator = nn.Sequential(
        nn.Linear(_LATENT, 64 * 16),
        nn.Unflatten(1, (64, 4, 4)),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 5, 2, 2, 0),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 5, 2, 2, 1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 5, 2, 2, 1),
        nn.Tanh(),
    )
    critic = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, 2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 5, 2, 2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 5, 2, 2),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(64 * 16, 1),
    )
    return generator, critic


def _critic_loss(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    share = torch.rand(len(real), 1, 1, 1)
    between = (share * real + (1 - share) * fake).requires_grad_()
    [slope] = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    return critic(fake).mean() - critic(real).mean() + 10 * penalty


def yardstick_seconds() -> float:
    """CPU seconds of the work here and now; torch's random state and threads stay as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(0)
            return _work()
    finally:
        torch.set_num_threads(threads)


def _work() -> float:
    generator, critic = _players()
    for_g, for_c = (torch.optim.Adam(p.parameters(), 1e-4) for p in (generator, critic))
    began = 0.0
    for iteration in range(WARMING + ITERATIONS):
        if iteration == WARMING:
            began = time.process_time()
        for _ in range(_STEPS):
            with torch.no_grad():
                fake = generator(torch.randn(_BATCH, _LATENT))
            for_c.zero_grad()
            _critic_loss(critic, torch.rand(_BATCH, 1, 28, 28), fake).backward()
            for_c.step()
        for_g.zero_grad()
        (-critic(generator(torch.randn(_BATCH, _LATENT))).mean()).backward()
        for_g.step()
    return time.process_time() - began
