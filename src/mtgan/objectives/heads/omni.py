"""The multi-label softmax of Omni-GAN (Zhou et al. 2021)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.nets.label_axes import Entry, class_entries
from mtgan.objectives.classes import HeadClasses
from mtgan.objectives.tasks import at_least_float32, mean_over_labeled
from mtgan.parts import HEAD_LOSSES


@HEAD_LOSSES.register("omni")
class Omni:
    """log(1 + sum over wrong labels of exp(s)) + log(1 + sum over right labels of exp(-s)) (Zhou
    et al. 2021, eq. 4; Su et al. 2022).

    The labels are the classes of all levels that the head reads, so that a sample may be right
    in its class, in all that is above it and in every attribute at once; and, by the head's
    classes, "generated" (fake-class) or "real" and "generated" (real-fake: theirs). A generated
    sample is right in "generated" alone. The target is [N, C]: 1 right, -1 wrong, 0 not known; the
    classes of a level at which a sample has no label are not known.
    """

    multilabel = True
    compares_samples = False

    def outputs(self, classes: HeadClasses, sizes: Sequence[int]) -> int:
        return sum(sizes) + self._marks(classes)

    def entries(
        self, classes: HeadClasses, levels: Sequence[str], sizes: Sequence[int]
    ) -> tuple[Entry, ...]:
        marks = ("real", "generated")[2 - self._marks(classes) :]
        blocks = zip(levels, sizes, strict=True)
        return (*(entry for pair in blocks for entry in class_entries(*pair)), *marks)

    def target(
        self, classes: HeadClasses, sizes: Sequence[int], labels: Sequence[Tensor], generated: bool
    ) -> Tensor:
        marks = self._marks(classes)
        if generated and marks:
            blocks = [y.new_full((len(y), k), -1) for y, k in zip(labels, sizes, strict=True)]
        else:
            # Not one_hot, which reads the labels on the host.
            blocks = [
                (2 * (y[:, None] == torch.arange(k, device=y.device)) - 1) * (y >= 0)[:, None]
                for y, k in zip(labels, sizes, strict=True)
            ]
        first = labels[0]
        if marks == 2:
            blocks.append(first.new_full((len(first), 1), -1 if generated else 1))
        if marks:
            blocks.append(first.new_full((len(first), 1), 1 if generated else -1))
        return torch.cat(blocks, dim=1)

    def of_data(self, classes: HeadClasses, sizes: Sequence[int], logits: Tensor) -> Tensor:
        return logits[..., : sizes[0]]

    def __call__(self, output: HeadOutput, target: Tensor) -> Tensor:
        s = at_least_float32(output.logits)
        wrong = s.masked_fill(target >= 0, -torch.inf)
        right = (-s).masked_fill(target <= 0, -torch.inf)
        sums = [torch.cat([torch.zeros_like(x[..., :1]), x], -1) for x in (wrong, right)]
        losses = sums[0].logsumexp(-1) + sums[1].logsumexp(-1)
        known = target.abs().amax(-1) - 1  # -1 where nothing is known
        return mean_over_labeled(losses, known)

    def _marks(self, classes: HeadClasses) -> int:
        """Labels that say whether a sample is real: none, "generated", or both."""
        return 2 if classes.halves == 2 else classes.extra
