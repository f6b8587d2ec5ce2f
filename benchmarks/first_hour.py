"""Before and after: a student's 800 photographs, and the command that was proposed for them.

    git worktree add ../before dd3a0f3
    python -m benchmarks.first_hour path/to/cifar-10 folder --before ../before --seeds 3

The set: the first 100 training images of eight classes of CIFAR-10, each warm or cold (red less
blue) and bright or dark, at the medians. Every run stops after the same CPU seconds of one thread.
Then each of the 32 combinations of labels is asked for. Tone and light of a sample are what the
set defines; its class is that which a linear probe says, in features of imagenet-lite, fitted to
images of all of CIFAR-10. What the run's own version of mtgan says of it stands beside. A folder of
a run that is there is not trained again.
"""

import argparse
import csv
import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

import mtgan
from mtgan.data import Dataset
from mtgan.evaluation.features.base import FeatureRequest, build_extractor, extract
from mtgan.evaluation.features.probe import LinearProbe
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.metrics.kernel_distance import kernel_distance

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse")
TONES, LIGHTS = ("cold", "warm"), ("dark", "bright")
PER_CLASS, PER_COMBINATION = 100, 25

PROPOSED = re.compile(r"^ *mtgan (train .*)$", re.MULTILINE)

BEFORE = "train ac-wgan-b-real --data table --scale tiny --set condition_on=animal"
"""What that version's `data info` derived for a table of the three columns; tiny's own length."""

SAMPLE = """
import itertools, sys
import numpy as np
from mtgan.training import Run
folder, target, count, level = sys.argv[1:5]
run = Run.open(folder)
images = [
    np.asarray(run.sample(int(count), {level: a, "tone": b, "light": c}, seed=number))
    for number, (a, b, c) in enumerate(itertools.product(*(s.split(",") for s in sys.argv[5:])))
]
np.save(target, np.concatenate(images))
"""


def tone_and_light(images: np.ndarray) -> np.ndarray:
    """Red less blue, and brightness, of images [N, 3, H, W], as float64 [N, 2]."""
    colors = images.mean(axis=(2, 3), dtype=np.float64)
    return np.stack([colors[:, 0] - colors[:, 2], colors.mean(axis=1)], axis=1)


def class_rows(data: Dataset, names: tuple[str, ...], most: int) -> list[np.ndarray]:
    """The first `most` rows of each class that is named."""
    known = data.taxonomy.classes["fine"]
    fine = data.labels_of("fine")
    return [np.flatnonzero(fine == known.index(name))[:most] for name in names]


