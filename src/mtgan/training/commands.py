"""The commands with which one goes on with a run: every page and message prints these."""

from typing import Any

from mtgan import plugins
from mtgan.errors import UserError
from mtgan.limits import FEWEST_JUDGED
from mtgan.recipes import load_recipe
from mtgan.recipes.defaults import default_recipe, other_recipes
from mtgan.text import command, file_name
from mtgan.training.folders import resume_command
from mtgan.training.game import Game
from mtgan.training.run import Run


def words_of(run: Run) -> tuple[object, ...]:
    """The run on a command line, with its twin where that is not the main one."""
    other = run.twin_name not in {None, *run.twins[:1]}
    return (run.path, *(("--twin", run.twin_name) if other else ()))


def commands_of(run: Run) -> dict[str, str]:
    """Command lines by what they do ("Sample", "Evaluate", "Page", ...), each complete as it is.

    What a command needs (recipe, data, labels, size, seed) is in the run, so none repeats it.
    Those that need the training data are left out where these cannot be loaded again.
    """
    loads, commands = "name" in run.recipe.run["data"], dict[str, str]()
    for twin in run.each_twin():
        own = _samples(twin) | ({"Evaluate": evaluate_command(twin)} if loads else {})
        which = f", twin {twin.twin_name}" if len(words_of(twin)) > 1 else ""
        commands |= {f"{title}{which}": line for title, line in own.items()}
    commands["Page"] = _mtgan(run, "report", run.path)
    if loads:
        longer = ("--steps", 2 * run.recipe.training.steps)
        commands["Train on"] = _mtgan(run, "train", "--resume", run.path, *longer)
    commands["Ask what is wrong, if anything"] = _mtgan(run, "analyze", "diagnose", run.path)
    if loads and (other := _other_model(run)):
        commands["Another model"] = other
    commands["Watch the curves"] = command("tensorboard", "--logdir", run.path / "tensorboard")
    return commands


def how_to_resume(run: Run) -> str:
    """The same in words that also fit a run on arrays, which no command can load."""
    if "name" in run.recipe.run["data"]:
        return f"go on by {resume_command(run.path)}"
    return f"go on by mtgan.train(..., out={str(run.path)!r}, resume=True)"


def _mtgan(run: Run, *words: object) -> str:
    """A command line, with the plugins that the run's parts come from."""
    return command("mtgan", *words, *plugins.options(run.recipe.run.get("plugins", ())))


def evaluate_command(run: Run) -> str:
    """By the measures that so many images allow; "" where the data cannot be loaded again."""
    if "name" not in run.recipe.run["data"]:
        return ""
    # A set without splits of its own holds out a fifth: a quarter of what is trained on.
    enough = run.recipe.run["samples"] >= 4 * FEWEST_JUDGED
    return _mtgan(run, "evaluate", *words_of(run), *(() if enough else ("--protocol", "training")))


def _samples(run: Run) -> dict[str, str]:
    """A command for each domain, or one for plain images."""
    files = {
        domain.name: f"{file_name(domain.name)}{domain.endings[0]}"
        for domain in run.dataset_info.domains
    }
    many = ("--n", 1000, "--out")
    if not files:
        of_twin = f"-{file_name(str(run.twin_name))}" if len(words_of(run)) > 1 else ""
        return {"Sample": _mtgan(run, "sample", *words_of(run), *many, f"samples{of_twin}.npz")}
    return {
        f"Sample {name}": _mtgan(run, "sample", *words_of(run), "--domain", name, *many, file)
        for name, file in files.items()
    }


def _other_model(run: Run) -> str:
    """Another recipe on the same data, small; "" where none that we would name fits them."""
    info, mine = run.dataset_info, run.recipe.name
    name, settings = default_recipe(
        info.taxonomy,
        info.shape,
        info.domains,
        info.label_rows,
        run.recipe.run["samples"],
        info.numbers,
    )
    others: list[tuple[str, dict[str, Any]]] = [(n, {}) for n in other_recipes(info.domains)]
    candidates = [("", name, settings), *((other, other, keys) for other, keys in others)]
    for written, name, settings in candidates:
        if name == mine:
            continue
        try:
            recipe = load_recipe(name, settings, scale="tiny")
            Game(recipe, info)
        except UserError:
            continue
        options: list[object] = ["--scale", "tiny"]
        if run.recipe.run["samples"] < recipe.training.batch_size:
            options += ["--set", f"training.batch_size={run.recipe.run['samples']}"]
        words = [written] if written else []
        return _mtgan(run, "train", *words, "--data-of", run.path, *options)
    return ""
