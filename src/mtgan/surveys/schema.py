"""What a survey is, as plain values: its settings, what is shown, and who is asked what."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from mtgan.recipes.ranges import NonNegative, Number, Part, Positive, Share
from mtgan.recipes.records import Record
from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.designs.base import SHOWN_REAL

REAL, NOISE = SHOWN_REAL, "noise"
"""Names of what is shown beside models: real samples, and noise in catch trials."""

Kind = Literal["main", "catch", "repeat"]
Alpha = Annotated[float, Number, Field(gt=0, lt=1)]
DesignName = Annotated[str, AfterValidator(DESIGNS.check)]
Resampling = Literal["nearest", "bicubic", "lanczos"]

LARGEST_SURVEY_SEED = 2**63 - 1  # too many for a rater to try


class Rules(Part):
    """Whose answers are left out, fixed before anybody is asked.

    Attributes:
        least_catch: Share of catch trials that must be answered rightly.
        fastest_ms: Milliseconds; whose median answer is faster is left out.
        most_alike: Share of main trials that may have one and the same answer.
        least_answered: Share of all trials that must be answered.
        least_agreement: Share of repeated trials that must be answered as before. 0 leaves nobody
            out: where two models are alike, honest answers differ by chance.
    """

    least_catch: Share = 0.75
    fastest_ms: NonNegative = 300
    most_alike: Share = 0.95
    least_answered: Share = 0.5
    least_agreement: Share = 0.0


class Settings(Part):
    """How a survey is planned; see docs/survey.md for what each key does.

    Attributes:
        design: A name of mtgan.surveys.designs.DESIGNS.
        level: The label level whose classes are balanced; the models' first where "".
        by_class: Whether a class is asked for; where a level is named it is.
        raters, trials: How many people, and main trials of each.
        catch, repeats: Catch trials and repeated trials of each rater.
        judged: By how many raters each thing is judged, about.
        with_real: Whether real samples are judged like a model's.
        scale: Pixels of the screen for a pixel of a sample; the largest that fits where None.
        limit_ms: Milliseconds for which a sample is shown; without limit where None.
        questions: Pairs of names that are compared; all pairs of models where empty.
        alpha: Level of the tests, before Holm's correction over the questions.
        seed: Of order, sides, names of files and samples; drawn where None. Whoever knows it, the
            models and the settings can compute what a page hides.
    """

    design: DesignName = "pairs"
    level: str = ""
    by_class: bool = False
    raters: Annotated[int, Number, Field(ge=2, le=100_000)] = 20
    trials: Annotated[int, Number, Field(ge=1, le=10_000)] = 60
    catch: Annotated[int, Number, Field(ge=0, le=1_000)] = 8
    repeats: Annotated[int, Number, Field(ge=0, le=1_000)] = 6
    judged: Annotated[int, Number, Field(ge=1, le=1_000)] = 3
    with_real: bool = False
    scale: Annotated[int, Number, Field(ge=1, le=64)] | None = None
    resampling: Resampling = "nearest"
    limit_ms: Positive | None = None
    questions: tuple[tuple[str, str], ...] = ()
    alpha: Alpha = 0.05
    seed: Annotated[int, Number, Field(ge=0, le=LARGEST_SURVEY_SEED)] | None = None
    rules: Rules = Rules()


class Stimulus(Record):
    """What one trial shows: images by the names of their files, whose they are, and of which
    class."""

    images: tuple[str, ...]
    arms: tuple[str, ...]
    of_class: str = ""


class Trial(Record):
    """A stimulus as one rater sees it.

    Attributes:
        flipped: Whether its second image stands at the left.
        right: Answers that are right in a catch trial.
    """

    id: str
    stimulus: str
    kind: Kind
    flipped: bool = False
    right: tuple[str, ...] = ()


class Plan(Record):
    """A whole survey, as survey.json holds it.

    Attributes:
        settings: As they were given, with what was left open filled in.
        arms: Where what is judged comes from, by name.
        answers: What can be answered.
        above: For each class, its class at each coarser level.
        stimuli: By id.
        seats: The trials of each rater in order, by the name of her seat.
    """

    format: Literal["mtgan-survey-1"] = "mtgan-survey-1"
    settings: Settings
    arms: dict[str, str]
    answers: tuple[str, ...]
    above: dict[str, dict[str, str]] = Field(default_factory=dict)
    stimuli: dict[str, Stimulus]
    seats: dict[str, tuple[Trial, ...]]

    @property
    def judged(self) -> tuple[str, ...]:
        """Names of all that is judged in main trials, in order: models, and perhaps real."""
        found = {
            arm
            for trials in self.seats.values()
            for t in trials
            if t.kind == "main"
            for arm in self.stimuli[t.stimulus].arms
        }
        return tuple(name for name in self.arms if name in found)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(name for name in self.arms if name not in {REAL, NOISE})


class Wording(Record):
    """Every word that a rater reads. {class} in the question stands for the class asked for.

    answers: what stands on the button of each answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str = "en"
    title: str
    consent: str
    agree: str = "I agree"
    instructions: str
    begin: str = "Begin"
    question: str
    answers: dict[str, str]
    hidden: str = "Answer now"
    thanks: str = "Thank you. These are all."
    save: str = "Save my answers"
    send: str = "Please send the file that was saved to whoever asked you."
    sent: str = "Your answers have arrived; you can close this page."
    lost: str = "No connection. Your answers are kept, and sent again."
