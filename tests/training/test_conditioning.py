"""Levels that a schedule switches on."""

import warnings

import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.recipes.rules import RecipeWarning
from mtgan.training import train
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.train import prepare
from toys import make_data, small_recipe

BOTH = {
    "condition_on": ["fine", "coarse"],
    "discriminator__conditioning": "projection",
    "penalty__kind": "gradient",
}
STAGES = [
    {"condition_on": "none", "until": 2},
    {"condition_on": "coarse", "until": 4},
]
BLENDED = [
    {"condition_on": "none", "until": 10},
    {"condition_on": ["coarse"], "until": 20, "over": 4},
    {"condition_on": ["fine", "coarse"], "over": 5},
]


def make_game(stages: list, name: str = "ac-wgan-b", **overrides: object) -> Game:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecipeWarning)  # it is never trained so long
        recipe = small_recipe(name, **{**BOTH, "schedule__conditioning": stages, **overrides})
    return Game(recipe, DatasetInfo.of(make_data()))


def test_strengths_rise_and_stay() -> None:
    found = make_game(BLENDED).conditioning
    assert found is not None
    at = [0, 9, 10, 11, 13, 14, 19, 20, 21, 25, 1000]
    coarse = [0, 0, 0, 0.25, 0.75, 1, 1, 1, 1, 1, 1]
    fine = [0, 0, 0, 0, 0, 0, 0, 0, 0.2, 1, 1]
    assert [found.strength("coarse", i) for i in at] == coarse
    assert [found.strength("fine", i) for i in at] == fine
    hard = make_game(STAGES).conditioning
    assert hard is not None
    assert [hard.strength("coarse", i) for i in range(6)] == [0, 0, 1, 1, 1, 1]
    assert [hard.strength("fine", i) for i in range(6)] == [0, 0, 0, 0, 1, 1]


def test_a_level_is_known_by_a_finer_one() -> None:
    game = make_game([{"condition_on": "none", "until": 3}], condition_on="fine")
    known = game.twins[0].generator.strengths
    assert known is not None
    for iteration, strength in ((2, 0), (3, 1)):
        game.begin(iteration)
        assert (known.of("fine"), known.of("coarse")) == (strength, strength)


