"""Heads, conditioning and label vectors."""

import pytest
import torch
from torch import nn

from mtgan.nets import Discriminator, DiscriminatorSettings, Generator, HeadSpec, initialize
from mtgan.nets.heads import LabelVector
from mtgan.nets.networks import kernel_weights
from mtgan.parts import HEADS

SETTINGS = DiscriminatorSettings((1, 4, 4), width=3, kernel=3)
CLASSES = {"fine": 4}


def make(conditioning: str, tasks=None, between=()) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(
        lambda: [nn.Linear(4, 5), *between, nn.Linear(5, 3)],
        features=12,
        settings=SETTINGS,
        conditioning=conditioning,
        level="fine",
        classes=CLASSES if conditioning != "none" else {},
        tasks=tasks or {},
    )


X = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(1))
Y = {"fine": torch.tensor([0, 3, -1])}


def test_label_vectors_fill_their_own_level_alone() -> None:
    vector = LabelVector({"fine": 3, "coarse": 2}, "coarse")
    labels = {"fine": torch.tensor([1, 2]), "coarse": torch.tensor([1, -1])}
    assert vector(labels, torch.empty(2)).tolist() == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]


def test_concat_reads_the_label_in_the_output_layer() -> None:
    net = make("concat")
    features = net(X, Y).features
    weight, bias = net.adversarial.linear.weight[0], net.adversarial.linear.bias
    expected = features @ weight[:12] + bias + torch.stack([weight[12], weight[15], weight[0] * 0])
    torch.testing.assert_close(net(X, Y).score, expected)


def test_dense_passes_256_units_first() -> None:
    net = make("dense")
    assert net.adversarial.dense is not None
    assert net.adversarial.dense[0].out_features == 256
    assert net.adversarial.linear.in_features == 12 + 256


def test_projection_adds_an_inner_product() -> None:
    """Miyato & Koyama 2018, eq. 4."""
    net = make("projection")
    features = net(X, Y).features
    embedding = net.adversarial.embed.weight.T
    plain = net.adversarial.linear(features)[:, 0]
    products = torch.stack(
        [features[0] @ embedding[0], features[1] @ embedding[3], torch.tensor(0.0)]
    )
    torch.testing.assert_close(net(X, Y).score, plain + products)


@pytest.mark.parametrize("conditioning", HEADS.names())
def test_a_slope_depends_on_the_label_where_labels_are_not_only_added(conditioning: str) -> None:
    """Of the score in the sample: what a generator learns from."""
    discriminator = make(conditioning, between=[nn.Tanh()])
    samples = X.clone().requires_grad_()

    def slope(label: int) -> torch.Tensor:
        labels = {"fine": torch.full((len(samples),), label)}
        return torch.autograd.grad(discriminator.score(samples, labels).sum(), samples)[0]

    blind = conditioning == "none" or HEADS.capability(conditioning, "adds_labels")
    assert torch.equal(slope(0), slope(1)) is blind


def test_an_unconditional_discriminator_ignores_labels() -> None:
    net = make("none")
    torch.testing.assert_close(net(X, Y).score, net(X, {}).score)


def test_score_alone_equals_the_whole_forward() -> None:
    net = make("concat", {"fine": HeadSpec(4, 2), "coarse": HeadSpec(2, 1)})
    said = net(X, Y)
    torch.testing.assert_close(net.score(X, Y), said.score)
    assert said.logits["fine"].shape == (3, 4)
    assert said.logits["coarse"].shape == (3, 2)


def test_bifurcation_counts_layers_from_the_end() -> None:
    net = make("none", {"a": HeadSpec(4, 1), "b": HeadSpec(4, 2), "c": HeadSpec(4, 3)})
    assert [len(head.layers) for head in net.heads] == [0, 1, 2]
    with torch.no_grad():
        for layer in net.layers:
            layer.weight.zero_()
    outputs = net(X, {}).logits
    spread = {name: logits.std(dim=0).max().item() for name, logits in outputs.items()}
    assert spread["a"] < 1e-6  # sees the trunk, which is blind now
    assert spread["c"] > 1e-3  # has every layer for itself


def test_generator_concatenates_the_label_vector() -> None:
    layer = nn.Linear(2 + 4, 3)

    class First(nn.Module):
        def forward(self, x, y):
            return layer(x)

    net = Generator([First()], "fine", {"fine": 4})
    z = torch.randn(2, 2)
    out = net(z, {"fine": torch.tensor([2, 0])})
    code = torch.tensor([[0.0, 0, 1, 0], [1, 0, 0, 0]])
    torch.testing.assert_close(out, layer(torch.cat([z, code], dim=1)))


@pytest.mark.parametrize(
    ("conditioning", "told"),
    [("concat", False), ("dense", False), ("projection", True)],
)
def test_whether_a_label_changes_what_the_generator_is_told(conditioning: str, told: bool) -> None:
    """Joined before a linear output layer, a label moves every score alike: the slope towards the
    image, all that a Wasserstein generator learns from, is the same for every label."""
    settings = DiscriminatorSettings((1, 8, 8), 4, 3)
    head = HEADS.get(conditioning)(6, LabelVector({"fine": 3}, "fine"), settings.bound)
    features = torch.randn(5, 6, requires_grad=True)
    slopes = [
        torch.autograd.grad(head(features, {"fine": torch.full((5,), c)}).sum(), features)[0]
        for c in range(3)
    ]
    assert torch.equal(slopes[0], slopes[1]) == torch.equal(slopes[0], slopes[2]) == (not told)


def test_kernels_under_spectral_normalization_begin_as_the_recipe_says() -> None:
    """And are divided by their own norm, not by that of the kernel that was there before."""
    layer = nn.utils.parametrizations.spectral_norm(nn.Linear(30, 20))
    plain = nn.Linear(30, 20)
    for module in (layer, plain):
        initialize(module, "normal-0.02", torch.Generator().manual_seed(4))
    (kernel,) = kernel_weights([layer])
    assert torch.equal(kernel, plain.weight)
    assert kernel.std().item() == pytest.approx(0.02, rel=0.1)
    assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, rel=0.02)
    assert not layer.bias.any()
