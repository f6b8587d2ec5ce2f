"""Layers that two networks share: as the same modules (hard), or by a pull on both (soft)."""

from collections.abc import Mapping

from torch import nn

from mtgan.errors import UserError
from mtgan.nets.networks import kernel_weights
from mtgan.parts import NORMS
from mtgan.recipes import Recipe
from mtgan.recipes.schema import Sharing
from mtgan.registry import nearest
from mtgan.training.networks import Network
from mtgan.training.steps import SoftSharing

Networks = Mapping[str, Network]


def share_hard(recipe: Recipe, networks: Networks) -> None:
    """Put the first network's first layers into the second, for every hard sharing."""
    for sharing in recipe.sharing:
        if sharing.kind == "hard":
            owner, guest = _shared_layers(recipe, networks, sharing)
            for i in range(sharing.layers):
                guest[i] = owner[i]


def soft_sharing(recipe: Recipe, networks: Networks, network: str) -> list[SoftSharing]:
    """The pulls on one network, each with that network's weights as the moving ones."""
    pulls = []
    for sharing in recipe.sharing:
        if sharing.kind == "hard" or network not in sharing.between or not sharing.layers:
            continue
        NORMS.get(sharing.norm)
        mine = sharing.between.index(network)
        pair = _shared_layers(recipe, networks, sharing)
        weights = [kernel_weights(layers[: sharing.layers]) for layers in pair]
        other = sharing.between[1 - mine]
        pulls.append(
            SoftSharing(other, weights[mine], weights[1 - mine], sharing.weight, sharing.norm)
        )
    return pulls


def _shared_layers(recipe: Recipe, networks: Networks, sharing: Sharing) -> list[nn.ModuleList]:
    """The two networks' layers, checked to be alike in the first `layers` of them."""
    for name in sharing.between:
        if name not in networks:
            raise UserError(
                f"Recipe {recipe.name}: sharing.between names {name!r}, and there is no such "
                f"network: {nearest(name, list(networks))}"
            )
    pair = [networks[name].layers for name in sharing.between]
    depth = min(len(layers) for layers in pair)
    where = f"Recipe {recipe.name}: sharing between {' and '.join(sharing.between)}"
    if sharing.layers > depth:
        raise UserError(
            f"{where}: layers={sharing.layers}, and they have {depth}; take 0 to {depth}."
        )
    first, second = (kernel_weights(layers[: sharing.layers]) for layers in pair)
    if [w.shape for w in first] != [w.shape for w in second]:
        raise UserError(
            f"{where}: their first {sharing.layers} layers differ in shape; give both networks "
            "the same backbone, width, kernel and attention."
        )
    return pair
