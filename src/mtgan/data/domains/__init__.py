"""Kinds of samples that one generator makes on a shared canvas: images, strings, ..."""
