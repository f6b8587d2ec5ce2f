"""Commands that pages, messages and docs print: read from there, checked, and run at small size."""

import contextlib
import io
import itertools
import re
import shlex
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from mtgan.cli import main

DOCS = Path(__file__).parent.parent
FILES = [DOCS / "README.md", *sorted((DOCS / "docs").glob("*.md"))]

# Beginnings of commands that no test runs, and why.
EXCEPTED = {
    "pip install": "installs packages",
    "make ": "makes an environment of its own",
    "tensorboard": "serves until it is stopped",
    "ray ": "starts a cluster",
    "mtgan study auxiliary-tasks --executor ray": "needs that cluster",
    "torchrun --nnodes": "needs two machines",
    "python -m benchmarks": "takes long",
    "mtgan survey serve": "serves until it is stopped; tests/surveys/test_serve.py",
    "mtgan serve": "serves until it is stopped; tests/web/test_serve.py types docs/serve.md",
    "mtgan explore runs/demo runs/mine": "the same; tests/web/explore/test_browser.py has a server",
    "MTGAN_TOKEN=": "the same",
    "curl ": "asks what is served; the same",
    "cp ": "copies files of the reader's",
    "mtgan data info cifar100": "needs the archive of CIFAR-100",
}

# What would be downloaded, or takes long to read, and what stands for it.
SMALLER = {"cifar10": "digits", "cifar-10": "digits", "cifar100": "fashion-mnist-10k"}


@dataclass(frozen=True)
class Block:
    """A code block: its language, its text, the file and line where it begins."""

    language: str
    text: str
    place: str


def blocks(file: Path, *languages: str) -> list[Block]:
    """The code blocks of these languages, in order."""
    text = file.read_text()
    return [
        Block(found[1], found[2], f"{file.name}:{text.count(chr(10), 0, found.start()) + 1}")
        for found in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if found[1] in languages
    ]


def commands(text: str) -> list[str]:
    """The command lines of a block of shell, without comments, `\\` and redirection."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    stripped = (re.sub(r"\s+#.*|\s*> \S+$", "", line).strip() for line in lines)
    return [line for line in stripped if line]


def inline(file: Path) -> list[str]:
    """Commands that stand between `backticks` in the text, and begin with mtgan."""
    text = re.sub(r"^```.*?^```", "", file.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`(mtgan [^`]*)`", text)
    return [" ".join(each.replace("\\|", "|").split()).split(" | ")[0] for each in found]


def of_page(page: Path) -> list[str]:
    """The commands under "How to go on" of a page."""
    part = page.read_text().split("<h2>How to go on</h2>")[1].split("<details>")[0]
    return [unescape(line) for line in re.findall(r"<pre>(.*?)</pre>", part)]


def is_excepted(line: str) -> bool:
    return any(line.startswith(beginning) for beginning in EXCEPTED)


def shortened(line: str, domains: bool = False) -> list[str]:
    """The words after `mtgan`, with which it takes seconds: fewer steps, runs or samples."""
    words = [SMALLER.get(word, word) for word in shlex.split(line)]
    # On the CPU, wherever the reader is.
    words = without(words[words.index("mtgan") + 1 :], "--device")
    verb, other = words[0], words[1]
    if verb == "train" and "--resume" in words:
        steps = dict(itertools.pairwise(words)).get("--steps", "2")
        return [*without(words, "--steps"), "--steps", str(min(int(steps), 4))]
    if verb == "train":
        words = [*without(words, "--steps", "--scale"), "--scale", "tiny", "--steps", "2"]
        never = [] if "evaluate_every" in line else ["--set", "training.evaluate_every=0"]
        return [*words, *never]
    if verb == "evaluate":
        whole = [] if domains else ["--no-corruptions"]
        return [*words, "--features", "pixels", *whole]
    if verb == "classify":
        part = [] if "--fraction" in words else ["--fraction", "0.05"]
        return [*words, *part, "--set", "training.epochs=1"]
    if verb == "augment":
        return [*without(words, "--rule", "--filter"), "--rule", "2"]
    if verb == "study":
        classifiers = "mtl-" in line or "augmentation" in line
        length = "training.epochs=1" if classifiers else "training.steps=2"
        if "augmentation" in line:
            words = ["tiny" if word == "small" else word for word in words]
        return [*without(words, "--jobs"), "--seeds", "1", "--set", length]
    if verb == "tune":
        words = [*without(words, "--trials"), "--trials", "2", "--steps", "4"]
        quick = ["--measure", "frechet_distance", "--features", "pixels", "--n", "200"]
        quick += ["--metrics", "frechet_distance,precision_recall"]
        return [*words, *quick, "--fresh-seeds", "1", "--set", "training.evaluate_features=pixels"]
    if (verb, other) == ("bench", "quality"):
        return [*words, "--dry-run"]
    if verb == "bench":
        words = [*without(words, "--rounds", "--n"), "--rounds", "1"]
        small = {
            "train": ["--recipe", "wgan-gp", "--scale", "tiny"],
            "evaluate": ["--n", "200"],
            "serve": ["--requests", "100"],
        }
        return [*without(words, "--recipe", "--scale"), *small.get(other, [])]
    return words


def without(words: list[str], *options: str) -> list[str]:
    """The words without these options and their values."""
    return [
        word
        for before, word in itertools.pairwise(["", *words])
        if word not in options and before not in options
    ]


def run(words: list[str], folder: Path) -> str:
    """Run `mtgan WORDS` in a folder, in this process; AssertionError where it fails."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as stop:
            code = int(stop.code or 0)
    assert code == 0, f"mtgan {shlex.join(words)}: {err.getvalue()}"
    return out.getvalue()
