"""The model that a training begins from: what is taken of it, recorded and said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtgan import files
from mtgan.errors import UserError
from mtgan.training.game import Game
from mtgan.training.model import Model, Step
from mtgan.training.run import Run
from mtgan.training.transfer import FRESH, ClassTransfer, Transfer, transfer

_SHOWN = 12  # digits of a checksum
_LISTED = 12  # classes of a level


@dataclass(frozen=True)
class Start:
    """A model as of a checkpoint; weights: SHA-256 of the file that holds its networks."""

    model: Model
    step: int
    weights: str

    @classmethod
    def of(cls, source: Model | str | Path, step: Step = None) -> "Start":
        """source: a model, or a run by its folder. UserError where there is no such checkpoint."""
        model = source if isinstance(source, Model) else Run.open(source)
        found = model.iteration(step)
        return cls(model, found, files.digest(model.weights(found), "The weights"))

    def record(self) -> dict[str, Any]:
        """What a run keeps of it."""
        recorded = self.model.recipe.run
        return {
            "path": str(self.model.path),
            "recipe": self.model.recipe.name,
            "data": recorded.get("data_name", ""),
            "step": self.step,
            "weights": self.weights,
        }

    def fill(self, game: Game) -> Transfer:
        """Fill a game with what fits. UserError where nothing of a generator or a discriminator
        does, or a layer that is frozen would stay as it is initialized."""
        found = transfer(game, self.model.game(self.step))
        frozen = range(1, game.recipe.freeze.discriminator + 1)
        for name, network in found.networks.items():
            player, layers = name.partition("/")[0], network.layers
            if player != "classifier" and not network.kernels:
                raise UserError(
                    f"Nothing of the {name} of {self.model.path} fits recipe {game.recipe.name}: "
                    f"take its recipe, or set {player}.backbone, width and kernel as there."
                )
            fresh = [str(i) for i in frozen if FRESH in layers.get(str(i), ())]
            if player == "discriminator" and fresh:
                raise UserError(
                    f"freeze.discriminator={len(frozen)} would keep layer {fresh[0]} of the "
                    f"{name} as it is initialized, since that of {self.model.path} does not fit; "
                    f"take freeze.discriminator={int(fresh[0]) - 1}, or networks as there."
                )
        return found

    def notes(self, found: Transfer) -> Iterator[str]:
        """What was taken, in sentences."""
        yield (
            f"from {self.model.path} ({self.model.recipe.name}), iteration {self.step:,}, "
            f"weights {self.weights[:_SHOWN]}"
        )
        for name, network in found.networks.items():
            yield f"{name}: {network.in_words()}"
        for level, classes in found.levels.items():
            yield f"classes of {level}: {_in_words(classes)}"


def _in_words(found: ClassTransfer) -> str:
    if not found.source:
        return "fresh, since it has no such level"
    parts = [f"{found.by_name} by name"] if found.by_name else []
    for name, others in list(found.others.items())[:_LISTED]:
        mean = f"the mean of {', '.join(others)}" if len(others) > 1 else "".join(others)
        parts.append(f"{name} from {mean} ({found.by[name]})" if others else f"{name} fresh")
    if (more := len(found.others) - _LISTED) > 0:
        parts.append(f"{more} more as start.json says")
    return "; ".join(parts)


def refuse_other_start(run: Run, start: Mapping[str, Any] | None) -> None:
    """UserError where a run that is gone on with did not begin from the model of this record."""
    recorded = run.recipe.run.get("start")
    where = "or train into another folder"
    if start is None:
        if recorded and not run.steps:
            raise UserError(
                f"{run.path} was to begin from {recorded['path']} and has no checkpoint yet; name "
                f"that again by --from (in Python start), {where}."
            )
        return
    if not recorded:
        raise UserError(
            f"{run.path} was not begun from another run, so it cannot go on from {start['path']}; "
            f"leave --from out, {where}."
        )
    if recorded["weights"] != start["weights"]:
        raise UserError(
            f"{run.path} was begun from {_called(recorded)}, and not from {_called(start)}; leave "
            f"--from out, {where}."
        )


def in_words(recorded: Mapping[str, Any]) -> str:
    """What a run began from, by its record."""
    return (
        f"{recorded['path']} ({recorded['recipe']} on {recorded['data']}), iteration "
        f"{recorded['step']:,}, weights {recorded['weights'][:_SHOWN]}"
    )


def _called(record: Mapping[str, Any]) -> str:
    weights = record["weights"][:_SHOWN]
    return f"{record['path']}, iteration {record['step']:,} (weights {weights})"
