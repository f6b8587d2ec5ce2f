"""Every command and example of the README and the docs: the real command line knows its words, and
(slowly, by `make test-all`) each is run, shortened."""

import ast
import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from PIL import Image

import mtgan.cli
import printed
from mtgan import analysis
from mtgan.classification import CLASSIFIERS, load_classifier_recipe
from mtgan.cli.app import app
from mtgan.cli.options import read_recipe
from mtgan.data import list_datasets, load_dataset
from mtgan.data.domains.strings import STRING_SOURCES
from mtgan.plugins import is_outside
from mtgan.recipes.load import parse_override
from mtgan.studies.load import load_study

SHELL = [
    (f"{block.place}: {line}", line)
    for file in printed.FILES
    for block in printed.blocks(file, "sh")
    for line in printed.commands(block.text)
]
SUBVERBS = "info|list|prepare|compare|corruptions|train|evaluate|data|start|new|export|results"
INLINE = [
    (f"{file.name}: {line}", line)
    for file in printed.FILES
    for line in printed.inline(file)
    if not re.fullmatch(rf"mtgan \w+( ({SUBVERBS}))?", line)
]  # a verb alone is spoken of, not typed
SPOKEN_NAMES = {"photos", "pointers", "tinted", "stripes"}  # folders, and a set of a plugin
MADE = {made for _, line in SHELL + INLINE for made in re.findall(r"prepare \S+ (\S+)", line)}
PYTHON = [b for file in printed.FILES for b in printed.blocks(file, "python")]


def words_of(line: str) -> list[str] | None:
    """What follows `mtgan`; None for another program. A single capital is some number."""
    words = shlex.split(line)
    if "mtgan" not in words:
        return None
    return [re.sub(r"^[A-Z]$", "2", word) for word in words[words.index("mtgan") + 1 :]]


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The verb and the values of its parameters; a usage error where the real CLI has one."""
    for module in pkgutil.iter_modules(mtgan.cli.__path__):
        importlib.import_module(f"mtgan.cli.{module.name}")
    command: Any = typer.main.get_command(app)
    names: list[str] = []
    rest = printed.without(words, "--plugins")  # which would be imported
    if rest[0].startswith("--"):
        known = {name for parameter in command.params for name in parameter.opts}
        assert rest[0] in known | {"--help"}
        return "", {}
    while hasattr(command, "commands"):
        names.append(rest.pop(0))
        assert names[-1] in command.commands, f"no verb {names[-1]}"
        command = command.commands[names[-1]]
    return " ".join(names), command.make_context(names[-1], rest).params


def check_data(name: str | None) -> None:
    """AssertionError where a name is neither a data set's nor that of a path or a placeholder."""
    for part in (name or "").split("+"):
        word = part.split(",")[0].rpartition("=")[2]
        path = "/" in word or "." in word or word in MADE or word in SPOKEN_NAMES
        placeholder = word.upper() == word
        known = word in {*list_datasets(), *STRING_SOURCES.names()}
        assert path or placeholder or known or is_outside(word), word


def check_recipe(
    name: str | None, values: dict[str, Any], load: Callable[..., Any] = read_recipe
) -> None:
    if name is None or name.endswith(".yaml") or name.upper() == name:
        return
    load(name, values.get("overrides"), values.get("scale") or "full")


def check_train(values: dict[str, Any]) -> None:
    if not values["resume"] or values["data"]:
        assert values["data"] or values["data_of"]
        check_recipe(values["recipe"], values)
        check_data(values["data"])


def check_classify(values: dict[str, Any]) -> None:
    if values["resume"] and values["data"] is None:
        return
    check_data(values["data"])
    check_data(values["auxiliary_data"])
    overrides = dict(parse_override(text) for text in values["overrides"] or [])
    load_classifier_recipe(values["recipe"], overrides)


