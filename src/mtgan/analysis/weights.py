"""Sanity checks of every layer over training: weights, activations, gradients.

The proposal (step 6) asks for "sanity checks on weight distributions, activation scarcities, etc.".
For every checkpoint, network and layer: the distribution of its weights; how many of its
activations are off, and how many of its units are off for every input (dead); the norm of its
gradient, per weight, in the network's own phase of the game, on one batch of real data.

A "layer" is a module with weights of its own; activations are those that leave a rectifier.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from mtgan.analysis.base import Options, Result, Table, analysis, joined
from mtgan.analysis.plots import new_figure, tidy
from mtgan.data import Dataset
from mtgan.nets.fast import LeakyReLU
from mtgan.training import Run
from mtgan.training.aggregate import weighted_sum
from mtgan.training.batches import BatchLoader, draw_inputs
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from mtgan.training.seeds import mix_seed

DEAD = 0.5
"""Share of units that are off for every input, above which a layer is called dead."""
EXPLODING = 100.0
"""Gradient (or weight) so many times the median over the network's layers."""
GROWN = 10.0
"""Growth of a layer's weights, from its first checkpoint after the start, that is named."""
VANISHING = 1e-4
"""Gradient so far below the median over the network's layers."""
PERCENTILES = (1, 25, 50, 75, 99)


@dataclass(frozen=True)
class LayerState:
    """One layer at one checkpoint.

    Attributes:
        step: Iterations.
        network, layer: Names.
        mean, deviation, largest: Of its weights (largest: absolute).
        percentiles: Of its weights, at `PERCENTILES`.
        gradient: Root mean square of its gradient; None where its network has no phase.
        off: Share of activations at or below zero, each unit in the pass in which it is most
            active; None where no rectifier is inside or follows.
        dead: Share of units that are off for every input and place.
    """

    step: int
    network: str
    layer: str
    mean: float
    deviation: float
    largest: float
    percentiles: list[float]
    gradient: float | None
    off: float | None
    dead: float | None

    @property
    def name(self) -> str:
        return f"{self.network} {self.layer}"


@dataclass(frozen=True)
class LayerFinding:
    """A layer that is not well: "dead", "exploding", "vanishing" or "not finite", and why."""

    layer: str
    what: str
    evidence: str


