"""A recurrent generator for canvases [length, channels], ours: rows are made one after the other.

`multidomain-recurrent`: a residual network makes a context for every row from the latent, and a
gated recurrent unit (Cho et al. 2014) makes each row from its context and the rows before it. So
the bracket that closes knows the one that was opened, which a network that makes all rows at once
can only guess. Its discriminator is that of `multidomain-dense`.

A row of a string is one token, drawn from the distribution over tokens by one number of the latent
(the inverse of the distribution function; gradients pass as if the row were the distribution
itself: the straight-through estimator of Bengio et al. 2013). So the latent alone says what is
generated. A row of an image is its pixels.

N: batch; L, V: length and channels of the canvas; C: width.
"""

import torch
from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.nets.backbone import GeneratorSettings, RowByRow
from mtgan.nets.backbones.residual1d import BLOCKS, Branch, Dense, normalized
from mtgan.nets.outputs.by_domain import ByDomain
from mtgan.parts import BACKBONES


class Rows(RowByRow):
    """[N, inputs] to canvases [N, 1, L, V]; the first L inputs draw the tokens.

    width: units of the blocks; the recurrent state has half as many, a row's context a quarter.
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        _, self.length, self.channels = settings.shape
        state, context = max(1, settings.width // 2), max(1, settings.width // 4)
        self.start = nn.Linear(settings.inputs - self.length, settings.width)
        self.blocks = nn.ModuleList(Branch(settings, 1) for _ in range(BLOCKS))
        self.norm = settings.normalize(settings.width)
        self.context = nn.Linear(settings.width, self.length * context)
        self.state = nn.Linear(settings.width, state)
        self.recurrent = nn.GRU(self.channels + context, state, batch_first=True)
        self.last = nn.Linear(state + context, self.channels)
        self.output = ByDomain(settings.vocabularies, self.channels)

    def plan(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Contexts [N, L, context] and the first state [1, N, state]."""
        h = self.start(x[:, self.length :]).unsqueeze(1)
        for block in self.blocks:
            h = block(h, y)
        h = normalized(self.norm, h, y).relu().squeeze(1)
        contexts = self.context(h).view(x.shape[0], self.length, -1)
        return contexts, self.state(h).tanh().unsqueeze(0)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        contexts, state = self.plan(x, y)
        uniform = torch.special.ndtr(x[:, : self.length])
        row, rows = x.new_full((x.shape[0], 1, self.channels), -1.0), []
        for i in range(self.length):
            context = contexts[:, i : i + 1]
            made, state = self.recurrent(torch.cat([row, context], dim=2), state)
            logits = self.last(torch.cat([made, context], dim=2))
            row = self.output.draw(logits, y, uniform[:, i])
            rows.append(row)
        return torch.cat(rows, dim=1).unsqueeze(1)

    def teacher_forcing(self, x: Tensor, y: Tensor | None, real: Tensor) -> Tensor:
        """Cross-entropy (nats per row) of the rows of real strings [N, 1, L, V], each predicted
        from those before it; 0 where there is no string (Williams & Zipser 1989)."""
        contexts, state = self.plan(x, y)
        before = nn.functional.pad(real.squeeze(1)[:, :-1], (0, 0, 1, 0), value=-1.0)
        made, _ = self.recurrent(torch.cat([before, contexts], dim=2), state)
        logits = self.last(torch.cat([made, contexts], dim=2))
        return self.output.cross_entropy(logits, y, real.squeeze(1))


@BACKBONES.register("multidomain-recurrent")
class Recurrent(Dense):
    """width: units of the network that makes the contexts; there is no kernel."""

    name = "multidomain-recurrent"
    outputs = ("by-domain",)
    autoregressive = True
    latent = "normal"  # by whose distribution function tokens are drawn

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]:
        latent, length = settings.latent or settings.inputs, settings.shape[1]
        if latent <= length:
            raise UserError(
                f"The backbone {self.name} draws each of the canvas's {length} rows by one number "
                f"of the latent, and needs more beside; set latent.dim above {length} (found "
                f"{latent})."
            )
        return [Rows(settings)]
