"""What teacher forcing does by itself: the generator of a recipe trained by it alone, without a
discriminator, and its strings measured as those of a run are.

    python -m benchmarks.teacher_forcing --data fashion-mnist-10k+nci-smiles --steps 3000

Batches, learning rates and moving average are those of `mtgan train` with the same recipe; noise is
drawn alike, from other seeds.
"""

import argparse
import json
import time

import torch

from mtgan.data import load_dataset
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.evaluation.domains import EvaluationOptions
from mtgan.evaluation.evaluate import watched
from mtgan.recipes import load_recipe
from mtgan.training.batches import BatchLoader, draw_inputs, draw_latents
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.mixture import Move
from mtgan.training.optimizers import optimizers_of


def train(game: Game, loader: BatchLoader, seed: int) -> None:
    """All iterations of the recipe, by the teacher-forcing loss alone."""
    recipe, device = game.recipe, torch.device("cpu")
    size, latent = recipe.training.batch_size, recipe.latent
    optimizers = optimizers_of(recipe, {"generator": game.groups["generator"]})
    never = torch.zeros(())
    for i in range(recipe.training.steps):
        random = torch.Generator().manual_seed(seed * 1_000_003 + i)
        batch = loader.batch(Move("generator", i), size, random)
        inputs = draw_inputs(size, latent.dim, latent.distribution, game.requests, random, device)
        optimizers.set_rates(i)
        optimizers.zero_grad(("generator",))
        generator = game.twins[0].generator
        generator.teacher_forcing(inputs.latents, batch.labels, batch.samples).backward()
        optimizers.step(("generator",), never)
        game.update_average(recipe.training.ema_decay, i)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="fashion-mnist-10k+nci-smiles")
    parser.add_argument("--recipe", default="multidomain-gp")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    data = load_dataset(asked.data)
    recipe = load_recipe(asked.recipe, {"training.steps": asked.steps})
    info = DatasetInfo.of(data)
    game = Game(recipe, info, asked.seed)
    device = torch.device("cpu")
    begun = time.process_time()
    loader = BatchLoader(data, game.requests, device, asked.seed, False, recipe.schedule.domains)
    train(game, loader, asked.seed)
    seconds = time.process_time() - begun
    values: dict[str, object] = {"cpu_seconds": round(seconds)}
    for index, domain in enumerate(info.domains):
        if domain.type == "sequence":
            random = torch.Generator().manual_seed(asked.seed)
            rows = game.requests.draw(asked.n, random, {DOMAIN_LEVEL: index})
            latent = recipe.latent
            latents = draw_latents(asked.n, latent.dim, latent.distribution, random)
            strings = domain.decode(generate(game, latents, rows))
            card = watched(
                {domain.name: strings}, data, EvaluationOptions(n=asked.n, seed=asked.seed)
            )[domain.name]
            values |= {f"{domain.name}/{name}": value for name, value in card.items()}
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
