"""Convolutions that are cheap to differentiate twice, as a gradient penalty does.

PyTorch's double backward of a convolution falls back to slow paths; here it is convolutions again.
A convolution beside a resampling by two is one convolution of stride 2. And on CPU, a strided
convolution to few channels is taken apart, and one by many weights takes fewer multiplications.

N: batch; A, B: channels of a convolution's input and output; H, W and H', W': sides of the two;
K, L: the kernel's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtgan.nets.fast import winograd
from mtgan.nets.fast.switch import is_fast

# At most so many channels count as thin (measured: at 32 the direct way is as fast).
_THIN = 16
# From so many weights on, fewer multiplications pay for the transformations around them (measured:
# with 2**18 or fewer only in part, at 4 x 4 outputs).
_MANY = 300_000

_weights_wanted = True


@contextmanager
def input_gradients_only() -> Iterator[None]:
    """Compute no weight gradients in backward passes made inside.

    For `autograd.grad(score, samples)`: a Python autograd function is not told which of its
    inputs the caller asked for, and would compute gradients of the weights to throw them away.
    """
    global _weights_wanted
    before, _weights_wanted = _weights_wanted, False
    try:
        yield
    finally:
        _weights_wanted = before


def _with_channels_last(x: Tensor) -> Tensor:
    """x; where it has one channel, with the strides of channels-last layout.

    Either layout fits it then, and convolutions would take the other one, which costs a copy of
    all that they make.
    """
    _, channels, height, width = x.shape
    if channels > 1 or not x.is_contiguous():
        return x
    return x.as_strided(x.shape, (height * width, 1, width, 1))


class _Convolution(torch.autograd.Function):
    """x [N, A, H, W] * w [B, A, K, L] + b [B] -> [N, B, H', W']."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, stride: Any, padding: Any
    ) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, w)
        ctx.where = (stride, padding)
        return functional.conv2d(_with_channels_last(x), w, b, stride, padding)

    @staticmethod
    def backward(ctx: Any, g: Tensor | None) -> tuple[Any, ...]:
        if g is None:
            return None, None, None, None, None
        x, w = ctx.saved_tensors
        to_x, to_w, to_b = ctx.needs_input_grad[:3]
        gx = gw = gb = None
        if to_x:
            gx = _InputGradient.apply(g, w, None, x.shape[2:], *ctx.where)
        if to_w and _weights_wanted:
            gw = _WeightGradient.apply(x, g, w.shape[2:], *ctx.where)
        if to_b and _weights_wanted:
            gb = g.sum((0, 2, 3))
        return gx, gw, gb, None, None


def _transposed(
    g: Tensor, w: Tensor, b: Tensor | None, size: Any, stride: Any, padding: Any
) -> Tensor:
    """Transposed convolution of g [N, B, H', W'] by w [B, A, K, L] to [N, A, *size], plus b [A]."""
    if g.device.type == "cpu" and tuple(stride) == (2, 2) and w.shape[1] <= _THIN:
        y = _transposed_thin(g, w, b, size, padding)
        if y is not None:
            return y
    extra = [
        s - ((h - 1) * d - 2 * p + k)
        for s, h, d, p, k in zip(size, g.shape[2:], stride, padding, w.shape[2:], strict=True)
    ]
    return functional.conv_transpose2d(g, w, b, stride, padding, extra)


