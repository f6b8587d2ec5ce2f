"""Every verb, with a kill, a full disk or a broken one at its file operations.

Whatever happens: older files stay whole, a failed write is one sentence and exit code 2, success
means that all is there, and the same command works afterwards.
"""

import errno
import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from faults_server import Server
from mtgan.training.logs import read_log

KILL_BEFORE, KILL_WITHIN, FAIL_ONCE, FAIL_ON = 1, 2, 3, 4

SMALL = (
    *("--set", "training.batch_size=8", "--set", "generator.width=8"),
    *("--set", "discriminator.width=8", "--set", "latent.dim=6", "--set", "data.size=null"),
    *("--set", "training.log_every=1", "--set", "training.sample_every=2"),
    *("--set", "training.checkpoint_every=1", "--set", "training.evaluate_every=2"),
    *("--set", "training.evaluate_samples=64", "--set", "training.keep_checkpoints=1"),
)
TRAIN = ("train", "ac-gan-b", "--data", "digits", "--steps", "2", "--out", "run", *SMALL)
CLASSIFY = (
    *("classify", "stl", "--data", "digits", "--out", "classifier", "--fraction", "0.2"),
    *("--set", "network.channels=[4,4]", "--set", "network.kernel=3", "--set", "training.epochs=2"),
    *("--set", "network.pool_after=[1,2]", "--set", "training.learning_rates=[0.05]"),
    *("--set", "training.checkpoint_every=1"),
)


def weights(run: Path) -> dict[str, str]:
    """Digests of the newest checkpoint's tensors."""
    newest = sorted((run / "checkpoints").glob("step-*"))[-1]
    tensors = load_file(newest / "networks.safetensors")
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in tensors.items()}


def log(run: Path) -> list[Any]:
    """The logged lines, without what is measured in seconds."""
    lines = read_log(run / "metrics.jsonl")  # which passes over a last line that a kill cut off
    return [(line.get("kind"), line.get("step"), line["values"]) for line in lines]


def trained(folder: Path) -> Any:
    grids = sorted((folder / "run" / "samples").glob("step-*.png"))  # but no leftovers of kills
    for grid in grids:
        Image.open(grid).load()
    return weights(folder / "run"), log(folder / "run"), [grid.name for grid in grids]


def classified(folder: Path) -> Any:
    result = json.loads((folder / "classifier" / "result.json").read_text())
    result.pop("seconds", None)
    return weights(folder / "classifier"), result


def arrays(folder: Path) -> Any:
    with np.load(folder / "x.npz") as file:
        return {name: file[name].tolist() for name in file.files}


def pictures(folder: Path) -> Any:
    files = sorted((folder / "x").glob("*.png"))
    pixels = [np.asarray(Image.open(file)).tolist() for file in files]
    return pixels, (folder / "x" / "labels.csv").read_text()


def card(folder: Path) -> Any:
    Image.open(folder / "card.png").load()
    return json.loads((folder / "card.json").read_text())["entries"]


def answer(folder: Path) -> Any:
    Image.open(folder / "run" / "analysis" / "weights.png").load()
    return json.loads((folder / "run" / "analysis" / "weights.json").read_text())


def page(folder: Path) -> Any:
    return (folder / "run" / "report.html").read_text().rstrip().endswith("</html>")


def prepared(folder: Path) -> Any:
    samples = np.load(folder / "prepared" / "samples.npy")
    about = json.loads((folder / "prepared" / "mtgan-data.json").read_text())
    return hashlib.sha256(samples.tobytes()).hexdigest(), about


def tabulated(folder: Path) -> Any:
    statistics = json.loads((folder / "study" / "statistics.json").read_text())
    return statistics, (folder / "study" / "table.csv").read_text().count("\n")


