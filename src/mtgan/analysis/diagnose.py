"""What is wrong with a training, if anything, by name, with the evidence and what to try.

`evidence_of(run)`, in evidence.py, looks; `findings_of(evidence)` concludes, and is a pure function
of plain numbers, so that every conclusion can be tested and doubted. Whatever was not to be had is
None, and no rule speaks of it. A rule is one function under the decorator `rule`. It works on a run
that is still being trained as well: the newest checkpoint and the log so far are asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from mtgan.analysis.base import (
    Options,
    Progress,
    Result,
    Table,
    analysis,
    joined,
    silent,
)
from mtgan.analysis.evidence import Evidence, evidence_of
from mtgan.analysis.losses import Series
from mtgan.analysis.plots import BLUE, COLORS, GREEN, RED, SOFT, new_figure, tidy
from mtgan.training import Run
from mtgan.training.run import Step

ALPHA = 0.01
OVERFIT_GAP = 0.25
"""Share of the way from training images' scores to samples' at which held-out images are scored."""
SPREAD, SIBLINGS = 0.5, 0.2
"""Variety relative to real images, below which a generator has collapsed."""
LOSS_GROWTH = 20.0
WORSE = 1.5
"""Frechet distance of the last two evaluations over the lowest."""
STILL = 0.05
"""Improvement of the lowest Frechet distance in the second half of training, below which it is
stalled ..."""
FAR = 4.0
"""... while it is more than this many times that of held-out real images."""
FOLLOWED = 0.5


@dataclass(frozen=True)
class Advice:
    """What to try: a recipe key, and which way to turn it."""

    key: str
    turn: str


@dataclass(frozen=True)
class Finding:
    """A named failure mode, its evidence in a sentence, and what to try."""

    name: str
    evidence: str
    advice: list[Advice]


Rule = Callable[[Evidence], str | None]
RULES: list[tuple[str, Rule, list[Advice]]] = []


def rule(name: str, **advice: str) -> Callable[[Rule], Rule]:
    """Register a rule: the evidence as a sentence where the failure mode is there, else None.
    Keywords are recipe keys, with __ for the dot, and which way to turn them."""
    tried = [Advice(key.replace("__", "."), turn) for key, turn in advice.items()]

    def register(judge_one: Rule) -> Rule:
        RULES.append((name, judge_one, tried))
        return judge_one

    return register


def findings_of(evidence: Evidence) -> list[Finding]:
    """Every failure mode that the evidence shows, gravest first; none where all is well."""
    found = ((name, ask(evidence), advice) for name, ask, advice in RULES)
    return [Finding(name, sentence, advice) for name, sentence, advice in found if sentence]


@rule(
    "diverging",
    optimizer__learning_rate="a half or a fifth of it",
    penalty__kind="gradient, where there is none",
    schedule__discriminator_steps="5, for a Wasserstein critic",
)
def _diverging(e: Evidence) -> str | None:
    if e.diverged:
        return "training was stopped by a loss or gradient that is not finite"
    for name, (_, values) in e.losses.items():
        sizes = np.abs(values)
        if not np.isfinite(sizes).all():
            return f"the loss {name} is not finite"
        if len(sizes) >= 8:
            usual = max(float(np.median(sizes[: len(sizes) // 2])), 1.0)
            late = float(np.median(sizes[-max(2, len(sizes) // 8) :]))
            if late > LOSS_GROWTH * usual:
                return f"the loss {name} has grown from about {usual:.3g} to {late:.3g}"
    trained = _trained(e.frechet)
    if len(trained) >= 4 and min(trained[-2:]) > WORSE * min(trained):
        return (
            f"the Frechet distance has risen from {min(trained):.3g} at its best to "
            f"{trained[-1]:.3g}"
        )
    return None


@rule(
    "memorizing",
    training__steps="fewer, or an earlier checkpoint",
    data__subset="more of the data",
    data__flip="true, where mirror images are real",
    discriminator__dropout="0.2 to 0.5",
)
def _memorizing(e: Evidence) -> str | None:
    if e.copies is None or e.copies_p is None or e.copies_p >= ALPHA / 3:
        return None
    return (
        f"{e.copies:.0%} of samples are as near to one training image as hardly any held-out real "
        f"image is (p = {e.copies_p:.1g})"
    )


@rule(
    "generator collapsed",
    penalty__kind="gradient",
    objective="wasserstein",
    schedule__discriminator_steps="more",
    training__batch_size="larger",
    tasks="a smaller generator_weight: pleasing a classifier takes one good image per class",
)
def _collapsed(e: Evidence) -> str | None:
    if e.spread is not None and e.spread < SPREAD:
        return f"samples differ from each other by {e.spread:.0%} of what real images do"
    if e.siblings is not None and e.siblings < SIBLINGS:
        return (
            f"samples repeat each other: the nearest other one lies at {e.siblings:.0%} of the "
            "distance that real images have"
        )
    if e.collapsed_classes:
        return f"within classes: {joined(e.collapsed_classes, 10)}"
    return None


@rule(
    "discriminator overfits",
    data__subset="more of the data",
    data__flip="true, where mirror images are real",
    discriminator__dropout="0.2 to 0.5",
    discriminator__augmentation="color, translation, cutout",
    discriminator__width="smaller",
    training__steps="fewer",
)
def _overfits(e: Evidence) -> str | None:
    gap = e.score_gap
    if gap is None or e.score_p is None or e.score_p >= ALPHA or gap < OVERFIT_GAP:
        return None
    return (
        f"it scores held-out real images {gap:.0%} of the way from training images to samples "
        f"(a training image scores higher in {e.score_auc:.0%} of pairs, p = {e.score_p:.1g})"
    )


@rule(
    "class control lost",
    tasks="a larger generator_weight",
    generator__conditioning="concat or normalization",
    training__steps="more, where control is still growing",
)
def _control_lost(e: Evidence) -> str | None:
    if e.accuracy is None or e.real_accuracy is None:
        return None
    best = max(e.accuracy_history[1]) if e.accuracy_history else e.accuracy
    if e.accuracy < FOLLOWED * best:
        return f"samples show the class asked for in {e.accuracy:.0%}, down from {best:.0%}"
    if e.controlled is not None and e.controlled < FOLLOWED:
        return (
            f"asking makes a difference for {e.controlled:.0%} of the classes; samples show the "
            f"class asked for in {e.accuracy:.0%} (real images: {e.real_accuracy:.0%}), and never "
            f"did in more than {best:.0%}"
        )
    return None


@rule(
    "stalled",
    optimizer__learning_rate="larger, or smaller where the curve is rough",
    optimizer__decay="linear",
    generator__width="larger",
    discriminator__width="larger",
)
def _stalled(e: Evidence) -> str | None:
    trained = _trained(e.frechet)
    if len(trained) < 4 or (e.frechet_real and min(trained) < FAR * e.frechet_real):
        return None
    half = len(trained) // 2
    before, after = min(trained[:half]), min(trained[half:])
    if after > (1 - STILL) * before:
        return (
            f"the lowest Frechet distance was {before:.3g} after half of the evaluations and is "
            f"{min(before, after):.3g} now"
        )
    return None


def _trained(series: Series | None) -> list[float]:
    """The values, without that of the untrained generator."""
    if series is None:
        return []
    return [value for step, value in zip(*series, strict=True) if step > 0]


@dataclass(frozen=True)
class Diagnosis(Result):
    """What was found, and the evidence."""

    findings: list[Finding]
    evidence: Evidence

    @property
    def names(self) -> list[str]:
        """The verdicts' names; "healthy" where nothing was found."""
        return [finding.name for finding in self.findings] or ["healthy"]

    @property
    def verdict(self) -> str:
        if not self.findings:
            unknown = [text for text, known in self._looked_at() if not known]
            rest = f" (not looked at: {', '.join(unknown)})" if unknown else ""
            return f"Healthy: nothing wrong was found{rest}.{self._control()}"
        return " ".join(f"{f.name.capitalize()}: {f.evidence}." for f in self.findings)

    def _control(self) -> str:
        """How far labels are followed: a run may be well, and not yet there."""
        e = self.evidence
        if e.accuracy is None or e.real_accuracy is None:
            return ""
        return (
            f" Samples show the class asked for in {e.accuracy:.0%} (real images: "
            f"{e.real_accuracy:.0%})."
        )

    def _looked_at(self) -> list[tuple[str, bool]]:
        e = self.evidence
        return [
            ("losses", bool(e.losses)),
            ("Frechet distance over training", len(_trained(e.frechet)) >= 4),
            ("scores of held-out images", e.scores is not None),
            ("variety", e.spread is not None),
            ("classes", e.accuracy is not None),
            ("copies", e.copies is not None),
        ]

    def table(self) -> Table:
        rows: list = [
            (
                finding.name,
                finding.evidence,
                "; ".join(f"{a.key}: {a.turn}" for a in finding.advice),
            )
            for finding in self.findings
        ]
        return Table(("verdict", "evidence", "what to try"), rows or [("healthy", "", "")])

    def figure(self) -> Figure:
        figure = new_figure(13, 4, self.verdict)
        loss, frechet, bars = figure.subplots(1, 3)
        e = self.evidence
        for (name, (steps, values)), color in zip(e.losses.items(), COLORS, strict=False):
            loss.plot(steps, values, color=color, linewidth=1, label=name)
        if e.losses:
            loss.legend(fontsize=7, frameon=False)
        tidy(loss, "losses", "iterations")
        if e.frechet:
            frechet.plot(*e.frechet, "o-", markersize=3, color=BLUE)
            frechet.set_yscale("log")
        if e.frechet_real:
            frechet.axhline(e.frechet_real, color=SOFT, linestyle="--", linewidth=0.8)
        tidy(frechet, "Frechet distance (dashed: held-out real images)", "iterations")
        shown = {
            "variety (real: 1)": e.spread,
            "held-out images scored as samples": e.score_gap,
            "accuracy of labels": e.accuracy,
            "classes under control": e.controlled,
            "copies": e.copies,
        }
        known = {name: value for name, value in shown.items() if value is not None}
        bars.barh(list(known), list(known.values()), color=RED if self.findings else GREEN)
        bars.axvline(1, color=SOFT, linewidth=0.8)
        tidy(bars, "evidence of the samples")
        return figure


def diagnose(
    run: Run, n: int = 500, seed: int = 0, step: Step = None, progress: Progress = silent
) -> Diagnosis:
    """Look at a run, finished or in training, and say what is wrong with it.

    Args:
        run: The run.
        n: Samples and real images of each kind that are looked at.
        seed: Of every draw.
        step: Checkpoint; None is the newest.
        progress: Called before each part that takes a while.

    Raises:
        UserError: Training data that are no longer to be found, or no held-out images.
    """
    evidence = evidence_of(run, n, seed, step, progress)
    return Diagnosis(findings_of(evidence), evidence)


@analysis(
    "diagnose",
    "what is wrong with the training, if anything, and what to try",
    takes=("n", "step", "seed", "twin"),
)
def of_run(run: Run, options: Options) -> Diagnosis:
    return diagnose(run, options.count(500), options.seed, options.step, options.progress)