def check_shown(values: dict[str, Any]) -> None:
    check_data(values["data"])
    if values["name"] in CLASSIFIERS.names():
        return
    check_recipe(values["name"], values)


def check_tune(values: dict[str, Any]) -> None:
    check_recipe(values["recipe"], values)
    check_data(values["data"])


def check_study(values: dict[str, Any]) -> None:
    if not values["file"].endswith(".yaml") and values["file"] != "NAME":
        load_study(values["file"], values["scale"])
        check_data(values["data"])


def check_analyze(values: dict[str, Any]) -> None:
    assert values["name"] == "NAME" or values["name"] in analysis.ANALYSES.names()
    check_data(values["data"])


def check_bench(values: dict[str, Any]) -> None:
    for name in values["recipe"] or ["wgan-gp"]:
        for scale in values["scale"] or ["tiny"]:
            check_recipe(name, {"overrides": values["overrides"], "scale": scale})


CHECKS = {
    "train": check_train,
    "classify": check_classify,
    "study": check_study,
    "tune": check_tune,
    "analyze": check_analyze,
    "bench train": check_bench,
    "evaluate": lambda values: check_data(values["data"]),
    "strings": lambda values: check_data(values["data"]),
    "data info": lambda values: check_data(values["name"]),
    "recipes show": check_shown,
}


@pytest.mark.parametrize(("place", "line"), [*SHELL, *INLINE], ids=lambda text: text[:40])
def test_the_command_line_knows_every_word(place: str, line: str) -> None:
    words = words_of(line)
    if words is None:
        assert printed.is_excepted(line), f"{place}: what is it, and does it work?"
        return
    verb, values = parsed(words)
    CHECKS.get(verb, lambda values: None)(values)


