"""Which parts go together, by what they say of themselves: the package's own, and anybody's."""

import subprocess
import sys
import warnings

import pytest

from mtgan import plugins
from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.recipes.rules import RecipeWarning

ROWS = {"generator.backbone": "multidomain-recurrent", "generator.output": "by-domain"}
TOLD = {"generator.conditioning": "concat"}


def task(generated: bool = True, **head: object) -> dict[str, object]:
    return {"tasks": [{"labels": "fine", "generated": generated, "head": head}], **TOLD}


def coarse_sums(**head: object) -> dict[str, object]:
    tasks = [{"labels": "fine"}, {"labels": "coarse", "head": {"sums": "fine", **head}}]
    return {"tasks": tasks, **TOLD}


REFUSED = {
    "other sizes than a protocol says": (
        {"training.evaluate_protocol": "thesis", "training.evaluate_samples": 500},
        "evaluate_protocol=thesis measures exactly 5,000 .*evaluate_samples=500 asks for another",
    ),
    "a critic whose samples are mixed": (
        {"penalty.kind": "r1", "discriminator.normalization": "batch"},
        "penalty.kind=r1 needs each sample's score.*discriminator.normalization=batch mixes",
    ),
    "labels that nobody gives": (
        {"generator.normalization": "conditional-instance"},
        "conditional-instance takes labels; set generator.conditioning=normalization",
    ),
    "labels that no layer takes": (
        {"generator.conditioning": "normalization"},
        "generator.normalization to be conditional-batch or .* or shared-conditional-batch",
    ),
    "labels in a critic's layers": (
        {"discriminator.normalization": "conditional-instance"},
        "discriminator.normalization=conditional-instance takes labels",
    ),
    "labels in a classifier's layers": (
        {"classifier.normalization": "conditional-batch"},
        "set classifier.normalization to batch, layer or none",
    ),
    "an output of canvases": (
        {"generator.output": "softmax"},
        "backbone conv has generator.output=tanh; found softmax",
    ),
    "a dense layer that is not normalized": (
        {"generator.backbone": "resnet", "generator.stem_normalization": "per-feature"},
        "is of the dense layer of the backbones conv and odena, and generator.backbone is resnet",
    ),
    "a value normalized alone": (
        {"generator.normalization": "instance", "generator.stem_normalization": "per-feature"},
        "generator.normalization=instance mixes none: take batch",
    ),
    "a batch for heads that there are not": (
        {"schedule.class_batch": "own"},
        "class_batch=own is what the generator learns of heads by, and here of none",
    ),
    "two batches of one latent": (
        {**task(), "schedule.class_batch": "own", "schedule.latents": "each-iteration"},
        "class_batch=own generates two batches, and schedule.latents speaks of one",
    ),
    "a last normalization where there is none": (
        {"generator.last_normalization": "batch"},
        "last_normalization is that before the last layer of the backbones resnet and sngan",
    ),
    "a last normalization by labels": (
        {"generator.backbone": "sngan", "generator.last_normalization": "conditional-batch"},
        "last_normalization=conditional-batch takes labels",
    ),
    "an upsampling of another backbone": (
        {"generator.backbone": "resnet", "generator.upsampling": "nearest"},
        "upsampling=nearest is a choice of the backbones conv and odena.*is resnet; leave it out",
    ),
    "domains told by an embedding": (
        {
            "generator.backbone": "multidomain-residual",
            "generator.output": "by-domain",
            "generator.normalization": "shared-conditional-batch",
            "generator.conditioning": "normalization",
        },
        "output=by-domain tells domains by their class, and .*shared-conditional-batch gives",
    ),
    "adaptive augmentation by nothing": (
        {"discriminator.adaptive_augmentation": {}, "objective": "hinge"},
        "adaptive_augmentation says how often .*discriminator.augmentation is empty; set it to",
    ),
    "adaptive augmentation of a critic": (
        {"discriminator.adaptive_augmentation": {}, "discriminator.augmentation": ["color"]},
        "under objective=wasserstein only differences of scores mean anything; take objective=non",
    ),
    "adaptive augmentation of pairs": (
        {
            "objective": "relativistic",
            "discriminator.adaptive_augmentation": {},
            "discriminator.augmentation": ["color"],
        },
        "under objective=relativistic only differences",
    ),
    "kernels without a center": (
        {"discriminator.kernel": 4},
        "discriminator.kernel=4 has no pixel in its middle.*backbone conv.*set it to 3 or 5",
    ),
    "noise of halves of one sample": (
        {"training.noise_scale_every": 5, "training.batch_size": 2},
        "noise_scale_every=5 compares .*one of 2 samples; take at least 4",
    ),
    "attention in a backbone without maps": (
        {"discriminator.backbone": "multidomain-dense", "discriminator.attention": 8},
        "discriminator.attention goes over.*conv, odena.*is multidomain-dense; leave it out",
    ),
    "an output of rows": (
        {"generator.backbone": "multidomain-recurrent"},
        "has generator.output=by-domain; found tanh",
    ),
    "rows drawn by a uniform latent": (
        {**ROWS, "latent.distribution": "uniform"},
        "set latent.distribution=normal",
    ),
    "rows predicted by what makes all at once": (
        {"generator.teacher_forcing": 1.0},
        "backbone conv makes all rows at once; set generator.backbone=multidomain-recurrent",
    ),
    "a head of a network of its own": (
        {"tasks": [{"labels": "fine", "classifier": "separate", "head": {"loss": "omni"}}], **TOLD},
        "task 'fine' has a classifier of its own.*leave it out, or set classifier",
    ),
    "a head that learns otherwise than its task says": (
        task(generated=False, learns_from="both"),
        "generated=false and head.learns_from=both, which contradict each other",
    ),
    "classes of generated samples that the head is never shown": (
        task(classes="real-fake", learns_from="real"),
        "classes=real-fake.*learns from real ones alone; set head.learns_from to both",
    ),
    "a twin of what learns from generated samples": (
        task(classes="twin", learns_from="generated"),
        "classes=twin.*set head.learns_from to real or both",
    ),
    "samples that are compared with none": (
        task(classes="fake-class", loss="d2d-ce"),
        "loss=d2d-ce, which compares.*set head.classes to plain or twin",
    ),
    "samples of any class, none of them generated": (
        task(classes="plain", loss="semi-supervised"),
        "classes=plain know no generated ones; set head.classes=fake-class or real-fake",
    ),
    "levels beside one that alone is right": (
        task(levels=["coarse"]),
        "levels=coarse beside its own, and with loss=cross-entropy.*set head.loss=omni",
    ),
    "sums of a head that is not there": (
        {"tasks": [{"labels": "fine"}, {"labels": "coarse", "head": {"sums": "top"}}], **TOLD},
        "head.sums=top, which is no task with a head of its own; set it to fine",
    ),
    "sums of other classes": (
        coarse_sums(classes="real-fake"),
        "head.sums=fine, whose head it shares; give it the same head.classes .plain",
    ),
    "sums of what is no softmax": (
        coarse_sums(loss="omni"),
        "head.sums=fine, and with loss=omni logits are none of a softmax",
    ),
    "heads alone that know no generated samples": (
        {**task(), "objective": "none", "penalty.kind": "none"},
        "objective=none leaves.*give a task head.classes=fake-class or real-fake",
    ),
    "a bound of a score that nothing learns": (
        {**task(classes="fake-class"), "objective": "none"},
        "penalty.kind=gradient bounds a score that nothing learns",
    ),
    "labels to a score that nothing learns": (
        {
            **task(classes="fake-class"),
            "objective": "none",
            "penalty.kind": "none",
            "discriminator.conditioning": "projection",
        },
        "discriminator.conditioning=projection tells labels to a score that nothing learns",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_together(name: str) -> None:
    overrides, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence):
        load_recipe("wgan-gp", overrides)


def test_what_goes_together() -> None:
    load_recipe("wgan-gp", {**ROWS, "generator.teacher_forcing": 1.0})
    load_recipe("wgan-gp", {"penalty.kind": "clip", "discriminator.normalization": "batch"})


def test_a_critic_without_a_bound_is_warned_of() -> None:
    with pytest.warns(RecipeWarning, match="objective=wasserstein without a bound"):
        load_recipe("wgan-gp", {"penalty.kind": "none"})


@pytest.mark.parametrize("name", ["cwgan-a", "cwgan-b", "mtl-wgan"])
def test_a_critic_whose_slope_knows_no_label_is_warned_of(name: str) -> None:
    with pytest.warns(RecipeWarning, match="set discriminator.conditioning=projection"):
        load_recipe(name)


@pytest.mark.parametrize("name", ["cwgan-projection", "mtl-wgan-projection", "cgan-a", "ac-wgan-b"])
def test_others_are_not(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_recipe(name)


TURNED = [{"labels": "turn", "transform": "rotation", "weight": 1.0}]


def test_a_transform_that_an_augmentation_hides_is_warned_of() -> None:
    with pytest.warns(RecipeWarning, match=r"'turn' has transform=rotation.*=quarter-turn comes"):
        load_recipe(
            "gan", {"tasks": TURNED, "discriminator.augmentation": ["flip", "quarter-turn"]}
        )


@pytest.mark.parametrize("kept", ["tasks", "discriminator.augmentation"])
def test_a_transform_that_is_not_hidden_is_not(kept: str) -> None:
    settings = {"tasks": TURNED, "discriminator.augmentation": ["quarter-turn"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_recipe("gan", {kept: settings[kept]})


def test_rules_ask_parts_without_importing_them() -> None:
    code = (
        "import sys\nfrom mtgan.recipes import load_recipe\n"
        "try: load_recipe('wgan-gp', {'discriminator.normalization': 'batch'})\n"
        "except ValueError as error: print(error)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, "mixes the samples" in done.stdout) == (0, True), done.stderr


PARTS = """
from mtgan.objectives import AdversarialObjective, Penalty
from mtgan.nets.normalization.batch import Batch

class Normalization(Batch):
    pass  # what it inherits counts

class ByClass(Batch):
    mixes_samples, conditional = False, True

class Backbone:
    outputs, autoregressive, latent = ("tanh", "own"), True, "uniform"

def aggregator(tasks): ...

def plain(channels, classes): ...

aggregator.weighs_tasks = False
penalty = Penalty(lambda score, real, fake, epsilon: {}, differentiates_score=True)
objective = AdversarialObjective(lambda real, fake: 0, lambda fake, real: 0, critic=True)
"""


@pytest.fixture
def parts(tmp_path, monkeypatch) -> None:
    (tmp_path / "own_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)
    monkeypatch.setattr(plugins, "_named", {})


OF_ONES_OWN = {
    "mixes": (
        {"discriminator.normalization": "own_parts:Normalization"},
        "normalization=own_parts:Normalization mixes the samples",
    ),
    "differentiates": (
        {"penalty.kind": "own_parts:penalty", "discriminator.normalization": "batch"},
        "penalty.kind=own_parts:penalty needs each sample's score",
    ),
    "conditional": ({"generator.normalization": "own_parts:ByClass"}, "ByClass takes labels"),
    "output": (
        {"generator.backbone": "own_parts:Backbone", "generator.output": "softmax"},
        "own_parts:Backbone has generator.output=tanh or own; found softmax",
    ),
    "latent": ({"generator.backbone": "own_parts:Backbone"}, "latent.distribution=uniform"),
}


@pytest.mark.parametrize("name", OF_ONES_OWN)
def test_parts_of_ones_own_are_asked_likewise(name: str, parts: None) -> None:
    overrides, sentence = OF_ONES_OWN[name]
    with pytest.raises(UserError, match=sentence):
        load_recipe("wgan-gp", overrides)


def test_a_part_of_ones_own_that_says_nothing_is_plain(parts: None) -> None:
    load_recipe("wgan-gp", {"discriminator.normalization": "own_parts:plain"})
    load_recipe("wgan-gp", {"aggregator": "own_parts:aggregator"})
    with pytest.warns(RecipeWarning, match="objective=own_parts:objective without a bound"):
        load_recipe("gan", {"objective": "own_parts:objective"})
