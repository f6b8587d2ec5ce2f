"""Parts combined at random: whatever the rules accept trains, resumes exactly, and samples."""

import warnings
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.recipes.rules import RecipeWarning
from mtgan.training import train
from toys import make_data, small_recipe

HEAD, COARSE = {"labels": "fine"}, {"labels": "coarse", "weight": 0.5}
OWN = {"labels": "fine", "classifier": "separate"}
TURNS = {"labels": "turns", "transform": "rotation", "generator_weight": 0.2}
TASKS = [
    [],
    [HEAD],
    [HEAD, COARSE | {"bifurcation": 2}],
    [HEAD, COARSE, {"labels": "top", "generator_weight": 0.0}],
    [OWN | {"generator_weight": 0.3}],
    [COARSE, OWN | {"generated": False}],
    [OWN, {"labels": "top", "classifier": "separate"}],
]
HEADS = [
    {},
    {"features": "unit-sphere", "learns_from": "generated"},
    {"classes": "real-fake", "loss": "multi-hinge"},
    {"classes": "fake-class"},
    {"classes": "twin", "loss": "d2d-ce"},
    {"classes": "real-fake", "loss": "omni"},
]
BACKBONES = ["conv", "odena", "resnet", "sngan", "r3gan"]
MADE = [[], [{"kind": "random", "name": "coarse"}, {"kind": "same", "name": "top"}]]


@st.composite
def combinations(draw) -> dict[str, object]:
    """Parts that go together, and every part with every other that it goes with."""

    def one(*options):
        return draw(st.sampled_from(options))

    parts: dict[str, object] = {
        "objective": one("non-saturating", "wasserstein", "hinge", "relativistic", "minimax"),
        "generator.backbone": one(*BACKBONES),
        "generator.spectral_norm": one(False, True),
        "generator.attention": one(None, 8),
        "discriminator.attention": one(None, 8),
        "generator.normalization": one(
            "none",
            "batch",
            "conditional-batch",
            "conditional-instance",
            "shared-conditional-batch",
        ),
        "discriminator.backbone": one(*BACKBONES),
        "discriminator.normalization": one("none", "batch", "layer"),
        "discriminator.spectral_norm": one(False, True),
        "discriminator.dropout": one(0.0, 0.3),
        "discriminator.augmentation": one([], ["translation"], ["color", "translation", "cutout"]),
        "discriminator.lecam": one(0.0, 0.3),
        "classifier.backbone": one("conv", "resnet"),
        "schedule.generator_steps": one(1, 2),
        "schedule.classifier_every": one(1, 2),
        "schedule.classifier_choice": one("all", "random"),
        "hierarchy": one(*MADE),
        "optimizer.kind": one("adam", "rmsprop"),
        "data.flip": one(False, True),
    }
    if parts["discriminator.augmentation"] and parts["objective"] in {"hinge", "non-saturating"}:
        parts["discriminator.adaptive_augmentation"] = one(None, {"images": 64})
    if parts["generator.backbone"] in {"conv", "odena"}:
        parts["generator.upsampling"] = one(None, "nearest", "sub-pixel")
    slopes = () if parts["discriminator.normalization"] == "batch" else ("gradient", "r1", "r1-r2")
    parts["penalty.kind"] = one("none", "clip", *slopes)
    if "conditional" in str(parts["generator.normalization"]):
        parts["generator.conditioning"] = "normalization"
    else:
        parts["generator.conditioning"] = one("none", "concat", "concat", "concat")
    turns = one([], [TURNS], [TURNS | {"generated": False}])
    if parts["generator.conditioning"] == "none":
        parts["tasks"] = turns
        return parts
    parts["discriminator.conditioning"] = one("none", "concat", "dense", "projection")
    parts["tasks"] = tasks = one(*TASKS)
    parts["twins"] = twins = one([], [], ["fine", "coarse"])
    if any("classifier" not in task for task in tasks):
        parts["aggregator"] = one("sum", "uncertainty")
        parts["tasks"] = [t if "classifier" in t else t | {"head": one(*HEADS)} for t in tasks]
    parts["tasks"] = [*parts["tasks"], *turns]
    if parts["generator.conditioning"] == "concat" and not twins:
        parts["schedule.conditioning"] = one([], [{"condition_on": "none", "until": 1}])
        if one(False, True):
            parts["latent.codes"] = {"code": 3}
            parts["condition_on"] = ["fine", "code"]
            parts["tasks"] = [*parts["tasks"], {"labels": "code"}]
    soft = {"layers": 1, "norm": one("l2", "trace")}
    hard = {"layers": 1, "kind": "hard"}
    if twins:
        players = one("generator", "discriminator")
        pair = [f"{players}/{level}" for level in twins]
        # Layers that normalize by class cannot be shared between levels of other classes.
        kind = soft if parts["generator.conditioning"] == "normalization" else one(soft, hard)
        parts["sharing"] = one([], [{"between": pair, **kind}])
    elif OWN["labels"] in [t["labels"] for t in tasks if "classifier" in t]:
        parts["classifier.backbone"] = parts["discriminator.backbone"]
        parts["classifier.attention"] = parts["discriminator.attention"]
        parts["sharing"] = one([], [{"between": ["discriminator", "classifier/fine"], **soft}])
    return parts