def interleaved(y: Tensor) -> Tensor:
    """Depth to space: [N, 4A, H, W] -> [N, A, 2H, 2W]; channel (2i + j) A + a is channel a of the
    pixels in row i and column j of each 2 x 2 patch.

    Channels come last while they are moved, so that what moves is runs of them; pixel_shuffle would
    be several times slower, and leave a layout in which all that follows is slow.
    """
    n, channels, rows, columns = y.shape
    y = y.permute(0, 2, 3, 1).reshape(n, rows, columns, 2, channels // 2).transpose(2, 3)
    return y.reshape(n, 2 * rows, 2 * columns, channels // 4).permute(0, 3, 1, 2)


def _transposed_thin(
    g: Tensor, w: Tensor, b: Tensor | None, size: Any, padding: Any
) -> Tensor | None:
    """The same at stride 2 by way of depth-to-space; None where that falls short of `size`.

    Output pixel 2q + r takes the kernel's taps 2a + r from g's pixel q - a: a transposed
    convolution of stride 1 to four times as many channels, one for each r, then interleaved.
    The strided kernels of oneDNN are slow for few channels: this is 1.5 to 3 times as fast.
    """
    count, a, height, width = w.shape
    if height % 2 or width % 2:
        w = functional.pad(w, (0, width % 2, 0, height % 2))
    down, across = w.shape[2] // 2, w.shape[3] // 2
    # Channels come last in all of these, as in `interleaved`.
    w = w.permute(0, 2, 3, 1).reshape(count, down, 2, across, 2, a)
    w = w.transpose(2, 3).reshape(count, down, across, 4 * a).permute(0, 3, 1, 2)
    b = None if b is None else b.repeat(4)
    y = interleaved(functional.conv_transpose2d(g, w, b, 1, [p // 2 for p in padding]))
    # What is left of an odd padding is cut off.
    (top, left), (height, width) = [p % 2 for p in padding], size
    if y.shape[2] < top + height or y.shape[3] < left + width:
        return None
    return y if y.shape[2:] == size else y[:, :, top : top + height, left : left + width]


class _InputGradient(torch.autograd.Function):
    """The transpose of the convolution in x: g [N, B, H', W'], w -> [N, A, H, W], plus b [A]."""

    @staticmethod
    def forward(
        ctx: Any, g: Tensor, w: Tensor, b: Tensor | None, size: Any, stride: Any, padding: Any
    ) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(g, w)
        ctx.where = (stride, padding)
        return _transposed(g, w, b, size, stride, padding)

    @staticmethod
    def backward(ctx: Any, u: Tensor | None) -> tuple[Any, ...]:
        if u is None:
            return None, None, None, None, None, None
        g, w = ctx.saved_tensors
        to_g, to_w, to_b = ctx.needs_input_grad[:3]
        gg = gw = gb = None
        if to_g:
            gg = _Convolution.apply(u, w, None, *ctx.where)
        if to_w and _weights_wanted:
            gw = _WeightGradient.apply(u, g, w.shape[2:], *ctx.where)
        if to_b and _weights_wanted:
            gb = u.sum((0, 2, 3))
        return gg, gw, gb, None, None, None


class _WeightGradient(torch.autograd.Function):
    """The transpose of the convolution in w: x, g -> [B, A, K, L]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, g: Tensor, kernel: Any, stride: Any, padding: Any) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, g)
        ctx.where = (stride, padding)
        b, a = g.shape[1], x.shape[1]
        x = _with_channels_last(x)
        # Only the shape of the weight is read.
        shape = g.new_empty(1).expand(b, a, *kernel)
        return torch.ops.aten.convolution_backward(
            g, x, shape, None, stride, padding, (1, 1), False, (0, 0), 1, (False, True, False)
        )[1]

    @staticmethod
    def backward(ctx: Any, u: Tensor | None) -> tuple[Any, ...]:
        if u is None:
            return None, None, None, None, None
        x, g = ctx.saved_tensors
        to_x, to_g = ctx.needs_input_grad[:2]
        gx = _InputGradient.apply(g, u, None, x.shape[2:], *ctx.where) if to_x else None
        gg = _Convolution.apply(x, u, None, *ctx.where) if to_g else None
        return gx, gg, None, None, None


def _is_common(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """Whether a layer is computed in our way."""
    return (
        is_fast()
        and x.dim() == 4
        and layer.groups == 1
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
        and layer.dilation == (1, 1)
    )


def _in_one_type(x: Tensor, *parameters: Tensor | None) -> tuple[Any, ...]:
    """Under autocast, everything in its type: inside a function it would cast what is computed
    with but not what is saved for backward, and the types would not meet there."""
    kind = x.device.type
    if not torch.is_autocast_enabled(kind):
        return x, *parameters
    dtype = torch.get_autocast_dtype(kind)
    return x.to(dtype), *(None if p is None else p.to(dtype) for p in parameters)


def _plan(
    x: Tensor, w: Tensor, size: Any, outputs: Any, stride: Any, padding: Any
) -> winograd.Plan | None:
    """How to convolve by w [B, A, K, L] from `size` to `outputs` with fewer multiplications; None
    where that is impossible, or not known to be faster. x: what goes in, in either direction."""
    measured = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    # The compiler would spend minutes on its many small steps.
    if not measured or w.numel() < _MANY or torch.compiler.is_compiling():
        return None
    return winograd.plan(*map(tuple, (size, outputs, w.shape[2:], stride, padding)))


def _convolution(x: Tensor, w: Tensor, b: Tensor | None, stride: Any, padding: Any) -> Tensor:
    """x [N, A, H, W] * w [B, A, K, L] + b [B] -> [N, B, H', W']."""
    x, w, b = _in_one_type(x, w, b)
    where = zip(x.shape[2:], w.shape[2:], stride, padding, strict=True)
    outputs = [(side + 2 * p - k) // d + 1 for side, k, d, p in where]
    plan = _plan(x, w, x.shape[2:], outputs, stride, padding)
    if plan is None:
        return _Convolution.apply(x, w, b, stride, padding)
    return winograd.convolve(plan, x, w, b)


def _transposed_convolution(
    g: Tensor, w: Tensor, b: Tensor | None, size: Any, stride: Any, padding: Any
) -> Tensor:
    """The transpose of the convolution in x: g [N, B, H', W'], w -> [N, A, *size], plus b [A]."""
    g, w, b = _in_one_type(g, w, b)
    plan = _plan(g, w, size, g.shape[2:], stride, padding)
    if plan is None:
        return _InputGradient.apply(g, w, b, size, stride, padding)
    return winograd.transposed(plan, g, w, b)


def _convolve(layer: nn.Conv2d, x: Tensor) -> Tensor:
    if not _is_common(layer, x):
        return layer._conv_forward(x, layer.weight, layer.bias)
    return _convolution(x, layer.weight, layer.bias, layer.stride, layer.padding)


class Conv2d(nn.Conv2d):
    """nn.Conv2d [N, A, H, W] -> [N, B, H', W'] whose double backward is convolutions.

    Pays in channels-last layout. Groups, dilation, unbatched inputs, and padding by name or by
    other than zeros take PyTorch's own path. Not for torch.func.
    """

    def forward(self, input: Tensor) -> Tensor:
        return _convolve(self, input)


class ConvTranspose2d(nn.ConvTranspose2d):
    """nn.ConvTranspose2d [N, B, H, W] -> [N, A, H', W'], faster at a generator's two ends.

    To few channels at stride 2, or by many weights, on CPU; every other case takes PyTorch's own
    path.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        thin = self.stride == (2, 2) and self.out_channels <= _THIN
        quick = thin or self.weight.numel() >= _MANY
        if not (quick and output_size is None and input.device.type == "cpu") or not _is_common(
            self, input
        ):
            return super().forward(input, output_size)
        where: Any = zip(
            input.shape[2:],
            self.stride,
            self.padding,
            self.kernel_size,
            self.output_padding,
            strict=True,
        )
        size = [d * (side - 1) - 2 * p + k + extra for side, d, p, k, extra in where]
        return _transposed_convolution(
            input, self.weight, self.bias, size, self.stride, self.padding
        )


def _mean_of_shifts(w: Tensor) -> Tensor:
    """[B, A, K, L] -> [B, A, K + 1, L + 1]: the mean of the kernel's four shifts by 0 or 1."""
    return functional.avg_pool2d(functional.pad(w, (1, 1, 1, 1)), 2, 1)


class ConvMeanPool2d(nn.Conv2d):
    """nn.Conv2d, then means over 2 x 2 patches (odd sides round up): [N, B, H' / 2, W' / 2].

    Both are one convolution of stride 2 by a kernel larger by one, equal up to rounding: for
    3 x 3, 16 products per output, channel and channel instead of 36. With odd sides, or a stride
    of its own, the convolution runs as written.
    """

    def forward(self, input: Tensor) -> Tensor:
        if _is_common(self, input) and self.stride == (1, 1):
            sides: Any = zip(input.shape[2:], self.padding, self.kernel_size, strict=True)
            if all((side + 2 * p - k) % 2 for side, p, k in sides):
                kernel = _mean_of_shifts(self.weight)
                return _convolution(input, kernel, self.bias, (2, 2), self.padding)
        return functional.avg_pool2d(_convolve(self, input), 2, ceil_mode=True)


class UpsampleConv2d(nn.Conv2d):
    """Nearest-neighbor upsampling to twice the sides (or to `size`), then nn.Conv2d.

    Both are one transposed convolution by a kernel larger by one, equal up to rounding: per
    input pixel, channel and channel, 16 products instead of 36 for 3 x 3, 36 instead of 100 for
    5 x 5. Any other size, or a stride of its own, runs as written.
    """

    def forward(self, input: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        double = (2 * input.shape[-2], 2 * input.shape[-1])
        size = size or double
        if size == double and self.stride == (1, 1) and _is_common(self, input):
            padding: Any = self.padding
            crop = [k - 1 - p for k, p in zip(self.kernel_size, padding, strict=True)]
            if min(crop) >= 0:
                # Mirrored, as a transposed convolution is; four times the mean is the sum.
                kernel = 4 * _mean_of_shifts(self.weight).flip(2, 3).transpose(0, 1)
                outputs = [n + p - c for n, p, c in zip(size, padding, crop, strict=True)]
                return _transposed_convolution(input, kernel, self.bias, outputs, (2, 2), crop)
        return _convolve(self, functional.interpolate(input, size, mode="nearest"))
