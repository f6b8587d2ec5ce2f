"""Finished models for other programs and other people: files that need no mtgan, and folders that
`mtgan.load` reads.

A format is a file in `formats`, a network that can be exported one in `networks`.
"""

from mtgan.exporting.export import export
from mtgan.exporting.pretrained import Pretrained, load

__all__ = ["Pretrained", "export", "load"]