def resolve(parts: dict[str, object], steps: int) -> Recipe:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecipeWarning)
        overrides = {key.replace(".", "__"): value for key, value in parts.items()}
        return small_recipe("gan", training__steps=steps, **overrides)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(combinations())
def test_any_combination(tmp_path_factory, parts: dict[str, object]) -> None:
    folder: Path = tmp_path_factory.mktemp("run")
    data = make_data(24, three_levels=True)

    def go(name: str, steps: int, resume: bool = False):
        return train(resolve(parts, steps), data, folder / name, resume=resume, quiet=True)

    go("parts", 1)
    resumed = go("parts", 2, resume=True)
    whole = go("whole", 2).game().tensors()
    for name, value in resumed.game().tensors().items():
        assert torch.equal(value, whole[name]), name
    assert resumed.sample(3).shape == (3, 1, 16, 16)
    if parts["generator.conditioning"] != "none":
        assert resumed.sample(2, {"fine": "a"}).shape == (2, 1, 16, 16)


REFUSED = {
    "batch norm in a critic under a gradient penalty": (
        {"penalty__kind": "gradient"},
        "set discriminator.normalization to layer or none",
    ),
    "heads without conditioning": (
        {"tasks": [{"labels": "fine"}], "generator__conditioning": "none"},
        "set it to concat",
    ),
    "a conditional discriminator alone": (
        {"discriminator__conditioning": "projection"},
        "set generator.conditioning=concat",
    ),
    "twins without labels": ({"twins": ["fine", "coarse"]}, "set it to concat"),
    "a deep separate classifier": (
        {
            "tasks": [{"labels": "fine", "classifier": "separate", "bifurcation": 2}],
            "generator__conditioning": "concat",
        },
        "share layers by `sharing`",
    ),
    "weighing nothing": ({"aggregator": "uncertainty"}, "set aggregator=sum"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_with_the_reason_and_the_remedy(name: str) -> None:
    overrides, remedy = REFUSED[name]
    with pytest.raises(UserError, match=remedy):
        small_recipe("gan", **overrides)


def test_more_heads_under_another_objective() -> None:
    """The example of any part with any other: ac-wgan-b's heads on an R3GAN loss."""
    plain, multitask = small_recipe("r3gan"), small_recipe("ac-r3gan-b")
    assert plain.objective == multitask.objective == "relativistic"
    assert [t.labels for t in multitask.tasks] == ["fine", "coarse"]


def test_soft_sharing_with_more_weight_pulls_harder(tmp_path) -> None:
    distances = []
    for weight in (0.0, 1.0, 100.0):
        recipe = small_recipe("sc-wgan-b", sharing__0__weight=weight, training__steps=6)
        run = train(recipe, make_data(), tmp_path / str(weight), quiet=True)
        train_lines = [line["values"] for line in run.metrics() if line["kind"] == "train"]
        distances.append(train_lines[-1]["discriminator/sharing/classifier/fine"])
    assert all(a > b for a, b in pairwise(distances))
