"""What is shared, who owns it, and the gradients that draw weights together."""

import pytest
import torch

from mtgan.classification import load_classifier_recipe
from mtgan.classification.game import make_aggregator
from mtgan.classification.network import (
    MultitaskClassifier,
    feature_shape,
    make_layers,
    refuse_unfit,
)
from mtgan.classification.schema import ClassifierSharing, Network
from mtgan.errors import UserError
from mtgan.nets.backbone import DiscriminatorSettings
from mtgan.nets.networks import kernel_weights
from mtgan.parts import BACKBONES
from mtgan.recipes import load_recipe
from mtgan.recipes.schema import ClassifierPart
from mtgan.training.steps import LossTerm, StepResult

NETWORK = Network(channels=(3, 4, 5), kernel=3, pool_after=(1,), dropout=0.0)
CLASSES = {"main": 4, "auxiliary": 2}


def make(kind: str, layers: int = 2, **sharing) -> MultitaskClassifier:
    return MultitaskClassifier(
        NETWORK, ClassifierSharing(kind=kind, layers=layers, **sharing), (1, 8, 8), CLASSES
    )


def test_the_thesis_network_has_2048_features_for_32_pixels() -> None:
    assert feature_shape(Network(), (3, 32, 32)) == (128, 4, 4)
    layers = make_layers(Network(), (3, 32, 32))
    x = torch.zeros(2, 3, 32, 32)
    for layer in layers:
        x = layer(x)
    assert x.shape == (2, 128, 4, 4)
    assert [type(m).__name__ for m in layers[0]] == [
        *("Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", "Dropout")
    ]


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_feature_shape_is_what_the_layers_give(kernel) -> None:
    network = Network(channels=(2, 3), kernel=kernel, pool_after=(2,))
    x = torch.zeros(1, 1, 9, 12)
    for layer in make_layers(network, (1, 9, 12)):
        x = layer(x)
    assert tuple(x.shape[1:]) == feature_shape(network, (1, 9, 12))


def test_response_normalization_is_tensorflows() -> None:
    """out = x / (1 + sum of squares over channels within 5)^0.5."""
    layer = make_layers(
        Network(channels=(13,), pool_after=(), response_norm_after=(1,)), (1, 1, 1)
    )[0]
    norm = next(m for m in layer if isinstance(m, torch.nn.LocalResponseNorm))
    x = torch.randn(1, 13, 1, 1)
    sums = torch.stack([x[0, max(0, c - 5) : c + 6, 0, 0].square().sum() for c in range(13)])
    torch.testing.assert_close(norm(x)[0, :, 0, 0], x[0, :, 0, 0] / (1 + sums).sqrt())


def test_the_critics_layers_as_a_classifier() -> None:
    """Those of the thesis's critic (Table 4.3): 64, 128 and 256 channels, 4096 features."""
    critic = Network(critic=ClassifierPart(width=64, normalization="batch"))
    assert feature_shape(critic, (3, 32, 32)) == (256, 4, 4)
    assert feature_shape(critic, (3, 32, 32), 1) == (64, 16, 16)
    theirs = load_recipe("sc-wgan-a").classifier
    backbone = BACKBONES.get("conv")()
    shape = (3, 32, 32)
    wanted = backbone.discriminator_layers(DiscriminatorSettings.of(theirs, shape=shape))
    layers = make_layers(critic, shape)
    assert [str(layer) for layer in layers] == [str(layer) for layer in wanted]
    mean = Network(critic=ClassifierPart(backbone="resnet", width=8, kernel=3))
    assert feature_shape(mean, (3, 32, 32)) == (8,)


def test_layers_of_a_critic_are_shared() -> None:
    shape = (1, 16, 16)
    network = Network(critic=ClassifierPart(width=4, kernel=3))  # two layers at 16 pixels
    hard = MultitaskClassifier(network, ClassifierSharing(kind="hard", layers=1), shape, CLASSES)
    assert (len(hard.trunk), len(hard.layers_of("main"))) == (1, 2)
    assert hard(torch.zeros(3, *shape), "auxiliary").shape == (3, 2)
    recipe = load_classifier_recipe("critic-hard", {"sharing.layers": 3})
    with pytest.raises(UserError, match=r"beyond the network's 2 layers; take b from 0 to 2"):
        refuse_unfit(recipe, shape)
    with pytest.raises(UserError, match="8 to 256 pixels"):
        refuse_unfit(recipe, (1, 4, 4))


def test_images_too_small_are_refused() -> None:
    with pytest.raises(UserError, match="too small for the pooling after layer 4"):
        feature_shape(Network(), (3, 7, 7))


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_a_hard_shared_trunk_is_owned_once(layers) -> None:
    alone, hard = make("none"), make("hard", layers)
    assert len(hard.trunk) == layers
    for i, (one, other) in enumerate(
        zip(hard.layers_of("main"), hard.layers_of("auxiliary"), strict=True)
    ):
        assert (one is other) == (i < layers)
    count = sum(p.numel() for p in hard.parameters())
    trunk = sum(p.numel() for p in hard.trunk.parameters())
    assert count == sum(p.numel() for p in alone.parameters()) - trunk
    names = [name for name in hard.state_dict() if name.startswith("trunk.")]
    assert len({hard.state_dict()[name].data_ptr() for name in names}) == len(names)


