"""LeCam's regularizer and adaptive augmentation: by hand, over resume, and beside penalties."""

import pytest
import torch
from torch import Tensor, nn

from mtgan.data import Dataset
from mtgan.nets import augment
from mtgan.objectives.lecam import ScoreAverages, lecam
from mtgan.training import train
from mtgan.training.adaptive import AdaptiveProbability
from mtgan.training.train import prepare
from toys import make_data, small_recipe

ADAPTIVE = {
    "discriminator__augmentation": ["flip", "translation"],
    "discriminator__adaptive_augmentation": {"target": 0.6, "images": 64},
}


def set_to(module: nn.Module, values: dict[str, Tensor]) -> None:
    for name, value in values.items():
        module.get_buffer(name).copy_(value)


def test_lecam_by_a_loop() -> None:
    """Tseng et al. 2021, eq. 4 to 6."""
    random, averages = torch.Generator().manual_seed(0), ScoreAverages()
    mean_real = mean_fake = 0.0
    for t in range(150):
        real, fake = torch.randn(2, 5, generator=random) + torch.tensor([[1.0], [-2.0]])
        decay = min(0.99, t / (1 + t))
        mean_real = decay * mean_real + (1 - decay) * real.mean().item()
        mean_fake = decay * mean_fake + (1 - decay) * fake.mean().item()
        before = averages.get_buffer("real").clone()
        moved = averages.moved(real, fake)
        assert torch.equal(averages.get_buffer("real"), before)
        set_to(averages, moved)
    expected = sum((x - mean_fake) ** 2 / 5 for x in real.tolist())
    expected += sum((x - mean_real) ** 2 / 5 for x in fake.tolist())
    found = lecam(real, fake, moved["real"], moved["fake"])
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_the_gradient_of_lecam() -> None:
    real, fake = (torch.tensor(x, requires_grad=True) for x in ([1.0, 3.0], [-1.0, 0.5]))
    lecam(real, fake, torch.tensor(2.0), torch.tensor(-0.5)).backward()
    assert real.grad.tolist() == [1.5, 3.5]  # 2 (D(x) + 0.5) / 2
    assert fake.grad.tolist() == [-3.0, -1.5]  # 2 (D(G(z)) - 2) / 2


def test_p_by_hand() -> None:
    """Batches of 8, 64 images from 0 to 1: p moves by a half every fourth update."""
    state, seen = AdaptiveProbability(0.6, 64, 8), []
    sure, torn = torch.full((8,), 3.0), torch.tensor([1.0, -1.0] * 4)
    unsure = torch.tensor([1.0] * 6 + [-1.0] * 2)  # sign 0.5 on average
    for scores in [sure] * 12 + [unsure] * 4 + [torn] * 3 + [sure] + [torn] * 4 + [-sure] * 4:
        set_to(state, state.moved(scores))
        seen.append(state.get_buffer("probability").item())
    assert seen[3::4] == [0.5, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0]
    assert seen[:3] == [0.0] * 3
    assert seen[12:15] == [1.0] * 3


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_each_augmentation_is_done_to_a_share_of_the_samples(p: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(4000, 1, 4, 4)
    changed = (augment(x, ["color"], torch.tensor(p)) != x).any(dim=(1, 2, 3)).float().mean()
    assert changed.item() == pytest.approx(p, abs=0.03)


def trainer_of(path, data: Dataset | None = None, **overrides: object):
    return prepare(small_recipe("gan", **overrides), data or make_data(), path, device="cpu")


def test_p_follows_the_scores_of_real_samples(tmp_path) -> None:
    easy = {
        "discriminator__adaptive_augmentation__target": 0.0,
        "optimizer__learning_rate": 0.01,
    }
    trainer = trainer_of(tmp_path / "run", **ADAPTIVE, **easy)
    state, scores = trainer.game.states["augmentation/discriminator"], []
    hook = trainer.game.networks["discriminator"].register_forward_hook
    hook(lambda _, inputs, output: scores.append(output.score[:8].detach()))
    expected, signs, seen = 0.0, 0.0, []
    for i in range(24):
        scores.clear()
        trainer.run_iteration()
        signs += scores[0].sign().mean().item()
        if i % 4 == 3:
            step = 0.5 if signs > 0 else -0.5 if signs < 0 else 0.0
            expected, signs = min(1.0, max(0.0, expected + step)), 0.0
        seen.append(expected)
        assert state.get_buffer("probability").item() == expected
    assert len(set(seen)) > 1


REGULARIZED = {"discriminator__lecam": 0.3, **ADAPTIVE}


@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_they_are_kept_and_gone_on_with_exactly(tmp_path, normalization: str) -> None:
    def go(name: str, steps: int, resume: bool = False) -> dict[str, Tensor]:
        recipe = small_recipe(
            "gan",
            training__steps=steps,
            discriminator__normalization=normalization,
            **REGULARIZED,
            discriminator__adaptive_augmentation__images=2**12,
            discriminator__adaptive_augmentation__target=0.0,
        )
        run = train(recipe, make_data(), tmp_path / name, resume=resume, quiet=True)
        return run.game().tensors()

    go("parts", 6)
    resumed, whole = go("parts", 13, resume=True), go("whole", 13)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    state = "networks/augmentation/discriminator"
    assert whole[f"{state}/updates"] == 1
    assert whole["networks/lecam/discriminator/updates"] == 13
    assert whole["networks/lecam/discriminator/real"] != 0


def test_a_penalty_takes_augmented_samples_as_constants(tmp_path, monkeypatch) -> None:
    """R1 is the slope of the discriminator alone, at the samples that it sees."""
    overrides = {"penalty__kind": "r1", "discriminator__normalization": "none", **REGULARIZED}
    trainer = trainer_of(tmp_path / "run", **overrides)
    game, results = trainer.game, []
    game.states["augmentation/discriminator"].get_buffer("probability").fill_(1.0)
    logged = game.logged
    monkeypatch.setattr(
        game,
        "logged",
        lambda phase, loss, result: results.append(result) or logged(phase, loss, result),
    )
    network, seen = game.networks["discriminator"], []
    network.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    trainer.run_iteration()
    found = results[0].terms["r1"].value.item()
    both = seen[0].detach()
    assert not any(x.requires_grad for x in seen[:1])
    x = both[:8].clone().requires_grad_(True)
    with torch.no_grad():
        for name, p in network.named_parameters():
            p.copy_(before[name])
    (slope,) = torch.autograd.grad(network.score(x, {}).sum(), x)
    assert found == pytest.approx(slope.square().sum((1, 2, 3)).mean().item() / 2, rel=1e-4)


def test_a_move_that_is_not_finite_leaves_the_state(tmp_path) -> None:
    trainer = trainer_of(tmp_path / "run", **REGULARIZED)
    trainer.run_iteration()
    kept = {n: x.clone() for n, x in trainer.game.tensors().items() if "lecam" in n}
    assert kept
    trainer.finite.bad.fill_(1.0)
    trainer.finite._finite.fill_(False)
    trainer.run_iteration()
    assert all(torch.equal(trainer.game.tensors()[name], x) for name, x in kept.items())


def test_twins_have_a_state_each(tmp_path) -> None:
    overrides = {
        "twins": ["fine", "coarse"],
        "generator__conditioning": "concat",
        "discriminator__conditioning": "projection",
    }
    trainer = trainer_of(tmp_path / "run", **overrides, **REGULARIZED)
    assert set(trainer.game.states) == {
        f"{kind}/discriminator/{level}"
        for kind in ("lecam", "augmentation")
        for level in ("fine", "coarse")
    }
