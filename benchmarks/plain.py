"""Training loops written the plain way, as the reference that `mtgan bench train` compares with.

The same networks, losses and optimizer settings as the recipe's, in the loop that one finds in
most repositories: a DataLoader that converts image by image, three forward passes per critic
update, every gradient computed whether wanted or not, default Adam, `.item()` at every step.
"""

from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mtgan.data import Dataset as Images
from mtgan.nets.ops import Conv2d, LeakyReLU
from mtgan.recipes import Recipe
from mtgan.training.facts import DataFacts
from mtgan.training.game import Game


class Samples(Dataset):
    """Images one by one, as tensors in [-1, 1]."""

    def __init__(self, data: Images) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = torch.from_numpy(self.data.samples[index]).float() / 127.5 - 1
        return image, torch.from_numpy(self.data.labels[index])


def plain_layers(network: nn.Module) -> nn.Module:
    """The same network with PyTorch's own layers, in PyTorch's default memory layout."""
    for name, child in network.named_children():
        if isinstance(child, LeakyReLU):
            setattr(network, name, nn.LeakyReLU(child.slope))
        elif isinstance(child, Conv2d):
            plain = nn.Conv2d(
                child.in_channels,
                child.out_channels,
                child.kernel_size,
                child.stride,
                child.padding,
            )
            plain.load_state_dict(child.state_dict())
            setattr(network, name, plain)
        else:
            plain_layers(child)
    return network.to(memory_format=torch.contiguous_format)


class PlainWGANGP:
    """WGAN-GP, one iteration per call of `iterate`."""

    def __init__(self, recipe: Recipe, data: Images, seed: int = 0) -> None:
        game = Game(recipe, DataFacts.of(data), seed)
        self.generator = plain_layers(game.networks["generator"])
        self.critic = plain_layers(game.networks["discriminator"])
        part = recipe.optimizer
        betas = (part.beta1, part.beta2)
        self.optimizer_g = torch.optim.Adam(self.generator.parameters(), part.learning_rate, betas)
        self.optimizer_c = torch.optim.Adam(self.critic.parameters(), part.learning_rate, betas)
        self.recipe = recipe
        self.loader = DataLoader(
            Samples(data), recipe.training.batch_size, shuffle=True, drop_last=True
        )
        self.batches = self._endless()

    def _endless(self) -> Iterator[torch.Tensor]:
        while True:
            for images, _ in self.loader:
                yield images

    def score(self, images: torch.Tensor) -> torch.Tensor:
        return self.critic(images, {}).score

    def critic_loss(
        self, real: torch.Tensor, z: torch.Tensor, epsilon: torch.Tensor
    ) -> torch.Tensor:
        fake = self.generator(z, {})
        adversarial = self.score(fake).mean() - self.score(real).mean()
        between = epsilon * real + (1 - epsilon) * fake.detach()
        between.requires_grad_(True)
        (slope,) = torch.autograd.grad(
            self.score(between), between, torch.ones(len(real)), create_graph=True
        )
        penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
        return adversarial + self.recipe.penalty.weight * penalty

    def iterate(self) -> tuple[float, float]:
        size, dim = self.recipe.training.batch_size, self.recipe.latent.dim
        for _ in range(self.recipe.schedule.discriminator_steps):
            real = next(self.batches)
            loss_c = self.critic_loss(real, torch.randn(size, dim), torch.rand(size, 1, 1, 1))
            self.optimizer_c.zero_grad()
            loss_c.backward()
            self.optimizer_c.step()
            last = loss_c.item()
        loss_g = -self.score(self.generator(torch.randn(size, dim), {})).mean()
        self.optimizer_g.zero_grad()
        loss_g.backward()
        self.optimizer_g.step()
        return last, loss_g.item()
