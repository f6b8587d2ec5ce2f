"""Runs of GANs: trained, then judged by samples of the averaged generator."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan.errors import UserError
from mtgan.files import temporary_folder
from mtgan.parts import METRICS
from mtgan.plugins import opening
from mtgan.recipes import Recipe, load_recipe
from mtgan.runs import train
from mtgan.studies.gan_marks import begun_from, can_go_on, measured_at_marks
from mtgan.studies.identity import GAN, identity_of
from mtgan.studies.jobs import Job, Measured, last_values, load_data, with_taxonomy_text
from mtgan.studies.kinds import KINDS
from mtgan.studies.measure import measure, measure_samples, prepare
from mtgan.studies.pruning import PRUNED, Pruner, looks_of
from mtgan.studies.schema import Settings, Study, StudyData, StudyRecipe
from mtgan.training import Run
from mtgan.training.folders import RECIPE
from mtgan.training.logs import read_log
from mtgan.training.twins import own_values

if TYPE_CHECKING:
    from mtgan.studies.conclusions import Row
    from mtgan.studies.plan import StudyPlan

_TIMED_ITERATIONS = 3
_WATCHED = {"frechet_distance", "inception_score", "accuracy"}  # by every evaluation
_CURVE_POINTS = 10  # evaluations during training, for curves that only they give


class GanJobs:
    """See mtgan.studies.kinds.Kind."""

    unit = "iterations"
    axes: tuple[str, ...] = ("iterations", "epochs", "seconds")
    record = "result.json"
    schema = Recipe
    starts = True

    @property
    def found(self) -> Mapping[str, Callable[[Path, Job], Measured]]:
        return {"run": _measure_found, "samples": measure_samples}

    def check(self, study: Study) -> None:
        for entry in study.recipes:
            if entry.auxiliary_data:
                raise UserError(
                    f"Study {study.name}: auxiliary_data of {entry.label!r} is for classifiers "
                    "(kind: classifier); leave it out."
                )

    def recipe(self, entry: StudyRecipe, settings: Settings, study: Study) -> Recipe:
        budget = {} if study.budget.steps is None else {"training.steps": study.budget.steps}
        # Measured when finished, by one instrument for all; the loop's own would differ.
        quiet = {"training.evaluate_every": 0}
        every = {**quiet, **study.set, **budget, **settings}
        recipe = load_recipe(entry.recipe, every, study.budget.scale)
        if alike := [twin for twin in recipe.twins if twin in study.evaluation.beside]:
            raise UserError(
                f"Study {study.name}: evaluation.beside names an instrument {alike[0]!r}, and "
                f"recipe {recipe.name} has a twin of that name, whose measures would be called "
                "alike; name it otherwise."
            )
        watched, beside = _evaluated(study)
        if not watched and not beside:
            return recipe
        part = recipe.training
        keys: dict[str, Any] = {
            "evaluate_metrics": list(dict.fromkeys([*part.evaluate_metrics, *beside]))
        }
        if "training.evaluate_every" not in {**study.set, **settings}:
            keys["evaluate_every"] = max(1, part.steps // _CURVE_POINTS)
        return _with_training(recipe, keys)

    def loading(self, entry: StudyRecipe | None, data: StudyData, recipe: Recipe) -> dict[str, Any]:
        """Arguments of load_dataset: the study's, and the recipe's where it says nothing."""
        values = data.model_dump(mode="json")
        own = recipe.model_dump(mode="json")["data"]
        for key in ("size", "channels", "labeled", "classes"):
            if values[key] is None:
                values[key] = own[key]
        if values["subset"] is None:
            values |= {"subset": own["subset"], "stratified": own["stratified"]}
        # As before there were such keys, where nothing is asked by them.
        return {key: v for key, v in values.items() if v or key not in {"labeled", "classes"}}

    def identity(self, recipe: Recipe, loading: Mapping[str, Any]) -> list[Any]:
        keys = identity_of(recipe, GAN)
        del keys["data"]["channels"]  # the loading names them
        return [keys, with_taxonomy_text(loading)]

    def length(self, recipe: Recipe) -> int:
        return recipe.training.steps

    def batch(self, recipe: Recipe) -> int:
        return recipe.training.batch_size

    def evaluated_every(self, recipe: Recipe) -> int:
        return recipe.training.evaluate_every

    def depends_on_length(self, recipe: Recipe) -> bool:
        return recipe.optimizer.decay != "none"

    def lasting(self, recipe: Recipe, length: int) -> Recipe:
        return _with_training(recipe, {"steps": length})

    def run(self, job: Job) -> Iterator[Measured]:
        recipe, data = Recipe.model_validate(job.recipe), load_data(job.data)
        if job.marks:
            yield from measured_at_marks(job, recipe, data, self)
            return
        out = Path(job.out)
        resume = can_go_on(out, self.record)
        pruner = Pruner(_by_iteration(job.ceilings), looks_of(read_log(out / "metrics.jsonl")))
        run = train(
            *(recipe, data, out),
            seed=job.seed,
            resume=resume,
            device=job.device,
            quiet=True,
            start=begun_from(job),
            callbacks=[pruner] if job.ceilings else (),
        )
        if pruner.pruned:
            yield Measured({PRUNED: {"value": float(run.steps[-1]), "better": ""}}, {})
            return
        yield replace(_with_log(measure(run, job), run), fingerprint=data.fingerprint, log=[])

    def prepare(self, plan: "StudyPlan") -> None:
        prepare(plan.study, plan.cells)

    def log(self, folder: Path) -> list[dict[str, Any]]:
        lines = read_log(folder / "metrics.jsonl")
        file = folder / RECIPE
        if not lines or not file.exists():  # one that was found is as `_measure_found` wrote it
            return lines
        with opening(folder):
            return shared_log(lines, load_recipe(file))

    def logged(self, recipe: Recipe, loading: Mapping[str, Any], device: str) -> set[str]:
        few = {"evaluate_samples": 64, "evaluate_protocol": "training"}
        short = {"steps": 1, "log_every": 1, **few}
        lines = shared_log(_short_log(recipe, short, loading, device), recipe)
        return {name for line in lines for name in line["values"]}

    def pace(self, recipe: Recipe, loading: Mapping[str, Any], device: str) -> float:
        short = {"steps": _TIMED_ITERATIONS, "log_every": 1, "evaluate_every": 0}
        lines = _short_log(recipe, short, loading, device)
        rates = [line["steps_per_second"] for line in lines if line["kind"] == "train"]
        return sum(1 / rate for rate in rates[1:]) / len(rates[1:])  # the first one warms up

    def measured(self, study: Study, protocols: list[Mapping[str, Any]]) -> str:
        used = {str(protocol.get("features", "")) for protocol in protocols} - {""}
        return (
            f"averaged generator after the last iteration, {_counts(protocols, 'generated')} "
            f"samples against {_counts(protocols, 'reference')} {study.evaluation.split} images; "
            f"features: {', '.join(sorted(used)) or study.evaluation.features}"
        )

    def answers(self, study: Study, rows: "Sequence[Row]") -> list[str]:
        return []


KINDS.register("gan")(GanJobs())


def _by_iteration(ceilings: Mapping[str, float]) -> dict[int, float]:
    """As JSON, whose keys are texts, has kept them."""
    return {int(step): distance for step, distance in ceilings.items()}


def _evaluated(study: Study) -> tuple[set[str], list[str]]:
    """What curves are of evaluations during training: names that all of these give, and the metrics
    beside that give the rest."""
    # Behind a twin, and before a level.
    names = {part for curve in study.curves for part in curve.name.split("/")}
    beside = [
        name
        for name, metric in METRICS.items()
        if {output.name for output in metric.outputs} & (names - _WATCHED)
    ]
    return names & _WATCHED, sorted(beside)


def logged_values(lines: list[dict[str, Any]], recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Every logged value, averaged over the last tenth of the iterations.

    See `shared_log` for their names.
    """
    means = last_values(shared_log(lines, recipe), "train", recipe.training.steps)
    return {name: {"value": value, "better": ""} for name, value in means.items()}