def test_the_main_network_begins_alike_however_it_is_shared() -> None:
    alone, soft, hard = make("none"), make("soft"), make("hard")
    for network in (soft, hard):
        pairs = zip(
            kernel_weights(alone.layers_of("main")),
            kernel_weights(network.layers_of("main")),
            strict=True,
        )
        assert all(torch.equal(a, b) for a, b in pairs)
    assert soft.distance().item() > 1


@pytest.mark.parametrize("norm", ["l2", "trace"])
def test_soft_sharing_gradient_is_that_of_finite_differences(norm) -> None:
    network = make("soft", 2, norm=norm).double()
    for task in CLASSES:
        network.zero_grad(set_to_none=True)
        network.distance(task).backward()
        other = next(name for name in CLASSES if name != task)
        assert all(p.grad is None for p in network.branches[other].parameters())
        weights = kernel_weights(network.layers_of(task))
        assert weights[2].grad is None  # beyond b
        for weight in weights[:2]:
            flat, step = weight.data.view(-1), 1e-6
            for i in (0, len(flat) // 2, len(flat) - 1):
                values = []
                for sign in (1, -1):
                    flat[i] += sign * step
                    values.append(network.distance(task).item())
                    flat[i] -= sign * step
                numeric = (values[0] - values[1]) / (2 * step)
                assert weight.grad.view(-1)[i].item() == pytest.approx(numeric, rel=1e-5)


def test_the_distance_is_the_norm_of_the_first_kernels_difference() -> None:
    network = make("soft", 2)
    pairs = zip(*(kernel_weights(network.layers_of(task)[:2]) for task in CLASSES), strict=True)
    squares = sum((a - b).square().sum() for a, b in pairs)
    torch.testing.assert_close(network.distance(), squares.sqrt())
    assert make("hard").distance() == make("soft", 0).distance() == 0


def move(network: MultitaskClassifier, tasks: tuple[str, ...], aggregator: str | None) -> None:
    """Set the gradients of an update, on the same samples every time."""
    torch.manual_seed(0)
    images = {task: torch.randn(4, 1, 8, 8) for task in CLASSES}
    losses = {t: LossTerm(network(images[t], t).logsumexp(1).mean(), task=t) for t in tasks}
    network.zero_grad(set_to_none=True)
    parameters = list(network.parameters())
    make_aggregator(aggregator, tuple(CLASSES)).backward(StepResult(losses), parameters)


def gradients(network: MultitaskClassifier) -> dict[str, torch.Tensor | None]:
    return {n: None if p.grad is None else p.grad.clone() for n, p in network.named_parameters()}


@pytest.mark.parametrize("aggregator", [None, "upgrad"])
def test_a_step_moves_its_task_alone(aggregator) -> None:
    if aggregator:
        pytest.importorskip("torchjd")
    network = make("hard", 2)
    move(network, ("auxiliary",), aggregator)
    assert all(p.grad is None for p in network.branches["main"].parameters())
    moved = [*network.trunk.parameters(), *network.branches["auxiliary"].parameters()]
    assert all(p.grad is not None for p in moved)


@pytest.mark.parametrize("name", ["upgrad", "pcgrad", "mgda", "imtl-g", "aligned-mtl"])
def test_an_aggregator_changes_the_trunks_gradient_alone(name) -> None:
    pytest.importorskip("torchjd")
    network = make("hard", 2)
    move(network, ("main", "auxiliary"), "sum")
    summed = gradients(network)
    move(network, ("main", "auxiliary"), name)
    for key, gradient in gradients(network).items():
        assert gradient is not None
        assert gradient.isfinite().all()
        if not key.startswith("trunk."):
            torch.testing.assert_close(gradient, summed[key])


def test_upgrad_never_opposes_a_task() -> None:
    """Quinton & Rey 2024: the update has no negative inner product with any task's gradient."""
    pytest.importorskip("torchjd")
    network = make("hard", 2)

    def trunk(tasks: tuple[str, ...], aggregator: str | None) -> torch.Tensor:
        move(network, tasks, aggregator)
        return torch.cat([p.grad.flatten() for p in network.trunk.parameters()])

    rows = torch.stack([trunk((task,), None) for task in CLASSES])
    assert (rows @ trunk(tuple(CLASSES), "upgrad")).min() > -1e-5


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("upgrd", "did you mean 'upgrad'"), ("uncertainty", "learns weights of its own")],
)
def test_aggregators_that_do_not_fit_are_refused(name, sentence) -> None:
    with pytest.raises(UserError, match=sentence):
        make_aggregator(name, tuple(CLASSES))
