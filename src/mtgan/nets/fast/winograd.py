"""Convolutions with fewer multiplications: minimal filtering (Winograd 1980; Lavin and Gray 2016).

Two neighboring outputs of a filter of r taps take r + 1 products instead of 2r: samples and
filter are read as polynomials, multiplied at r + 1 points, and the outputs read off the products
(Lavin and Gray, arXiv:1509.09308, section 4.1, from whom, up to signs, the matrices of three taps
are). A convolution of stride 2 is first split into its phases, one for the rows and columns of each
parity: filters of stride 1 with half the taps each, whose products at a point are summed with those
over the channels. In both directions of the image, a kernel of 5 x 5 and stride 2 takes 49 products
for four outputs instead of 100, one of 3 x 3 and stride 1 takes 16 instead of 36.

Everything around the products is linear: samples T, filters G, outputs S, with
y = S(T(x) G(w)). So are the derivatives: the transposed convolution is T'(S'(g) G(w)'). Written as
such, autograd differentiates all of it as often as it is asked to, and what a gradient penalty
needs twice (the samples, the gradients at the points) is computed once.

N: batch; A, B: channels of the convolution's input and output; P: points; t: tiles of two outputs;
K: phases times A.
"""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

_Map = Callable[..., tuple[Tensor, ...]]
_Pair = tuple[_Map, _Map]

# At the points 0, 1, -1 and infinity, which are an axis's first three or all four.
# What a tile's samples d are there: (i, j, sign) stands for d[i] + sign * d[j].
_SAMPLES = ((0, 2, -1), (1, 2, 1), (2, 1, -1), (3, 1, -1))
# What a filter's taps are there. Two taps need no fourth point, and share the samples of three.
_FILTERS = {
    2: ((1.0, 0.0), (0.5, 0.5), (0.5, -0.5)),
    3: ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0)),
}
# Numbers at a time: more leave the cache between the steps, and fewer add up more gradients of the
# filters (measured: 2**21 to 2**23 are even).
_AT_ONCE = 2**22


@dataclass(frozen=True)
class _Axis:
    """One direction of a convolution: of `size` samples, to `outputs`, an even number."""

    size: int
    outputs: int
    kernel: int
    stride: int
    padding: int

    @cached_property
    def taps(self) -> list[int]:
        """Of each phase's filter; not increasing."""
        return [len(range(phase, self.kernel, self.stride)) for phase in range(self.stride)]

    @property
    def tiles(self) -> int:
        return self.outputs // 2

    @property
    def samples(self) -> int:
        """Of each phase: neighboring tiles are two samples apart, and a tile has three or four."""
        return 2 * (self.tiles - 1) + max(self.taps) + 1

    @cached_property
    def groups(self) -> list[tuple[range, int]]:
        """Points, and of how many phases: phases of three taps come first, and have all four."""
        long = self.taps.count(3)
        if long == self.stride:
            return [(range(4), long)]
        return [(range(3), self.stride)] + ([(range(3, 4), long)] if long else [])

    def matrix(self, group: tuple[range, int]) -> np.ndarray:
        """[points, phases, kernel]: the filters at the points, by a matrix over the kernel."""
        points, phases = group
        matrix = np.zeros((len(points), phases, self.kernel))
        for (i, point), phase in itertools.product(enumerate(points), range(phases)):
            matrix[i, phase, phase :: self.stride] = _FILTERS[self.taps[phase]][point]
        return matrix

    @property
    def reach(self) -> int:
        """From the beginning of the padding, of all tiles or all of the image."""
        return max(self.stride * self.samples, self.padding + self.size)

    @property
    def image(self) -> slice:
        return slice(self.padding, self.padding + self.size)