def shared_log(lines: list[dict[str, Any]], recipe: Recipe) -> list[dict[str, Any]]:
    """A run's lines under names by which runs compare, with the `epoch` of each: how often the
    discriminator was shown as many real samples as there are to learn from.

    With twins, the main one's values stand also under the names that they have without twins
    (generator/fine/adversarial as generator/adversarial), for comparison with a single GAN.
    """
    samples = recipe.run.get("samples")
    shown = recipe.schedule.discriminator_steps * recipe.training.batch_size
    found = []
    for line in lines:
        values = dict(line["values"])
        for twin in recipe.twins[:1]:
            values = {**own_values(line, recipe, twin), **values}
        epoch = {"epoch": line["step"] * shown / samples} if samples else {}
        found.append({**line, **epoch, "values": values})
    return found


def _with_log(measured: Measured, run: Run) -> Measured:
    """What was measured of a run's samples, with what the run has logged."""
    lines = run.metrics()
    return replace(
        measured,
        values={**logged_values(lines, run.recipe), **measured.values},
        iterations=run.recipe.training.steps,
        seconds=lines[-1]["seconds"] if lines else 0.0,
        log=shared_log(lines, run.recipe),
    )


def _measure_found(path: Path, job: Job) -> Measured:
    run = Run.open(path)
    return replace(_with_log(measure(run, job), run), iterations=run.steps[-1])


def _with_training(recipe: Recipe, keys: Mapping[str, Any]) -> Recipe:
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=keys)})


def _short_log(
    recipe: Recipe, training: Mapping[str, Any], loading: Mapping[str, Any], device: str
) -> list[dict[str, Any]]:
    """The log of a training that is thrown away; `training` are keys of it that differ."""
    short = _with_training(recipe, training)
    with temporary_folder() as folder:
        run = train(short, load_data(loading), folder / "run", device=device, quiet=True)
        return run.metrics()


def _counts(protocols: list[Mapping[str, Any]], key: str) -> str:
    """How many were measured, from the fewest to the most; "as many" where runs do not say."""
    found = {n for p in protocols if isinstance(n := p.get(key, p.get("n")), int)}
    if not found:
        return "as many"
    low, high = min(found), max(found)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
