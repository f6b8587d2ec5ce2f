"""Metrics of strings and molecules, one file each, found by their presence in this folder."""
