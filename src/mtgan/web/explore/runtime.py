"""ONNX Runtime Web, by which a page runs a network: from its package of npm, or the cache.

Nothing of it is part of mtgan. Its license (MIT) stands in every page that holds it.
"""

import tarfile
from collections.abc import Mapping

from mtgan.errors import UserError
from mtgan.files import cache_folder
from mtgan.files.npm import packed

NAME, VERSION = "onnxruntime-web", "1.22.0"
_CHECKSUM = "sha256:e293551f9d36d003e293d0f2937fee7b3dfdcef76d71d1449b55e2d4157c7aea"
_FILES = {
    "runtime": "ort.wasm.min.mjs",
    "glue": "ort-wasm-simd-threaded.mjs",
    "wasm": "ort-wasm-simd-threaded.wasm",
}


def runtime_files() -> Mapping[str, bytes]:
    """The scripts `runtime` and `glue`, and the WebAssembly `wasm`.

    Raises:
        UserError: The package is not in the cache and cannot be fetched, or is damaged.
    """
    path = packed(NAME, VERSION, _CHECKSUM, cache_folder() / "npm")
    with tarfile.open(path) as tar:
        return {kind: _content(tar, f"package/dist/{file}") for kind, file in _FILES.items()}


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise UserError(f"{tar.name!s} has no file {name}; remove it, and it is fetched anew.")
    return file.read()