def written_by(code: str) -> list[str]:
    """The folders of new runs that an example in Python names as `out`."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if "resume" not in {k.arg for k in call.keywords}]
    given = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "out"]
    given += [
        call.args[2]
        for call in calls
        if ast.unparse(call.func) in {"mtgan.train", "mtgan.classify"} and len(call.args) > 2
    ]
    return [value.value for value in given if isinstance(value, ast.Constant)]


def test_no_two_examples_write_the_same_folder() -> None:
    """Who types one page after another would be refused."""
    written: dict[str, list[str]] = {}
    for place, line in SHELL:
        if not printed.is_excepted(line):
            for folder in re.findall(r"--out[= ](\S+)", line):
                written.setdefault(folder, []).append(place)
    for block in PYTHON:
        for folder in written_by(block.text):
            written.setdefault(folder, []).append(block.place)
    assert {folder: places for folder, places in written.items() if len(places) > 1} == {}
    assert {"runs/soft", "runs/clothes", "runs/few-tuned"} <= written.keys()


def test_few_are_excepted_and_each_is_needed() -> None:
    assert len(printed.EXCEPTED) <= 14
    lines = [line for _, line in SHELL] + ["tensorboard --logdir RUN/tensorboard"]
    for beginning in printed.EXCEPTED:
        assert any(line.startswith(beginning) for line in lines), beginning


@pytest.mark.parametrize("line", ["mtgan train wgan-gp --dat x", "mtgan trian", "mtgan report"])
def test_a_wrong_command_would_be_found(line: str) -> None:
    with pytest.raises((AssertionError, Exception)):
        parsed(words_of(line) or [])


@pytest.mark.parametrize(
    "line",
    [
        "mtgan train wgan-pg --data digits",
        "mtgan train gan --data digts",
        "mtgan study bifurcaton",
        "mtgan classify stl --data digits --set x=1",
    ],
)
def test_a_wrong_name_would_be_found(line: str) -> None:
    verb, values = parsed(words_of(line) or [])
    with pytest.raises((AssertionError, mtgan.UserError)):
        CHECKS[verb](values)


# The walk: what a file of the docs says is done from its top to its end, in one folder.


def pictures(folder: Path, side: int = 32, mode: str = "RGB") -> None:
    """superclass/class/N.png, 250 pictures of each of four classes."""
    random = np.random.default_rng(0)
    for index, place in enumerate(("pet/cat", "pet/dog", "thing/car", "thing/mug")):
        (folder / place).mkdir(parents=True)
        for number in range(250):
            shown = random.integers(60 * index, 60 * index + 70, (side, side, 3), dtype=np.uint8)
            Image.fromarray(shown).convert(mode).save(folder / place / f"{number:03}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """What the docs take for granted: pictures, samples, and short runs of some names."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("path/to/folder", "cifar-10-jpeg"):
        pictures(folder / name)
    pictures(folder / "path/to/real", side=28, mode="L")
    for part in ("train", "test"):
        pictures(folder / "photos" / part)
    rows = [f"folder/pet/cat/{number:03}.png,{number % 2}" for number in range(250)]
    (folder / "path/to/attributes.csv").write_text("\n".join(["file,tone", *rows]))
    pictures(folder / "path/to/angles")
    rows = [f"pet/cat/{number:03}.png,{number}" for number in range(250)]
    (folder / "path/to/angles/labels.csv").write_text("\n".join(["file,angle:number", *rows]))
    clothes = load_dataset("fashion-mnist-10k", "test")
    few = np.flatnonzero(clothes.labels[:, 0] < 4)[:200]
    shown = np.moveaxis(clothes.samples[few], 1, -1)
    np.savez(folder / "samples.npz", images=shown, labels=clothes.labels[few, 0])
    yaml = next(
        b for b in printed.blocks(printed.DOCS / "docs/data.md", "yaml") if "use:" in b.text
    )
    (folder / "use.yaml").write_text(yaml.text)
    printed.run(["data", "prepare", "path/to/folder", "path/to/prepared"], folder)
    printed.run(["demo", "--out", "runs/demo", "--steps", "20"], folder)
    short = ["--steps", "2", "--set", "training.evaluate_every=0"]
    printed.run(["train", "--data", "photos", *short, "--out", "runs/mine"], folder)
    epochs = ["--fraction", "0.02", "--set", "training.epochs=1"]
    hard = ["classify", "mtl-hard", "--data", "fashion-mnist-10k", "--out", "runs/hard"]
    printed.run([*hard, *epochs], folder)
    return folder


# The examples of api.md go on from one another; tests/test_api.py runs them so.
BLOCKS = [
    block
    for file in printed.FILES
    if file.name != "api.md"
    for block in printed.blocks(file, "sh", "python")
]
# What the text around an example speaks of.
SPOKEN_OF = """
import numpy as np, mtgan
from pathlib import Path
images = np.zeros((40, 8, 8, 1), dtype=np.uint8)
labels = np.stack([np.arange(40) % 3, np.arange(40) % 2], axis=1)
generated = np.arange(40) < 4
numbers = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
data = mtgan.load_dataset("fashion-mnist-10k", subset=400)
confusion = np.eye(10)
samples, taxonomy = data.samples, data.taxonomy
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_example_works(block: printed.Block, place: Path) -> None:
    if block.language == "python":
        text = block.text
        if "overrides=" not in text:  # else the example says itself how short it is
            text = text.replace('scale="tiny"', 'overrides={"training.steps": 2}, scale="tiny"')
        # In a process of its own: what an example registers is not there for the next.
        subprocess.run([sys.executable, "-c", SPOKEN_OF + text], cwd=place, check=True, timeout=600)
        return
    for line in printed.commands(block.text):
        if printed.is_excepted(line):
            continue
        of_domains = "multidomain.md" in block.place and " runs/" in line
        words = printed.shortened(line, domains=of_domains)
        if line.startswith("torchrun"):
            start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
            subprocess.run([*start, "-m", "mtgan", *words], cwd=place, check=True, timeout=300)
        else:
            printed.run(words, place)