def inputs(game: Game, count: int = 8) -> tuple[Batch, RandomInputs]:
    """Real samples, latents, and labels of either."""
    random = torch.Generator().manual_seed(0)
    fine = torch.arange(count) % 4
    labels = {"fine": fine, "coarse": fine // 2}
    samples = torch.rand(count, 1, 16, 16, generator=random) * 2 - 1
    latents = torch.randn(count, game.recipe.latent.dim, generator=random)
    return Batch(samples, labels), RandomInputs(latents, labels, torch.rand(count))


def test_a_level_that_is_off_is_a_missing_label() -> None:
    game, plain = make_game(BLENDED), make_game([])
    twin, other = game.twins[0], plain.twins[0]
    batch, given = inputs(game)
    missing = {level: torch.full_like(y, -1) for level, y in batch.labels.items()}
    hidden = {
        5: missing,
        17: {**batch.labels, "fine": missing["fine"]},
        30: batch.labels,
    }
    for iteration, labels in hidden.items():
        game.begin(iteration)
        made = twin.generator(given.latents, batch.labels)
        torch.testing.assert_close(made, other.generator(given.latents, labels))
        torch.testing.assert_close(
            twin.discriminator.score(made, batch.labels), other.discriminator.score(made, labels)
        )


def test_blocks_are_blended_in() -> None:
    game = make_game(BLENDED)
    game.begin(11)
    vector = game.twins[0].generator.label_vector
    assert vector is not None
    labels = {"fine": torch.tensor([3, -1]), "coarse": torch.tensor([1, -1])}
    found = vector(labels, torch.zeros(2))
    assert found.tolist() == [[0, 0, 0, 0, 0, 0.25], [0] * 6]


@pytest.mark.parametrize(("iteration", "share"), [(5, 0.0), (11, 0.25), (14, 1.0)])
def test_what_is_learned_of_generated_samples_is_multiplied(iteration: int, share: float) -> None:
    game = make_game(BLENDED)
    game.begin(iteration)
    batch, given = inputs(game)
    steps = {phase.name: phase.step for phase in game.phases}
    twin = game.twins[0]
    head = twin.discriminator.get_parameter("heads.1.linear.weight")
    first = next(twin.generator.parameters())

    def slopes() -> dict[str, torch.Tensor]:
        """Of the coarse head's terms, by that head's weight and by the generator's first."""
        of_head = steps["discriminator"](batch, given).terms
        of_generator = steps["generator"](None, given).terms
        return {
            "real": torch.autograd.grad(of_head["coarse/real"].value, head, retain_graph=True)[0],
            "generated": torch.autograd.grad(of_head["coarse/generated"].value, head)[0],
            "generator": torch.autograd.grad(of_generator["coarse/generated"].value, first)[0],
        }

    found = slopes()
    twin.generator.strengths = None  # the tasks alone are as without a schedule
    whole = slopes()
    for name, factor in (("real", 1.0), ("generated", share), ("generator", share)):
        assert whole[name].abs().max() > 0
        torch.testing.assert_close(found[name], factor * whole[name], atol=1e-7, rtol=1e-4)


def test_weights_of_a_level_that_is_off_stay(tmp_path) -> None:
    recipe = small_recipe("ac-wgan-b", **BOTH, schedule__conditioning=STAGES, training__steps=6)
    trainer = prepare(recipe, make_data(), tmp_path / "run", device="cpu")
    game = trainer.game
    weights = game.tensors()
    first = next(
        w for n, w in weights.items() if n.startswith("networks/generator/") and w.dim() == 2
    )
    embed = weights["networks/discriminator/adversarial.embed.weight"]
    latent = recipe.latent.dim
    moved = []
    for _ in range(6):
        old = [first[:, latent:].clone(), embed.clone()]
        trainer.run_iteration()
        new = [first[:, latent:], embed]
        moved.append(
            [
                bool((a[:, part] != b[:, part]).any())
                for a, b in zip(old, new, strict=True)
                for part in (slice(0, 4), slice(4, 6))  # fine, coarse
            ]
        )
    assert moved == [[False] * 4] * 2 + [[False, True, False, True]] * 2 + [[True] * 4] * 2


def test_resumed_exactly_across_every_switch(tmp_path) -> None:
    data = make_data()
    stages = [STAGES[0], {"condition_on": "coarse", "until": 5, "over": 3}]

    def go(name: str, steps: int):
        recipe = small_recipe("ac-wgan-b", **BOTH, schedule__conditioning=stages)
        return train(recipe, data, tmp_path / name, steps=steps, resume=True, quiet=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecipeWarning)
        for steps in range(1, 7):
            parts = go("parts", steps)
        whole = go("whole", 6)
    expected = whole.game().tensors()
    for name, value in parts.game().tensors().items():
        assert torch.equal(value, expected[name]), name


def test_a_checkpoint_can_be_asked_for_what_was_on(tmp_path) -> None:
    recipe = small_recipe(
        "ac-wgan-b",
        **BOTH,
        schedule__conditioning=STAGES,
        training__steps=6,
        training__keep_checkpoints=9,
    )
    run = train(recipe, make_data(), tmp_path / "run", quiet=True)
    assert run.sample(3, seed=0, step=2).labels is None
    with pytest.raises(UserError, match=r"told the generator no labels by that step.*later step"):
        run.sample(3, {"coarse": "x"}, step=2)
    coarse = run.sample(3, {"coarse": "y"}, seed=0, step=4)
    assert coarse.labels is not None
    assert coarse.labels.tolist() == [[-1, 1]] * 3
    with pytest.raises(UserError, match=r"not told 'fine'.*asked for 'coarse'"):
        run.sample(3, {"fine": "a"}, step=4)
    assert run.sample(2, {"fine": "d"}, step=6).labels.tolist() == [[3, 1]] * 2
    early = run.sample(seed=1, step=2, latents=np.ones((3, 6), np.float32))
    assert (early[0] == early[2]).all()  # whatever labels were drawn


REFUSED = {
    "an unknown level": (
        {"schedule.conditioning": [{"condition_on": "corse", "until": 5}]},
        "schedule.conditioning.0 names the level 'corse', and condition_on has 'fine'",
    ),
    "iterations that do not rise": (
        {"schedule.conditioning": [STAGES[0], {"condition_on": "fine", "until": 2}]},
        r"conditioning\.1 lasts until iteration 2, and should last beyond 2",
    ),
    "a stage without an end": (
        {"schedule.conditioning": [{"condition_on": "none"}, {"condition_on": "fine"}]},
        r"conditioning\.0 should say until which iteration",
    ),
    "an end short of all": (
        {"schedule.conditioning": [STAGES[0], {"condition_on": "none"}]},
        r"the last stage .* all of condition_on \('fine'\), or last until",
    ),
    "a blend longer than its stage": (
        {"schedule.conditioning": [{"condition_on": "fine", "until": 5, "over": 6}]},
        "over=6, and lasts 5 iterations",
    ),
    "no labels": (
        {"schedule.conditioning": [STAGES[0]], "generator.conditioning": "none", "tasks": []},
        "generator.conditioning=none has none; set it to concat",
    ),
    "labels in layers": (
        {
            "schedule.conditioning": [STAGES[0]],
            "generator.conditioning": "normalization",
            "generator.normalization": "conditional-batch",
        },
        "generator.conditioning=normalization has none; set it to concat",
    ),
    "twins": (
        {"schedule.conditioning": [STAGES[0]], "twins": ["fine", "coarse"]},
        "twins has one level for good",
    ),
    "no number": (
        {"schedule.conditioning": [{"condition_on": "none", "until": "soon"}]},
        r"schedule\.conditioning\.0\.until should be .*found 'soon'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    overrides, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence):
        load_recipe("ac-wgan-b", overrides)


def test_a_schedule_beyond_the_end_is_warned_of() -> None:
    with pytest.warns(RecipeWarning, match="at iteration 300,000, and training.steps is 200,000"):
        load_recipe(
            "ac-wgan-b", {"schedule.conditioning": [{"condition_on": "none", "until": 300_000}]}
        )


def test_a_scale_shortens_it_with_the_steps(tmp_path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "extends: cwgan-a\nschedule:\n  conditioning:\n    - {condition_on: none, until: 50000}\n"
        "    - {condition_on: fine, over: 20000}\n"
    )
    first, last = load_recipe(file, scale="tiny").schedule.conditioning
    assert (first.until, first.over, last.until, last.over) == (500, 0, None, 200)
