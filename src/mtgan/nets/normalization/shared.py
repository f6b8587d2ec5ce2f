"""Batch normalization by an embedding of all labels that every layer shares (Brock et al. 2019)."""

from torch import Tensor, nn

from mtgan.nets.normalization.base import by_sample
from mtgan.nets.normalization.batch import BatchNorm
from mtgan.parts import NORMALIZATIONS


@NORMALIZATIONS.register("shared-conditional-batch")
class SharedConditionalBatch(nn.Module):
    """Gain 1 + A e and bias B e of the embedding e that all layers are given, so that each has two
    matrices and no table of classes (Brock et al. 2019, BigGAN, section 3.1 and appendix B).

    classes: length E of the embedding. forward(x, y): y [N, E]. Zeros, as of samples without any
    label, give gain 1 and bias 0.
    """

    mixes_samples = True
    conditional = True
    embedded = True

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.layer = BatchNorm(channels, affine=False)
        self.gain = nn.Linear(classes, channels, bias=False)
        self.bias = nn.Linear(classes, channels, bias=False)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        assert y is not None, "conditional normalization needs the embedding of the labels"
        return by_sample(self.layer(x), 1 + self.gain(y), self.bias(y))
