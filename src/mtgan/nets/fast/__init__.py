"""The engine: PyTorch's layers with less work, fenced off from all that is built of them.

Same parameters, values and gradients of first and second order as PyTorch's layers of these names,
up to rounding; what differs is the time they take. `plain_layers()`, or MTGAN_PLAIN_LAYERS=1 in the
environment, switches to PyTorch's own everywhere, to find out whether a surprise comes from here.
"""

from mtgan.nets.fast.activations import LeakyReLU, ReLU, leaky_relu, relu
from mtgan.nets.fast.convolutions import (
    Conv2d,
    ConvMeanPool2d,
    ConvTranspose2d,
    UpsampleConv2d,
    input_gradients_only,
)
from mtgan.nets.fast.switch import plain_layers

__all__ = [
    "Conv2d",
    "ConvMeanPool2d",
    "ConvTranspose2d",
    "LeakyReLU",
    "ReLU",
    "UpsampleConv2d",
    "input_gradients_only",
    "leaky_relu",
    "plain_layers",
    "relu",
]
