"""What only a GPU can show, by `pytest -m cuda`: graphs against computing kernel by kernel, exact
resume, bfloat16, samples on either device. Without a GPU all of it is skipped."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan import train
from mtgan.cli import main
from mtgan.data import Dataset
from mtgan.training.graphs import GraphsWarning
from mtgan.training.steps import StepResult
from mtgan.training.train import prepare
from mtgan.training.trainer import Trainer
from toys import Instruments, make_data, make_domains, small_recipe

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
DEVICE = "cuda"
STAGES = [{"condition_on": "none", "until": 2}, {"condition_on": "fine", "over": 2}]
ADAPTIVE: dict[str, object] = {
    "discriminator__augmentation": ["flip", "color", "translation", "quarter-turn", "cutout"],
    "discriminator__adaptive_augmentation": {"images": 100},
    "discriminator__lecam": 0.3,
}
DROPOUT: dict[str, object] = {"discriminator__dropout": 0.5, "optimizer__decay": "linear"}
CASES: dict[str, tuple[str, dict[str, object]]] = {
    **{
        name: (name, {})
        for name in (
            "wgan",
            "wgan-gp",
            "ac-wgan-b",
            "ac-wgan-b-real",
            "mtl-wgan",
            "ac-projection-gan-b",
            "adc-projection-gan-b",
            "dcgan",
            "resnet-a",
            "multidomain-gp",
        )
    },
    "adaptive augmentation": ("gan", ADAPTIVE),
    "dropout": ("gan", DROPOUT),
    "learned weights": ("ac-wgan-b", {"aggregator": "uncertainty"}),
    "conditioning schedule": ("ac-wgan-b", {"schedule__conditioning": STAGES}),
}


@pytest.fixture(autouse=True)
def repeatable() -> Iterator[None]:
    """The same kernels every time, and no TF32."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic = False, False, True
    yield
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic = before


@pytest.fixture(scope="module")
def domains(tmp_path_factory) -> Dataset:
    """Strings and images on one canvas."""
    folder = tmp_path_factory.mktemp("domains")
    return make_domains(folder)


def make_trainer(
    folder: Path, name: str, graphs: str, data: Dataset | None = None, **overrides: object
) -> Trainer:
    precision = str(overrides.pop("precision", "32"))
    recipe = small_recipe(name, training__steps=6, **overrides)
    data = data or make_data()
    return prepare(recipe, data, folder, device=DEVICE, precision=precision, graphs=graphs)


def losses(trainer: Trainer, iterations: int) -> list[dict[str, float]]:
    """The means of each iteration."""
    means = []
    for _ in range(iterations):
        trainer.run_iteration()
        means.append(trainer.averages.read())
        trainer.averages.clear()
    assert trainer.finite.read() is None
    return means


def assert_captured(trainer: Trainer) -> None:
    assert trainer.graphs is not None
    if trainer.graphs.failure is not None:
        raise trainer.graphs.failure
    assert len(trainer.graphs) >= len(
        {phase.name for phase in trainer.game.phases if not phase.draw}
    )


def assert_close(found: list[dict[str, float]], expected: list[dict[str, float]]) -> None:
    """Rounding, at first; later what training makes of it."""
    for i, (now, then) in enumerate(zip(found, expected, strict=True)):
        rel, absolute = ((1e-3, 1e-3), (5e-2, 2e-2))[i > 0]
        assert now == pytest.approx(then, rel=rel, abs=absolute), f"in iteration {i + 1}"


@pytest.mark.parametrize("case", CASES)
def test_graphs_train_as_without_them(case, tmp_path, domains) -> None:
    name, overrides = CASES[case]
    data = domains if name == "multidomain-gp" else None
    plain = make_trainer(tmp_path / "off", name, "off", data, **overrides)
    plain.optimizers.keep_rates_on_device()
    replayed = make_trainer(tmp_path / "on", name, "on", data, **overrides)
    expected = losses(plain, 5)
    found = losses(replayed, 5)
    assert_captured(replayed)
    assert_close(found, expected)


