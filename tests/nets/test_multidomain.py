"""Backbones of canvases, and the output layers that know domains."""

import pytest
import torch

from mtgan.errors import UserError
from mtgan.nets import BACKBONES, DiscriminatorSettings, GeneratorSettings
from mtgan.objectives.penalties import input_gradient
from mtgan.parts import OUTPUTS
from toys import makes_photographs

NAMES = [name for name in BACKBONES.names() if not makes_photographs(name)]
SHAPE = (1, 18, 11)  # divides by nothing
INPUTS = 23


def generator(name: str, output: str = "softmax", vocabularies: tuple[int, ...] = ()):
    torch.manual_seed(0)
    settings = GeneratorSettings(
        SHAPE,
        inputs=INPUTS,
        width=8,
        kernel=3,
        normalization="batch",
        output=output,
        vocabularies=vocabularies,
    )
    return BACKBONES.get(name)().generator_layers(settings)


def run(layers, x, y=None):
    for layer in layers:
        x = layer.eval()(x, y)
    return x


@pytest.mark.parametrize(
    ("name", "output"),
    [(n, o) for n in NAMES for o in BACKBONES.get(n).outputs or OUTPUTS.names()],
)
def test_generators_fill_the_canvas_within_its_range(name, output):
    canvases = run(generator(name, output, (11,)), torch.randn(3, INPUTS))
    assert canvases.shape == (3, *SHAPE)
    assert canvases.abs().max() <= 1
    if output == "softmax":
        torch.testing.assert_close(((canvases + 1) / 2).sum(3), torch.ones(3, 1, 18))


@pytest.mark.parametrize("name", NAMES)
def test_discriminators_give_as_many_features_as_they_say_and_have_two_derivatives(name):
    torch.manual_seed(0)
    settings = DiscriminatorSettings(SHAPE, width=8, kernel=3)
    backbone = BACKBONES.get(name)()
    layers = torch.nn.Sequential(*backbone.discriminator_layers(settings)).eval()
    x = torch.randn(3, *SHAPE)
    assert layers(x).flatten(1).shape == (3, backbone.feature_count(settings))
    slope = input_gradient(lambda x: layers(x).flatten(1).sum(1), x)
    assert slope.shape == x.shape
    slope.square().sum().backward()
    moved = [p.grad for p in layers.parameters() if p.grad is not None]
    assert moved
    assert all(torch.isfinite(gradient).all() for gradient in moved)


@pytest.mark.parametrize("name", NAMES)
def test_colored_samples_are_refused_with_the_remedy(name):
    with pytest.raises(UserError, match="--data image="):
        BACKBONES.get(name)().check_shape((3, 32, 32))


def test_far_positions_meet_in_one_block():
    settings = DiscriminatorSettings((1, 32, 10), width=8, kernel=3)
    torch.manual_seed(0)
    first, *rest = BACKBONES.get("multidomain-residual")().discriminator_layers(settings)
    x = torch.randn(1, 1, 32, 10, requires_grad=True)
    h = rest[0](first(x))  # one block: [1, 8 positions, 8 channels]
    h[0, 0].sum().backward()
    assert x.grad[0, 0, 31].abs().max() > 0


class TestRowByRow:
    """Pixels (class 0), and strings of 4 tokens (class 1)."""

    def network(self):
        (rows,) = generator("multidomain-recurrent", "by-domain", (0, 4))
        return rows.eval()

    def test_strings_are_tokens_that_the_latent_alone_draws(self):
        rows, x = self.network(), torch.randn(6, INPUTS)
        y = torch.tensor([0, 1] * 3)
        first, second = rows(x, y), rows(x, y)
        assert torch.equal(first, second)
        strings = first[y == 1, 0]
        torch.testing.assert_close(strings.max(2).values, torch.ones(3, 18))
        torch.testing.assert_close(strings.sum(2), torch.full((3, 18), 2.0 - 11))
        assert strings.argmax(2).max() < 4
        assert first[y == 0].abs().max() < 1

    def test_tokens_come_as_often_as_their_shares_say_with_the_shares_gradient(self):
        layer = OUTPUTS.get("by-domain")((4,), 5)
        logits = torch.tensor([0.1, 1.0, -1.0, 0.5, 9.0]).expand(1000, 1, 5).clone()
        logits.requires_grad_(True)
        uniform = (torch.arange(1000) + 0.5) / 1000
        drawn = (layer.draw(logits, None, uniform) + 1) / 2
        shares = logits[0, 0, :4].softmax(0)
        torch.testing.assert_close(drawn.mean((0, 1))[:4], shares, atol=0.0011, rtol=0)
        assert drawn[..., 4].abs().max() == 0
        (gradient,) = torch.autograd.grad(drawn[..., 2].sum(), logits, retain_graph=True)
        (expected,) = torch.autograd.grad(shares[2], logits)
        torch.testing.assert_close(gradient[0, 0], expected[0, 0])

    def test_teacher_forcing_is_the_cross_entropy_of_each_row_given_those_before(self):
        rows, x, y = self.network(), torch.randn(2, INPUTS), torch.tensor([0, 1])
        tokens = torch.arange(18) % 4
        real = torch.zeros(2, *SHAPE)
        real[1, 0] = 2.0 * torch.nn.functional.one_hot(tokens, 11) - 1
        contexts, state = rows.plan(x, y)
        row, losses = torch.full((2, 1, 11), -1.0), []
        for i in range(18):
            made, state = rows.recurrent(torch.cat([row, contexts[:, i : i + 1]], 2), state)
            logits = rows.last(torch.cat([made, contexts[:, i : i + 1]], 2))[1, 0, :4]
            losses.append(torch.nn.functional.cross_entropy(logits, tokens[i]))
            row = real[:, 0, i : i + 1]
        expected = torch.stack(losses).mean()
        torch.testing.assert_close(rows.teacher_forcing(x, y, real), expected)
        assert rows.teacher_forcing(x[:1], y[:1], real[:1]) == 0

    def test_a_latent_too_short_to_draw_every_row_is_refused(self):
        settings = GeneratorSettings(SHAPE, 23, 8, 3, "batch", output="by-domain", latent=18)
        with pytest.raises(UserError, match=r"set latent\.dim above 18"):
            BACKBONES.get("multidomain-recurrent")().generator_layers(settings)


class TestByDomain:
    layer = OUTPUTS.get("by-domain")((0, 3, 5), 6)
    x = torch.randn(3, 1, 4, 6, generator=torch.Generator().manual_seed(0))

    def test_pixels_by_tanh_and_tokens_as_distributions_over_their_own_alphabet(self):
        out = self.layer(self.x, torch.tensor([0, 1, 2]))
        torch.testing.assert_close(out[0], self.x[0].tanh())
        for sample, size in ((1, 3), (2, 5)):
            rows = (out[sample] + 1) / 2
            torch.testing.assert_close(rows[..., :size], self.x[sample, ..., :size].softmax(-1))
            assert (rows[..., size:] == 0).all()

    def test_gradients_are_finite_beside_what_is_masked(self):
        x = self.x.clone().requires_grad_(True)
        self.layer(x, torch.tensor([0, 1, 2])).square().sum().backward()
        assert torch.isfinite(x.grad).all()
        assert (x.grad[1, ..., 3:] == 0).all()

    def test_without_classes_there_is_one_domain(self):
        layer = OUTPUTS.get("by-domain")((6,), 6)
        torch.testing.assert_close(layer(self.x), 2 * self.x.softmax(-1) - 1)