@dataclass(frozen=True)
class Plan:
    """How a convolution is done: its two axes."""

    rows: _Axis
    columns: _Axis

    @cached_property
    def tiles(self) -> tuple[int, int]:
        return self.rows.tiles, self.columns.tiles

    @cached_property
    def points(self) -> dict[int, int]:
        """Of so many phases of the image, so many points: one product each."""
        found: dict[int, int] = {}
        for (rows, i), (columns, j) in itertools.product(self.rows.groups, self.columns.groups):
            found[i * j] = found.get(i * j, 0) + len(rows) * len(columns)
        return found

    def groups(self, products: Sequence[Any]) -> list[Any]:
        """What is [P, ...] for each product, as [points of rows, of columns, ...] for each group
        of rows and each of columns."""
        left = dict(zip(self.points, products, strict=True))
        found = []
        for (rows, i), (columns, j) in itertools.product(self.rows.groups, self.columns.groups):
            count = len(rows) * len(columns)
            of, left[i * j] = left[i * j][:count], left[i * j][count:]
            found.append(of.reshape(len(rows), len(columns), *of.shape[1:]))
        return found

    @cached_property
    def filters(self) -> list[np.ndarray]:
        """G for each product: [P, phases, kernel's places].

        Not tensors, which would belong to the mode, inference or other, that they were made in.
        """
        places = self.rows.kernel * self.columns.kernel
        found = [np.zeros((points, phases, places)) for phases, points in self.points.items()]
        matrices = itertools.product(*(map(a.matrix, a.groups) for a in (self.rows, self.columns)))
        for out, (rows, columns) in zip(self.groups(found), matrices, strict=True):
            matrix = np.einsum("pik,qjl->pqijkl", rows, columns)
            out[:] = matrix.reshape(out.shape)
        return found

    def parts(self, n: int, channels: int) -> int:
        """Into how many parts to split N samples of A channels."""
        of_a_sample = sum(p * k for k, p in self.points.items()) * math.prod(self.tiles) * channels
        return max(1, round(n * of_a_sample / _AT_ONCE))

    def apart(self, framed: Tensor) -> Tensor:
        """The phases of an image in its frame: [N, height, width, A] -> [N, samples of rows, of
        columns, phases of rows, of columns, A]."""
        rows, columns = self.rows, self.columns
        used = framed[:, : rows.stride * rows.samples, : columns.stride * columns.samples]
        used = used.unflatten(2, (-1, columns.stride)).unflatten(1, (-1, rows.stride))
        return used.transpose(2, 3)


@functools.cache
def plan(size: Any, outputs: Any, kernel: Any, stride: Any, padding: Any) -> Plan | None:
    """Of a convolution from `size` to `outputs`, (height, width) each; None where there is none:
    for odd numbers of outputs, and filters of other than two or three taps in a phase."""
    axes = [_Axis(*of) for of in zip(size, outputs, kernel, stride, padding, strict=True)]
    if any(axis.outputs % 2 or not {2, 3}.issuperset(axis.taps) for axis in axes):
        return None
    return Plan(*axes)


def _windows(x: Tensor, axis: int, tiles: int) -> list[Tensor]:
    """The first, second, ... of every tile's samples along an axis."""
    before, seen = (slice(None),) * axis, x.shape[axis] - 2 * (tiles - 1)
    return [x[(*before, slice(k, k + 2 * tiles - 1, 2))] for k in range(seen)]


def _at_point(windows: list[Tensor], point: int, out: Tensor) -> None:
    """Every tile's samples at a point."""
    i, j, sign = _SAMPLES[point]
    (torch.add if sign > 0 else torch.sub)(windows[i], windows[j], out=out)


def _from_points(points: range, parts: Sequence[Tensor], axis: int, out: Tensor) -> None:
    """The transpose of `_at_point`: sets `out` by the first three points, and adds infinity's."""
    windows = _windows(out, axis, parts[0].shape[axis])
    if points.start == 0:
        zero, one, minus = parts[:3]
        torch.sub(one, minus, out=windows[1])
        torch.add(one, minus, out=windows[2]).sub_(zero)
        out.select(axis, 0).zero_()
        windows[0].add_(zero)
        if len(windows) == 4:
            out.select(axis, -1).zero_()
    if points.stop == 4:
        windows[1].sub_(parts[-1])
        windows[3].add_(parts[-1])


