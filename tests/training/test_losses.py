"""The losses of every recipe, against formulas written out here."""

import copy

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtgan.nets import HeadOutput
from mtgan.objectives.penalties import input_gradient
from mtgan.recipes.task import Task
from mtgan.training.aggregate import weighted_sum
from mtgan.training.batches import Batch, BatchLoader, RandomInputs, draw_inputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.mixture import Move
from mtgan.training.phases import Phase, Twin
from mtgan.training.requests import Requests
from toys import ZOO, Instruments, make_data, small_recipe

# name -> discriminator's loss, generator's loss, from scores of real and generated samples
LOSSES = {
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "non-saturating": (
        lambda r, f: -(r.sigmoid().log().mean() + (1 - f.sigmoid()).log().mean()),
        lambda r, f: -f.sigmoid().log().mean(),
    ),
    "hinge": (
        lambda r, f: (1 - r).clamp(min=0).mean() + (1 + f).clamp(min=0).mean(),
        lambda r, f: -f.mean(),
    ),
    "relativistic": (
        lambda r, f: -(r - f).sigmoid().log().mean(),
        lambda r, f: -(f - r).sigmoid().log().mean(),
    ),
    "none": (lambda r, f: 0.0, lambda r, f: 0.0),
}


def squared_slopes(score, samples: Tensor) -> Tensor:
    samples = samples.detach().requires_grad_(True)
    gradient = torch.autograd.grad(score(samples).sum(), samples)[0]
    return (gradient**2).flatten(1).sum(1)


def penalty(kind: str, score, real: Tensor, fake: Tensor, inputs: RandomInputs) -> Tensor | float:
    epsilon = inputs.epsilon.view(-1, 1, 1, 1)
    match kind:
        case "none" | "clip":
            return 0.0
        case "gradient":
            slopes = squared_slopes(score, epsilon * real + (1 - epsilon) * fake)
            return ((slopes.sqrt() - 1) ** 2).mean()
        case "r1-r2":
            return sum(squared_slopes(score, x).mean() / 2 for x in (real, fake))
        case _:
            raise AssertionError(kind)


def pull(game: Game, network: str) -> Tensor | float:
    """lambda ||W1 - W2||_2 over the first layers' kernels, of the soft sharings of a network."""
    total: Tensor | float = 0.0
    for part in game.recipe.sharing:
        if part.kind == "soft" and network in part.between:
            first, second = (
                [p for layer in game.networks[name].layers[: part.layers] for p in kernels(layer)]
                for name in part.between
            )
            squares = sum(((a - b) ** 2).sum() for a, b in zip(first, second, strict=True))
            total = total + part.weight * squares**0.5
    return total


def kernels(layer) -> list[Tensor]:
    return [p for name, p in layer.named_parameters() if name == "convolution.weight"]


def table(game: Game, kind: str) -> list[tuple[Task, str, float, float, float]]:
    """Task, level, weights of the losses on real and on generated samples, and of the generator's,
    of the tasks with such a classifier. Of codes, generated samples alone count."""
    rows = []
    for t, level in game.tasks:
        if level in game.dataset_info.codes:
            rows.append((t, level, 0.0, t.weight, t.weight))
            continue
        generated = t.head.learns_from == "both" or (t.generated and t.head.learns_from is None)
        half = 2 if generated else 1
        to_generator = t.weight if t.generator_weight is None else t.generator_weight
        weights = (t.weight / half, t.weight / 2 if generated else 0.0, to_generator / half)
        if t.classifier == kind:
            rows.append((t, level, *weights))
    return rows


def omni_loss(right: list[Tensor], wrong: list[Tensor]) -> Tensor:
    on_right = (1 + sum((-x).exp() for x in right)).log()
    return on_right + (1 + sum(x.exp() for x in wrong)).log()


def omni_marks(said: Tensor, y: dict[str, Tensor], sizes: dict[str, int], generated: bool):
    """Of the Omni-GAN recipes, whose logits end with "real" and "generated"."""
    losses = []
    for i, s in enumerate(said):
        right, wrong, start = [s[-1 if generated else -2]], [s[-2 if generated else -1]], 0
        for level, k in sizes.items():
            for c in range(k):
                is_right = not generated and c == int(y[level][i])
                (right if is_right else wrong).append(s[start + c])
            start += k
        losses.append(omni_loss(right, wrong))
    return torch.stack(losses).mean()


def hinge_loss(s: Tensor, y: Tensor) -> Tensor:
    others = s.masked_fill(torch.nn.functional.one_hot(y, s.shape[1]).bool(), -1e9).amax(1)
    return (1 + others - s[torch.arange(len(y)), y]).clamp(min=0).mean()


