"""Captured moves, without a GPU: a tape of operations stands in for a CUDA graph. Like one it keeps
tensors by their addresses, and numbers as they were."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from mtgan import processes
from mtgan.errors import UserError
from mtgan.training import graphs as graphs_module
from mtgan.training.callbacks import Listeners
from mtgan.training.graphs import Graphs, GraphsWarning, graphs_of
from mtgan.training.train import prepare, train
from mtgan.training.trainer import Trainer
from toys import make_data, small_recipe

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal"}


class Tape(TorchDispatchMode):
    """Every operation, its arguments and its results; none may read a value on the host."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket.__name__ in WAITS:
            raise RuntimeError("operation not permitted when stream is capturing\nand more")
        result = function(*args, **(kwargs or {}))
        self.operations.append((function, args, kwargs or {}, result))
        return result

    @torch.no_grad()
    def replay(self) -> None:
        for function, args, kwargs, result in self.operations:
            if function.is_view or function._schema.name == "aten::lift_fresh":
                continue  # it still looks at the same memory
            again = function(*_detached(args), **_detached(kwargs))
            if not function._schema.is_mutable:
                for kept, value in zip(_tensors(result), _tensors(again), strict=True):
                    kept.detach().copy_(value)


def _tensors(tree: Any) -> list[Tensor]:
    return [x for x in tree_leaves(tree) if isinstance(x, Tensor)]


def _detached(tree: Any) -> Any:
    return tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