# The maps below take and give images as [N, channels, height, width]. What they make for products
# has samples in between: [points of rows, of columns, N, tiles of rows, of columns, phases of rows,
# of columns, channels], so that all work is on long runs.


def _samples(plan: Plan, x: Tensor) -> tuple[Tensor, ...]:
    """T: x [N, A, H, W] -> [P, t, K] for each product."""
    n, a, _, _ = x.shape
    rows, columns = plan.rows, plan.columns
    framed = x.new_empty(n, rows.reach, columns.reach, a)
    for frame in (
        framed[:, : rows.image.start],
        framed[:, rows.image.stop :],
        framed[:, :, : columns.image.start],
        framed[:, :, columns.image.stop :],
    ):
        frame.zero_()
    framed[:, rows.image, columns.image] = x.permute(0, 2, 3, 1)
    apart = plan.apart(framed)
    found = [x.new_empty(p, n, *plan.tiles, k * a) for k, p in plan.points.items()]
    groups = iter(plan.groups(found))
    for points, phases in rows.groups:
        high = x.new_empty(len(points), n, rows.tiles, columns.samples, phases, columns.stride, a)
        windows = _windows(apart[:, :, :, :phases], 1, rows.tiles)
        for part, point in zip(high, points, strict=True):
            _at_point(windows, point, part)
        for across, parts in columns.groups:
            v = next(groups).unflatten(-1, (phases, parts, a))
            windows = _windows(high[..., :parts, :], 3, columns.tiles)
            for part, point in zip(v.unbind(1), across, strict=True):
                _at_point(windows, point, part)
    return tuple(v.flatten(1, 3) for v in found)


def _samples_transposed(plan: Plan, *found: Tensor) -> tuple[Tensor]:
    """T': [P, t, K] for each product -> x [N, A, H, W]."""
    rows, columns = plan.rows, plan.columns
    # The first product has all phases.
    n = found[0].shape[1] // math.prod(plan.tiles)
    a = found[0].shape[2] // (rows.stride * columns.stride)
    framed = found[0].new_empty(n, rows.reach, columns.reach, a)
    apart = plan.apart(framed)
    groups = iter(plan.groups([v.unflatten(1, (n, *plan.tiles)) for v in found]))
    for points, phases in rows.groups:
        high = framed.new_empty(
            len(points), n, rows.tiles, columns.samples, phases, columns.stride, a
        )
        for across, parts in columns.groups:
            v = next(groups).unflatten(-1, (phases, parts, a))
            _from_points(across, v.unbind(1), 3, high[..., :parts, :])
        _from_points(points, high.unbind(0), 1, apart[:, :, :, :phases])
    framed[:, rows.stride * rows.samples :].zero_()
    framed[:, :, columns.stride * columns.samples :].zero_()
    image = framed[:, rows.image, columns.image].permute(0, 3, 1, 2)
    return (image.contiguous(memory_format=torch.channels_last),)


def _read_off(parts: Sequence[Tensor], first: Tensor, second: Tensor) -> None:
    """Every tile's two outputs along an axis, from the products at its points."""
    zero, one, minus, *infinity = parts
    torch.add(zero, one, out=first).add_(minus)
    torch.sub(one, minus, out=second)
    for part in infinity:
        second.add_(part)


def _outputs(plan: Plan, *products: Tensor) -> tuple[Tensor]:
    """S: [P, t, B] for each product -> y [N, B, H', W']."""
    (down, across), b = plan.tiles, products[0].shape[-1]
    n = products[0].shape[1] // (down * across)
    y = products[0].new_empty(n, down, 2, across, 2, b)
    groups = iter(plan.groups([m.unflatten(1, (n, down, across)) for m in products]))
    found: list[Tensor] = []
    for points, _ in plan.rows.groups:
        parts = [part for _ in plan.columns.groups for part in next(groups).unbind(1)]
        high = y.new_empty(2, len(points), n, down, across, b)
        _read_off(parts, high[0], high[1])
        found.extend(high.unbind(1))
    _read_off(found, *y.permute(2, 4, 0, 1, 3, 5))
    return (y.view(n, 2 * down, 2 * across, b).permute(0, 3, 1, 2),)


