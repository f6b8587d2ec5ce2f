"""FILE.onnx, for ONNX Runtime and all that reads ONNX (https://onnx.ai)."""

from pathlib import Path
from typing import Any

import torch

from mtgan.errors import import_extra
from mtgan.exporting.base import FORMATS, Export
from mtgan.exporting.checks import check
from mtgan.exporting.facts import KEY, metadata
from mtgan.exporting.graphs import program_of, quietly, traced
from mtgan.files import replacing


class Onnx:
    """One network as a graph of ONNX, by PyTorch's exporter."""

    ending = ".onnx"

    def check(self, asked: Export) -> None:
        for package in ("onnxscript", "onnxruntime"):
            import_extra(package, "export", "An export to ONNX")

    def write(self, asked: Export, out: Path) -> None:
        """ONNX Runtime has to give what mtgan gives before the file stands at `out`."""
        runtime: Any = import_extra("onnxruntime", "export", "An export to ONNX")
        part, program = program_of(asked)
        names: dict[str, Any] = {
            "input_names": [*program.inputs],
            "output_names": [*program.outputs],
        }
        graph = traced(program)
        with quietly():
            made = torch.onnx.export(graph, dynamo=True, verbose=False, **names)
        assert made is not None
        made.model.metadata_props[KEY] = metadata(asked, program, part)
        with replacing(out) as temporary:
            made.save(temporary, external_data=False)
            options = runtime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            session = runtime.InferenceSession(
                temporary, options, providers=["CPUExecutionProvider"]
            )
            check(program, lambda inputs: session.run(None, dict(inputs)), f"The ONNX file {out}")


FORMATS.register("onnx")(Onnx())
