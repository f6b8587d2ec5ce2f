"""One move of each phase, for every recipe: what it changes, and what it leaves alone."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtgan.data import Taxonomy
from mtgan.errors import UserError
from mtgan.training.batches import BatchLoader, draw_inputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from mtgan.training.phases import Phase
from mtgan.training.train import prepare
from mtgan.training.trainer import Trainer
from toys import ZOO, Instruments, make_data, small_recipe


def make_trainer(tmp_path, name: str, **overrides: object) -> Trainer:
    recipe = small_recipe(name, **overrides)
    data = make_data(three_levels=True)
    return prepare(recipe, data, tmp_path / "run", device="cpu", instruments=Instruments())


@pytest.mark.parametrize("name", ZOO)
def test_each_phase_moves_its_own_parameters_and_no_others(name: str, tmp_path) -> None:
    trainer = make_trainer(tmp_path, name)
    game = trainer.game
    for phase in game.phases:
        before = {
            group: [p.detach().clone() for p in parameters]
            for group, parameters in game.groups.items()
        }
        trainer.move(phase)
        for group, parameters in game.groups.items():
            moved = [not torch.equal(a, b) for a, b in zip(before[group], parameters, strict=True)]
            if group in phase.updates:
                assert any(moved), f"{phase.name} left {group} alone"
            else:
                assert not any(moved), f"{phase.name} moved {group}"
        trainer.iteration += 1


@pytest.mark.parametrize("name", ZOO)
def test_every_parameter_is_in_one_group_and_is_moved_by_some_phase(name: str, tmp_path) -> None:
    game = make_trainer(tmp_path, name).game
    owned = [p for parameters in game.groups.values() for p in parameters]
    assert len(owned) == len(set(owned))
    held = {p for network in game.networks.values() for p in network.parameters()}
    assert held == set(owned)
    assert set(game.groups) == {group for phase in game.phases for group in phase.updates}


@pytest.mark.parametrize("name", ZOO)
def test_all_parameters_of_an_updated_group_get_a_gradient(name: str, tmp_path) -> None:
    """A head or layer that no loss reaches would never learn."""
    trainer = make_trainer(tmp_path, name)
    reached: set[torch.nn.Parameter] = set()
    for phase in trainer.game.phases:
        trainer.move(phase)
        for group in phase.updates:
            reached |= {p for p in trainer.game.groups[group] if p.grad is not None}
    everything = {p for parameters in trainer.game.groups.values() for p in parameters}
    assert reached == everything


def test_the_order_of_the_day() -> None:
    game = Game(small_recipe("sc-wgan-a"), DatasetInfo.of(make_data()))
    first = [(p.name, p.repeats) for p in game.phases_at(0, seed=0)]
    assert first == [("discriminator", 5), ("generator", 1), ("classifier/fine", 1)]
    assert [p.name for p in game.phases_at(1, seed=0)] == ["discriminator", "generator"]


def test_generator_steps() -> None:
    game = Game(small_recipe("dcgan-advantage"), DatasetInfo.of(make_data()))
    assert [(p.name, p.repeats) for p in game.phases] == [("discriminator", 1), ("generator", 4)]


def test_one_of_several_classifiers_is_drawn_evenly() -> None:
    game = Game(
        small_recipe("sc-wgan-c", schedule__classifier_every=1), DatasetInfo.of(make_data())
    )
    drawn = [
        [p.name for p in game.phases_at(i, seed=3) if p.name.startswith("classifier")]
        for i in range(2000)
    ]
    assert all(len(names) == 1 for names in drawn)
    share = sum(names == ["classifier/fine"] for names in drawn) / len(drawn)
    assert 0.45 < share < 0.55


def test_twins_alternate_evenly_and_move_together() -> None:
    game = Game(small_recipe("mtl-wgan"), DatasetInfo.of(make_data()))
    fine = 0
    for i in range(1000):
        names = [p.name for p in game.phases_at(i, seed=3)]
        assert names in (
            ["discriminator/fine", "generator/fine"],
            ["discriminator/coarse", "generator/coarse"],
        )
        fine += names[0] == "discriminator/fine"
    assert 430 < fine < 570


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_hard_shared_layers_are_owned_once(layers: int) -> None:
    overrides = {f"sharing__{i}__layers": min(layers, 2 if i else 3) for i in range(2)}
    game = Game(small_recipe("mtl-wgan", **overrides), DatasetInfo.of(make_data()))
    fine, coarse = game.networks["generator/fine"], game.networks["generator/coarse"]
    same = [a is b for a, b in zip(fine.layers, coarse.layers, strict=True)]
    depth = min(layers, len(same))
    assert same == [i < depth for i in range(len(same))]
    shared = game.groups.get("generator/fine+generator/coarse", [])
    assert bool(shared) == (layers > 0)


def test_bifurcation_gives_each_head_layers_of_its_own() -> None:
    info = DatasetInfo.of(make_data(shape=(1, 28, 28)))
    shared, early = (
        Game(small_recipe(name), info).networks["discriminator"]
        for name in ("ac-wgan-b", "ac-wgan-c")
    )
    assert [len(head.layers) for head in shared.heads] == [0, 0]
    assert [len(head.layers) for head in early.heads] == [1, 1]
    assert [head.linear.out_features for head in early.heads] == [4, 2]
    assert not set(early.layers.parameters()) & set(early.heads.parameters())
    # two more of the last convolution, each 16 -> 32 channels of 5 x 5 with biases
    count = lambda net: sum(p.numel() for p in net.parameters())  # noqa: E731
    assert count(early) - count(shared) == 2 * (16 * 32 * 25 + 32)


def phase_of(game: Game, name: str) -> Phase:
    return next(phase for phase in game.phases if phase.name == name)


def draw(game: Game, info: DatasetInfo, size: int = 8, seed: int = 5):
    loader = BatchLoader(make_data(), game.requests, torch.device("cpu"), seed=0, flip=False)
    random = torch.Generator().manual_seed(seed)
    batch = loader.batch(Move("test", 0), size, random)
    latent = game.recipe.latent
    inputs = draw_inputs(
        size, latent.dim, latent.distribution, game.requests, random, torch.device("cpu")
    )
    return batch, inputs


@pytest.mark.parametrize(
    ("name", "on_discriminator", "on_generator"),
    [
        # The thesis reads 1 on the generator and 0.1 on the critic (4.0.3); half of a task's weight
        # is for real and half for generated samples (3.0.11).
        ("resnet-a", {"fine/real": 0.05, "fine/generated": 0.05}, {"fine/generated": 0.5}),
        (
            "resnet-b",
            dict.fromkeys(
                ["fine/real", "fine/generated", "coarse/real", "coarse/generated"], 0.025
            ),
            {"fine/generated": 0.25, "coarse/generated": 0.25},
        ),
        # ACGAN_SCALE = 1 on real samples alone, and ACGAN_SCALE_G = 0.1.
        ("resnet-released", {"fine/real": 1.0}, {"fine/generated": 0.1}),
    ],
)
def test_weights_of_the_residual_models_heads(
    name: str, on_discriminator: dict[str, float], on_generator: dict[str, float]
) -> None:
    info = DatasetInfo.of(make_data())
    game = Game(small_recipe(name), info)
    batch, inputs = draw(game, info)
    found = [
        {
            term: part.weight
            for term, part in phase_of(game, phase).step(batch, inputs).terms.items()
            if term not in {"adversarial", "gradient_penalty"}
        }
        for phase in ("discriminator", "generator")
    ]
    assert found == [on_discriminator, on_generator]


def test_ac_wgan_b_losses_equal_an_independent_computation() -> None:
    info = DatasetInfo.of(make_data())
    game = Game(small_recipe("ac-wgan-b"), info)
    generator, critic = game.networks["generator"], game.networks["discriminator"]
    batch, inputs = draw(game, info)
    twin = copy.deepcopy(generator)  # batch statistics move with every pass
    terms = phase_of(game, "discriminator").step(batch, inputs).terms

    with torch.no_grad():
        one_hot = torch.nn.functional.one_hot(batch.labels["fine"], 4).float()
        x = torch.cat([inputs.latents, one_hot], dim=1)
        for layer in twin.layers:
            x = layer(x, None)
    fake = x

    def trunk(images: torch.Tensor) -> torch.Tensor:
        for layer in critic.layers:
            images = layer(images)
        return images.flatten(1)

    def score(images: torch.Tensor) -> torch.Tensor:
        return critic.adversarial.linear(trunk(images))[:, 0]

    def loss(images: torch.Tensor, level: str, head: int) -> float:
        logs = critic.heads[head].linear(trunk(images)).log_softmax(1)
        return -logs[torch.arange(8), batch.labels[level]].mean().item()

    real = batch.samples
    assert terms["adversarial"].value.item() == pytest.approx(
        (score(fake).mean() - score(real).mean()).item(), abs=1e-5
    )
    mixed = inputs.epsilon.view(-1, 1, 1, 1) * real + (1 - inputs.epsilon.view(-1, 1, 1, 1)) * fake
    mixed.requires_grad_(True)
    slope = torch.autograd.grad(score(mixed).sum(), mixed)[0].flatten(1).norm(dim=1)
    penalty = terms["gradient_penalty"]
    assert penalty.value.item() == pytest.approx(((slope - 1) ** 2).mean().item(), abs=1e-5)
    assert penalty.weight == 10
    for head, level in enumerate(("fine", "coarse")):
        for kind, images in (("real", real), ("generated", fake)):
            term = terms[f"{level}/{kind}"]
            assert term.value.item() == pytest.approx(loss(images, level, head), abs=1e-5)
            assert term.weight == 0.25  # (C_RM + C_FM + C_RA + C_FA) / 4


def test_ac_wgan_b_generator_losses() -> None:
    info = DatasetInfo.of(make_data())
    game = Game(small_recipe("ac-wgan-b"), info)
    _, inputs = draw(game, info)
    twin = copy.deepcopy(game.networks["generator"])
    terms = phase_of(game, "generator").step(None, inputs).terms
    said = game.networks["discriminator"](twin(inputs.latents, inputs.labels), inputs.labels)
    assert terms["adversarial"].value.item() == pytest.approx(-said.score.mean().item(), abs=1e-6)
    for level in ("fine", "coarse"):
        expected = torch.nn.functional.cross_entropy(said.logits[level], inputs.labels[level])
        assert terms[f"{level}/generated"].value.item() == pytest.approx(expected.item(), abs=1e-5)
        assert terms[f"{level}/generated"].weight == 0.25


def test_the_classifier_step_is_the_mean_of_both_losses_and_moves_the_generator() -> None:
    info = DatasetInfo.of(make_data())
    game = Game(small_recipe("sc-wgan-a"), info)
    phase = phase_of(game, "classifier/fine")
    assert set(phase.updates) == {"generator", "classifier/fine"}
    batch, inputs = draw(game, info)
    terms = phase.step(batch, inputs).terms
    assert {name: term.weight for name, term in terms.items()} == {"real": 0.5, "generated": 0.5}


@pytest.mark.parametrize(("normalization", "passes"), [("none", 1), ("layer", 1), ("batch", 2)])
def test_real_and_generated_samples_share_a_pass_but_never_their_statistics(
    normalization: str, passes: int
) -> None:
    """A batch of both would tell the discriminator by its statistics that one side is generated."""
    info = DatasetInfo.of(make_data())
    game = Game(small_recipe("gan", discriminator__normalization=normalization), info)
    generator, discriminator = game.networks["generator"], game.networks["discriminator"]
    batch, inputs = draw(game, info)
    fake = copy.deepcopy(generator)(inputs.latents, inputs.labels)
    alone = copy.deepcopy(discriminator)
    expected = alone.score(batch.samples, {}).mean() - alone.score(fake, {}).mean()
    sizes = []
    discriminator.layers[0].register_forward_pre_hook(lambda _, x: sizes.append(len(x[0])))
    logs = phase_of(game, "discriminator").step(batch, inputs).logs
    assert logs["distance_estimate"].item() == pytest.approx(expected.item(), abs=1e-5)
    assert sizes == [16 // passes] * passes


def test_a_generator_weight_scales_its_gradient_alone() -> None:
    info = DatasetInfo.of(make_data())
    gradients = []
    for weight in (1.0, 0.25):
        game = Game(small_recipe("sc-wgan-a", tasks__0__generator_weight=weight), info)
        terms = phase_of(game, "classifier/fine").step(*draw(game, info)).terms
        sum(t.weight * t.value for t in terms.values()).backward()
        gradients.append(
            [
                game.networks[name].layers[0].get_parameter(key).grad
                for name, key in (
                    ("generator", "linear.weight"),
                    ("classifier/fine", "convolution.weight"),
                )
            ]
        )
    (full_g, full_c), (quarter_g, quarter_c) = gradients
    torch.testing.assert_close(quarter_g, 0.25 * full_g)
    torch.testing.assert_close(quarter_c, full_c)


def test_soft_sharing_pulls_each_network_in_its_own_phase_with_its_weight() -> None:
    info = DatasetInfo.of(make_data())
    pairs = [("generator/fine", "generator/coarse"), ("discriminator/fine", "discriminator/coarse")]
    sharing = [{"between": [*pair], "layers": 1, "weight": 3.0} for pair in pairs]
    game = Game(small_recipe("mtl-wgan", sharing=sharing), info)
    batch, inputs = draw(game, info)
    for first, second in pairs:
        layers = [game.networks[name].layers[0] for name in (first, second)]
        # Kernels alone: one of a linear layer, one of a convolution.
        a, b = (next(p for p in x.parameters() if p.dim() > 1).detach() for x in layers)
        for name, other in ((first, second), (second, first)):
            term = phase_of(game, name).step(batch, inputs).terms[f"sharing/{other}"]
            assert term.weight == 3.0
            assert term.value.item() == pytest.approx((a - b).norm().item(), rel=1e-5)


def test_soft_sharing_is_in_both_losses_and_pulls_the_weights_together(tmp_path) -> None:
    trainer = make_trainer(tmp_path, "sc-wgan-b", sharing__0__weight=100.0)
    game = trainer.game

    def distance() -> float:
        a, b = (game.networks[n].layers for n in ("discriminator", "classifier/fine"))
        pairs = [(a[i].convolution.weight, b[i].convolution.weight) for i in range(1)]
        return sum(((x - y) ** 2).sum() for x, y in pairs).sqrt().item()

    trainer.dataset_info = game.dataset_info
    before = distance()
    for _ in range(20):
        trainer.run_iteration()
    assert distance() < 0.95 * before


@pytest.mark.parametrize(
    ("condition_on", "task", "untold"),
    [
        ("coarse", {"labels": "fine"}, ["fine"]),
        ("coarse", {"labels": "coarse"}, []),
        ("fine", {"labels": "coarse"}, []),  # which follows from the fine class
        ("coarse", {"labels": "fine", "generated": False, "generator_weight": 0.0}, []),
        ("coarse", {"labels": "fine", "generated": False, "generator_weight": 0.5}, ["fine"]),
        ("coarse", {"labels": "fine", "generated": True, "generator_weight": 0.0}, ["fine"]),
    ],
)
def test_tasks_that_ask_the_generator_for_what_it_is_not_told(
    condition_on: str, task: dict[str, object], untold: list[str]
) -> None:
    recipe = small_recipe("ac-wgan-b", condition_on=condition_on, tasks=[task])
    assert Game(recipe, DatasetInfo.of(make_data())).untold_tasks() == untold


def test_a_head_that_has_nothing_to_tell_is_refused() -> None:
    """But for one that also tells generated samples."""
    one = replace(
        make_data(4),
        labels=np.zeros((4, 2), dtype=np.int64),
        taxonomy=Taxonomy(
            ("fine", "coarse"), {"fine": ("a",), "coarse": ("x",)}, {"fine": ("coarse", (0,))}
        ),
    )
    info = DatasetInfo.of(one)
    with pytest.raises(UserError, match="'fine' classifies at a level of one class"):
        Game(small_recipe("ac-wgan-b"), info)
    Game(small_recipe("adc-wgan-b"), info)
    Game(small_recipe("am-gan"), info)


def test_sums_are_of_levels_that_nest() -> None:
    info = DatasetInfo.of(make_data(three_levels=True))
    tasks = [{"labels": "coarse"}, {"labels": "fine", "head": {"sums": "coarse"}}]
    with pytest.raises(UserError, match="and the level 'fine' is not above 'coarse'"):
        Game(small_recipe("tree-wgan-b", tasks=tasks), info)
    childless = Taxonomy(
        ("fine", "coarse"),
        {"fine": ("a", "b", "c", "d"), "coarse": ("x", "y", "z")},
        {"fine": ("coarse", (0, 0, 1, 1))},
    )
    with pytest.raises(UserError, match="class 'z' of level 'coarse' has no class of level 'fine'"):
        Game(small_recipe("tree-wgan-b"), DatasetInfo.of(make_data().with_taxonomy(childless)))


def test_a_level_that_a_head_names_twice_is_refused() -> None:
    tasks = [{"labels": "fine", "head": {"loss": "omni", "levels": ["fine"]}}]
    with pytest.raises(UserError, match=r"names a level twice in head\.levels"):
        Game(small_recipe("ac-wgan-b", tasks=tasks), DatasetInfo.of(make_data()))
    tasks = [{"labels": "fine", "head": {"loss": "omni", "levels": ["tone"]}}]
    with pytest.raises(UserError, match="The head of the task 'fine' needs the label level 'tone'"):
        Game(small_recipe("ac-wgan-b", tasks=tasks), DatasetInfo.of(make_data()))