def data_loss(said: HeadOutput, y: Tensor) -> Tensor:
    f, near = said.embedding, said.logits[torch.arange(len(y)), y]
    s = ((near - 0.98).clamp(max=0) / 0.5).exp()
    d = ((f @ f.T - 0.98).clamp(min=0) / 0.5).exp() * (y[:, None] != y)
    return -(s / (s + d.sum(1))).log().mean()


def head_losses(
    game: Game, t: Task, level: str, said: HeadOutput, y: dict[str, Tensor], generated: bool
) -> tuple[Tensor, Tensor | float, Tensor]:
    """What the head loses, what its twin loses, what the generator gets, by samples of a side."""
    k, of_level = game.dataset_info.taxonomy.num_classes(level), y[level]
    if t.head.loss == "omni":
        levels = [level, *(game.dataset_info.level(name, "") for name in t.head.levels)]
        sizes = {name: game.dataset_info.taxonomy.num_classes(name) for name in levels}
        return (
            omni_marks(said.logits, y, sizes, generated),
            0.0,
            omni_marks(said.logits, y, sizes, False),
        )
    if t.head.loss == "d2d-ce":
        return data_loss(said, of_level), 0.0, data_loss(said, of_level)
    if t.head.loss == "semi-supervised":  # of SGAN, whose generator should be taken for real
        right = torch.full_like(of_level, k) if generated else of_level
        real_to_it = -(1 - said.logits.softmax(1)[:, -1]).log().mean()
        return cross_entropy(said.logits, right), 0.0, real_to_it
    loss = {"cross-entropy": cross_entropy, "multi-hinge": hinge_loss}[t.head.loss]
    match t.head.classes:
        case "plain":
            return loss(said.logits, of_level), 0.0, loss(said.logits, of_level)
        case "fake-class":
            right = torch.full_like(of_level, k) if generated else of_level
            return loss(said.logits, right), 0.0, loss(said.logits, of_level)
        case "real-fake":
            right = of_level + k if generated else of_level
            to_generator = loss(said.logits, of_level) - loss(said.logits, of_level + k)
            return loss(said.logits, right), 0.0, to_generator
        case "twin":
            on_twin = loss(said.twin.logits, of_level)
            own = loss(said.logits, of_level)
            return own, on_twin if generated else 0.0, own - on_twin
    raise AssertionError(t.head)


def turning_loss(discriminator, t: Task, samples: Tensor, y: dict[str, Tensor]) -> Tensor:
    """Of a head that tells quarter turns: of the i-th sample by i mod 4."""
    turns = [i % 4 for i in range(len(samples))]
    turned = torch.stack([x.rot90(k, (1, 2)) for x, k in zip(samples, turns, strict=True)])
    return cross_entropy(discriminator(turned, y).logits[t.labels], torch.tensor(turns))


def expected(game: Game, twin: Twin, batch: Batch, inputs: RandomInputs) -> dict[str, Tensor]:
    """The losses of discriminator and generator, each of its own pass of the generator."""
    to_d, to_g = LOSSES[game.recipe.objective]
    discriminator, real = twin.discriminator, batch.samples
    y = batch.labels | {code: inputs.labels[code] for code in game.dataset_info.codes}
    fake = copy.deepcopy(twin.generator)(inputs.latents, y).detach()
    says_real, says_fake = discriminator(real, y), discriminator(fake, y)
    d_loss = to_d(says_real.score, says_fake.score)
    d_loss = d_loss + game.recipe.penalty.weight * penalty(
        game.recipe.penalty.kind, lambda x: discriminator.score(x, y), real, fake, inputs
    )
    drawn = inputs.labels
    says_drawn = discriminator(copy.deepcopy(twin.generator)(inputs.latents, drawn), drawn)
    g_loss = to_g(discriminator.score(real, y), says_drawn.score)
    for t, level, real_weight, fake_weight, g_weight in table(game, "discriminator-head"):
        heads = (said.heads[t.labels] for said in (says_real, says_fake, says_drawn))
        for_real, for_fake, for_drawn = heads
        on_real, _, _ = head_losses(game, t, level, for_real, y, False)
        on_fake, on_twin, _ = head_losses(game, t, level, for_fake, y, True)
        d_loss = d_loss + real_weight * on_real + fake_weight * on_fake + t.weight * on_twin
        *_, to_generator = head_losses(game, t, level, for_drawn, drawn, True)
        g_loss = g_loss + g_weight * to_generator
    for t in game.recipe.tasks:
        if t.transform == "rotation":
            d_loss = d_loss + t.weight * turning_loss(discriminator, t, real, y)
            made = copy.deepcopy(twin.generator)(inputs.latents, drawn)
            g_loss = g_loss + t.generator_weight * turning_loss(discriminator, t, made, drawn)
    label = twin.label
    return {
        f"discriminator{label}": d_loss + pull(game, f"discriminator{label}"),
        f"generator{label}": g_loss + pull(game, f"generator{label}"),
    }


