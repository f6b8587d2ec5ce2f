"""What there is on this machine for mtgan to run on, and what an extra would add."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import mtgan
from mtgan.files import cache_folder
from mtgan.training.devices import FALLBACK, has_mps, multiplies_bfloat16

EXTRAS = {
    "study": (("pandas", "pyarrow", "statsmodels"), "studies of many runs (mtgan study)"),
    "survey": (
        ("krippendorff", "pandas", "sqlalchemy", "statsmodels"),
        "what the answers of surveys say (mtgan survey results)",
    ),
    "cluster": (("ray",), "studies on a Ray cluster"),
    "chem": (("rdkit", "selfies", "fcd_torch"), "molecules: their data, drawing and measures"),
    "mtl": (("torchjd",), "gradient aggregators beside the sum (aggregator: upgrad, ...)"),
    "topology": (("gudhi",), "the geometry score"),
    "export": (("onnx", "onnxscript", "onnxruntime"), "models as ONNX files (mtgan export)"),
    "tune": (("optuna",), "a search for settings of a recipe (mtgan tune)"),
    "trackers": (
        ("wandb", "mlflow-skinny", "sqlalchemy", "alembic"),
        "trainings followed by Weights & Biases and MLflow (--log wandb,mlflow)",
    ),
    "trackio": (("trackio",), "trainings followed by Trackio (--log trackio)"),
    "hub": (("huggingface_hub",), "models from and to a hub (mtgan.load('owner/name'))"),
    "web": (("fastapi", "httptools", "uvicorn"), "models over HTTP (mtgan serve, mtgan explore)"),
}
"""What users can install beside the package: distributions, and what they are for."""
_NEEDED = ("torch", "numpy", "scipy", "scikit-learn", "safetensors", "pillow")


@dataclass(frozen=True)
class Extra:
    """An extra: the versions of its packages that are there, those that are missing, its use."""

    installed: dict[str, str]
    missing: list[str]
    gives: str


@dataclass(frozen=True)
class Diagnosis:
    """versions: by package; cores: those that this process may use, and threads that PyTorch takes;
    devices: by the name that --device takes, what is there, "" where nothing is; cache: its folder
    and its bytes; settings: variables of the environment that change what mtgan does."""

    versions: dict[str, str]
    system: str
    cores: int
    threads: int
    devices: dict[str, str]
    extras: dict[str, Extra]
    cache: str
    cache_bytes: int
    settings: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def diagnose() -> Diagnosis:
    """What is found; nothing is changed or fetched."""
    folder = cache_folder()
    return Diagnosis(
        {"mtgan": mtgan.__version__, "python": platform.python_version(), **_found(_NEEDED)},
        f"{platform.system()} {platform.release()} ({platform.machine()})",
        _cores(),
        torch.get_num_threads(),
        devices(),
        {name: _extra(packages, gives) for name, (packages, gives) in EXTRAS.items()},
        str(folder),
        size_of(folder),
        {k: v for k, v in os.environ.items() if k.startswith("MTGAN_") or k in _SETTINGS},
    )


_SETTINGS = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", FALLBACK)


def devices() -> dict[str, str]:
    """What is behind each name that --device takes; "" where nothing is."""
    bfloat16 = "bfloat16 in hardware" if multiplies_bfloat16(torch.device("cpu")) else "no bfloat16"
    kernels = torch.backends.cpu.get_cpu_capability()
    found = {"cpu": f"{platform.processor() or platform.machine()}, {kernels}, {bfloat16}"}
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    properties = [torch.cuda.get_device_properties(i) for i in range(gpus)]
    found["cuda"] = ", ".join(f"{p.name} ({p.total_memory / 2**30:.0f} GiB)" for p in properties)
    on = os.environ.get(FALLBACK) == "1"
    rest = "on the CPU" if on else f"an error, unless {FALLBACK}=1"
    found["mps"] = f"Metal; operators that it lacks: {rest}" if has_mps() else ""
    return found


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder; of what goes meanwhile, nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _found(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those that are installed."""
    versions = {}
    for name in packages:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _extra(packages: tuple[str, ...], gives: str) -> Extra:
    installed = _found(packages)
    return Extra(installed, [name for name in packages if name not in installed], gives)
