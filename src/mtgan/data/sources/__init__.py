"""Where data sets come from: one file for each source or format."""

from mtgan.renamed import renamed_in

__getattr__ = renamed_in(__name__, {"hold_out": "mtgan.data.hold_out"})
