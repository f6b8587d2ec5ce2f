"""What can be asked of a trained model, be it kept in the folder of a run or elsewhere."""

import copy
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.limits import LARGEST_COUNT, check_memory, check_whole
from mtgan.recipes import Recipe
from mtgan.training.batches import draw_latents, truncated
from mtgan.training.classify import classify
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.devices import choose_device
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.requests import Requests
from mtgan.training.samples import (
    Labels,
    RequestedLabels,
    as_latents,
    check_truncation,
    count_of,
    drawn_seed,
    with_class,
)
from mtgan.training.twins import twin_called

Step = int | str | None
"""A checkpoint by its iteration; "best"; None: the newest."""


class Model(ABC):
    """Trained players, and what they have to know of their data to be asked for samples.

    path: where they are kept; recipe: resolved; dataset_info: shape, taxonomy and label
    distribution of the training data. No data set is read.

    twin_name: whose generator and discriminator are asked, by the recipe's name of a twin; see
    `twin`.
    """

    def __init__(self, path: Path, recipe: Recipe, dataset_info: DatasetInfo) -> None:
        self.path = path
        self.recipe = recipe
        self.dataset_info = dataset_info
        self.twin_name: str | None = None

    @abstractmethod
    def game(self, step: Step = None) -> Game:
        """The players as of a checkpoint (the newest when `step` is None), on the CPU; UserError
        where there is none."""

    @abstractmethod
    def iteration(self, step: Step = None) -> int:
        """After how many iterations that checkpoint was written."""

    @abstractmethod
    def weights(self, step: Step = None) -> Path:
        """The file that holds its networks as of that checkpoint."""

    @property
    def twins(self) -> tuple[str, ...]:
        """Names of its twins, the main one first; none where one generator was trained."""
        return tuple(self.recipe.twins)

    def twin(self, name: str | None = None) -> Self:
        """The same as of one of its twins, by its name or its label level: samples, evaluations,
        analyses and the log are then that twin's. The main one where no name is given; where there
        are no twins itself.

        UserError for a twin that it does not have.
        """
        found = copy.copy(self)
        found.twin_name = twin_called(name, self.recipe, self.dataset_info)
        return found

    def asking(self, step: Step = None) -> Requests:
        """What the averaged generator can be asked for as of a checkpoint; errors as of `game`."""
        return self.game(step).asking(self.twin_name)

    def sample(
        self,
        n: int | None = None,
        labels: Labels | None = None,
        seed: int | None = None,
        step: Step = None,
        batch_size: int = 250,
        *,
        latents: np.ndarray | torch.Tensor | None = None,
        truncation: float | None = None,
        device: str = "cpu",
        twin: str | None = None,
    ) -> Samples:
        """Samples uint8 [n, C, H, W] from the averaged generator, as an array.

        Args:
            n: From 1 to 10,000,000, as far as this machine's memory goes; may be left out where
                labels or latents are given for each sample.
            labels: What the samples should show, for all of them or for each: {level: class}, a
                list of these, {level: [class, ...]}, names of classes, or int64 [n, L]. A class is
                a name or an index, a number lies within the range of the training data; a coarse
                class draws among its fine ones, and what is not asked for is drawn as it occurs in
                the training data.
            seed: From 0 to 2**31 - 1; the same one gives the same samples, whatever the batch size,
                and the same latents whatever the labels. Where there is none, one is drawn.
            step: The checkpoint's; "best": that of the lowest Frechet distance while it was
                trained; the newest when left out.
            batch_size: Samples that are made at once, from 1 to 10,000,000.
            latents: [n, Z] to make them from, instead of drawn ones.
            truncation: Drawn latents lie within -truncation and truncation, above 0 and at most
                10: fewer odd samples, and less variety (mtgan.training.batches.truncated).
            device: cpu, cuda, mps, or auto (the CUDA GPU where there is one).
            twin: Which one is asked, where there are twins; the main one when left out.

        Returns:
            An array that also has the attributes `labels` (what the generator was given: int64
            [n, L], or None), `numbers`, `seed`, `latents`, `taxonomy` and `notes`.

        Raises:
            UserError: Numbers out of range; labels that the generator is not told, that exclude
                each other, or that no training sample has; a checkpoint or a twin that is not
                there.
        """
        if twin is not None:
            other = self.twin(twin)
            how: dict[str, Any] = {"latents": latents, "truncation": truncation, "device": device}
            return other.sample(n, labels, seed, step, batch_size, **how)
        count = count_of(n, labels, latents)
        seed = drawn_seed(seed)
        check_whole("batch_size", batch_size, 1, LARGEST_COUNT)
        check_truncation(truncation, latents)
        check_memory(f"{count:,} samples of {self.path}", count, self.dataset_info.shape)
        place = choose_device(device)
        game = self.game(step)
        requests = game.asking(self.twin_name)
        conditioned = bool(requests.taken)
        if labels is not None and len(labels) and not conditioned:
            raise UserError(
                f"Recipe {self.recipe.name} has told the generator no labels by that step "
                "(schedule.conditioning), so it cannot be asked for any; take a later step."
                if game.requests.taken
                else f"Recipe {self.recipe.name} trains a generator without labels, so it cannot "
                "be asked for any; take a conditional recipe."
            )
        requested = RequestedLabels(labels, count, requests)
        random = torch.Generator().manual_seed(seed)
        rows = requests.draw(count, random)
        part = self.recipe.latent
        if latents is None:
            z = draw_latents(count, part.dim, part.distribution, random)
            if truncation is not None:
                z = truncated(z, part.distribution, truncation)
        else:
            z = as_latents(latents, count, part.dim)
        if (requested.rows >= 0).any():
            # By a stream of their own, so that other labels have the same latents.
            rows = requested.draw(torch.Generator().manual_seed(seed))
        images = generate(game, z, rows, batch_size, place, self.twin_name)
        given, taxonomy, numbers = game.dataset_info.without_numbers(requests.given(rows.numpy()))
        return Samples.of(
            *(images, given if conditioned else None, taxonomy, seed, z.numpy(), requested.notes),
            numbers={name: v for name, v in numbers.items() if name in requests.taken},
        )

    def classify(self, images: np.ndarray, step: Step = None) -> dict[str, np.ndarray]:
        """What its classifiers (heads on the discriminator, and separate networks) say of images.

        Args:
            images: uint8 [N, C, H, W] of the training data's shape.
            step: The checkpoint's; see `sample`.

        Returns:
            By label level, probabilities float32 [N, K] in the order of
            `dataset_info.taxonomy.classes[level]`; empty for a recipe without tasks that tell
            classes. See mtgan.training.classify.

        Raises:
            UserError: Images of another shape or type; a checkpoint that is not there.
        """
        return classify(self.game(step), np.asarray(images), self.twin_name)

    def sample_with_labels(
        self,
        n: int | None = None,
        labels: Labels | None = None,
        seed: int | None = None,
        step: Step = None,
        batch_size: int = 250,
    ) -> tuple[Samples, np.ndarray | None]:
        """Samples, and the labels int64 [n, L] that the generator was given; see `sample`.

        Labels are -1 at levels that the generator is not told and that follow from none of those;
        None where it takes none.
        """
        found = self.sample(n, labels, seed, step, batch_size)
        return found, found.labels

    def sample_domain(
        self,
        n: int,
        domain: str,
        labels: Labels | None = None,
        seed: int | None = None,
        step: Step = None,
    ) -> Any:
        """n strings, or images uint8 [n, C, H, W], or what else one domain of the run has.

        Arguments as of `sample`. A string is "" where its canvas is padding alone. UserError for a
        domain that the run does not have or cannot be asked for.
        """
        described = self.dataset_info.domain(domain)
        made = self.sample(n, self.of_domain(domain, labels), seed, step)
        return described.decode(np.asarray(made))

    def of_domain(self, domain: str, labels: Labels | None = None) -> Labels | None:
        """Labels that ask for samples of one domain of the run, and for what `labels` ask."""
        if len(self.dataset_info.domains) < 2:
            return labels
        return with_class(labels, DOMAIN_LEVEL, self.dataset_info.domain(domain).name)
