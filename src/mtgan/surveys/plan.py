"""From models and settings to a plan: what is shown, to whom, in which order."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mtgan.data import Taxonomy
from mtgan.errors import UserError
from mtgan.registry import nearest
from mtgan.surveys.arms import Arm, DataArm, ModelArm, NoiseArm, check_sizes
from mtgan.surveys.deal import deal, flips, session_order, share_out
from mtgan.surveys.designs import DESIGNS, Design
from mtgan.surveys.schema import (
    LARGEST_SURVEY_SEED,
    NOISE,
    REAL,
    Kind,
    Plan,
    Settings,
    Stimulus,
    Trial,
)

_WIDEST = 320  # pixels of the screen that a picture, or a pair of them, may take on a phone
_MOST_ANSWERS = 20  # buttons


@dataclass(frozen=True)
class Wanted:
    """How many samples of a class an arm must give, and the names of their files."""

    arm: str
    of_class: str
    images: tuple[str, ...]


def make_plan(
    settings: Settings, arms: Mapping[str, ModelArm | DataArm], real: DataArm | None
) -> tuple[Plan, list[Wanted], dict[str, Arm]]:
    """A plan, the pictures that it needs, and what they are drawn from.

    real: real samples, for catch trials and where they are judged; without them there are no catch
    trials. UserError for settings that do not fit the design or the models.
    """
    design = DESIGNS.get(settings.design)
    everyone: dict[str, Arm] = {**arms}
    if real is not None:
        everyone[REAL] = real
        everyone[NOISE] = NoiseArm(real.shape)
    check_sizes([*everyone.values()])
    level, classes = _classes(settings, [*arms.values(), *([real] if real else [])], design)
    shape = next(iter(arms.values())).shape
    filled = _filled(settings, design, list(arms), real, level, shape)
    treatments = design.treatments(
        list(arms), REAL if real and (filled.with_real or design.needs_real) else None
    )
    if not treatments:
        raise UserError(
            f"The design {settings.design} compares, and {', '.join(arms)} is one; name two "
            "models, or judge real samples, too (--with-real)."
        )
    random = np.random.default_rng(filled.seed)
    dealer = _Dealer(filled, design, treatments, classes, random)
    plan = Plan(
        settings=filled,
        arms={name: arm.source for name, arm in everyone.items()},
        answers=_answers(design, classes, filled),
        above=_above(everyone, level, classes),
        stimuli=dealer.stimuli,
        seats=dealer.seats,
    )
    shown = {arm for one in plan.stimuli.values() for arm in one.arms}
    kept = {name: source for name, source in plan.arms.items() if name in shown}
    return plan.model_copy(update={"arms": kept}), dealer.wanted(), everyone


def _filled(
    settings: Settings,
    design: Design,
    models: list[str],
    real: DataArm | None,
    level: str,
    shape: tuple[int, int, int],
) -> Settings:
    """The settings with what follows from models and data."""
    if real is None and (design.needs_real or settings.with_real):
        raise UserError(
            f"The design {settings.design} shows real samples; name the real data by --data."
        )
    known = [*models, *([REAL] if settings.with_real else [])]
    for name in {name for pair in settings.questions for name in pair}:
        if name not in known:
            raise UserError(f"A question names {name!r}: {nearest(name, known)}")
    if any(first == second for first, second in settings.questions):
        raise UserError("A question compares two models, and one names the same twice.")
    fits = _WIDEST // (max(shape[1:]) * (2 if design.compares else 1))
    changed = {
        "level": level,
        "by_class": bool(settings.level) or design.asks_class,
        "catch": settings.catch if real else 0,
        "questions": settings.questions or tuple(combinations(models, 2)),
        "scale": settings.scale or max(1, fits),
        "repeats": min(settings.repeats, max(1, settings.trials // 3)),
        "seed": secrets.randbelow(LARGEST_SURVEY_SEED) if settings.seed is None else settings.seed,
    }
    return settings.model_copy(update=changed)


def _classes(
    settings: Settings, arms: Sequence[ModelArm | DataArm], design: Design
) -> tuple[str, tuple[str, ...]]:
    """The level that is balanced, and its classes; ("", ("",)) where an arm has none.

    UserError where the level that is named, or one that the design needs, is not told to all.
    """
    shared = [level for level in arms[0].levels if all(level in arm.levels for arm in arms)]
    level = settings.level or next(iter(shared), "")
    if level and level not in shared:
        lacking = next(arm for arm in arms if level not in arm.levels)
        known = ", ".join(lacking.levels) or "none"
        raise UserError(
            f"{lacking.source} cannot be asked for classes of a level {level!r} (its levels: "
            f"{known})."
        )
    if not level:
        if design.asks_class:
            raise UserError(
                f"The design {settings.design} asks for classes, and the models have no label "
                "level in common."
            )
        return "", ("",)
    sets = [set(arm.taxonomy.classes[level]) for arm in arms]
    classes = tuple(
        name for name in arms[0].taxonomy.classes[level] if all(name in s for s in sets)
    )
    if not classes:
        raise UserError(f"The models have no class of the level {level!r} in common.")
    return level, classes


def _answers(design: Design, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
    answers = design.answers(classes)
    if len(answers) > _MOST_ANSWERS:
        raise UserError(
            f"The level {settings.level!r} has {len(answers)} classes, and nobody chooses among "
            f"more than {_MOST_ANSWERS}; name a coarser level by --level."
        )
    return answers


def _above(
    arms: Mapping[str, Arm], level: str, classes: Sequence[str]
) -> dict[str, dict[str, str]]:
    """For each class, its class at each coarser level, as the last arm that has levels says."""
    taxonomy = next(
        (arm.taxonomy for arm in reversed(list(arms.values())) if arm.taxonomy.levels),
        Taxonomy((), {}, {}),
    )
    if not level:
        return {}
    found: dict[str, dict[str, str]] = {name: {} for name in classes}
    for coarser in taxonomy.above(level):
        names = taxonomy.classes[coarser]
        for name in classes:
            place = taxonomy.ancestors(np.array(taxonomy.class_index(level, name)), level, coarser)
            if place >= 0:
                found[name][coarser] = names[int(place)]
    return found


class _Dealer:
    """Deals trials to seats; every stimulus and picture gets a name that says nothing."""

    def __init__(
        self,
        settings: Settings,
        design: Design,
        treatments: Sequence[tuple[str, ...]],
        classes: Sequence[str],
        random: np.random.Generator,
    ) -> None:
        self.settings, self.design = settings, design
        self.treatments, self.classes, self.random = treatments, classes, random
        self.stimuli: dict[str, Stimulus] = {}
        self._images: dict[tuple[str, str], list[str]] = {}
        main = self._main()
        catch = self._catch()
        width = len(str(settings.raters))
        self.seats = {
            f"r{seat + 1:0{width}}": self._session(f"r{seat + 1:0{width}}", shown, catch)
            for seat, shown in enumerate(main)
        }

    def wanted(self) -> list[Wanted]:
        """What pictures are shown, by arm and class."""
        return [Wanted(*key, tuple(images)) for key, images in self._images.items()]

    def _main(self) -> list[list[str]]:
        """The stimuli of each seat's main trials."""
        settings = self.settings
        dealt = deal(
            *(settings.raters, settings.trials, len(self.treatments), len(self.classes)),
            self.random,
        )
        places: dict[tuple[tuple[str, ...], str], list[tuple[int, int]]] = {}
        for seat, trials in enumerate(dealt):
            for slot, (treatment, of_class) in enumerate(trials):
                key = self.treatments[treatment], self.classes[of_class]
                places.setdefault(key, []).append((seat, slot))
        shown = [[""] * settings.trials for _ in dealt]
        for (arms, name), found in places.items():
            things = share_out([seat for seat, _ in found], settings.judged)
            ids = [self._stimulus(arms, name) for _ in range(int(things.max()) + 1)]
            for (seat, slot), thing in zip(found, things, strict=True):
                shown[seat][slot] = ids[thing]
        return shown

    def _catch(self) -> list[tuple[str, tuple[str, ...]]]:
        found = []
        for index in range(self.settings.catch):
            catch = self.design.catches(self.classes, index, REAL, NOISE)
            name = self.classes[index % len(self.classes)]
            found.append((self._stimulus(catch.arms, name), catch.right))
        return found

    def _stimulus(self, arms: tuple[str, ...], of_class: str) -> str:
        images = tuple(self._image(arm, "" if arm == NOISE else of_class) for arm in arms)
        name = self._token("stimulus", len(self.stimuli))
        self.stimuli[name] = Stimulus(images=images, arms=arms, of_class=of_class)
        return name

    def _image(self, arm: str, of_class: str) -> str:
        held = self._images.setdefault((arm, of_class), [])
        held.append(self._token("image", arm, of_class, len(held)) + ".png")
        return held[-1]

    def _session(
        self, seat: str, shown: Sequence[str], catch: Sequence[tuple[str, tuple[str, ...]]]
    ) -> tuple[Trial, ...]:
        order = session_order(len(shown), len(catch), self.settings.repeats, self.random)
        flipped = self._sides(shown)
        trials = []
        for place, (kind, index) in enumerate(order):
            stimulus, right = (shown[index], ()) if kind != "catch" else catch[index]
            turned = bool(
                kind != "catch" and self.design.compares and flipped[index] != (kind == "repeat")
            )
            named: Kind = kind  # type: ignore[assignment]
            trials.append(
                Trial(
                    id=self._token("trial", seat, place),
                    stimulus=stimulus,
                    kind=named,
                    flipped=turned,
                    right=right,
                )
            )
        return tuple(trials)

    def _sides(self, shown: Sequence[str]) -> np.ndarray:
        """Which main trials are flipped: of each pair of arms, every other one."""
        flipped = np.zeros(len(shown), dtype=bool)
        arms = [self.stimuli[name].arms for name in shown]
        for pair in dict.fromkeys(arms):
            places = [place for place, own in enumerate(arms) if own == pair]
            flipped[places] = flips(len(places), self.random)
        return flipped

    def _token(self, *parts: object) -> str:
        """A name that tells nothing of what it stands for, the same for the same seed."""
        text = "/".join(map(str, (self.settings.seed, *parts)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