@pytest.mark.parametrize("name", ["wgan-gp", "ac-projection-gan-b", "mtl-wgan"])
def test_so_they_do_in_bfloat16(name, tmp_path) -> None:
    plain, replayed = (
        make_trainer(tmp_path / graphs, name, graphs, precision="bf16") for graphs in ("off", "on")
    )
    expected, found = losses(plain, 3), losses(replayed, 3)
    assert_captured(replayed)
    assert found[0] == pytest.approx(expected[0], rel=5e-2, abs=5e-2)


@pytest.mark.parametrize("name", ["gan", "ac-wgan-b"])
def test_a_resumed_training_is_bit_for_bit_the_same(name, tmp_path) -> None:
    overrides = {**DROPOUT, "training__checkpoint_every": 2}
    recipe = small_recipe(name, training__steps=6, **overrides)

    def trained(folder: str, resume: bool, until: int) -> Trainer:
        path = tmp_path / folder
        train(
            recipe,
            make_data(),
            path,
            device=DEVICE,
            graphs="on",
            resume=resume,
            quiet=True,
            callbacks=[lambda done, values: done == until],
            instruments=Instruments(),
        )
        return prepare(recipe, make_data(), path, device=DEVICE, resume=True)

    whole = trained("whole", False, 6)
    assert trained("part", False, 4).iteration == 4
    resumed = trained("part", True, 6)
    assert whole.iteration == resumed.iteration == 6
    pairs = zip(whole.snapshots.tensors(), resumed.snapshots.tensors(), strict=True)
    assert [key for x, y in pairs for key in x if not torch.equal(x[key], y[key])] == []


def test_samples_of_either_device_agree(tmp_path) -> None:
    run = train(
        small_recipe("ac-wgan-b"),
        make_data(),
        tmp_path / "run",
        device=DEVICE,
        quiet=True,
        instruments=Instruments(),
    )
    on_cpu, on_gpu = (
        np.asarray(run.sample(64, seed=0, device=device)).astype(int) for device in ("cpu", DEVICE)
    )
    assert np.abs(on_cpu - on_gpu).max() <= 1


def test_the_command_line_trains_with_graphs(tmp_path, capsys) -> None:
    data = make_data()
    np.savez(tmp_path / "x.npz", images=data.samples, labels=data.labels[:, 0])
    sizes = ["--set", "generator.width=8", "--set", "discriminator.width=8"]
    small = ["--scale", "tiny", "--steps", "3", "--set", "training.evaluate_every=0"]
    small += ["--set", "training.batch_size=8", "--set", "data.size=16", *sizes]
    where = ["--data", str(tmp_path / "x.npz"), "--out", str(tmp_path / "run")]
    options = ["--device", DEVICE, "--graphs", "on"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", GraphsWarning)
        try:
            code = main(["train", "wgan-gp", *where, *small, *options])
        except SystemExit as end:
            code = end.code
    assert not code, capsys.readouterr().err
    assert "trained wgan-gp for 3 iterations" in capsys.readouterr().out.replace("\n", " ")


def _spoil(trainer: Trainer, spoil: Callable[[], object]) -> None:
    """Have the discriminator's step do something else, too."""
    phase = next(phase for phase in trainer.game.phases if phase.name == "discriminator")
    step = phase.step

    def spoiled(*given: object) -> StepResult:
        spoil()
        return step(*given)

    object.__setattr__(phase, "step", spoiled)


# What the rehearsal sees, and what the capture alone does; this comes last, since it breaks one.
@pytest.mark.parametrize("spoiling", ["a value is read", "the device is waited for"])
def test_what_cannot_be_captured_trains_without_graphs(spoiling, tmp_path) -> None:
    plain = make_trainer(tmp_path / "off", "gan", "off", **DROPOUT)
    expected = losses(plain, 3)
    spoiled = make_trainer(tmp_path / "on", "gan", "on", **DROPOUT)
    one = torch.ones((), device=DEVICE)
    _spoil(spoiled, one.item if spoiling == "a value is read" else torch.cuda.synchronize)
    with pytest.warns(GraphsWarning, match="goes on without graphs"):
        found = losses(spoiled, 3)
    assert spoiled.graphs is not None
    assert spoiled.graphs.failure is not None
    assert_close(found, expected)
    after = make_trainer(tmp_path / "after", "gan", "on", **DROPOUT)
    assert_close(losses(after, 3), expected)
    assert_captured(after)
