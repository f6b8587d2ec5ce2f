"""Planted illnesses of layers are named; a healthy network has none; nothing is changed."""

import copy
from dataclasses import replace

import pytest
import torch

from mtgan.analysis import weights
from mtgan.analysis.weights import LayerState, findings_of, game_states
from mtgan.data import Dataset
from mtgan.training import Run

STATE = LayerState(10, "generator", "a", 0.0, 0.1, 0.3, [0.0] * 5, 1e-3, 0.5, 0.0)
LAYERS = [replace(STATE, layer=name) for name in "abcde"]


def test_layers_in_order_are_not_named(run: Run, digits: Dataset, tmp_path) -> None:
    before = {name: t.clone() for name, t in run.game().tensors().items()}
    found = weights(run, digits)
    assert found.findings == []
    assert "in order" in found.verdict
    assert {state.step for state in found.states} == set(run.steps)
    networks = {state.network for state in found.last}
    assert networks == {"generator", "discriminator"}
    assert all(state.gradient is not None and state.gradient > 0 for state in found.last)
    assert all(torch.equal(t, before[name]) for name, t in run.game().tensors().items())
    assert found.picture(tmp_path / "weights.png").stat().st_size > 5000


def test_a_dead_layer_is_named(run: Run, digits: Dataset) -> None:
    game = copy.deepcopy(run.game())
    with torch.no_grad():
        game.networks["discriminator"].layers[0].convolution.bias.fill_(-100.0)
    found = findings_of(game_states(game, digits, 6))
    assert [(f.layer, f.what) for f in found if f.what == "dead"] == [
        ("discriminator layers.0.convolution", "dead")
    ]


def test_a_critic_that_says_nothing_gives_the_generator_no_gradient(
    run: Run, digits: Dataset
) -> None:
    game = copy.deepcopy(run.game())
    critic = game.twins[0].discriminator
    with torch.no_grad():
        for head in (critic.adversarial, *critic.heads):
            head.linear.weight.zero_()
    states = game_states(game, digits, 6)
    assert all(s.gradient == 0 for s in states if s.network == "generator")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"gradient": 0.5}, "exploding"),
        ({"gradient": 1e-9}, "vanishing"),
        ({"dead": 0.8}, "dead"),
        ({"largest": float("nan")}, "not finite"),
        ({"gradient": float("inf")}, "not finite"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_rules(change: dict, what: str) -> None:
    found = findings_of([*LAYERS[:4], replace(LAYERS[4], **change)])
    assert [(f.layer, f.what) for f in found] == [("generator e", what)]


def test_growth_over_checkpoints() -> None:
    later = [
        replace(state, step=20, deviation=2.0 if state.layer == "b" else 0.1) for state in LAYERS
    ]
    (found,) = findings_of([*LAYERS, *later])
    assert (found.layer, found.evidence) == ("generator b", "weights grew 20-fold")
    assert findings_of(LAYERS) == findings_of([]) == []
