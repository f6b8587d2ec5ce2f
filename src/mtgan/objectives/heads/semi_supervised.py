"""Cross-entropy where of a sample it may only be known that it is real (Salimans et al. 2016)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.nets.label_axes import Entry
from mtgan.objectives.classes import HeadClasses
from mtgan.objectives.tasks import at_least_float32, mean_over_labeled
from mtgan.parts import HEAD_LOSSES


@HEAD_LOSSES.register("semi-supervised")
class SemiSupervised:
    """-log of the summed probabilities of the classes that may be right, in nats (Salimans et al.
    2016, section 5; Odena 2016).

    A real sample of a known class: that class. One without a label: any of the data's. The
    generator, which is told no class, gets the same: -log(1 - p(generated)) with classes
    `fake-class`. The target is bool [N, C], true where a class may be right; a sample for which all
    may be says nothing.
    """

    multilabel = False
    compares_samples = False
    any_class = True

    def outputs(self, classes: HeadClasses, sizes: Sequence[int]) -> int:
        return classes.count(sizes[0])

    def entries(
        self, classes: HeadClasses, levels: Sequence[str], sizes: Sequence[int]
    ) -> tuple[Entry, ...]:
        return classes.entries(levels[0], sizes[0])

    def target(
        self, classes: HeadClasses, sizes: Sequence[int], labels: Sequence[Tensor], generated: bool
    ) -> Tensor:
        (y, *_), (k, *_) = labels, sizes
        every = torch.arange(classes.count(k), device=y.device)
        right = classes.of(y, k, generated)[:, None]
        first = k if generated and classes.halves == 2 else 0
        possible = (every >= first) & (every < first + k)
        return torch.where(right >= 0, every == right, possible)

    def of_data(self, classes: HeadClasses, sizes: Sequence[int], logits: Tensor) -> Tensor:
        return classes.of_data(logits, sizes[0])

    def __call__(self, output: HeadOutput, target: Tensor) -> Tensor:
        s = at_least_float32(output.logits)
        losses = s.logsumexp(-1) - s.masked_fill(~target, -torch.inf).logsumexp(-1)
        return mean_over_labeled(losses, -target.all(-1).long())
