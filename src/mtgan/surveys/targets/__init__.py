"""Where a survey can be handed out without a server of ours, a file each."""

from mtgan.surveys.targets.base import TARGETS, Options, export

__all__ = ["TARGETS", "Options", "export"]
