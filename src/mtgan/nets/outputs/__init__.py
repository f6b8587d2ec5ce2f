"""Last layers of generators whose samples are canvases [N, 1, L, V] of one or more domains.

One file for each kind, found by their presence here. Each takes (x, y), x any real numbers and y
[N] the classes that the generator is conditioned on (or None), to values in [-1, 1], where a
one-hot row is 1 at its token and -1 elsewhere.
"""
