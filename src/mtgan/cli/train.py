"""`mtgan train`: a recipe on a data set, into a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import (
    Checkpoint,
    DataName,
    Device,
    Log,
    MaxTime,
    Overrides,
    Quiet,
    Resume,
    Root,
    Seed,
    Steps,
    TaxonomyFile,
    as_step,
    given,
)
from mtgan.text import command

if TYPE_CHECKING:
    from mtgan.data import Dataset
    from mtgan.recipes import Recipe
    from mtgan.recipes.schema import Data
    from mtgan.training import Run
    from mtgan.training.model import Model


_RecipeOrRun = Annotated[
    str | None,
    typer.Argument(
        help="A recipe of the zoo, or a YAML file; one that fits the data when left out. With "
        "--resume, a run."
    ),
]
_DataOf = Annotated[
    Path | None, typer.Option("--data-of", help="A run, whose data are taken as it read them.")
]
_Scale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        help="tiny, small or full (full; tiny without RECIPE): widths, batch, steps, rates.",
    ),
]
_Out = Annotated[
    Path | None, typer.Option(help="The run folder; runs/RECIPE-DATA-sSEED when left out.")
]
_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN",
        help="A run, or a model folder, whose weights it begins from; its recipe without RECIPE.",
    ),
]
_Precision = Annotated[
    str | None,
    typer.Option(help="32, bf16, or auto: bf16 where it is in hardware. The recipe's if left out."),
]
_Compile = Annotated[
    Literal["on", "off"], typer.Option(help="Compile the networks with torch.compile.")
]
_Graphs = Annotated[
    Literal["auto", "on", "off"],
    typer.Option(help="Replay an iteration's kernels as CUDA graphs; auto: on a GPU."),
]
# Which samples of its own data a run has learned from, and not of those of another training.
_PARTS_OF_THE_DATA: dict[str, Any] = {"data.classes": {}, "data.subset": None, "data.labeled": None}
_OF_A_NEW_RUN = ("data", "data_of", "root", "taxonomy", "overrides", "scale", "seed", "out")


@app.command()
def train(
    context: typer.Context,
    recipe: _RecipeOrRun = None,
    data: DataName = None,
    data_of: _DataOf = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    overrides: Overrides = None,
    scale: _Scale = None,
    steps: Steps = None,
    seed: Seed = 0,
    out: _Out = None,
    start: _From = None,
    step: Checkpoint = None,
    resume: Resume = False,
    device: Device = "auto",
    precision: _Precision = None,
    compile: _Compile = "off",
    graphs: _Graphs = "auto",
    max_time: MaxTime = None,
    log: Log = None,
    quiet: Quiet = False,
) -> None:
    """Train RECIPE on a data set; samples, losses and checkpoints go to a run folder."""
    from mtgan import processes
    from mtgan.cli.options import parse_log, parse_time, read_recipe, tell_notes
    from mtgan.errors import UserError
    from mtgan.runs import train as train_recipe
    from mtgan.training.inputs import usual_folder

    seconds = None if max_time is None else parse_time("--max-time", max_time)
    begins = _begins_from(start, step)
    if recipe is not None and _is_run(recipe, resume and data is None and data_of is None):
        opened = _run_to_go_on_with(recipe, resume, given(context, *_OF_A_NEW_RUN))
        folder, seed = opened.path, opened.recipe.run["seed"]
        resolved = read_recipe(str(folder / "recipe.yaml"), None, "full", steps)
        dataset = opened.load_data()
        if not opened.steps and (recorded := opened.recipe.run.get("start")):
            begins, step = _begins_from(recorded["path"], None), str(recorded["step"])
    else:
        if scale and recipe is None and begins is not None:
            raise UserError(
                f"--scale {scale} shrinks a recipe, and that of {start} is as it was trained; name "
                "a RECIPE, or leave --scale out."
            )
        scale = scale or ("full" if recipe or start else "tiny")
        settings: dict[str, Any] = {}
        if recipe is None and begins is not None:
            recipe, settings = _recipe_of(begins), _PARTS_OF_THE_DATA
        resolved, dataset = _recipe_and_data(
            recipe, data, data_of, root, taxonomy, overrides, scale, steps, settings
        )
        tell_notes(dataset, quiet)
        if recipe is None and not quiet and processes.is_first():
            say(f"recipe: {resolved.name} at --scale {scale}, which fits these data")
        folder = out or usual_folder(resolved.name, dataset.name, seed)
    run = train_recipe(
        resolved,
        dataset,
        folder,
        seed=seed,
        resume=resume,
        device=device,
        precision=precision,
        compile=compile == "on",
        graphs=graphs,
        quiet=quiet,
        log=parse_log(log),
        max_seconds=seconds,
        start=begins,
        start_step=as_step(step),
    )
    if not quiet and processes.is_first():
        _tell(run)


def _tell(run: "Run") -> None:
    """What was trained, and how one goes on."""
    from mtgan.training.commands import commands_of

    say(f"trained {run.recipe.name} for {run.steps[-1]} iterations: {run.path}")
    if run.steps[-1] < run.recipe.training.steps:
        say(f"  {run.recipe.training.steps} were asked for; --resume goes on from here")
    for title, line in commands_of(run).items():
        if title.split()[0] in {"Sample", "Evaluate", "Page"}:
            say(f"  {line}")


def _begins_from(source: str | None, step: str | None) -> "Model | None":
    """The model that --from names; UserError for a file, and for --step without one."""
    from mtgan.errors import UserError

    if source is None:
        if step is not None:
            raise UserError("--step is a checkpoint of --from RUN; name that, or leave it out.")
        return None
    from mtgan.exporting import load

    if Path(source).is_file():
        raise UserError(
            f"{source} is a file, and a training begins from a run or a model folder, which hold "
            "generator and discriminator; name one of these by --from."
        )
    return load(source)


def _recipe_of(model: "Model") -> str:
    """The file of a run's recipe, by which another training goes that begins from it."""
    from mtgan.errors import UserError
    from mtgan.training.folders import RECIPE

    if not (file := model.path / RECIPE).is_file():
        raise UserError(
            f"{model.path} is a model folder, whose recipe is in no file of its own; name a "
            f"RECIPE beside --from, such as {model.recipe.name}."
        )
    return str(file)


