"""EfficientNet-Lite0, a convolutional network for ImageNet, as the feature extractor needs it.

Source: Tan & Le 2019, arXiv 1905.11946, Table 1; the Lite variant (ReLU6, no squeeze and
excitation, stem and head not scaled) of the TensorFlow `tpu` repository. Padding is TensorFlow's
"SAME": where a stride of 2 needs an odd number of pixels, the odd one lies at the right and bottom.
Modules bear the names of the published weights. Shapes: N images of side S, a multiple of 32.
"""

import torch.nn.functional as F
from torch import Tensor, nn

# Kernel, first stride, expansion, output channels, number of blocks: Table 1 of the paper.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_STEM, FEATURES, CLASSES = 32, 1280, 1000
_EPSILON = 1e-3


class _Convolution(nn.Conv2d):
    """Without bias, padded as TensorFlow pads maps of even sides."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        total = kernel - stride
        before = total // 2
        self.margin = (before, total - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.margin) if any(self.margin) else x)


class _Block(nn.Module):
    """Inverted bottleneck: expand, filter each channel, project; the input is added where the
    shapes agree (Sandler et al. 2018, arXiv 1801.04381)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = _Convolution(inputs, inner, 1)
            self._bn0 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._depthwise_conv = _Convolution(inner, inner, kernel, stride, groups=inner)
        self._bn1 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._project_conv = _Convolution(inner, outputs, 1)
        self._bn2 = nn.BatchNorm2d(outputs, eps=_EPSILON)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """Images float [N, 3, S, S] to feature maps, and pooled features to ImageNet logits."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _Convolution(3, _STEM, 3, stride=2)
        self._bn0 = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        blocks: list[_Block] = []
        channels = _STEM
        for kernel, stride, expansion, outputs, count in _STAGES:
            for position in range(count):
                first = stride if position == 0 else 1
                blocks.append(_Block(channels, outputs, kernel, first, expansion))
                channels = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _Convolution(channels, FEATURES, 1)
        self._bn1 = nn.BatchNorm2d(FEATURES, eps=_EPSILON)
        self._fc = nn.Linear(FEATURES, CLASSES)

    def maps(self, x: Tensor) -> Tensor:
        """The last feature maps [N, 1280, S/32, S/32], in [0, 6]."""
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x)))

    def logits(self, features: Tensor) -> Tensor:
        """Logits [N, 1000] of features [N, 1280], the maps' means."""
        return self._fc(features)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(self.maps(x).mean(dim=(2, 3)))
