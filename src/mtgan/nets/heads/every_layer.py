"""A head of a discriminator whose layers are told the labels, each of them."""

from mtgan.nets.heads.concat import Concat
from mtgan.parts import HEADS


@HEADS.register("every-layer")
class EveryLayer(Concat):
    """The label vector joins what every layer takes (mtgan.nets.told_layer), the output layer's
    features too (what the thesis wished it had tried, 5.0.1)."""

    adds_labels = False
    joins_layers = True
