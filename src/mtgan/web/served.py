"""Models that are served: each loaded once, at one checkpoint, with a thread of its own."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.training.devices import choose_device
from mtgan.training.game import Game
from mtgan.training.model import Model, Step
from mtgan.training.requests import Requests
from mtgan.web.names import named_models
from mtgan.web.worker import Worker

QUEUE = 64
"""Requests to one model that may wait or be under way."""


class HeldModel(Model):
    """A model at one checkpoint, which it holds in memory: whatever a training that goes on writes
    or removes, the same seed gives the same samples.

    step: the checkpoint's; device: where its generator lies. See Model.
    """

    def __init__(self, model: Model, step: Step = None, device: str = "cpu") -> None:
        super().__init__(model.path, model.recipe, model.dataset_info)
        self.twin_name = model.twin_name
        self.step = model.iteration(step)
        self._game, self._weights = model.game(self.step), model.weights(self.step)
        self.device = choose_device(device)
        self._game.averaged(self.twin_name).to(self.device)

    def game(self, step: Step = None) -> Game:
        self.iteration(step)
        return self._game

    def weights(self, step: Step = None) -> Path:
        self.iteration(step)
        return self._weights

    def iteration(self, step: Step = None) -> int:
        if step not in {None, self.step}:
            raise UserError(f"{self.path} is held at step {self.step}, and not {step!r}.")
        return self.step


class ServedModel:
    """A model under the name that clients call it by.

    model: held at one checkpoint, and sampled in `worker` alone; source: that from which it was
    taken, which has the other checkpoints; requests: what it can be asked for; accepted: labels
    that were found to be good.
    """

    def __init__(
        self,
        name: str,
        source: Model,
        step: Step = None,
        device: str = "cpu",
        queue: int = QUEUE,
    ) -> None:
        self.name = name
        self.source = source
        self.model = HeldModel(source, step, device)
        self.requests: Requests = self.model.asking()
        self.accepted: set[tuple[tuple[str, object], ...]] = set()
        self.worker = Worker(name, queue)

    def close(self) -> None:
        """Let the thread end."""
        self.worker.close()


@contextlib.contextmanager
def open_models(
    texts: Sequence[str], step: Step = None, device: str = "cpu", queue: int = QUEUE
) -> Iterator[list[ServedModel]]:
    """Models as the command line names them, see mtgan.web.names.named; closed at the end.

    UserError for one that cannot be opened, and where two would have one name.
    """
    sources = named_models(texts)
    with contextlib.ExitStack() as opened:
        models = []
        for name, source in sources.items():
            models.append(ServedModel(name, source, step, device, queue))
            opened.callback(models[-1].close)
        yield models


def by_name(models: Sequence[ServedModel]) -> Mapping[str, ServedModel]:
    """The models by what they are called; UserError where there are none."""
    if not models:
        raise UserError("There is no model to serve; name a run.")
    return {model.name: model for model in models}
