"""`python -m mtgan`: the same as the `mtgan` command (and what torchrun starts)."""

from mtgan.cli import main

main()
