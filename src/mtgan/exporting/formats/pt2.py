"""FILE.pt2, which torch.export.load reads without mtgan."""

from pathlib import Path

import torch

from mtgan.exporting.base import FORMATS, Export
from mtgan.exporting.checks import check
from mtgan.exporting.facts import KEY, metadata
from mtgan.exporting.graphs import program_of, quietly, traced
from mtgan.files import replacing


class Pt2:
    """One network as a graph of PyTorch, by torch.export."""

    ending = ".pt2"

    def check(self, asked: Export) -> None:
        """PyTorch alone is needed."""

    def write(self, asked: Export, out: Path) -> None:
        """The file that was written has to give what mtgan gives before it stands at `out`."""
        part, program = program_of(asked)
        extra = {f"{KEY}.json": metadata(asked, program, part)}
        with quietly(), replacing(out) as temporary:
            torch.export.save(traced(program), temporary, extra_files=extra)
            module = torch.export.load(temporary).module()
            check(
                program,
                lambda inputs: [x.numpy() for x in module(*map(torch.from_numpy, inputs.values()))],
                f"The file {out}",
            )


FORMATS.register("pt2")(Pt2())
