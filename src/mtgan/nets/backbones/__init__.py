"""The backbones, one file each, found by their presence in this folder."""
