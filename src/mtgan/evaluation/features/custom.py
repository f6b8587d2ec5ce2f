"""The user's own feature space: `module:function` with uint8 images in and features out."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.cache import digest
from mtgan.evaluation.features.base import (
    USER_FUNCTION,
    FeatureExtractor,
    FeatureRequest,
    register_features,
)


class CustomFeatures(FeatureExtractor):
    """A function from uint8 [n, C, H, W] to [n, D], called under `torch.inference_mode`.

    Its features are never cached: what a function depends on cannot be hashed. `weights` is that of
    its source, for the stamp.
    """

    preprocess = "the function's own"
    cacheable = False

    def __init__(self, name: str, function: Callable[[Tensor], Tensor], images: Tensor) -> None:
        self.name = name
        self.function = function
        try:
            self.weights = digest(inspect.getsource(function))
        except (OSError, TypeError):
            self.weights = ""
        self.dim = self.embed(images)[0].shape[1]

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        try:
            features = torch.as_tensor(self.function(images))
        except Exception as error:
            raise UserError(
                f"the feature function {self.name} failed on uint8 images of shape "
                f"{tuple(images.shape)}: {type(error).__name__}: {error}"
            ) from error
        if features.ndim != 2 or len(features) != len(images):
            raise UserError(
                f"{self.name} returned features of shape {tuple(features.shape)} for "
                f"{len(images)} images: it must return [n, D], one row per image"
            )
        return features, {}


@register_features(USER_FUNCTION)
def build(request: FeatureRequest) -> FeatureExtractor:
    """Import the user's function."""
    module, _, attribute = request.name.partition(":")
    try:
        function = getattr(_import(module), attribute)
    except Exception as error:
        raise UserError(
            f"the feature function {request.name!r} cannot be imported "
            f"({type(error).__name__}: {error}): name a function and its module as "
            f"`package.module:function`; modules are looked for among the installed ones, in "
            f"PYTHONPATH and in {_where()}"
        ) from error
    return CustomFeatures(request.name, function, torch.as_tensor(request.reference.samples[:2]))


def _import(name: str) -> ModuleType:
    """The module of that name: an installed one, else one in the current folder."""
    importlib.invalidate_caches()
    first, folder = name.partition(".")[0], Path.cwd()
    if first and first not in sys.modules:
        found = importlib.util.find_spec(first)
        beside = (folder / first).is_dir() or (folder / f"{first}.py").is_file()
        if _is_run(folder) and (_lies_in(found, folder) or (found is None and beside)):
            raise ModuleNotFoundError(f"{first} lies in the folder of a run")
        if found is None and beside:
            # Last, and for good: the function may import a neighbor when it is called.
            sys.path.append(str(folder))
    return importlib.import_module(name)


def _lies_in(spec: ModuleSpec | None, folder: Path) -> bool:
    """Whether a module, or a package, was found in a folder (which may be in the path already)."""
    if spec is None:
        return False
    places = [*(spec.submodule_search_locations or []), *([spec.origin] if spec.origin else [])]
    return any(Path(place).resolve().parent == folder.resolve() for place in places)


def _is_run(folder: Path) -> bool:
    """Whether a folder is a run's: what others wrote there is not to be executed."""
    return (folder / "recipe.yaml").exists()


def _where() -> str:
    if _is_run(Path.cwd()):
        return "the current folder where it is none of a run (this one is, and is passed over)"
    return f"the current folder, {Path.cwd()}"
