"""Self-attention between the positions of a feature map (Zhang et al. 2019, SAGAN).

N: batch; C, H, W: feature map; P: its positions, H W; Q: positions that are attended to.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from mtgan.errors import UserError
from mtgan.nets.fast import Conv2d
from mtgan.nets.heads import Bound

Map = tuple[int, int, int]  # C, H, W


class SelfAttention(nn.Module):
    """x + gamma v(sum over i of softmax_i(f(x_i) g(x_j)) h(x_i)) at each position j; gamma begins
    at 0 (Zhang et al. 2019, eq. 1 to 3).

    f and g have an eighth of the channels, h half of them; keys and values are the maxima of 2 x 2
    patches (both as in the released code). All four are 1 x 1 convolutions without bias, under
    `bound`.
    """

    def __init__(self, channels: int, bound: Bound) -> None:
        super().__init__()
        few, half = max(1, channels // 8), max(1, channels // 2)
        self.query, self.key = (bound(Conv2d(channels, few, 1, bias=False)) for _ in range(2))
        self.value = bound(Conv2d(channels, half, 1, bias=False))
        self.output = bound(Conv2d(half, channels, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        query = self.query(x).flatten(2)  # [N, C / 8, P]
        key, value = (
            max_pool2d(of(x), 2, ceil_mode=True).flatten(2) for of in (self.key, self.value)
        )
        # Written out: PyTorch's fused attention cannot be differentiated twice, as penalties do.
        shares = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # [N, P, Q]
        attended = (value @ shares.transpose(1, 2)).view(x.shape[0], -1, *x.shape[2:])
        return x + self.gamma * self.output(attended)


class Attended(nn.Module):
    """A layer, and self-attention over the map that it gives; what else it takes is handed on."""

    def __init__(self, layer: nn.Module, attention: SelfAttention) -> None:
        super().__init__()
        self.layer, self.attention = layer, attention

    def forward(self, x: Tensor, *y: Tensor | None) -> Tensor:
        return self.attention(self.layer(x, *y))


def unbound(layer: nn.Module) -> nn.Module:
    """The layer as it is."""
    return layer


def attend(
    layers: Sequence[nn.Module], maps: Sequence[Map], side: int | None, bound: Bound = unbound
) -> list[nn.Module]:
    """The layers, with self-attention over the largest map whose shorter side is at most `side`.

    maps: what each layer gives; of several maps of that size the first is taken. None: no
    attention. UserError where no map is small enough.
    """
    layers = list(layers)
    if side is None:
        return layers
    sides = [min(height, width) for _, height, width in maps]
    fitting = [found for found in sides if found <= side]
    if not fitting:
        raise UserError(
            f"Self-attention over feature maps of at most {side} pixels has none to go to: the "
            f"smallest here has {min(sides)}; set attention to {min(sides)} or more."
        )
    place = sides.index(max(fitting))
    layers[place] = Attended(layers[place], SelfAttention(maps[place][0], bound))
    return layers
