"""A training loop written the plain way: the reference that `mtgan bench train` compares with.

The same networks, losses and optimizer settings as the recipe's, in the loop that one finds in
most repositories: a DataLoader that converts image by image, PyTorch's own layers in their default
memory layout, three forward passes per critic update, one backward pass through whatever is
attached, default Adam, `.item()` at every step. Generated samples are detached where the paper's
code does so. No moving average, no logs, no checks.

N: real batch; M: generated batch; labels travel as level -> int64 [N].
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from mtgan.data import Dataset as Images
from mtgan.errors import UserError
from mtgan.nets import fast
from mtgan.nets.backbones import resnet
from mtgan.nets.networks import kernel_weights
from mtgan.recipes import Recipe
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game

Labels = Mapping[str, Tensor]


class Samples(Dataset):
    """Images one by one, as tensors in [-1, 1], and their label rows."""

    def __init__(self, data: Images) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = torch.from_numpy(self.data.samples[index]).float() / 127.5 - 1
        return image, torch.from_numpy(self.data.labels[index])


# The networks with PyTorch's own layers ----------------------------------------------------------


class LeakyReLU(fast.LeakyReLU):
    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self.slope) if self.slope else functional.relu(x)


class ConvMeanPool2d(fast.ConvMeanPool2d):
    def forward(self, input: Tensor) -> Tensor:
        y = self._conv_forward(input, self.weight, self.bias)
        return functional.avg_pool2d(y, 2, ceil_mode=True)


class UpsampleConv2d(fast.UpsampleConv2d):
    def forward(self, input: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        size = size or (2 * input.shape[-2], 2 * input.shape[-1])
        return self._conv_forward(functional.interpolate(input, size), self.weight, self.bias)


class UpBlock(resnet.UpBlock):
    """The shortcut in the published order: first the pixels are repeated, then convolved."""

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.first(self.activation(self.first_norm(x, y)), self.size)
        h = self.second(self.activation(self.second_norm(h, y)))
        return h + self.shortcut(functional.interpolate(x, self.size))


PLAIN: Mapping[type[nn.Module], type[nn.Module]] = {
    fast.Conv2d: nn.Conv2d,
    fast.ConvTranspose2d: nn.ConvTranspose2d,
    fast.LeakyReLU: LeakyReLU,
    fast.ReLU: LeakyReLU,
    fast.ConvMeanPool2d: ConvMeanPool2d,
    fast.UpsampleConv2d: UpsampleConv2d,
    resnet.UpBlock: UpBlock,
}


def plain_layers(network: nn.Module) -> nn.Module:
    """The same network with PyTorch's own layers, in PyTorch's default memory layout."""
    for module in network.modules():
        module.__class__ = PLAIN.get(type(module), type(module))
    return network.to(memory_format=torch.contiguous_format)


# The losses as the papers print them -------------------------------------------------------------


def cross_entropy_real_fake(real: Tensor, fake: Tensor) -> Tensor:
    loss = functional.binary_cross_entropy_with_logits
    return loss(real, torch.ones_like(real)) + loss(fake, torch.zeros_like(fake))


def cross_entropy_fake(fake: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


# Of the discriminator, (real, fake) -> loss; of the generator, (fake) -> loss.
ADVERSARIAL: Mapping[str, tuple[Any, Any]] = {
    "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
    "non-saturating": (cross_entropy_real_fake, cross_entropy_fake),
}


class PlainLoop:
    """A recipe with one generator on a device, one iteration per call of `iterate`.

    Raises UserError for a recipe of other kinds of objective, penalty or aggregation.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Images,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        if (
            recipe.objective not in ADVERSARIAL
            or recipe.penalty.kind not in {"none", "gradient"}
            or (recipe.twins or recipe.aggregator != "sum" or recipe.discriminator.augmentation)
            or any(task.learns_from != "both" for task in recipe.tasks)
            or any(task.generator_weight and not task.is_head for task in recipe.tasks)
        ):
            raise UserError(f"Recipe {recipe.name} has no plain reference loop to compare with.")
        game = Game(recipe, DatasetInfo.of(data), seed)
        self.recipe, self.device = recipe, device
        self.levels = data.taxonomy.levels
        self.networks = {name: plain_layers(net).to(device) for name, net in game.networks.items()}
        self.generator, self.critic = self.networks["generator"], self.networks["discriminator"]
        self.heads = [pair for pair in game.tasks if pair[0].classifier == "discriminator-head"]
        self.classifiers = {
            f"classifier/{task.labels}": (task, level)
            for task, level in game.tasks
            if task.classifier == "separate"
        }
        self.discriminator_loss_of, self.generator_loss_of = ADVERSARIAL[recipe.objective]
        self.optimizers = {
            name: torch.optim.Adam(
                network.parameters(),
                recipe.optimizer.learning_rate,
                (recipe.optimizer.beta1, recipe.optimizer.beta2),
            )
            for name, network in self.networks.items()
        }
        loader = DataLoader(Samples(data), recipe.training.batch_size, shuffle=True, drop_last=True)
        self.batches = self.endless(loader)
        self.label_rows = torch.from_numpy(data.labels).to(device)
        self.iteration = 0

    def endless(self, loader: DataLoader) -> Iterator[tuple[Tensor, Labels]]:
        while True:
            for images, rows in loader:
                yield images.to(self.device), self.columns(rows.to(self.device))

    def columns(self, rows: Tensor) -> Labels:
        return {level: rows[:, i] for i, level in enumerate(self.levels)}

    def latents(self, count: int) -> Tensor:
        shape = (count, self.recipe.latent.dim)
        uniform = self.recipe.latent.distribution == "uniform"
        if uniform:
            return torch.rand(shape, device=self.device) * 2 - 1
        return torch.randn(shape, device=self.device)

    # Losses

    def gradient_penalty(self, real: Tensor, fake: Tensor, y: Labels, epsilon: Tensor) -> Tensor:
        epsilon = epsilon.view(-1, 1, 1, 1)
        between = (epsilon * real + (1 - epsilon) * fake).requires_grad_(True)
        score = self.critic(between, y).score
        (slope,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
        return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()

    def sharing(self, name: str) -> Tensor | float:
        """The soft sharing of a network's first layers with another's."""
        total: Tensor | float = 0.0
        for pair in self.recipe.sharing:
            if name not in pair.between:
                continue
            mine, other = (
                kernel_weights(self.networks[n].layers[: pair.layers])
                for n in (name, *(n for n in pair.between if n != name))
            )
            squares = [((a - b.detach()) ** 2).sum() for a, b in zip(mine, other, strict=True)]
            total = total + pair.weight * sum(squares) ** 0.5
        return total

    def discriminator_loss(self, real: Tensor, y: Labels, z: Tensor, epsilon: Tensor) -> Tensor:
        fake = self.generator(z, y).detach()
        said_real, said_fake = self.critic(real, y), self.critic(fake, y)
        loss = self.discriminator_loss_of(said_real.score, said_fake.score)
        for task, level in self.heads:
            for said in (said_real, said_fake):
                own = functional.cross_entropy(said.logits[task.labels], y[level])
                loss = loss + 0.5 * task.weight * own
        if self.recipe.penalty.kind == "gradient":
            penalty = self.gradient_penalty(real, fake, y, epsilon)
            loss = loss + self.recipe.penalty.weight * penalty
        return loss + self.sharing("discriminator")

    def generator_loss(self, y: Labels, z: Tensor) -> Tensor:
        said = self.critic(self.generator(z, y), y)
        loss = self.generator_loss_of(said.score)
        for task, level in self.heads:
            own = functional.cross_entropy(said.logits[task.labels], y[level])
            loss = loss + 0.5 * task.weight_to_generator * own
        return loss + self.sharing("generator")

    def classifier_loss(self, name: str, real: Tensor, y: Labels, z: Tensor) -> Tensor:
        task, level = self.classifiers[name]
        loss = self.sharing(name)
        for images in (real, self.generator(z, y)):
            own = functional.cross_entropy(self.networks[name](images), y[level])
            loss = loss + 0.5 * task.weight * own
        return loss

    # Updates

    def update(self, loss: Tensor, *names: str) -> float:
        for name in names:
            self.optimizers[name].zero_grad()
        loss.backward()
        for name in names:
            self.optimizers[name].step()
        return loss.item()

    def iterate(self) -> list[float]:
        """One iteration; the losses of its updates."""
        training, schedule = self.recipe.training, self.recipe.schedule
        size = training.batch_size
        made = training.generator_batch_size or size
        losses = []
        for _ in range(schedule.discriminator_steps):
            real, y = next(self.batches)
            epsilon = torch.rand(size, device=self.device)
            loss = self.discriminator_loss(real, y, self.latents(size), epsilon)
            losses.append(self.update(loss, "discriminator"))
        for _ in range(schedule.generator_steps):
            drawn = self.label_rows[
                torch.randint(len(self.label_rows), (made,), device=self.device)
            ]
            loss = self.generator_loss(self.columns(drawn), self.latents(made))
            losses.append(self.update(loss, "generator"))
        if self.iteration % schedule.classifier_every == 0:
            for name in self.classifiers:
                real, y = next(self.batches)
                loss = self.classifier_loss(name, real, y, self.latents(size))
                losses.append(self.update(loss, name, "generator"))
        self.iteration += 1
        return losses