def _spread(point: int, first: Tensor, second: Tensor, out: Tensor) -> None:
    """The transpose of `_read_off` at one point."""
    if point == 1:
        torch.add(first, second, out=out)
    elif point == 2:
        torch.sub(first, second, out=out)
    else:
        out.copy_(second if point else first)


def _outputs_transposed(plan: Plan, y: Tensor) -> tuple[Tensor, ...]:
    """S': y [N, B, H', W'] -> [P, t, B] for each product."""
    (n, b), (down, across) = y.shape[:2], plan.tiles
    image = y.permute(0, 2, 3, 1).unflatten(2, (across, 2)).unflatten(1, (down, 2))
    first, second = image.permute(2, 4, 0, 1, 3, 5)
    products = [y.new_empty(points, n, down, across, b) for points in plan.points.values()]
    groups = iter(plan.groups(products))
    for points, _ in plan.rows.groups:
        high = y.new_empty(2, len(points), n, down, across, b)
        for k, point in enumerate(points):
            _spread(point, first, second, high[:, k])
        for many, _ in plan.columns.groups:
            for part, point in zip(next(groups).unbind(1), many, strict=True):
                _spread(point, high[0], high[1], part)
    return tuple(m.flatten(1, 3) for m in products)


class _Linear(torch.autograd.Function):
    """A linear map of tensors and its transpose, each the other's derivative."""

    @staticmethod
    def forward(ctx: Any, there: _Map, back: _Map, *of: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.maps = back, there
        return there(*of)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        # All of them enter one sum, so that there are all or none.
        if gradients[0] is None:
            return (None, None, *([None] * (len(ctx.needs_input_grad) - 2)))
        return None, None, *_Linear.apply(*ctx.maps, *gradients)


def _at_points(plan: Plan, w: Tensor) -> list[Tensor]:
    """G: w [B, A, K, L] -> [P, K, B] for each product."""
    b, a, height, width = w.shape
    flat = w.permute(2, 3, 1, 0).reshape(height * width, a * b)
    matrices = [torch.from_numpy(g).to(w) for g in plan.filters]
    return [(g.flatten(0, 1) @ flat).view(len(g), -1, b) for g in matrices]


def _through(
    plan: Plan, x: Tensor, before: _Pair, filters: Sequence[Tensor], after: _Pair, channels: int
) -> Tensor:
    """x [N, ...] to the points, times the filters there, and back to an image."""
    made: list[Tensor] = []
    for part in x.chunk(plan.parts(len(x), channels)):
        pairs = zip(_Linear.apply(*before, part), filters, strict=True)
        made += _Linear.apply(*after, *(torch.bmm(at_point, u) for at_point, u in pairs))
    return torch.cat(made) if made[1:] else made[0]


def convolve(plan: Plan, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    """Convolution of x [N, A, H, W] by w [B, A, K, L], plus b [B], to [N, B, H', W'], channels
    last."""
    before = partial(_samples, plan), partial(_samples_transposed, plan)
    after = partial(_outputs, plan), partial(_outputs_transposed, plan)
    y = _through(plan, x, before, _at_points(plan, w), after, w.shape[1])
    return y if b is None else y + b.view(-1, 1, 1)


def transposed(plan: Plan, g: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    """Transposed convolution of g [N, B, H', W'] by w [B, A, K, L], plus b [A]: [N, A, H, W],
    channels last. The plan is the convolution's."""
    before = partial(_outputs_transposed, plan), partial(_outputs, plan)
    after = partial(_samples_transposed, plan), partial(_samples, plan)
    filters = [u.transpose(1, 2) for u in _at_points(plan, w)]
    x = _through(plan, g, before, filters, after, w.shape[1])
    return x if b is None else x + b.view(-1, 1, 1)
