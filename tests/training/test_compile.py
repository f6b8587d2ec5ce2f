"""Compiled networks: the same numbers, and one sentence where they cannot be had."""

from functools import partialmethod

import pytest
import torch

from mtgan import processes
from mtgan.errors import UserError
from mtgan.training.train import prepare
from mtgan.training.trainer import Trainer
from toys import make_data, small_recipe


def make_trainer(tmp_path, compile: bool) -> Trainer:
    recipe = small_recipe("sc-wgan-b", schedule__discriminator_steps=1)
    return prepare(recipe, make_data(), tmp_path / str(compile), device="cpu", compile=compile)


def test_compiled_networks_learn_the_same(tmp_path, monkeypatch) -> None:
    """Graphs are made and differentiated as for any compiler; code is not generated, which takes
    minutes, and rounds otherwise."""
    traced = partialmethod(torch.nn.Module.compile, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(torch.nn.Module, "compile", traced)
    plain, compiled = (make_trainer(tmp_path, compile) for compile in (False, True))
    for trainer in (plain, compiled):
        trainer.run_iteration()
    expected = plain.game.tensors()
    # Up to rounding: a compiled graph may add up in another order.
    for name, x in compiled.game.tensors().items():
        torch.testing.assert_close(expected[name], x, rtol=1e-6, atol=1e-9, msg=name)
    captured = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert captured >= 4  # generator with and without gradient, discriminator, classifier


def test_without_a_compiler_or_beside_other_processes_it_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match="needs a C\\+\\+ compiler, and 'no-such-compiler'"):
        make_trainer(tmp_path / "a", compile=True)
    monkeypatch.setattr(processes, "count", lambda: 2)
    with pytest.raises(UserError, match="--compile on is for one process"):
        make_trainer(tmp_path / "b", compile=True)
    monkeypatch.setattr(processes, "count", lambda: 3)
    with pytest.raises(UserError, match="batch of 8 cannot be shared evenly by 3 processes"):
        make_trainer(tmp_path / "c", compile=False)
