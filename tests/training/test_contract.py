"""What an iteration must keep to, so that a GPU never waits for the host and a graph of it can be
captured: nothing is read on the host, and the same phases compute the same shapes."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten

from mtgan.data import Dataset
from mtgan.recipes import list_recipes, load_recipe
from mtgan.training.finite import FiniteCheck
from mtgan.training.requests import Requests
from mtgan.training.train import prepare
from mtgan.training.trainer import Trainer
from toys import ZOO, fits_classes, make_bars, make_data, make_domains, small_recipe

# A value read on the host, or a result whose size depends on values.
FORBIDDEN = {
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
    "bincount",
    "is_nonzero",
    "equal",
}


class Recorder(TorchDispatchMode):
    """Notes every operation and the shapes of its tensors; fails on a forbidden one."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[torch.Size, ...]]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        assert name not in FORBIDDEN, f"{name} makes the host wait for the device"
        result = function(*args, **(kwargs or {}))
        leaves, _ = tree_flatten((args, kwargs, result))
        boolean = name in {"index", "index_put", "index_put_"} and any(
            isinstance(x, torch.Tensor) and x.dtype == torch.bool for x in tree_flatten(args[1])[0]
        )
        assert not boolean, f"{name} by a mask has a size that depends on its values"
        shapes = tuple(x.shape for x in leaves if isinstance(x, torch.Tensor))
        self.seen.append((name, shapes))
        return result


NAMES = [entry.name for entry in list_recipes()]


@pytest.fixture(scope="module")
def domains(tmp_path_factory) -> Dataset:
    """Strings and images on one canvas."""
    folder = tmp_path_factory.mktemp("domains")
    return make_domains(folder)


def make_trainer(tmp_path, name: str, data: Dataset | None = None, **overrides: object) -> Trainer:
    recipe = small_recipe(name, **overrides)
    data = data or make_data(three_levels=True)
    return prepare(recipe, data, tmp_path / "run", device="cpu", precision="32")


def iterations(trainer: Trainer, count: int) -> Iterator[tuple[tuple[str, ...], Recorder]]:
    """The phases of each iteration, and what was computed in it."""
    for _ in range(count):
        phases = tuple(p.name for p in trainer.game.phases_at(trainer.iteration, trainer.seed))
        with Recorder() as recorder:
            trainer.run_iteration()
        yield phases, recorder


@pytest.mark.parametrize("name", NAMES)
def test_an_iteration_reads_nothing_on_the_host_and_has_static_shapes(
    name, tmp_path, domains, monkeypatch
) -> None:
    # Labels are drawn on the host, before anything is sent to the device.
    draw = Requests.complete

    def unseen(self: Requests, rows: np.ndarray, generator: torch.Generator) -> torch.Tensor:
        with _disable_current_modes():
            return draw(self, rows, generator)

    monkeypatch.setattr(Requests, "complete", unseen)
    often: dict[str, object] = {"schedule__discriminator_steps": 1, "schedule__classifier_every": 1}
    if "clustered" in name:  # as its levels are; a classifier need not be trained for it
        often["hierarchy__0__kind"] = "random"
    data = None if name in ZOO else domains if fits_classes(load_recipe(name)) else make_bars()
    trainer = make_trainer(tmp_path, name, data, **often)
    # Recipes that draw among twins or classifiers take a few iterations to come round.
    drawn = any(phase.draw for phase in trainer.game.phases)
    found: dict[tuple[str, ...], list[list]] = {}
    for phases, recorder in iterations(trainer, 8 if drawn else 4):
        found.setdefault(phases, []).append(recorder.seen)
    repeated = [seen[1:] for seen in found.values() if len(seen) > 2]  # the first is a warm-up
    assert repeated
    for first, *others in repeated:
        assert all(other == first for other in others)


def test_switching_a_level_on_changes_no_operation(tmp_path) -> None:
    stages = [{"condition_on": "none", "until": 2}, {"condition_on": "fine", "over": 2}]
    trainer = make_trainer(tmp_path, "ac-wgan-b", schedule__conditioning=stages)
    _, first, *others = [recorder.seen for _, recorder in iterations(trainer, 5)]
    assert all(other == first for other in others)


def test_nor_do_regularizers_that_follow_the_scores(tmp_path) -> None:
    adaptive = {"augmentation": ["flip", "quarter-turn", "color"], "adaptive_augmentation": {}}
    overrides = {f"discriminator__{key}": value for key, value in adaptive.items()}
    trainer = make_trainer(tmp_path, "gan", discriminator__lecam=0.3, **overrides)
    _, *others = [recorder.seen for _, recorder in iterations(trainer, 6)]
    assert all(other == others[0] for other in others)


def test_the_recorder_notices(tmp_path) -> None:
    x = torch.tensor([1.0, 0.0])
    for guilty in (x[0].item, x.nonzero, lambda: x[x > 0], lambda: bool(x.any())):
        with pytest.raises(AssertionError), Recorder():
            guilty()


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
def test_a_divergence_that_is_read_late_has_not_touched_the_weights(kind, tmp_path) -> None:
    blow_up = {"optimizer__kind": kind, "optimizer__learning_rate": 1e30}
    seen, left = [], []
    for every in (1, 6):  # how often the host asks
        trainer = make_trainer(tmp_path / str(every), "wgan-gp", **blow_up)
        assert trainer.finite.read() is None
        found = None
        while found is None:
            for _ in range(every):
                trainer.run_iteration()
            found = trainer.finite.read()
        seen.append(found)
        left.append([p for group in trainer.game.groups.values() for p in group])
    assert seen[0] == seen[1]
    assert all(torch.equal(a, b) and a.isfinite().all() for a, b in zip(*left, strict=True))


def test_a_watch_names_the_first_bad_move() -> None:
    finite = FiniteCheck(torch.device("cpu"))
    good, bad = torch.ones(()), torch.tensor(float("nan"))
    finite.note("a", 0)
    finite.check(good, [good])
    assert finite.read() is None
    for phase, iteration, loss, gradient in (
        ("a", 1, good, good),
        ("b", 1, good, bad),
        ("a", 2, bad, bad),
    ):
        finite.note(phase, iteration)
        finite.check(loss, [gradient])
    assert finite.bad == 1
    assert finite.read() == ("loss", "b", 1)
