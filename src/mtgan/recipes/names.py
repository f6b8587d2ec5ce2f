"""What a recipe may name, by the registry that holds it.

The registries come with torch, which reading a recipe must not need; so their names stand here
once more, and a test holds both against each other. What other code has registered since counts
as well.
"""

from collections.abc import Callable

from mtgan.registry import REGISTRIES, nearest

NAMES: dict[str, tuple[str, ...]] = {
    "adversarial objective": (
        *("minimax", "non-saturating", "wasserstein", "hinge", "relativistic"),
    ),
    "Lipschitz penalty": ("none", "clip", "gradient", "r1", "r1-r2"),
    "backbone": (
        *("conv", "resnet", "odena", "multidomain-conv2d", "multidomain-conv1d"),
        *("multidomain-hybrid", "multidomain-residual", "multidomain-dense"),
        "multidomain-recurrent",
    ),
    "normalization": (
        *("none", "batch", "instance", "layer", "conditional-batch", "conditional-instance"),
    ),
    "augmentation": ("color", "translation", "cutout"),
    "initialization": ("glorot-uniform", "normal-0.02"),
    "kind of hierarchy": ("same", "random", "clustered"),
    "sharing norm": ("l2", "trace"),
    "aggregator": (*("sum", "uncertainty", "upgrad", "mgda", "pcgrad", "imtl-g", "aligned-mtl"),),
}


def known(kind: str) -> Callable[[str], str]:
    """A validator of names of this kind: a ValueError with the nearest for one that is none."""

    def check(name: str) -> str:
        registered = REGISTRIES[kind].names() if kind in REGISTRIES else []
        names = list(dict.fromkeys((*NAMES[kind], *registered)))
        if name not in names:
            raise ValueError(f"there is no {kind} {name!r}: {nearest(name, names)}")
        return name

    return check
