"""The aggregators, one file each, found by their presence in this folder."""