class TapeCapture:
    """Computes while it records, as CUDA does not: what that changed is set back."""

    def __init__(self, state: Callable[[], list[Tensor]] | None = None) -> None:
        self.rehearsals = 0
        self.state = state

    def rehearse(self, compute: Callable[[], object]) -> None:
        self.rehearsals += 1
        compute()
        compute()

    def record(self, compute: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        with graphs_module._unchanged(self.state() if self.state else []), Tape() as tape:
            made = compute()
        return made, tape.replay


def make_trainer(folder, name: str, captured: bool, resume: bool = False, **overrides) -> Trainer:
    recipe = small_recipe(name, training__steps=6, **overrides)
    with pytest.MonkeyPatch.context() as patch:
        capture = TapeCapture()
        made = Graphs(capture) if captured else None
        patch.setattr(sys.modules[prepare.__module__], "graphs_of", lambda choice, device: made)
        trainer = prepare(recipe, make_data(), folder, device="cpu", resume=resume)
    capture.state = trainer._state
    return trainer


def different(a: Trainer, b: Trainer) -> list[str]:
    """Names of the kept tensors that are not bit for bit the same in both."""
    pairs = zip(a.snapshots.tensors(), b.snapshots.tensors(), strict=True)
    return [key for x, y in pairs for key in x if not torch.equal(x[key], y[key])]


STAGES = [{"condition_on": "none", "until": 2}, {"condition_on": "fine", "over": 2}]
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "penalty": ("wgan-gp", {}),
    "heads": ("ac-wgan-b", {"schedule__discriminator_steps": 2}),
    "separate classifiers": ("mtl-wgan", {"optimizer__decay": "linear"}),
    "batch statistics": ("dcgan", {}),
    "spectral normalization": ("adc-projection-gan-b", {}),
    "a conditioning schedule": ("ac-wgan-b", {"schedule__conditioning": STAGES}),
    "learned weights": ("ac-wgan-b", {"aggregator": "uncertainty"}),
    "dropout": ("gan", {"discriminator__dropout": 0.5}),
    "regularizers that follow scores": (
        "gan",
        {
            "discriminator__lecam": 0.3,
            "discriminator__augmentation": ["flip", "color", "translation"],
            "discriminator__adaptive_augmentation": {"images": 100},
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_replayed_moves_train_as_computed_ones(case, tmp_path) -> None:
    name, overrides = CASES[case]
    computed, replayed = (
        make_trainer(tmp_path / str(captured), name, captured, **overrides)
        for captured in (False, True)
    )
    computed.optimizers.keep_rates_on_device()  # which are rounded to float32 there
    for trainer in (computed, replayed):
        for _ in range(5):
            trainer.run_iteration()
    assert replayed.graphs is not None
    assert replayed.graphs.failure is None
    assert len(replayed.graphs) == len({p.name for p in replayed.game.phases})
    assert different(computed, replayed) == []
    assert replayed.averages.read() == computed.averages.read()
    assert computed.finite.read() is replayed.finite.read() is None


def test_a_resumed_training_is_bit_for_bit_the_same(tmp_path) -> None:
    case = {"discriminator__dropout": 0.5, "optimizer__decay": "linear"}
    whole = make_trainer(tmp_path / "whole", "gan", True, **case)
    whole.fit(quiet=True)
    part = make_trainer(tmp_path / "part", "gan", True, **case)
    part.fit(quiet=True, listeners=_until(4))
    resumed = make_trainer(tmp_path / "part", "gan", True, resume=True, **case)
    assert resumed.iteration == 4
    resumed.fit(quiet=True)
    assert different(whole, resumed) == []


def _until(iteration: int) -> Listeners:
    return Listeners([lambda done, values: done == iteration])


def test_a_divergence_is_noticed_and_touches_no_weight(tmp_path) -> None:
    trainer = make_trainer(tmp_path, "wgan-gp", True, optimizer__learning_rate=1e30)
    for _ in range(3):
        trainer.run_iteration()
    what, phase, _ = trainer.finite.read()
    assert what in {"loss", "gradient"}
    assert phase in {"discriminator", "generator"}
    assert all(p.isfinite().all() for group in trainer.game.groups.values() for p in group)


# The class alone


@dataclass(frozen=True)
class Given:
    x: Tensor
    by_name: dict[str, Tensor]
    nothing: None = None


class Counter:
    """A move: adds what it is given to a total, and returns the total's double."""

    def __init__(self) -> None:
        self.total, self.calls = torch.zeros(()), 0

    def __call__(self, given: Given) -> Tensor:
        self.calls += 1
        self.total += given.x.sum() + given.by_name["y"].sum()
        return 2 * self.total

    def state(self) -> list[Tensor]:
        return [self.total]


def given(x: float, count: int = 2) -> tuple[Given]:
    return (Given(torch.full((count,), x), {"y": torch.ones(1, dtype=torch.int64)}),)


def test_a_move_is_captured_once_for_each_shape_and_leaves_its_state_alone() -> None:
    move = Counter()
    capture = TapeCapture(move.state)
    made = Graphs(capture)
    seen = [made.compute("a", move, given(x), move.state).clone() for x in (1.0, 2.0, 5.0)]
    assert [x.item() for x in seen] == [6, 16, 38]
    assert (capture.rehearsals, move.calls) == (1, 3)  # twice to rehearse, once to record
    assert made.compute("a", move, given(1.0, count=3), move.state).item() == 46
    assert made.compute("b", move, given(0.0), move.state).item() == 48
    assert len(made) == capture.rehearsals == 3


def test_randomness_follows_the_seed_as_without_graphs() -> None:
    def draw(given: Given) -> Tensor:
        return torch.rand(2) + given.x

    made = Graphs(TapeCapture())
    for seed in (1, 2):
        torch.manual_seed(seed)
        expected = draw(*given(0.0))
        torch.manual_seed(seed)
        assert torch.equal(made.compute("a", draw, given(0.0), list), expected)


def test_what_cannot_be_captured_is_computed_and_said_once() -> None:
    move = Counter()
    capture = TapeCapture(move.state)

    def reading(given: Given) -> Tensor:
        return move(given) * move.total.item()

    made = Graphs(capture)
    with pytest.warns(GraphsWarning, match="phase 'a' cannot be captured.*: operation not") as said:
        assert made.compute("a", reading, given(1.0), move.state).item() == 18
    assert len(said) == 1
    assert "\n" not in str(said[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert made.compute("a", reading, given(0.0), move.state).item() == 32
        assert made.compute("b", move, given(0.0), move.state).item() == 10
    assert isinstance(made.failure, RuntimeError)
    assert len(made) == 0


# When there are graphs


def test_graphs_are_for_one_process_on_a_gpu(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(graphs_module, "CudaCapture", lambda device: device)
    assert graphs_of("auto", CPU) is graphs_of("off", CPU) is graphs_of("off", GPU) is None
    assert graphs_of("auto", GPU)._capture == graphs_of("on", GPU)._capture == GPU
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert graphs_of("auto", GPU) is None
    with pytest.warns(GraphsWarning, match="several processes"):
        assert graphs_of("on", GPU) is None
    with pytest.raises(UserError, match="found 'yes'"):
        graphs_of("yes", GPU)
    with pytest.raises(UserError, match="Graphs are CUDA's"):
        train(small_recipe(), make_data(), tmp_path / "run", device="cpu", graphs="on")
    assert not (tmp_path / "run").exists()
