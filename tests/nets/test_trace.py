"""Networks go into graphs by torch.jit.trace and ONNX, in operators of PyTorch."""

import contextlib
import importlib.util
import io

import pytest
import torch
from torch import Tensor, nn

from mtgan.nets.fast import Conv2d, ConvMeanPool2d, ConvTranspose2d, LeakyReLU, UpsampleConv2d
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from toys import make_data, small_recipe


class Alone(nn.Module):
    """A generator as a function of latents alone, for four labels."""

    def __init__(self, generator: nn.Module, labels: dict[str, Tensor]) -> None:
        super().__init__()
        self.generator, self.labels = generator, labels

    def forward(self, latents: Tensor) -> Tensor:
        return self.generator(latents, self.labels)


def generator(name: str) -> tuple[nn.Module, Tensor]:
    data = make_data(shape=(3, 32, 32))
    game = Game(small_recipe(name), DatasetInfo.of(data), seed=0)
    labels = {"fine": torch.arange(4), "coarse": torch.arange(4) // 2}
    return Alone(next(iter(game.average.values())).eval(), labels), torch.randn(4, 6)


def layer(kind: type[nn.Module], channels: int) -> tuple[nn.Module, Tensor]:
    """Few channels take the thin path, many the one of fewer multiplications."""
    stride = 2 if kind in {Conv2d, ConvTranspose2d} else 1
    made = kind(channels, channels, 5, stride=stride, padding=2)  # type: ignore[call-arg]
    return nn.Sequential(made, LeakyReLU()).eval(), torch.randn(4, channels, 8, 8)


MODULES = {
    **{name: lambda name=name: generator(name) for name in ("ac-wgan-b", "resnet-b", "ac-gan-b")},
    **{
        f"{kind.__name__}, {channels}": lambda kind=kind, channels=channels: layer(kind, channels)
        for kind in (Conv2d, ConvTranspose2d, ConvMeanPool2d, UpsampleConv2d)
        for channels in (4, 128)
    },
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
@torch.no_grad()
def test_a_traced_module_does_the_same(name: str) -> None:
    module, example = MODULES[name]()
    traced = torch.jit.trace(module, (example,))
    assert "PythonOp" not in str(traced.inlined_graph)
    kept = io.BytesIO()
    torch.jit.save(traced, kept)
    kept.seek(0)
    other = torch.randn_like(example)
    torch.testing.assert_close(torch.jit.load(kept)(other), module(other), atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
def test_the_older_onnx_exporter_knows_every_operator(name: str) -> None:
    module, example = MODULES[name]()
    # It has made the whole graph by the time it asks for the package to look through it.
    installed = importlib.util.find_spec("onnx") is not None
    missing = pytest.raises(torch.onnx.errors.OnnxExporterError, match="onnx is not installed")
    with contextlib.nullcontext() if installed else missing:
        torch.onnx.export(module, (example,), io.BytesIO(), dynamo=False)