@dataclass(frozen=True)
class Verb:
    """A command, what has to be there before it, and how its result is read.

    before: commands; files: texts by name. again: what is typed after a fault. below: what the
    faults concern, the whole folder by default.
    """

    command: tuple[str, ...]
    result: Callable[[Path], Any]
    before: tuple[tuple[str, ...], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    again: tuple[str, ...] = ()
    below: str = ""


SAMPLE = ("sample", "run", "--n", "5", "--seed", "0", "--quiet", "--out")
EVALUATE = (
    *(
        "evaluate",
        "x.npz",
        "--data",
        "digits",
        "--features",
        "pixels",
        "--no-corruptions",
        "--n",
        "80",
    ),
    *("--metrics", "frechet_distance", "--json", "card.json", "--picture", "card.png", "--force"),
)
STUDY = """
name: toy
recipes: [gan]
datasets: {digits: {name: digits}}
budget: {steps: 2}
seeds: 2
measures: [frechet_distance]
set:
  {generator.width: 8, discriminator.width: 8, latent.dim: 6, training.batch_size: 8,
   data.size: null}
evaluation: {samples: 64, features: pixels}
"""
VERBS = {
    "train": Verb(TRAIN, trained, again=(*TRAIN, "--resume")),
    "train on": Verb(
        (*TRAIN, "--steps", "3", "--resume"),
        trained,
        (TRAIN,),
        again=(*TRAIN, "--steps", "3", "--resume"),
    ),
    "sample arrays": Verb((*SAMPLE, "x.npz"), arrays, (TRAIN,)),
    "sample pictures": Verb((*SAMPLE, "x"), pictures, (TRAIN,)),
    "evaluate": Verb(EVALUATE, card, (TRAIN, (*SAMPLE, "x.npz", "--n", "80"), EVALUATE)),
    "analyze": Verb(("analyze", "weights", "run"), answer, (TRAIN, ("analyze", "weights", "run"))),
    "report": Verb(("report", "run"), page, (TRAIN, ("report", "run"))),
    "prepare": Verb(("data", "prepare", "digits", "prepared"), prepared),
    "classify": Verb(CLASSIFY, classified, again=(*CLASSIFY, "--resume")),
    "study again": Verb(
        ("study", "toy.yaml", "--out", "study"),
        tabulated,
        (("study", "toy.yaml", "--out", "study"),),
        {"toy.yaml": STUDY},
    ),
}
FAULTS = {
    "killed before": (KILL_BEFORE, 0),
    "killed within": (KILL_WITHIN, 0),
    "full": (FAIL_ON, errno.ENOSPC),
    "full once": (FAIL_ONCE, errno.ENOSPC),
    "broken once": (FAIL_ONCE, errno.EIO),
    "forbidden": (FAIL_ON, errno.EACCES),
}
REASONS = {
    errno.ENOSPC: "no space left",
    errno.EIO: "disk reports an error",
    errno.EACCES: "permission is denied",
}
# Beside the full walk, which `make test-all` takes, so many operations of each verb.
SPOTS = 3


@dataclass(frozen=True)
class Undisturbed:
    template: Path
    operations: int
    result: Any


@pytest.fixture(scope="module")
def undisturbed(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Undisturbed]:
    """What comes of a verb when nothing goes wrong, and the folder that it starts from."""
    known: dict[str, Undisturbed] = {}
    prepared: dict[Any, Path] = {}

    def prepare(before: tuple[tuple[str, ...], ...], files: Mapping[str, str]) -> Path:
        """The folder after some commands, each run once for all verbs that begin so."""
        key = (before, *files.items())
        if key not in prepared:
            folder = tmp_path_factory.mktemp("template") / "work"
            if before:
                shutil.copytree(prepare(before[:-1], files), folder)
                code, _, output = server.run(folder, before[-1])
                assert code == 0, output
            else:
                folder.mkdir()
                for file, text in files.items():
                    (folder / file).write_text(text)
            prepared[key] = folder
        return prepared[key]

    def find(name: str) -> Undisturbed:
        if name not in known:
            verb = VERBS[name]
            template = prepare(verb.before, verb.files)
            folder = tmp_path_factory.mktemp("undisturbed") / "work"
            shutil.copytree(template, folder)
            code, operations, output = server.run(folder, verb.command)
            assert code == 0, output
            known[name] = Undisturbed(template, operations, verb.result(folder))
        return known[name]

    return find


def check(
    server: Server, verb: Verb, whole: Undisturbed, folder: Path, at: int, fault: str
) -> None:
    mode, number = FAULTS[fault]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole.template, folder)
    code, _, output = server.run(folder, verb.command, at, mode, number)
    what = f"{' '.join(verb.command)}, operation {at} {fault}: exit code {code}\n{output}"
    assert "Traceback" not in output, what
    killed = mode in {KILL_BEFORE, KILL_WITHIN}
    if killed:
        assert code == -9, what
    elif code == 0:
        assert verb.result(folder) == whole.result, what
    else:
        assert code == 2, what
        sentences = [line for line in output.splitlines() if line.startswith("mtgan: ")]
        assert len(sentences) == 1, what
        assert REASONS[number] in sentences[0], what
        left = [str(path) for path in folder.rglob("*.partial*")]
        assert not left, f"{what}\nleft behind: {left}"
    if whole_before(verb, whole):  # an older result stays, or the new one is there
        verb.result(folder)
    if code != 0:
        again = verb.again or verb.command
        code, _, output = server.run(folder, again)
        complete = code == 2 and killed and "exists already" in output  # killed after the last step
        assert code == 0 or complete, f"{what}\nafter that: {code}\n{output}"
        assert verb.result(folder) == whole.result, what


def whole_before(verb: Verb, whole: Undisturbed) -> bool:
    try:
        verb.result(whole.template)
    except (OSError, IndexError):
        return False
    return True


@pytest.mark.parametrize("name", VERBS)
def test_at_some_operations(
    server: Server, undisturbed: Callable[[str], Undisturbed], tmp_path: Path, name: str
) -> None:
    whole = undisturbed(name)
    assert whole.operations > 0
    spots = np.linspace(1, whole.operations, SPOTS + 2).astype(int)[1:-1].tolist()
    # Other faults for each verb, so that all are met.
    faults = itertools.islice(itertools.cycle(FAULTS), list(VERBS).index(name), None)
    for at, fault in zip(spots, faults, strict=False):
        check(server, VERBS[name], whole, tmp_path / "work", at, fault)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", VERBS)
def test_at_every_operation(
    server: Server,
    undisturbed: Callable[[str], Undisturbed],
    tmp_path: Path,
    name: str,
    fault: str,
) -> None:
    whole = undisturbed(name)
    for at in range(1, whole.operations + 1):
        check(server, VERBS[name], whole, tmp_path / "work", at, fault)