def write_set(folder: Path, training: Dataset) -> np.ndarray:
    """`photos` (class folders and a table of two columns) and `table` (one table of three), both of
    the same images. Returns the medians of tone and light."""
    rows = np.concatenate(class_rows(training, CLASSES, PER_CLASS))
    images = training.samples[rows]
    values = tone_and_light(images)
    medians = np.median(values, axis=0)
    lines: list[tuple[str, str, str, str]] = []
    for number, (image, above) in enumerate(zip(images, values > medians, strict=True)):
        name = CLASSES[number // PER_CLASS]
        file = f"{name}/{number % PER_CLASS:04d}.png"
        for place in (folder / "photos" / file, folder / "table" / file.replace("/", "-")):
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(place)
        lines.append((file, name, TONES[int(above[0])], LIGHTS[int(above[1])]))
    with (folder / "photos" / "attributes.csv").open("w", newline="") as stream:
        attributes = [(file, tone, light) for file, _, tone, light in lines]
        csv.writer(stream).writerows([("file", "tone", "light"), *attributes])
    with (folder / "table" / "labels.csv").open("w", newline="") as stream:
        table = [(file.replace("/", "-"), *labels) for file, *labels in lines]
        csv.writer(stream).writerows([("file", "animal", "tone", "light"), *table])
    return medians


def environment(source: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(source / "src"), "OMP_NUM_THREADS": "1"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mtgan", *arguments]


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def train(arguments: list[str], folder: Path, source: Path, seconds: float) -> None:
    """Train in a process of its own, and stop it after so many CPU seconds, as Ctrl-C does."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(source),
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while process.poll() is None:
        if cpu_seconds(process.pid) > seconds:
            process.send_signal(signal.SIGINT)
            process.wait()
        time.sleep(0.5)


def proposed(folder: Path, source: Path) -> list[str]:
    """The command that `data info photos` ends with."""
    said = subprocess.run(
        command("data", "info", "photos", "--force"),
        cwd=folder,
        env=environment(source) | {"COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    [line] = PROPOSED.findall(said)
    return shlex.split(line)


def generated(run: Path, level: str, source: Path) -> np.ndarray:
    """PER_COMBINATION samples of every combination of labels, in the order of `asked`."""
    target = run / "asked.npy"
    if not target.exists():
        names = [",".join(group) for group in (CLASSES, TONES, LIGHTS)]
        arguments = [str(run), str(target), str(PER_COMBINATION), level, *names]
        program = [sys.executable, "-c", SAMPLE, *arguments]
        subprocess.run(program, env=environment(source), check=True)
    return np.load(target)


def own_verdict(run: Path, data: str, source: Path) -> str:
    """What the version that trained the run says of it."""
    card = run / "card.json"
    if not card.exists():
        arguments = ["evaluate", str(run), "--data", data, "--json", str(card)]
        program = command(*arguments)
        subprocess.run(
            program, cwd=run.parent, env=environment(source), check=True, stdout=subprocess.DEVNULL
        )
    facts = json.loads(card.read_text())
    overall = facts["overall"]
    figure = "none" if overall is None else f"{overall:.2f}"
    return f"{figure} ({facts['protocol']['features']})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="CIFAR-10, as load_dataset takes it")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--before", type=Path, required=True, help="a checkout of that version")
    parser.add_argument("--seconds", type=float, default=300, help="CPU seconds of a run")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    here = Path(__file__).resolve().parent.parent
    training = mtgan.load_dataset(chosen.data)
    unseen = mtgan.load_dataset(chosen.data, "test")
    medians = write_set(folder, training)
    after = proposed(folder, here)
    versions = {
        "before": (shlex.split(BEFORE), "animal", chosen.before.resolve()),
        "after": (after, "fine", here),
    }

    extractor = build_extractor(FeatureRequest("imagenet-lite", training))

    def space(images: np.ndarray) -> np.ndarray:
        return extract(extractor, images).features

    learned = class_rows(training, CLASSES, 2000)
    probe = LinearProbe.fit(
        space(training.samples[np.concatenate(learned)]), np.repeat(np.arange(8), 2000)
    )
    real = space(unseen.samples[np.concatenate(class_rows(unseen, CLASSES, 1000))])
    right = (probe.predict(real) == np.repeat(np.arange(8), 1000)).mean()
    print(f"The probe is right on {right:.2f} of held-out photographs.\n")
    combinations = itertools.product(range(len(CLASSES)), (0, 1), (0, 1))
    asked = np.repeat(list(combinations), PER_COMBINATION, axis=0)

    print("| | seed | class | tone | light | Frechet | kernel | overall, says its own version |")
    print("|---" * 8 + "|")
    for (name, (arguments, level, source)), seed in itertools.product(
        versions.items(), range(chosen.seeds)
    ):
        run = folder / f"{name}-{seed}"
        if not run.exists():
            whole = [*arguments, "--seed", str(seed), "--out", run.name]
            train(whole, folder, source, chosen.seconds)
        images = generated(run, level, source)
        features = space(images)
        obeyed = [
            (probe.predict(features) == asked[:, 0]).mean(),
            *((tone_and_light(images) > medians) == asked[:, 1:]).mean(axis=0),
        ]
        distances = frechet_distance(features, real), float(kernel_distance(features, real))
        figures = [f"{value:.2f}" for value in obeyed] + [f"{value:,.4g}" for value in distances]
        cells = [
            name,
            str(seed),
            *figures,
            own_verdict(run, arguments[arguments.index("--data") + 1], source),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
