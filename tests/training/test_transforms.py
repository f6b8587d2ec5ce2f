"""Tasks whose classes a transform makes of the samples (self-supervised GANs)."""

import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.objectives.transforms import Transform
from mtgan.objectives.transforms.rotation import turned
from mtgan.parts import TRANSFORMS
from mtgan.recipes import load_recipe
from mtgan.testing import check_transform
from mtgan.training import train
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from toys import make_data, small_recipe

ROTATION = {"labels": "rotation", "transform": "rotation"}


@pytest.mark.parametrize("name", TRANSFORMS.names())
def test_ours_keep_the_contract(name: str) -> None:
    check_transform(name)


@pytest.mark.parametrize(
    ("apply", "sentence"),
    [
        (lambda x: (x[::2], torch.arange(len(x) // 2) % 2), "makes .* of"),
        (lambda x: (x, torch.zeros(len(x), dtype=torch.int64)), "Of 2 classes, there occur"),
        (lambda x: (x.flip(0), torch.arange(len(x)) % 2), "changes the order"),
        (lambda x: (x - x.mean(), torch.arange(len(x)) % 2), "depends on another one"),
        (lambda x: (x * torch.rand(()), torch.arange(len(x)) % 2), "differs from call to call"),
        (lambda x: (x, torch.arange(len(x)) % 2.0), "float32, and no int64"),
    ],
)
def test_wrong_transforms_are_found(apply, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_transform(Transform(apply, classes=2))


@pytest.mark.parametrize("count", [1, 4, 7])
def test_quarter_turns_in_order(count: int) -> None:
    x = torch.randn(count, 3, 5, 5, requires_grad=True)
    made, classes = turned(x)
    assert classes.tolist() == [i % 4 for i in range(count)]
    for i in range(count):
        expected = np.rot90(x[i].detach().numpy(), i % 4, (1, 2))
        np.testing.assert_array_equal(made[i].detach().numpy(), expected)
    (gradient,) = torch.autograd.grad((made * made.detach()).sum(), x)
    torch.testing.assert_close(gradient, x.detach())  # turned back


@pytest.mark.parametrize(
    ("changed", "terms"),
    [
        ({"generated": False, "generator_weight": 0.2}, {"real": 1.0, "by generator": 0.2}),
        ({}, {"real": 0.5, "generated": 0.5, "by generator": 0.5}),
        ({"head": {"learns_from": "generated"}}, {"generated": 1.0, "by generator": 1.0}),
        ({"generated": False, "generator_weight": 0.0}, {"real": 1.0}),
    ],
)
def test_who_learns_from_what(changed: dict[str, object], terms: dict[str, float]) -> None:
    game = Game(small_recipe("gan", tasks=[ROTATION | changed]), DatasetInfo.of(make_data()))
    assert game.tasks == []
    steps = {phase.name: phase.step for phase in game.phases}
    batch, inputs = inputs_of(game)
    of_discriminator = steps["discriminator"](batch, inputs)
    found = {
        name.removeprefix("rotation/"): term.weight
        for name, term in of_discriminator.terms.items()
        if term.task == "rotation"
    }
    for name in found:
        assert f"rotation/accuracy_{name}" in of_discriminator.logs
    for term in steps["generator"](None, inputs).terms.values():
        if term.task == "rotation":
            found["by generator"] = term.weight
    assert found == terms


def inputs_of(game: Game) -> tuple[Batch, RandomInputs]:
    random = torch.Generator().manual_seed(0)
    labels = {"fine": torch.arange(6) % 4, "coarse": torch.arange(6) % 4 // 2}
    real = torch.rand(6, 1, 16, 16, generator=random) * 2 - 1
    latents = torch.randn(6, game.recipe.latent.dim, generator=random)
    return Batch(real, labels), RandomInputs(latents, labels, torch.rand(6, generator=random))


def test_resumed_exactly_beside_labels_and_a_projection(tmp_path) -> None:
    data = make_data()
    tasks = [{"labels": "fine"}, ROTATION | {"bifurcation": 2}]
    parts = {"discriminator__conditioning": "projection", "aggregator": "uncertainty"}

    def go(name: str, steps: int):
        recipe = small_recipe("ac-wgan-b", tasks=tasks, **parts)
        return train(recipe, data, tmp_path / name, steps=steps, resume=True, quiet=True)

    go("parts", 1)
    resumed, whole = go("parts", 2), go("whole", 2).game().tensors()
    for name, value in resumed.game().tensors().items():
        assert torch.equal(value, whole[name]), name
    assert resumed.sample(2, {"fine": "a"}).labels.tolist() == [[0, 0]] * 2
    assert "rotation" not in resumed.dataset_info.taxonomy.levels


REFUSED = {
    "an unknown transform": (
        [ROTATION | {"transform": "rotate"}],
        r"tasks\.0\.transform.*'rotate'.*did you mean 'rotation'",
    ),
    "a classifier of its own": ([ROTATION | {"classifier": "separate"}], "leave `classifier` out"),
    "another loss": (
        [ROTATION | {"head": {"loss": "multi-hinge"}}],
        "by cross-entropy; leave all of `head` out but learns_from",
    ),
    "a sum of turns": (
        [ROTATION, {"labels": "coarse", "head": {"sums": "rotation"}}],
        "head.sums=rotation, which is no task with a head of its own",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    tasks, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence):
        load_recipe("cwgan-a", {"tasks": tasks})


def test_images_that_cannot_be_turned_are_refused() -> None:
    recipe = small_recipe("gan", tasks=[ROTATION])
    info = DatasetInfo.of(make_data(shape=(1, 16, 32)))
    with pytest.raises(UserError, match="one of square images; found 16 x 32 pixels"):
        Game(recipe, info)
