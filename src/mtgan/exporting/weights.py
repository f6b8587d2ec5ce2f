"""The tensors that a model folder keeps: all that samples and judges, and no live generator."""

import itertools
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.exporting.config import AGAIN
from mtgan.nets import Generator
from mtgan.training.checkpoints import restore_tensors
from mtgan.training.game import Game


def kept_tensors(game: Game) -> dict[str, Tensor]:
    """Each once, by names as in a checkpoint: "average/NAME/..." and "networks/NAME/...", the
    latter of discriminators and classifiers."""
    others = {k: net for k, net in game.networks.items() if not isinstance(net, Generator)}
    kept: dict[str, dict[str, nn.Module]] = {"average": {**game.average}, "networks": {**others}}
    found: dict[int, tuple[str, Tensor]] = {}
    for kind, networks in kept.items():
        for name, network in networks.items():
            for key, tensor in itertools.chain(network.named_parameters(), network.named_buffers()):
                found.setdefault(id(tensor), (f"{kind}/{name}/{key}", tensor))
    return dict(found.values())


def save_weights(game: Game, path: Path) -> None:
    tensors = {name: x.detach().cpu().contiguous() for name, x in kept_tensors(game).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def load_weights(game: Game, path: Path) -> None:
    """Fill a game with what was saved; its generators begin at their average. UserError where the
    file does not fit the game."""
    try:
        saved = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({str(error).rstrip('.')}); {AGAIN}.") from error
    if not any(name.startswith("networks/discriminator") for name in saved):
        raise UserError(
            f"{path} holds no discriminator, and a model folder holds one beside its generator; "
            f"{AGAIN}."
        )
    restore_tensors(kept_tensors(game), saved, path)
    for name, average in game.average.items():
        game.networks[name].load_state_dict(average.state_dict())