def _is_run(name: str, alone: bool) -> bool:
    """Whether what stands in the place of a recipe is a run; a name of the zoo is none, unless it
    stands alone beside --resume."""
    from mtgan.recipes.load import zoo_names
    from mtgan.training.folders import is_run_folder

    return is_run_folder(Path(name)) and (alone or name not in zoo_names())


def _run_to_go_on_with(recipe: str, resume: bool, options: list[str]) -> "Run":
    """The run that stands in the place of a recipe; UserError where more is said of it."""
    from mtgan.errors import UserError
    from mtgan.training import Run

    if not resume:
        raise UserError(
            f"{recipe} is a run: go on with it by {command('mtgan', 'train', '--resume', recipe)}, "
            f"or name its recipe, {command(Path(recipe) / 'recipe.yaml')}, to train that anew."
        )
    if options:
        raise UserError(
            f"--resume {recipe} goes on with what that run recorded; leave {', '.join(options)} "
            "out (only --steps may grow)."
        )
    return Run.open(recipe)


def _recipe_and_data(
    recipe: str | None,
    data: str | None,
    data_of: Path | None,
    root: Path | None,
    taxonomy: Path | None,
    overrides: list[str] | None,
    scale: str,
    steps: int | None,
    settings: dict[str, Any],
) -> "tuple[Recipe, Dataset]":
    """What a new run is trained by and on."""
    from mtgan.cli.options import read_data, read_recipe
    from mtgan.errors import UserError
    from mtgan.recipes.defaults import default_recipe
    from mtgan.training import Run

    if (data is None) == (data_of is None):
        raise UserError(
            "Say on what to train, by one of: --data NAME or PATH (mtgan data list), --data-of RUN "
            "(the data of that run); or go on with a run by --resume RUN."
        )
    if data_of is not None and (root or taxonomy):
        raise UserError(
            "--data-of takes the data as that run read them; leave --root and --taxonomy out, or "
            "give --data."
        )

    def read(part: "Data") -> "Dataset":
        if data is not None:
            return read_data(data, part, root, taxonomy)
        assert data_of is not None
        return Run.open(data_of).load_data(
            size=part.size, subset=part.subset, classes=part.classes or None
        )

    if recipe is not None:
        resolved = read_recipe(recipe, overrides, scale, steps, settings)
        return resolved, read(resolved.data)
    # Which one fits the data says; how to read these, no recipe of those but the overrides.
    of_data = [text for text in overrides or [] if text.startswith("data.")]
    dataset = read(read_recipe("gan", of_data, scale).data)
    name, settings = default_recipe(
        dataset.taxonomy,
        dataset.shape,
        dataset.domains,
        dataset.labels,
        len(dataset),
        dataset.number_ranges,
    )
    return read_recipe(name, overrides, scale, steps, settings), dataset
