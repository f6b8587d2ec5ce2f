"""What people are asked to do with samples, a file each."""

from mtgan.surveys.designs.base import DESIGNS, Design

__all__ = ["DESIGNS", "Design"]
