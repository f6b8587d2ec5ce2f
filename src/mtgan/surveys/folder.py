"""A survey's folder, which holds all that it needs.

OUT/
  survey.json    the plan: settings, rules, what is shown to whom; its hash is the survey's name
  wording.yaml   every word that raters read; to be edited before the first one is asked
  images/        what is shown, under names that say nothing
  scorecards/    NAME.json: the measures of a model, to be compared with what people say
  answers/       files that came back
  results/       what `mtgan survey results` writes
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtgan import files
from mtgan.data.images import to_image
from mtgan.errors import UserError
from mtgan.files import dump_yaml, read_json, read_yaml
from mtgan.recipes.records import validated
from mtgan.surveys.arms import Arm
from mtgan.surveys.designs import DESIGNS, Design
from mtgan.surveys.plan import Wanted
from mtgan.surveys.schema import Plan, Settings, Stimulus, Trial, Wording
from mtgan.text import file_name, printable

PLAN, WORDING = "survey.json", "wording.yaml"
IMAGES, CARDS, ANSWERS, RESULTS = "images", "scorecards", "answers", "results"
_HASH = 16  # hexadecimal digits
_REMEDY = "plan the survey anew with mtgan survey new"


@dataclass(frozen=True, repr=False)
class Survey:
    """A survey's folder.

    Attributes:
        id: Hash of the plan; every answer carries it.
        wording: As it stands in the folder now.
    """

    path: Path
    plan: Plan
    wording: Wording
    id: str

    @classmethod
    def open(cls, path: str | Path) -> "Survey":
        """Open a survey's folder.

        UserError where `path` is none, or its plan or wording is not what it should be.
        """
        path = Path(path)
        if not is_survey_folder(path):
            raise UserError(
                f"{path} is not a survey's folder (it has no {PLAN}); give the folder that "
                "`mtgan survey new` wrote."
            )
        values = read_json(path / PLAN)
        plan = validated(Plan, values, str(path / PLAN), _REMEDY)
        words = read_yaml(path / WORDING, "The wording")
        wording = validated(Wording, words, str(path / WORDING), "mend that")
        lacking = [answer for answer in plan.answers if answer not in wording.answers]
        if lacking:
            raise UserError(f"{path / WORDING} has no word for the answer {lacking[0]!r}; add one.")
        for name in {image for one in plan.stimuli.values() for image in one.images}:
            if not (path / IMAGES / name).is_file():
                raise UserError(f"{path / IMAGES} lacks {name}, which the survey shows; {_REMEDY}.")
        return cls(path, plan, wording, plan_id(plan))

    def __repr__(self) -> str:
        plan = self.plan
        text = (
            f"{str(self.path)!r}: {plan.settings.design}, {len(plan.seats)} raters, "
            f"{len(next(iter(plan.seats.values())))} trials each"
        )
        return f"Survey({printable(text)})"

    @property
    def settings(self) -> Settings:
        return self.plan.settings

    @property
    def design(self) -> Design:
        return DESIGNS.get(self.settings.design)

    @cached_property
    def wording_hash(self) -> str:
        """By which answers say under which words they were given."""
        text = json.dumps(self.wording.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_HASH]

    @cached_property
    def trials(self) -> dict[str, dict[str, Trial]]:
        """The trials of each seat, by their ids."""
        return {seat: {t.id: t for t in trials} for seat, trials in self.plan.seats.items()}

    def stimulus(self, trial: Trial) -> Stimulus:
        return self.plan.stimuli[trial.stimulus]

    def image(self, name: str) -> Path:
        return self.path / IMAGES / name

    def card(self, arm: str) -> Path:
        """Where the scorecard of a model lies, if there is one."""
        return self.path / CARDS / f"{file_name(arm)}.json"

    def shown(self, trial: Trial) -> tuple[str, ...]:
        """The images of a trial, from left to right."""
        images = self.stimulus(trial).images
        return images[::-1] if trial.flipped else images


def is_survey_folder(path: Path) -> bool:
    return (path / PLAN).is_file()


def plan_id(plan: Plan) -> str:
    text = json.dumps(plan.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH]


def write_survey(
    out: Path,
    plan: Plan,
    wanted: Sequence[Wanted],
    arms: Mapping[str, Arm],
    wording: Wording | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Survey:
    """Draw the pictures and write the folder, whole or not at all.

    wording: other words than the design's. UserError where `out` exists, or an arm has too few
    samples.
    """
    words = wording or Wording(
        **DESIGNS.get(plan.settings.design).wording(plan.answers, plan.settings.by_class)
    )
    with files.new_folder(out) as folder:
        for name in (IMAGES, CARDS, ANSWERS):
            (folder / name).mkdir()
        for index, want in enumerate(wanted):
            progress(f"drawing samples of {want.arm} ({index + 1} of {len(wanted)})")
            seed = _seed(plan, index)
            drawn = arms[want.arm].draw(plan.settings.level, want.of_class, len(want.images), seed)
            for name, sample in zip(want.images, drawn, strict=True):
                _picture(sample, plan.settings).save(folder / IMAGES / name, optimize=True)
        for name, arm in arms.items():
            if arm.card is not None and name in plan.arms:
                shutil.copyfile(arm.card, folder / CARDS / f"{file_name(name)}.json")
        files.write_text(folder / WORDING, dump_yaml(words.model_dump(mode="json")))
        files.write_json(folder / PLAN, plan.model_dump(mode="json"))
    return Survey.open(out)


def read_wording(path: Path) -> Wording:
    """A file of words; UserError where it is none."""
    words: Any = read_yaml(path, "The wording")
    return validated(Wording, words, str(path), "mend that")


def _seed(plan: Plan, index: int) -> int:
    assert plan.settings.seed is not None  # make_plan draws one
    return int(np.random.SeedSequence([plan.settings.seed, index]).generate_state(1)[0] >> 1)


def _picture(sample: np.ndarray, settings: Settings) -> Image.Image:
    """A sample uint8 [C, H, W], each pixel a square of the settings' scale."""
    image = to_image(sample)
    scale = settings.scale or 1
    method = Image.Resampling[settings.resampling.upper()]
    return image.resize((image.width * scale, image.height * scale), method)