@dataclass(frozen=True)
class Weights(Result):
    """Every layer at every checkpoint, and what was found at the last."""

    states: list[LayerState]
    findings: list[LayerFinding]

    @property
    def verdict(self) -> str:
        if not self.findings:
            return f"All {len(self.last)} layers are in order: none dead, exploding or vanishing."
        parts = []
        for what in dict.fromkeys(finding.what for finding in self.findings):
            named = [f"{f.layer} ({f.evidence})" for f in self.findings if f.what == what]
            parts.append(f"{what.capitalize()}: {joined(named, 4)}.")
        return " ".join(parts)

    @property
    def last(self) -> list[LayerState]:
        """The states of the last checkpoint."""
        return [state for state in self.states if state.step == self.states[-1].step]

    def table(self) -> Table:
        columns = ("layer", "mean", "deviation", "largest", "gradient", "off", "dead")
        rows: list = [
            (s.name, s.mean, s.deviation, s.largest, s.gradient, s.off, s.dead) for s in self.last
        ]
        return Table(columns, rows)

    def figure(self) -> Figure:
        names = list(dict.fromkeys(state.name for state in self.states))
        figure = new_figure(15, 0.28 * len(names) + 2.2, self.verdict)
        panels = figure.subplots(1, 4, sharey=True)
        deviations = self._matrix(names, "deviation")
        gradients = np.log10(np.maximum(self._matrix(names, "gradient"), 1e-12))
        self._heat(panels[0], deviations, "deviation of weights")
        self._heat(panels[1], gradients, "log10 of the gradient's root mean square")
        self._heat(panels[2], self._matrix(names, "off"), "share of activations off", (0, 1))
        spread = [(s.percentiles, names.index(s.name)) for s in self.last]
        for (low, left, middle, right, high), row in spread:
            panels[3].plot((low, high), (row, row), color="#9aa5b1", linewidth=1)
            panels[3].plot((left, right), (row, row), color="#2b6cb0", linewidth=4)
            panels[3].plot(middle, row, "|", color="black")
        tidy(panels[3], "weights of the last: 1, 25, 50, 75, 99 %")
        panels[0].set_yticks(range(len(names)), names, fontsize=7)
        return figure

    def _matrix(self, names: list[str], attribute: str) -> np.ndarray:
        """[layers, checkpoints], nan where there is no value."""
        steps = list(dict.fromkeys(state.step for state in self.states))
        values = np.full((len(names), len(steps)), np.nan)
        for state in self.states:
            value = getattr(state, attribute)
            if value is not None:
                values[names.index(state.name), steps.index(state.step)] = value
        return values

    def _heat(
        self, axes: Axes, values: np.ndarray, title: str, limits: tuple[float, float] | None = None
    ) -> None:
        low, high = limits or (None, None)
        image = axes.imshow(values, aspect="auto", cmap="viridis", vmin=low, vmax=high)
        steps = list(dict.fromkeys(state.step for state in self.states))
        axes.set_xticks(range(len(steps)), [f"{step:,}" for step in steps], rotation=90)
        assert axes.figure is not None
        axes.figure.colorbar(image, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
        tidy(axes, title, "iterations")


def weights(run: Run, data: Dataset | None = None, seed: int = 0) -> Weights:
    """Every layer of a run's networks at every checkpoint; nothing of the run is changed.

    Raises:
        UserError: No checkpoint, or data that are no longer to be found.
    """
    data = run.load_data() if data is None else data
    states = []
    for step, game in run.games():
        states += game_states(game, data, step, seed)
    if not states:
        run.game()  # says that there is no checkpoint
    return Weights(states, findings_of(states))


@analysis(
    "weights",
    "weights, activations and gradients by layer: dead or exploding ones named",
    takes=("seed",),
)
def of_run(run: Run, options: Options) -> Weights:
    return weights(run, seed=options.seed)


def game_states(game: Game, data: Dataset, step: int, seed: int = 0) -> list[LayerState]:
    """Every layer of a game's networks; gradients are taken on copies."""
    game = copy.deepcopy(game)
    gradients, activity = _probe(game, data, seed)
    states = []
    for name, network in game.networks.items():
        for layer, module in network.named_modules():
            own = [p.detach().flatten() for p in module.parameters(recurse=False) if p.dim() > 1]
            if not own:
                continue
            values = torch.cat(own).double()
            off, dead = activity.get((name, layer), (None, None))
            states.append(
                LayerState(
                    step=step,
                    network=name,
                    layer=layer,
                    mean=float(values.mean()),
                    deviation=float(values.std(correction=0)),
                    largest=float(values.abs().max()),
                    percentiles=np.percentile(values.numpy(), PERCENTILES).tolist(),
                    gradient=gradients.get((name, layer)),
                    off=off,
                    dead=dead,
                )
            )
    return states


def findings_of(states: Sequence[LayerState]) -> list[LayerFinding]:
    """Which layers of the last checkpoint are not well."""
    if not states:
        return []
    last = [state for state in states if state.step == states[-1].step]
    trained = {state.name: state for state in reversed(states) if state.step > 0}
    findings = []
    for _, group in groupby(last, key=lambda state: state.network):
        layers = list(group)
        usual = float(np.median([s.gradient for s in layers if s.gradient is not None] or [0.0]))
        for state in layers:
            first = trained.get(state.name, state)
            findings += list(_judge(state, first, usual))
    return findings


def _judge(state: LayerState, first: LayerState, usual: float) -> Iterator[LayerFinding]:
    values = [state.largest, state.gradient if state.gradient is not None else 0.0]
    if not np.isfinite(values).all():
        yield LayerFinding(state.name, "not finite", "weights or gradients are nan or infinite")
        return
    if state.dead is not None and state.dead > DEAD:
        yield LayerFinding(state.name, "dead", f"{state.dead:.0%} of units off for every input")
    if state.gradient is not None and usual > 0:
        ratio = state.gradient / usual
        if ratio > EXPLODING:
            yield LayerFinding(state.name, "exploding", f"gradient {ratio:.0f} times the median")
        if ratio < VANISHING:
            yield LayerFinding(state.name, "vanishing", f"gradient {ratio:.1g} of the median")
    growth = state.deviation / first.deviation if first.deviation else 1.0
    if growth > GROWN:
        yield LayerFinding(state.name, "exploding", f"weights grew {growth:.0f}-fold")


Key = tuple[str, str]  # network, layer


def _probe(
    game: Game, data: Dataset, seed: int
) -> tuple[dict[Key, float], dict[Key, tuple[float, float]]]:
    """Gradients, and shares of activations off and units dead, on one batch per phase."""
    cpu = torch.device("cpu")
    loader = BatchLoader(data, game.requests, cpu, seed, flip=False)
    latent = game.recipe.latent
    gradients: dict[Key, float] = {}
    with torch.random.fork_rng(devices=[]), _watched(game) as activity:
        torch.manual_seed(seed)
        for phase in (phase for phase in game.phases if phase.updates):
            random = torch.Generator().manual_seed(mix_seed(seed, "weights", phase.name))
            size = min(phase.batch_size, len(data))
            batch = loader.batch(Move(phase.name, 0, own_level=phase.own_level), size, random)
            requests = game.requests.among(phase.own_level)
            inputs = draw_inputs(size, latent.dim, latent.distribution, requests, random, cpu)
            for network in game.networks.values():
                network.zero_grad(set_to_none=True)
            weighted_sum(phase.step(batch, inputs).terms).backward()
            moved = {id(p) for group in phase.updates for p in game.groups[group]}
            gradients |= {
                key: value
                for key, value in _gradients(game, moved).items()
                if key not in gradients or key[0] == phase.name
            }
    return gradients, {
        key: (float(1 - on.mean()), float((on == 0).mean())) for key, on in activity.items()
    }


def _gradients(game: Game, moved: set[int]) -> dict[Key, float]:
    """Root mean square of each layer's gradient, of the parameters that the phase moves."""
    found = {}
    for name, network in game.networks.items():
        for layer, module in network.named_modules():
            own = [p for p in module.parameters(recurse=False) if p.dim() > 1 and id(p) in moved]
            grads = [p.grad.flatten() for p in own if p.grad is not None]
            if grads:
                found[name, layer] = float(torch.cat(grads).double().square().mean().sqrt())
    return found


@contextmanager
def _watched(game: Game) -> Iterator[dict[Key, np.ndarray]]:
    """Within it, collects how often each unit behind a layer is on: {layer: share on [units]}.

    A rectifier's output belongs to the layer with weights that was registered last before it.
    """
    shares: dict[Key, np.ndarray] = {}
    hooks = []

    def watch(key: Key):
        def see(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            units = output.detach().transpose(0, 1).flatten(1)
            on = (units > 0).double().mean(dim=1).numpy()
            shares[key] = np.maximum(shares[key], on) if key in shares else on

        return see

    for name, network in game.networks.items():
        last = None
        for layer, module in network.named_modules():
            if any(p.dim() > 1 for p in module.parameters(recurse=False)):
                last = layer
            if isinstance(module, nn.ReLU | nn.LeakyReLU | LeakyReLU) and last is not None:
                hooks.append(module.register_forward_hook(watch((name, last))))
    try:
        yield shares
    finally:
        for hook in hooks:
            hook.remove()