def prepare(name: str) -> tuple[Game, Batch, RandomInputs]:
    # What is drawn for an augmentation is drawn anew in the computation here.
    recipe = small_recipe(name, discriminator__augmentation=[])
    data = with_hierarchies(make_data(three_levels=True), recipe.hierarchy, Instruments().confusion)
    game = Game(recipe, DatasetInfo.of(data))
    for twin in game.twins:
        twin.discriminator.eval()  # no dropout, no power iterations between two passes
    requests = Requests(game.dataset_info)
    loader = BatchLoader(data, requests, torch.device("cpu"), seed=0, flip=False)
    random = torch.Generator().manual_seed(5)
    batch = loader.batch(Move("test", 0), 8, random)
    latent = recipe.latent
    inputs = draw_inputs(8, latent.dim, latent.distribution, requests, random, torch.device("cpu"))
    return game, batch, inputs


def phase_of(game: Game, name: str) -> Phase:
    return next(phase for phase in game.phases if phase.name == name)


@pytest.mark.parametrize("name", ZOO)
def test_losses_of_discriminator_and_generator(name: str) -> None:
    game, batch, inputs = prepare(name)
    for twin in game.twins:
        for phase, loss in expected(game, twin, batch, inputs).items():
            # A twin, so that the batch statistics of neither pass disturb the other.
            terms = phase_of(copy.deepcopy(game), phase).step(batch, inputs).terms
            assert weighted_sum(terms).item() == pytest.approx(loss.item(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", [name for name in ZOO if name.startswith("sc-")])
def test_losses_of_separate_classifiers(name: str) -> None:
    game, batch, inputs = prepare(name)
    twin = game.twins[0]
    for t, level, real_weight, fake_weight, _ in table(game, "separate"):
        classifier = copy.deepcopy(game.networks[f"classifier/{t.labels}"])
        fake = copy.deepcopy(twin.generator)(inputs.latents, batch.labels)
        y = batch.labels[level]
        on_real, on_fake = (cross_entropy(classifier(x), y) for x in (batch.samples, fake))
        loss = real_weight * on_real + fake_weight * on_fake
        loss = loss + pull(game, f"classifier/{t.labels}")
        terms = phase_of(copy.deepcopy(game), f"classifier/{t.labels}").step(batch, inputs).terms
        assert weighted_sum(terms).item() == pytest.approx(loss.item(), rel=1e-4, abs=1e-5)


def test_the_generators_samples_are_outside_the_discriminators_graph() -> None:
    game, batch, inputs = prepare("ac-wgan-b")
    weighted_sum(phase_of(game, "discriminator").step(batch, inputs).terms).backward()
    assert all(p.grad is None for p in game.networks["generator"].parameters())


def test_input_gradient_is_per_sample() -> None:
    x = torch.randn(3, 2)
    torch.testing.assert_close(input_gradient(lambda x: (x**2).sum(1), x).detach(), 2 * x)


def test_heads_may_have_a_generated_batch_of_their_own() -> None:
    """Algorithm 3 of the thesis, lines 19 to 31."""
    recipe = small_recipe("ac-wgan-a", schedule__class_batch="own")
    game = Game(recipe, DatasetInfo.of(make_data()))
    phase = phase_of(game, "generator")
    assert phase.batch_size == 2 * recipe.training.batch_size == 16
    random, cpu = torch.Generator().manual_seed(1), torch.device("cpu")
    inputs = draw_inputs(16, recipe.latent.dim, "normal", game.requests, random, cpu)
    terms = phase.step(None, inputs).terms
    generator, discriminator = game.networks["generator"], game.networks["discriminator"]
    first, second = (
        {level: y[rows] for level, y in inputs.labels.items()} for rows in (slice(8), slice(8, 16))
    )
    score = discriminator(generator(inputs.latents[:8], first), first).score
    logits = discriminator(generator(inputs.latents[8:], second), second).logits["fine"]
    picked = logits.log_softmax(1)[torch.arange(8), second["fine"]]
    assert terms["adversarial"].value.item() == pytest.approx(-score.mean().item(), rel=1e-5)
    assert terms["fine/generated"].value.item() == pytest.approx(-picked.mean().item(), rel=1e-5)
    assert terms["fine/generated"].weight == 0.5
