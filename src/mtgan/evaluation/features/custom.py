"""The user's own feature space: `module:function` with uint8 images in and features out."""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.cache import digest
from mtgan.evaluation.features.base import (
    FeatureExtractor,
    FeatureRequest,
    register_features,
)
from mtgan.plugins import import_module, where


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


@register_features("module:function")
def build(request: FeatureRequest) -> FeatureExtractor:
    """Import the user's function."""
    request.refuse_weights()
    module, _, attribute = request.name.partition(":")
    try:
        function = getattr(import_module(module), attribute)
    except Exception as error:
        raise UserError(
            f"the feature function {request.name!r} cannot be imported "
            f"({type(error).__name__}: {error}): name a function and its module as "
            f"`package.module:function`; modules are looked for among the installed ones, in "
            f"PYTHONPATH and in {where()}"
        ) from error
    return CustomFeatures(request.name, function, torch.as_tensor(request.reference.samples[:2]))
