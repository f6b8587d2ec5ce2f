"""Transforms that make classes of any samples, one file each, found by their presence in this
folder: a head that has to tell what was done to a sample learns what samples look like."""

from mtgan.objectives.transforms.base import Transform

__all__ = ["Transform"]
