"""Arithmetic that metrics share: checked arrays, products, Gaussians, distances of all pairs."""
