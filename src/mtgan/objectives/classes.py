"""What classes a head of the discriminator tells apart, beside or instead of the data's.

N: batch; K: classes of a label level. A label is int64, -1 where missing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.nets.label_axes import Entry, class_entries
from mtgan.parts import HEAD_CLASSES


@dataclass(frozen=True)
class HeadClasses:
    """The classes of a head that knows K of the data.

    halves: 2 where each class has a real and a generated one, K apart; extra: 1 for one more
    class of whatever is generated; twin: whether a second head learns the same classes on
    generated samples alone. `needs_generated` says that some classes are never right for a real
    sample; `tells_one_class` that there is something to tell where K is 1.
    """

    halves: int = 1
    extra: int = 0
    twin: bool = False
    needs_generated: bool = False
    tells_one_class: bool = False

    def count(self, k: int) -> int:
        return self.halves * k + self.extra

    def entries(self, level: str, k: int) -> tuple[Entry, ...]:
        """What each class of the head stands for; see mtgan.nets.label_axes."""
        generated = class_entries(level, k, "generated") if self.halves == 2 else ()
        return (*class_entries(level, k), *generated, *["generated"] * self.extra)

    def of(self, labels: Tensor, k: int, generated: bool) -> Tensor:
        """The right class of samples of these labels [N]; -1 where that is not known."""
        if not generated:
            return labels
        if self.extra:
            return torch.full_like(labels, k)
        return torch.where(labels >= 0, labels + k, labels) if self.halves == 2 else labels

    def of_data(self, logits: Tensor, k: int) -> Tensor:
        """Logits [..., K] of the data's own classes, whether real or generated."""
        if self.halves == 2:
            return torch.logaddexp(logits[..., :k], logits[..., k:])
        return logits[..., :k] if self.extra else logits


# Odena et al. 2017.
HEAD_CLASSES.register("plain")(HeadClasses())
# One more class for generated samples (Salimans et al. 2016, section 5; Zhou et al. 2018, AM-GAN).
HEAD_CLASSES.register("fake-class")(
    HeadClasses(extra=1, needs_generated=True, tells_one_class=True)
)
# A real and a generated class of each (Hou et al. 2022, ADC-GAN, eq. 7).
HEAD_CLASSES.register("real-fake")(
    HeadClasses(halves=2, needs_generated=True, tells_one_class=True)
)
# A second head learns the classes of generated samples (Gong et al. 2019, TAC-GAN, eq. 6).
HEAD_CLASSES.register("twin")(HeadClasses(twin=True))
