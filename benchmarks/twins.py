"""Four small GANs as people write them first: the plain twins that `bench quality` compares with.

    python -m benchmarks.twins conditional-mlp --data fashion-mnist-10k --seconds 30 60 --out twin

Written from the papers, for images of sides that 4 divides; batches of 64 in random order, Adam:

    conditional-mlp   Mirza & Osindero 2014, least squares (Mao 2017): labels joined to both inputs
    wgan-gp-mlp       Gulrajani 2017: five critic steps, penalty 10
    ac-gan            Odena 2017: convolutions, a head for classes on real and generated images
    dcgan             Radford 2015: convolutions, no labels

At each mark of CPU seconds (of the whole process, but for samples and files) OUT/SECONDS.npz holds
2,000 samples with the classes that they were asked for, and OUT/marks.json the iterations and CPU
seconds so far. With --decay linear the rate falls to zero by the last mark.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import mtgan
from mtgan.data.export import export_samples

LATENT, BATCH, SAMPLES = 100, 64, 2000
PENALTY, CRITIC_STEPS = 10.0, 5
RATE, BETAS = 2e-4, (0.5, 0.999)


@dataclass
class Twin:
    """Two players and their losses.

    discriminator_loss: of real images, their classes, generated ones and the classes asked for.
    generator_loss: of generated images and the classes asked for.
    """

    generator: nn.Module
    discriminator: nn.Module
    discriminator_loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor, Tensor], Tensor]
    steps: int = 1  # of the discriminator, for one of the generator


def _dense(inputs: int, width: int, normalized: bool = True) -> list[nn.Module]:
    norm = [nn.BatchNorm1d(width)] if normalized else []
    return [nn.Linear(inputs, width), *norm, nn.LeakyReLU(0.2)]


class Joined(nn.Module):
    """Inputs [N, D] with a learned code of their class behind them, [N, D + K]; or as they are."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.codes = nn.Embedding(classes, classes) if classes else None

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x if self.codes is None else torch.cat([x, self.codes(y)], 1)


class MLPGenerator(nn.Module):
    def __init__(self, shape: tuple[int, int, int], classes: int = 0) -> None:
        super().__init__()
        self.shape, self.joined = shape, Joined(classes)
        self.layers = nn.Sequential(
            *_dense(LATENT + classes, 128, normalized=False),
            *_dense(128, 256),
            *_dense(256, 512),
            *_dense(512, 1024),
            nn.Linear(1024, int(np.prod(shape))),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.layers(self.joined(z, y)).view(-1, *self.shape)


class MLPDiscriminator(nn.Module):
    def __init__(self, classes: int, *layers: nn.Module) -> None:
        super().__init__()
        self.joined, self.layers = Joined(classes), nn.Sequential(*layers)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layers(self.joined(x.flatten(1), y))


class ConvGenerator(nn.Module):
    """Transposed convolutions from a quarter of the side; classes are joined to the latents."""

    def __init__(self, shape: tuple[int, int, int], classes: int = 0) -> None:
        super().__init__()
        channels, height, width = shape
        self.joined = Joined(classes)
        small = (128, height // 4, width // 4)
        self.layers = nn.Sequential(
            nn.Linear(LATENT + classes, int(np.prod(small))),
            nn.Unflatten(1, small),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.ConvTranspose2d(64, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.layers(self.joined(z, y))


class ConvDiscriminator(nn.Module):
    """A score [N, 1], and with classes their logits [N, K] beside it, from dropped-out features."""

    def __init__(self, shape: tuple[int, int, int], classes: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(shape[0], 64, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 128, 4, stride=2, padding=1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Dropout(0.5 if classes else 0.0),
        )
        features = 128 * (shape[1] // 4) * (shape[2] // 4)
        self.score = nn.Linear(features, 1)
        self.head = nn.Linear(features, classes) if classes else None

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.score(self.layers(x))

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        assert self.head is not None
        h = self.layers(x)
        return self.score(h), self.head(h)


def _drawn(*players: nn.Module) -> None:
    """Weights as DCGAN draws them."""
    for module in (module for player in players for module in player.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)


def conditional_mlp(shape: tuple[int, int, int], classes: int) -> Twin:
    pixels = int(np.prod(shape))
    g = MLPGenerator(shape, classes)
    d = MLPDiscriminator(
        classes,
        *_dense(pixels + classes, 512, normalized=False),
        *(nn.Linear(512, 512), nn.Dropout(0.4), nn.LeakyReLU(0.2)),
        *(nn.Linear(512, 512), nn.Dropout(0.4), nn.LeakyReLU(0.2)),
        nn.Linear(512, 1),
    )

    def for_d(x: Tensor, y: Tensor, fake: Tensor, asked: Tensor) -> Tensor:
        return ((d(x, y) - 1) ** 2).mean() / 2 + (d(fake, asked) ** 2).mean() / 2

    return Twin(g, d, for_d, lambda fake, asked: ((d(fake, asked) - 1) ** 2).mean())


def wgan_gp_mlp(shape: tuple[int, int, int], classes: int) -> Twin:
    g = MLPGenerator(shape)
    d = MLPDiscriminator(
        0,
        *_dense(int(np.prod(shape)), 512, normalized=False),
        *_dense(512, 256, normalized=False),
        nn.Linear(256, 1),
    )

    def for_d(x: Tensor, y: Tensor, fake: Tensor, asked: Tensor) -> Tensor:
        share = torch.rand(len(x), 1, 1, 1)
        between = (share * x + (1 - share) * fake).requires_grad_()
        [slope] = torch.autograd.grad(d(between, y).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
        return d(fake, asked).mean() - d(x, y).mean() + PENALTY * penalty

    return Twin(g, d, for_d, lambda fake, asked: -d(fake, asked).mean(), CRITIC_STEPS)


def ac_gan(shape: tuple[int, int, int], classes: int) -> Twin:
    g, d = ConvGenerator(shape, classes), ConvDiscriminator(shape, classes)
    _drawn(g, d)

    def loss(x: Tensor, y: Tensor, real: float) -> Tensor:
        score, logits = d.both(x)
        return (_cross_entropy(score, real) + functional.cross_entropy(logits, y)) / 2

    def for_d(x: Tensor, y: Tensor, fake: Tensor, asked: Tensor) -> Tensor:
        return (loss(x, y, 1) + loss(fake, asked, 0)) / 2

    return Twin(g, d, for_d, lambda fake, asked: loss(fake, asked, 1))


def dcgan(shape: tuple[int, int, int], classes: int) -> Twin:
    g, d = ConvGenerator(shape), ConvDiscriminator(shape)
    _drawn(g, d)

    def for_d(x: Tensor, y: Tensor, fake: Tensor, asked: Tensor) -> Tensor:
        return (_cross_entropy(d(x, y), 1) + _cross_entropy(d(fake, asked), 0)) / 2

    return Twin(g, d, for_d, lambda fake, asked: _cross_entropy(d(fake, asked), 1))


def _cross_entropy(score: Tensor, real: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(score, torch.full_like(score, real))


TWINS: dict[str, Callable[[tuple[int, int, int], int], Twin]] = {
    "conditional-mlp": conditional_mlp,
    "wgan-gp-mlp": wgan_gp_mlp,
    "ac-gan": ac_gan,
    "dcgan": dcgan,
}


def batches(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Whole batches of random order, epoch after epoch."""
    while True:
        for rows in torch.randperm(len(images)).split(BATCH):
            if len(rows) == BATCH:
                yield images[rows], labels[rows]


def train(
    twin: Twin, feed: Iterator[tuple[Tensor, Tensor]], classes: int, falling: bool, rate: float
) -> Iterator[None]:
    """One iteration for each `next`; with `falling`, `send` the share of the rate that is left."""
    players = (twin.generator, twin.discriminator)
    # Fused, since MLPs of this size spend as long in a plain Adam as in their layers.
    optimizers = [torch.optim.Adam(p.parameters(), rate, BETAS, fused=True) for p in players]
    for_g, for_d = optimizers
    left: float | None = 1.0
    while True:
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate * (left if falling and left is not None else 1)
        for _ in range(twin.steps):
            x, y = next(feed)
            asked = torch.randint(classes, (BATCH,))
            fake = twin.generator(torch.randn(BATCH, LATENT), asked).detach()
            for_d.zero_grad()
            twin.discriminator_loss(x, y, fake, asked).backward()
            for_d.step()
        asked = torch.randint(classes, (BATCH,))
        for_g.zero_grad()
        twin.generator_loss(twin.generator(torch.randn(BATCH, LATENT), asked), asked).backward()
        for_g.step()
        left = yield


@torch.no_grad()
def sample(generator: nn.Module, classes: int) -> tuple[Tensor, Tensor]:
    """uint8 images [SAMPLES, C, H, W] and the classes that they were asked for, [SAMPLES]."""
    # By its own stream, so that marks do not change what is trained between them.
    stream = torch.Generator().manual_seed(0)
    z = torch.randn(SAMPLES, LATENT, generator=stream)
    asked = torch.arange(SAMPLES) % classes
    generator.eval()
    images = torch.cat(
        [generator(*part) for part in zip(z.split(500), asked.split(500), strict=True)]
    )
    generator.train()
    return ((images + 1) * 127.5).round().clamp(0, 255).byte(), asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("twin", choices=TWINS)
    parser.add_argument("--data", required=True)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--seconds", nargs="+", default=["240"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--decay", choices=("none", "linear"), default="none")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    data = mtgan.load_dataset(args.data, root=args.root)
    level = data.taxonomy.levels[0]
    classes = len(data.taxonomy.classes[level])
    images = torch.from_numpy(np.asarray(data.samples)).float() / 127.5 - 1
    labels = torch.from_numpy(data.labels[:, 0])
    twin = TWINS[args.twin](tuple(images.shape[1:]), classes)
    training = train(twin, batches(images, labels), classes, args.decay == "linear", args.rate)

    args.out.mkdir(parents=True)
    iterations, apart, marks = 0, 0.0, {}
    last = max(map(float, args.seconds))
    for mark in sorted(args.seconds, key=float):
        while (spent := time.process_time() - apart) < float(mark):
            next(training) if not iterations else training.send(1 - spent / last)
            iterations += 1
        reached = time.process_time()
        made, asked = sample(twin.generator, classes)
        rows = np.full((len(made), len(data.taxonomy.levels)), -1)
        rows[:, 0] = asked
        export_samples(made.numpy(), rows, data.taxonomy, args.out / f"{mark}.npz")
        marks[mark] = {"iterations": iterations, "seconds": round(spent, 2)}
        (args.out / "marks.json").write_text(json.dumps(marks))
        print(f"{mark} CPU s: {iterations} iterations", flush=True)
        apart += time.process_time() - reached


if __name__ == "__main__":
    main()
